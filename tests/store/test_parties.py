"""Row-level security by parts: of all tables each party sees its own rows, and writes what is its own to write."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import Column, Table, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError

from domain.actors import PARK
from domain.commands import CommandKind
from domain.data_map_fences import OPEN, PARTS, PARTS_OF_EMPLOYERS
from domain.data_map_fences import OWN as WRITTEN_BY_PERSONS
from domain.parties import DOOR, NO_PERSON, person_tenant
from programmes import PROGRAMMES, own_tables
from store import tables
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, NOON, OFFICER
from tests.cases.driver import Case, Park, china, open_park

_REFUSED: Final = "row-level security|keeps its owner|stays what it was|the park's to change|not its employer's"
UNIVERSITY: Final = "uni-c"  # confirms something of a case that emp-a owns
CONFIRMED: Final = ("applications", "cases", "employers", "permits")
_SUBJECT: Final = PROGRAMMES["talent_permit"].parts[0]
_PARTS: Final = PARTS | {each.name for _, each in own_tables()}
# Tables that the case of the test fills with no row of its own, and what a row of each has to hold.
HELD: Final[dict[str, dict[str, Any]]] = {
    "case_facts": {"state": "stands", "contest": None},
    "evidence": {"state": "given", "result": None, "source_reference": None, "source_evidence": None},
    "takeovers": {"state": "released", "consent": "person", "to_evidence": None},
    "tasks": {"state": "done"},
    "person_joinings": {"kind": "joining"},
}
# Of these a person sees rows that belong to no case.
_OF_PERSONS: Final = {"persons", "person_documents", "person_sessions", "sign_in_links"}
_SHARED: Final = {"data_keys"}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


@asynccontextmanager
async def declared(owner_url: str) -> AsyncIterator[None]:
    """Let cases have a confirming employer for a while, which no programme has yet."""
    row = ("talent_permit", "confirmer", "employer", list(CONFIRMED), ["answer_task"])
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("INSERT INTO declared_parts VALUES ($1, $2, $3, $4, $5)", *row)
        yield
    finally:
        await connection.execute("DELETE FROM declared_parts WHERE part = 'confirmer'")
        await connection.close()


async def two_cases(park: Park) -> tuple[Case, Case]:
    """Return a case of each employer, with rows in every table; the first one is confirmed by a university."""
    mine = await park.issued(by=EMPLOYER_A)
    park.identity_number = "33010619860128072X"
    other = await park.issued(by=EMPLOYER_B, employment={"work_site": "SZP-101"}, permit_card_number="C87654321")
    for case in (mine, other):
        await case.view(OFFICER)  # an access, told in a chain of its own
        await _fill(park, case)
    async with park.context.database.begin() as connection:
        row = {"reference": mine.reference, "part": "confirmer", "kind": "employer", "party_id": UNIVERSITY}
        more = {"since": NOON, "programme": "talent_permit", "employer_id": "emp-a"}
        await connection.execute(insert(tables.case_parties).values(row | more))
    return mine, other


async def _fill(park: Park, case: Case) -> None:
    """Write a row of the case into each table that has none; rows of employers and persons likewise."""
    row = await case.row()
    of_case = {"reference": case.reference, "person_id": row["person_id"], "employer_id": row["employer_id"]}
    for table in tables.metadata.sorted_tables:
        if table.name in OPEN or table.name in ("ledger", "ledger_marks", "case_parties"):
            continue
        known = {name: value for name, value in of_case.items() if name in table.c}
        async with park.context.database.begin() as connection:
            mine = [table.c[name] == value for name, value in known.items()]
            if (await connection.execute(select(func.count()).select_from(table).where(*mine))).scalar_one():
                continue
            filled = {c.name: await filler(park, case, c) for c in table.c if c.computed is None and c.identity is None}
            await connection.execute(insert(table).values(filled | known | HELD.get(table.name, {})))


async def filler(park: Park, case: Case, column: Column[Any]) -> Any:
    """Return what a column holds of a row of a case, where it does not matter."""
    if column.foreign_keys and column.name not in ("reference", "person_id", "employer_id"):
        if column.nullable:
            return None
        (key,) = column.foreign_keys
        of = key.column.table.c
        named = {"reference": case.reference, "employer_id": case.employer.employer_id}
        mine = [of[name] == value for name, value in named.items() if name in of][:1]
        async with park.context.database.begin() as connection:
            return (await connection.execute(select(key.column).where(*mine).limit(1))).scalar_one()
    if column.primary_key and column.type.python_type is UUID:
        return uuid4()
    made: dict[type, Any] = {
        str: f"x-{case.reference}",
        int: 1,
        bytes: case.reference.encode(),
        UUID: uuid4(),
        datetime: NOON,
        bool: False,
        list: [],
    }
    kind = column.type.python_type
    return NOON.date() if kind is date else made.get(kind, {})


async def seen(park: Park, tenant: str, table: Table, mine: Case, other: Case) -> set[str]:
    """Return whose rows of a table a transaction sees: `mine`, `other`, or `nobody` for a row of neither."""
    persons = {(await case.row())["person_id"]: name for case, name in ((mine, "mine"), (other, "other"))}
    named: dict[Any, str] = {
        mine.reference: "mine", "emp-a": "mine", f"x-{mine.reference}": "mine",
        other.reference: "other", "emp-b": "other", f"x-{other.reference}": "other", **persons,
    }  # fmt: skip
    async with park.context.database.begin(tenant) as connection:
        if table.name == "ledger":
            rows = await connection.execute(select(table.c.reference, table.c.detail["cases"].label("cases")))
            told = {each for row in rows for each in ([row.reference] if row.reference else row.cases or ["nobody"])}
            return {named.get(each, "nobody") for each in told}
        if table.name in ("deliveries", "notice_reads"):
            notice = select(tables.notices.c.notice_id, tables.notices.c.reference)
            ids = set((await connection.execute(select(table.c.notice_id))).scalars())
            async with park.context.database.begin() as all_of:
                return {named[row.reference] for row in await all_of.execute(notice) if row.notice_id in ids}
        by = next((name for name in ("reference", "person_id", "employer_id", "value") if name in table.c), None)
        column = next(iter(table.primary_key)) if by is None else table.c[by]
        return {named.get(each, "nobody") for each in (await connection.execute(select(column))).scalars()}


async def see_through_all(park: Park, mine: Case, other: Case) -> None:
    """Look at every table as every kind of party, and compare with what each is to see."""
    person = person_tenant((await mine.row())["person_id"])
    foreign = person_tenant((await other.row())["person_id"])
    secured = [table for table in tables.metadata.sorted_tables if table.name not in OPEN]
    for table in secured:
        name = table.name
        assert await seen(park, PARK, table, mine, other) - {"nobody"} >= (
            {"mine", "other"} if table.name in _PARTS | PARTS_OF_EMPLOYERS else set()
        ), name
        at_door = await seen(park, DOOR, table, mine, other)
        assert bool(at_door) is (table.name in _OF_PERSONS | _SHARED | {"case_parties"}), name
        for whose, tenant in (("mine", person), ("other", foreign)):
            sees = await seen(park, tenant, table, mine, other)
            own = name in _SUBJECT.sees or table.name in _OF_PERSONS | {"case_parties", "takeovers", "transfers"}
            if table.name in _SHARED:
                continue
            assert sees == ({whose} if own else set()), (tenant, name)
        for tenant in (person_tenant(uuid4()), NO_PERSON, ""):
            if tenant == "":
                async with park.context.database.engine.begin() as connection:
                    count = select(func.count()).select_from(table)
                    assert (await connection.execute(count)).scalar_one() == 0, name
            elif table.name not in _SHARED:
                assert await seen(park, tenant, table, mine, other) == set(), (tenant, name)
        confirmer = await seen(park, UNIVERSITY, table, mine, other)
        if table.name not in _OF_PERSONS | _SHARED:
            assert confirmer == ({"mine"} if name in (*CONFIRMED, "case_parties") else set()), name
        for whose, tenant in (("mine", "emp-a"), ("other", "emp-b")):
            if table.name in _PARTS | PARTS_OF_EMPLOYERS | {"case_parties"} and table.name != "objections":
                assert await seen(park, tenant, table, mine, other) - {"nobody"} == {whose}, (tenant, name)


async def test_every_party_sees_of_every_table_what_its_part_lets_it_see(park: Park, owner_url: str) -> None:
    mine, other = await two_cases(park)
    async with declared(owner_url):
        await see_through_all(park, mine, other)


async def _refused(park: Park, tenant: str, statement: Any) -> None:
    with pytest.raises((ProgrammingError, DBAPIError), match=_REFUSED):
        async with park.context.database.begin(tenant) as connection:
            await connection.execute(statement)


async def _changed(park: Park, tenant: str, statement: Any) -> int:
    async with park.context.database.begin(tenant) as connection:
        return int((await connection.execute(statement)).rowcount)


def _command(case: Case, employer: str, kind: str) -> Any:
    row = {"command_id": uuid4(), "reference": case.reference, "employer_id": employer, "kind": kind}
    return insert(tables.commands).values(row | {"actor": {}, "state": "stored", "at": NOON})


async def _write_releases(park: Park, mine: Case, other: Case, person_id: UUID, other_id: UUID) -> None:
    """Let a person release what is theirs into a case of theirs, and take it back."""
    person = person_tenant(person_id)

    def released(source: str, target: str, by: UUID, **more: object) -> Any:
        row = {"takeover_id": uuid4(), "person_id": by, "from_reference": source, "to_reference": target}
        row |= {"from_item": "a", "from_evidence": 1, "to_item": "b", "consent": "person", "state": "released"}
        return insert(tables.takeovers).values(row | {"consented_at": NOON} | more)

    await _changed(park, person, released(mine.reference, mine.reference, person_id))
    await _refused(park, person, released(other.reference, mine.reference, person_id))
    await _refused(park, person, released(mine.reference, other.reference, person_id))
    await _refused(park, person, released(mine.reference, mine.reference, other_id))
    await _refused(park, person, released(mine.reference, mine.reference, person_id, state="taken"))
    await _refused(park, person, released(mine.reference, mine.reference, person_id, consent="employer"))
    await _refused(park, "emp-a", released(mine.reference, mine.reference, person_id))
    into_mine = update(tables.takeovers).where(tables.takeovers.c.to_reference == mine.reference)
    await _refused(park, person, into_mine.values(state="taken"))
    await _refused(park, person, into_mine.values(state="withdrawn", from_item="c"))
    assert await _changed(park, "emp-a", into_mine.values(state="withdrawn")) == 0
    assert await _changed(park, person, into_mine.values(state="withdrawn")) == 2
    assert await _changed(park, person, into_mine.values(state="withdrawn")) == 0


async def write_through_all(park: Park, mine: Case, other: Case) -> None:
    """Let a person write what is theirs, and nothing else; the same of an employer that confirms."""
    person_id, other_id = (await mine.row())["person_id"], (await other.row())["person_id"]
    person = person_tenant(person_id)
    await _changed(park, person, _command(mine, "emp-a", "dispute"))
    await _refused(park, person, _command(mine, "emp-a", CommandKind.WITHDRAW))
    await _refused(park, person, _command(mine, "emp-b", "dispute"))
    await _refused(park, person, _command(other, "emp-b", "dispute"))
    await _changed(park, UNIVERSITY, _command(mine, "emp-a", CommandKind.ANSWER_TASK))
    await _refused(park, UNIVERSITY, _command(mine, "emp-a", CommandKind.WITHDRAW))

    r = tables.cases
    for tenant in (person, UNIVERSITY):
        held = select(r.c.reference).with_for_update()
        async with park.context.database.begin(tenant) as connection:
            assert (await connection.execute(held)).scalars().all() == [mine.reference]
        await _refused(park, tenant, update(r).values(stage="approved"))
        await _refused(park, tenant, update(r).values(employer_id=UNIVERSITY))
    await _refused(park, PARK, update(r).where(r.c.reference == mine.reference).values(employer_id="emp-b"))

    parties = tables.case_parties
    row = {"part": "confirmer", "kind": "person", "since": NOON, "programme": "talent_permit"}
    for tenant in (person, "emp-a", UNIVERSITY):
        added = row | {"reference": mine.reference, "party_id": str(other_id), "employer_id": "emp-a"}
        await _refused(park, tenant, insert(parties).values(added))
    subject = update(parties).where(parties.c.part == "subject")
    await _refused(park, "emp-a", subject.values(part="confirmer", kind="employer", party_id=UNIVERSITY))
    assert await _changed(park, person, update(parties).values(until=NOON)) == 0
    assert await _changed(park, UNIVERSITY, update(parties).values(until=NOON)) == 0

    objection = {
        "kind": "complaint", "about": "reading", "state": "open", "body": b"", "at": NOON, "due_at": NOON,
        "key_id": (await park.rows(tables.persons, tables.persons.c.person_id == person_id))[0]["key_id"],
    }  # fmt: skip

    def objected(reference: str, by: UUID) -> Any:
        return insert(tables.objections).values(
            objection | {"objection_id": uuid4(), "reference": reference, "person_id": by}
        )

    await _changed(park, person, objected(mine.reference, person_id))
    await _refused(park, person, objected(other.reference, person_id))
    await _refused(park, person, objected(mine.reference, other_id))

    def agreed(reference: str, by: UUID, **more: object) -> Any:
        row = {"transfer_id": uuid4(), "person_id": by, "programme": "talent_permit", "from_reference": reference}
        row |= {"to_employer": "emp-b", "state": "agreed", "agreed_at": NOON, "holds_until": NOON}
        return insert(tables.transfers).values(row | more)

    await _changed(park, person, agreed(mine.reference, person_id))
    await _refused(park, person, agreed(other.reference, person_id))
    await _refused(park, person, agreed(mine.reference, other_id))
    await _refused(park, person, agreed(mine.reference, person_id, state="taken"))
    await _refused(park, "emp-a", agreed(mine.reference, person_id))
    of_mine = update(tables.transfers).where(tables.transfers.c.from_reference == mine.reference)
    await _refused(park, person, of_mine.values(state="taken"))
    assert await _changed(park, person, of_mine.values(state="withdrawn")) == 1
    assert await _changed(park, person, of_mine.values(state="withdrawn")) == 0

    await _write_releases(park, mine, other, person_id, other_id)

    def acted(subject: object, role: str, cases: list[str]) -> Any:
        who = {
            "actor_issuer": "hetao/me",
            "actor_subject": str(subject),
            "actor_role": role,
            "detail": {"cases": cases},
        }
        chain = {"chain": f"access/{uuid4()}", "seq": 1, "act": "case_read", "at": NOON, "correlation_id": ""}
        return insert(tables.ledger).values(who | chain | {"previous": b"", "hash": b""})

    await _changed(park, person, acted(person_id, "person", [mine.reference]))
    await _refused(park, person, acted(person_id, "person", [other.reference]))
    await _refused(park, person, acted(other_id, "person", []))
    await _refused(park, person, acted(person_id, "officer", []))

    def told(case: Case, employer: str, recipient: str) -> Any:
        named = {"notice_id": uuid4(), "reference": case.reference, "employer_id": employer, "recipient": recipient}
        more = {"kind": "sign_in_link", "occasion": str(uuid4()), "language": "en", "status": "queued", "at": NOON}
        return insert(tables.notices).values(
            named | more | {"key_id": objection["key_id"], "body": b"", "text_hash": ""}
        )

    await _changed(park, person, told(mine, "emp-a", "person"))
    await _refused(park, person, told(mine, "emp-a", "employer"))
    await _refused(park, person, told(other, "emp-b", "person"))
    await _refused(park, person, told(mine, "emp-b", "person"))
    notice_id = (await park.rows(tables.notices, tables.notices.c.reference == mine.reference))[0]["notice_id"]
    for employer, refused in (("emp-a", False), ("emp-b", True)):
        sent = {"delivery_id": uuid4(), "notice_id": notice_id, "employer_id": employer, "channel": "mail"}
        sending = insert(tables.deliveries).values(sent | {"status": "queued", "give_up_at": NOON})
        await (_refused if refused else _changed)(park, person, sending)

    for table, columns in (
        (tables.sign_in_links, ("link_hash", "link_id", "reference", "address_hash")),
        (tables.person_sessions, ("session_hash", "address_hash")),
    ):
        for whose, refused in ((person_id, False), (other_id, True)):
            made: dict[str, Any] = {n: uuid4() if n.endswith("_id") else uuid4().bytes for n in columns}
            made |= {"reference": "HT"} if "reference" in columns else {}
            made |= {"person_id": whose, "at": NOON, "expires_at": NOON + timedelta(hours=1)}
            await (_refused if refused else _changed)(park, person, insert(table).values(made))
        assert await _changed(park, person, table.delete().where(table.c.person_id == other_id)) == 0

    for subject, refused in ((person_id, False), (other_id, True)):
        key = {"employer_id": PARK, "subject": f"hetao/me {subject}", "route": "r", "key": "k"}
        kept = insert(tables.idempotency).values(key | {"body_hash": b"", "at": NOON})
        await (_refused if refused else _changed)(park, person, kept)
    async with park.context.database.begin(person) as connection:
        assert (await connection.execute(select(func.count()).select_from(tables.idempotency))).scalar_one() == 1

    key_id = objection["key_id"]
    await _refused(park, person, insert(tables.persons).values(person_id=uuid4(), key_id=key_id))
    document = {"document_id": uuid4(), "person_id": other_id, "lookup_hash": b"x", "since": NOON}
    await _refused(park, person, insert(tables.person_documents).values(document))
    assert await _changed(park, person, tables.person_documents.delete()) == 0
    for table in (tables.persons, tables.person_documents):
        await _refused(park, person, update(table).values(key_id=uuid4()) if table is tables.persons else
                       update(table).values(number=b"x"))  # fmt: skip
    touched = {"commands", "cases", "case_parties", "objections", "ledger", "ledger_marks", "notices"}
    touched |= {
        "takeovers",
        "transfers",
        "deliveries",
        "sign_in_links",
        "person_sessions",
        "idempotency",
        "persons",
        "person_documents",
    }
    assert touched == set(WRITTEN_BY_PERSONS)


async def test_a_person_writes_what_is_their_own_and_nothing_else(park: Park, owner_url: str) -> None:
    mine, other = await two_cases(park)
    async with declared(owner_url):
        await write_through_all(park, mine, other)


async def test_who_signs_in_is_found_out_and_nothing_is_changed_by_that(park: Park) -> None:
    await two_cases(park)
    for table in (tables.sign_in_links, tables.person_sessions):
        assert await _changed(park, DOOR, update(table).values(ended_at=NOON)) == 0
    await _refused(park, DOOR, update(tables.persons).values(identity_hash=b"x"))
    assert await _changed(park, DOOR, update(tables.person_documents).values(kind="passport")) == 2


async def test_a_row_of_the_ledger_that_lists_a_persons_case_is_theirs_to_see_with_it(park: Park) -> None:
    mine, other = await two_cases(park)
    for case in (mine, other):
        async with park.context.database.begin(person_tenant((await case.row())["person_id"])) as connection:
            read = select(tables.ledger.c.detail).where(tables.ledger.c.chain.like("access/%"))
            assert [each["cases"] for each in (await connection.execute(read)).scalars()] == [[case.reference]]


async def test_the_person_of_a_transaction_has_to_be_said_in_its_form(park: Park) -> None:
    for tenant in ("person/", "person/x'; --", "persons/x", "person/a/b"):
        with pytest.raises(ValueError, match="a name is made of"):
            async with park.context.database.begin(tenant):
                pass
    async with park.context.database.begin(NO_PERSON) as connection:
        assert (await connection.execute(text("SELECT current_setting('hetao.tenant')"))).scalar_one() == NO_PERSON


def _row_of(case: Case, who: dict[str, str], **more: Any) -> Any:
    """Return what writes a row of the ledger by a person."""
    row = {"chain": f"sign-in/{uuid4()}", "seq": 1, "act": "signed_in", "at": NOON, "correlation_id": "", "detail": {}}
    signed = {"actor_role": "person", "previous": b"", "hash": b""}
    return insert(tables.ledger).values(row | signed | who | more)


async def test_what_a_person_did_stands_in_no_case_of_another(park: Park) -> None:
    mine, other = await two_cases(park)
    mine_id, other_id = [str((await case.row())["person_id"]) for case in (mine, other)]
    person = person_tenant(mine_id)
    me = {"actor_issuer": "hetao/me", "actor_subject": mine_id}
    token = {"actor_issuer": "https://issuer", "actor_subject": "x"}
    for tenant, who in ((person, me), (NO_PERSON, token)):
        await _changed(park, tenant, _row_of(other, who))
        refusal = {"chain": f"refused/{uuid4()}", "act": "request_refused", "reference": other.reference}
        await _changed(park, tenant, _row_of(other, who, **refusal))
        await _refused(park, tenant, _row_of(other, who, reference=other.reference))
        await _refused(park, tenant, _row_of(other, who, chain=other.reference, seq=999))
        await _refused(park, tenant, _row_of(other, who, employer_id="emp-b"))
    await _refused(park, NO_PERSON, _row_of(other, me | {"actor_subject": other_id}))


async def test_nobody_sees_nothing_of_what_persons_did(park: Park) -> None:
    mine, _ = await two_cases(park)
    mine_id = str((await mine.row())["person_id"])
    await _changed(park, person_tenant(mine_id), _row_of(mine, {"actor_issuer": "hetao/me", "actor_subject": mine_id}))
    async with park.context.database.begin(NO_PERSON) as connection:
        assert (await connection.execute(select(tables.ledger.c.chain))).all() == []


async def test_a_mark_opens_no_row_of_the_ledger_that_does_not_list_the_case(park: Park) -> None:
    mine, other = await two_cases(park)
    person, x = person_tenant((await mine.row())["person_id"]), tables.ledger.c
    row = (await park.rows(tables.ledger, x.chain == other.reference))[0]
    mark = {name: row[name] for name in ("at", "chain", "seq")} | {"kind": "case", "value": mine.reference}
    await _refused(park, person, insert(tables.ledger_marks).values(mark))
    await _changed(park, PARK, insert(tables.ledger_marks).values(mark))
    async with park.context.database.begin(person) as connection:
        read = select(x.seq).where(x.chain == other.reference)
        assert (await connection.execute(read)).all() == []


async def test_an_employer_adds_a_person_to_its_own_cases_alone(park: Park) -> None:
    mine, other = await two_cases(park)
    mine_id, r = (await mine.row())["person_id"], tables.cases
    erased = update(r).where(r.c.reference.in_([mine.reference, other.reference])).values(erased_at=NOON)
    await _changed(park, PARK, erased)
    row = {"part": "subject", "kind": "person", "party_id": str(mine_id), "programme": "talent_permit"}
    added = insert(tables.case_parties).values(row | {"since": park.context.clock(), "employer_id": "emp-a"})
    await _refused(park, "emp-a", added.values(reference=other.reference))
    await _refused(park, "emp-a", added.values(reference=mine.reference, programme="toy"))
    subject = update(tables.case_parties).where(tables.case_parties.c.part == "subject")
    await _refused(park, "emp-a", subject.values(reference=other.reference))
    await _changed(park, "emp-a", added.values(reference=mine.reference))
