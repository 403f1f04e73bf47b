"""What keeps to its case: what a fence lets see, whose a row is, who changes it, and what of it never changes."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import Column, Table, column, func, insert, inspect, select, text, update
from sqlalchemy import table as named
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from domain.actors import PARK
from domain.data_map_fences import OPEN
from domain.parties import person_tenant
from domain.written_once import BY_COLUMN, FREE, NEVER_CHANGED, ONCE, TAKEN_AWAY
from programmes import own_tables
from store import tables
from store.case_reads import fence
from tests.cases.contexts import NOON
from tests.cases.driver import Case, Park, china, open_park
from tests.store.test_parties import HELD, UNIVERSITY, filler, two_cases

_OWN: Final = {each.name: each for _, each in own_tables()}
_WRITTEN: Final = ONCE | {name: ("reference", *each.keys, "employer_id") for name, each in _OWN.items()}
# Which case a row is of, where no column `reference` says so.
_BY: Final = {
    "ledger_marks": "value",
    "deliveries": "notice_id",
    "notice_reads": "notice_id",
    "takeovers": "to_reference",
    "transfers": "from_reference",
}
# Whatever names a case there, no transaction of a person sees rows of these, or they are nobody's.
_NOT_OF_CASES: Final = {"erasures", "lost_answers", "archived_histories", "differences"}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _policies(owner_url: str, query: str) -> list[Any]:
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        rows = (await connection.execute(text(query))).all()
    await engine.dispose()
    return list(rows)


async def test_every_table_with_rows_of_cases_is_fenced(owner_url: str) -> None:
    of_cases = await _policies(
        owner_url,
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
        " AND a.attname IN ('reference', 'notice_id')",
    )
    fenced = await _policies(
        owner_url,
        "SELECT tablename FROM pg_policies WHERE policyname = 'own_cases' AND permissive = 'RESTRICTIVE'"
        " AND cmd = 'SELECT' AND qual LIKE '%hetao.cases%'",
    )
    assert {row[0] for row in fenced} == {row[0] for row in of_cases} - set(OPEN) | set(_BY)


async def test_every_table_with_rows_of_cases_asks_whose_they_are_and_who_changes_them(owner_url: str) -> None:
    of_cases = await _policies(
        owner_url,
        "SELECT table_name FROM information_schema.columns JOIN pg_class ON relname = table_name AND relkind = 'r'"
        " WHERE table_schema = 'public' AND column_name IN ('reference', 'employer_id')"
        " GROUP BY table_name HAVING count(*) = 2",
    )
    found = await _policies(owner_url, "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgenabled = 'O'")
    known = {row[0] for row in of_cases} - {"ledger", "idempotency"}
    assert {table for name, table in found if name == "its_case"} == known - {"cases"}
    assert {table for name, table in found if name == "park_changes"} == known - {"roster_rows"} | {"deliveries"}
    assert {"deliveries", "notice_reads"} == {table for name, table in found if name == "its_notice"}


async def test_a_fence_lets_see_of_every_table_what_is_of_its_cases(park: Park) -> None:
    mine, other = await two_cases(park)
    notices = {row["notice_id"]: row["reference"] for row in await park.rows(tables.notices)}
    references = {mine.reference, other.reference, f"x-{mine.reference}", f"x-{other.reference}"}
    for references_seen in ([mine.reference], []):
        for each in tables.metadata.sorted_tables:
            by = _BY.get(each.name, "reference")
            if each.name in OPEN or by not in each.c:
                continue
            async with park.context.database.begin() as connection:
                await fence(connection, references_seen)
                found = set((await connection.execute(select(each.c[by]))).scalars())
            found = {notices[value] for value in found} if by == "notice_id" else found
            if each.name in ("ledger", "idempotency"):
                found.discard(None)
            assert found & references <= set(references_seen), each.name
            assert other.reference not in found, each.name
            if references_seen and each.name not in _NOT_OF_CASES:
                assert mine.reference in found, each.name


async def test_a_persons_fence_narrows_what_the_part_lets_see(park: Park) -> None:
    """The other case is the same person's, whose link was sent to an address that stands on the first one alone."""
    mine, other = await two_cases(park)
    person = (await mine.row())["person_id"]
    async with park.context.database.begin() as connection:
        ended = update(tables.case_parties).where(tables.case_parties.c.reference == other.reference)
        await connection.execute(ended.where(tables.case_parties.c.part == "subject").values(until=NOON))
        subject = {"part": "subject", "kind": "person", "party_id": str(person), "since": NOON}
        of = {"reference": other.reference, "programme": "talent_permit", "employer_id": "emp-b"}
        await connection.execute(insert(tables.case_parties).values(subject | of))
    x = tables.ledger.c
    for references in ([mine.reference], [mine.reference, other.reference]):
        for each in tables.metadata.sorted_tables:
            if each.name in OPEN or "reference" not in each.c or each is tables.ledger:
                continue
            async with park.context.database.begin(person_tenant(person)) as connection:
                await fence(connection, references)
                found = set((await connection.execute(select(each.c.reference))).scalars())
            assert found <= set(references), each.name
        async with park.context.database.begin(person_tenant(person)) as connection:
            await fence(connection, references)
            rows = (await connection.execute(select(x.reference, x.detail["cases"].label("cases")))).all()
            employers = set((await connection.execute(select(tables.employers.c.employer_id))).scalars())
        assert all({row.reference, *(row.cases or ())} & set(references) for row in rows)
        assert employers == ({"emp-a", "emp-b"} if other.reference in references else {"emp-a"})


async def _refused(park: Park, tenant: str, statement: Any, match: str) -> None:
    with pytest.raises(Exception, match=match):
        async with park.context.database.begin(tenant) as connection:
            await connection.execute(statement)


async def _row_like(park: Park, of: Table, case: Case, **more: Any) -> Any:
    """Return what writes one more row into a table, as one of a case whose other columns do not matter."""
    filled = {c.name: await filler(park, case, c) for c in of.c if c.computed is None and c.identity is None}
    numbers = {c.name: 7 for c in of.primary_key if c.type.python_type is int}
    return insert(of).values(filled | numbers | HELD.get(of.name, {}) | more)


async def test_no_row_names_a_case_of_another_employer(park: Park) -> None:
    mine, other = await two_cases(park)
    walked = set()
    for each in tables.metadata.sorted_tables:
        if {"reference", "employer_id"} <= set(each.c.keys()) and each.name not in ("cases", "ledger", "idempotency"):
            named_wrong: dict[str, Any] = {"reference": mine.reference, "employer_id": "emp-b"}
            if "person_id" in each.c:
                named_wrong["person_id"] = (await mine.row())["person_id"]
            if each is tables.case_parties:
                named_wrong |= {"part": "confirmer", "kind": "employer"}
            if each.name == "roster_rows":
                named_wrong["roster_id"] = (await park.rows(tables.rosters))[-1]["roster_id"]
            written = await _row_like(park, each, other, **named_wrong)
            # Of a table with one row a case there is no second one to write.
            match = "not its employer's|row-level security"
            match += "|duplicate key" if each.primary_key.columns.keys() == ["reference"] else ""
            for tenant in ("emp-b", PARK):
                await _refused(park, tenant, written, match)
            walked.add(each.name)
    assert {"applications", "tasks", "commands", "notices", "incidents", *_OWN} <= walked


async def test_a_delivery_is_of_its_notices_employer_and_goes_to_that_ones_webhook(park: Park) -> None:
    mine, other = await two_cases(park)
    mines, others = [(await _of(park, tables.notices, case))["notice_id"] for case in (mine, other)]
    sent = {"employer_id": "emp-b", "channel": "webhook", "status": "queued", "give_up_at": NOON}
    hooks = {row["employer_id"]: row["webhook_id"] for row in await park.rows(tables.webhooks)}
    for tenant in ("emp-b", PARK):
        for wrong in ({"notice_id": mines}, {"notice_id": others, "webhook_id": hooks["emp-a"]}):
            row = insert(tables.deliveries).values(sent | wrong | {"delivery_id": uuid4()})
            await _refused(park, tenant, row, "not its employer's")
        read = {"notice_id": mines, "subject": "s", "employer_id": "emp-b", "read_at": NOON}
        await _refused(park, tenant, insert(tables.notice_reads).values(read), "not its employer's")
        async with park.context.database.begin(tenant) as connection:
            right = {"notice_id": others, "webhook_id": hooks["emp-b"], "delivery_id": uuid4()}
            await connection.execute(insert(tables.deliveries).values(sent | right))


async def test_a_notice_to_an_employer_that_confirms_is_told_by_the_park(park: Park) -> None:
    mine, _ = await two_cases(park)  # confirmed by UNIVERSITY

    async def told(employer: str, recipient: str) -> Any:
        named = {"reference": mine.reference, "employer_id": employer, "recipient": recipient}
        return await _row_like(park, tables.notices, mine, **named, notice_id=uuid4(), occasion=str(uuid4()))

    async with park.context.database.begin() as connection:
        await connection.execute(await told(UNIVERSITY, "employer"))
    await _refused(park, UNIVERSITY, await told(UNIVERSITY, "employer"), "not its employer's")
    await _refused(park, PARK, await told(UNIVERSITY, "person"), "not its employer's")
    await _refused(park, PARK, await told("emp-b", "employer"), "not its employer's")


async def test_a_roster_has_rows_of_its_own_employer_alone(park: Park) -> None:
    await two_cases(park)
    rosters = {row["employer_id"]: row["roster_id"] for row in await park.rows(tables.rosters)}
    row = {"roster_id": rosters["emp-a"], "row": 99, "employer_id": "emp-b", "body": b""}
    for tenant in ("emp-b", PARK):
        await _refused(park, tenant, insert(tables.roster_rows).values(row), "not its employer's")


async def _of(park: Park, of: Table, case: Case) -> dict[str, Any]:
    return dict((await park.rows(of, of.c.reference == case.reference))[0])


async def test_an_employer_writes_in_no_chain_of_another(park: Park) -> None:
    mine, other = await two_cases(park)

    def row(chain: str, reference: str | None, act: str = "case_read") -> Any:
        who = {"actor_issuer": "i", "actor_subject": "s", "actor_role": "employer", "employer_id": "emp-b"}
        rest = {"seq": 99, "at": NOON, "correlation_id": "", "previous": b"", "hash": b"", "detail": {}}
        return insert(tables.ledger).values(who | rest | {"chain": chain, "reference": reference, "act": act})

    for chain, reference in (
        (mine.reference, mine.reference), (mine.reference, other.reference), (mine.reference, None),
        ("calendar", None), ("access/1", mine.reference),
    ):  # fmt: skip
        await _refused(park, "emp-b", row(chain, reference), "not its employer's")
    mark = {"kind": "case", "value": other.reference, "at": NOON, "chain": "x", "seq": 1, "employer_id": "emp-b"}
    await _refused(park, "emp-b", insert(tables.ledger_marks).values(mark), "row-level security")
    async with park.context.database.begin("emp-b") as connection:
        for right in (row(other.reference, other.reference), row("access/2", other.reference), row("access/3", None)):
            await connection.execute(right)
        await connection.execute(row("refused/1", mine.reference, "request_refused"))


async def test_the_park_alone_changes_rows_of_a_case_and_adds_what_its_steps_do(park: Park) -> None:
    mine, _ = await two_cases(park)
    of_cases = {"cases", "deliveries", *_OWN} | {
        name for name in ONCE if "reference" in (of := tables.metadata.tables[name]).c and "employer_id" in of.c
    }
    for name in sorted(of_cases - {"idempotency", "roster_rows", "commands"}):
        await _refused(
            park,
            "emp-a",
            text(f"UPDATE {name} SET employer_id = employer_id"),
            "the park's to change|denied|row-level security",
        )
    for changed in ("state = 'refused'", "body = 'zz'", "unanswered = true, at = at + interval '1 s'"):
        await _refused(park, "emp-a", text(f"UPDATE commands SET {changed}"), "the park's to change")
    async with park.context.database.begin("emp-a") as connection:
        await connection.execute(text("UPDATE commands SET unanswered = NOT unanswered"))
        async with connection.begin_nested() as tried:
            await connection.execute(text("UPDATE cases SET stage = 'withdrawn'"))
            await tried.rollback()
    for each in (tables.answers, tables.assessments, tables.calls, tables.legal_holds, tables.tasks, *_OWN_OF_STEPS):
        of_mine = {"reference": mine.reference, "employer_id": "emp-a"}
        await _refused(park, "emp-a", await _row_like(park, each, mine, **of_mine), "row-level security")


_OWN_OF_STEPS: Final = (
    _OWN["permits"].table,
    _OWN["permit_terms"].table,
    tables.case_facts,
    tables.revivals,
    tables.conflicts,
)


async def test_what_a_row_was_written_as_stays(park: Park) -> None:
    await two_cases(park)
    for name, columns in _WRITTEN.items():
        of = tables.metadata.tables[name]
        async with park.context.database.begin() as connection:
            assert (await connection.execute(select(func.count()).select_from(of))).scalar_one(), name
        for each in columns:
            changed = update(named(name, column(each))).values({each: _another(of.c[each])})
            match = "stays what it was written as|keeps its owner|can only be updated to DEFAULT|denied"
            await _refused(park, PARK, changed, match)
    async with park.context.database.begin() as connection:
        await connection.execute(text("UPDATE cases SET programme = programme, employer_id = employer_id"))


def _another(of: Column[Any]) -> Any:
    """Return SQL of a value that no row has."""
    kinds = {"TEXT": "'zz-other'", "INTEGER": "77", "SMALLINT": "77", "BIGINT": "77", "BOOLEAN": f"NOT {of.name}"}
    kinds |= {"UUID": "gen_random_uuid()", "BYTEA": "'zz'::bytea", "JSONB": "'{\"zz\": 1}'", "DATE": "'1999-01-01'"}
    kind = str(of.type.compile(dialect=_DIALECT))
    return text(kinds.get(kind, "'1999-01-01 00:00Z'::timestamptz"))


_DIALECT: Final = create_async_engine("postgresql+asyncpg://").dialect


async def test_every_table_says_what_of_it_may_change(owner_url: str) -> None:
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda c: inspect(c).get_table_names())
        rights: dict[str, set[str]] = {"UPDATE": set(), "DELETE": set()}
        for right, found in rights.items():
            query = text(
                f"SELECT t FROM unnest(CAST(:t AS text[])) t WHERE has_table_privilege('hetao_app', t, '{right}')"
            )
            found |= set((await connection.execute(query, {"t": names})).scalars())
    await engine.dispose()
    known = set(names) - {"alembic_version"}
    for name, columns in _WRITTEN.items():
        of = tables.metadata.tables[name]
        always = {c.name for c in of.primary_key} | {"reference", "employer_id", "programme"} & set(of.c.keys())
        always -= {"reference"} if name == "roster_rows" else set()  # named once its row has been done
        assert always <= set(columns) <= set(of.c.keys()), name
    assert known == {*_WRITTEN, *NEVER_CHANGED, *BY_COLUMN, *FREE}
    assert rights["UPDATE"] == known - NEVER_CHANGED - set(BY_COLUMN)
    assert rights["DELETE"] == set(TAKEN_AWAY)


async def test_a_client_reference_is_one_among_the_live_cases_of_a_programme(park: Park) -> None:
    case = await park.review()
    row = await case.row()
    async with park.context.database.begin() as connection:
        key_id = (await park.rows(tables.persons))[0]["key_id"]
        others = [uuid4(), uuid4()]
        await connection.execute(insert(tables.persons), [{"person_id": p, "key_id": key_id} for p in others])
        await connection.execute(update(tables.cases).values(client_reference="c-1"))
    made = {"live", "registration_number", "updated_at", "recorded_at"}
    filled = {c.name: row[c.name] for c in tables.cases.c if c.name not in made} | {"client_reference": "c-1"}
    for person, programme, refused in ((others[0], "toy", False), (others[1], row["programme"], True)):
        new = filled | {"reference": f"HT-{programme}", "person_id": person, "programme": programme}
        if refused:
            with pytest.raises(IntegrityError, match="uq_cases_live_client_reference"):
                async with park.context.database.begin() as connection:
                    await connection.execute(insert(tables.cases).values(new))
        else:
            async with park.context.database.begin() as connection:
                await connection.execute(insert(tables.cases).values(new))


async def test_another_person_comes_to_a_case_by_the_park_alone(park: Park) -> None:
    mine, other = await two_cases(park)
    person = (await other.row())["person_id"]
    changed = update(tables.cases).where(tables.cases.c.reference == mine.reference).values(person_id=person)
    await _refused(park, "emp-a", changed.values(stage="ended"), "the park's to change")


async def test_a_row_of_the_application_is_refused_as_one_it_may_not_write(park: Park) -> None:
    """A fence answers as row-level security does, so that nobody takes it for a database that is away."""
    await park.review()
    with pytest.raises(DBAPIError) as caught:
        async with park.context.database.begin() as connection:
            await connection.execute(text("UPDATE cases SET programme = 'toy'"))
    assert getattr(caught.value.orig, "sqlstate", None) == "42501"
