"""What an employer learns of people registered elsewhere: twenty names a day, and nothing by asking otherwise."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event, insert, select, text, update

from cases.commands.one_live import person_within_limit
from domain.commands import CommandKind
from domain.documents import document_of_identity_number
from domain.errors import Refused
from domain.roster import OnDefect
from programmes.talent_permit.registration import check
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.rosters import PermitRoster
from register.rosters.intake import RosterFile, receive
from register.rosters.reads import get_roster, get_rows
from register.rosters.work import work_once
from store import tables
from tests.api.walk import identity_number
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, OFFICER, key, registration_body
from tests.cases.driver import Park, china, open_park
from tests.cases.taking_on import accept

KNOWN, UNKNOWN, OWN = "44030419900307123X", identity_number(801), identity_number(802)
HEADERS = "name_zh,identity_number,position,work_site,employment_kind,contract_start,language,destinations,state_worker"


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        await park.take_on()
        yield park


def _request(number: str, employer: str = "emp-b", **person: Any) -> RegistrationRequest:
    body = registration_body(identity_number=number, **person)
    body["employment"]["work_site"] = "SZP-101" if employer == "emp-b" else "SZP-001"
    return RegistrationRequest.model_validate(body)


async def _ask(park: Park, number: str) -> str:
    try:
        await accept(park.context, EMPLOYER_B, _request(number), key())
    except Refused as refused:
        return refused.code
    return "taken"


async def _use_up(park: Park, count: int = 20) -> None:
    row = {"employer_id": "emp-b", "what": "live_elsewhere", "day": park.clock.at.date(), "count": count}
    async with park.context.database.begin() as connection:
        await connection.execute(insert(tables.quotas).values(row))


@contextmanager
def _statements(park: Park) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    seen: list[str] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(" ".join(statement.split()))

    engine = park.context.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", see)


async def test_past_the_limit_every_new_registration_is_refused_alike_before_anything_is_looked_up(park: Park) -> None:
    await _use_up(park)
    seen: dict[str, list[str]] = {}
    for number in (KNOWN, UNKNOWN):
        with _statements(park) as seen[number]:
            assert await _ask(park, number) == "too_many_requests"
    assert seen[KNOWN] == seen[UNKNOWN]
    assert len(await park.rows(tables.persons)) == 1

    park.clock.at = china("2026-03-03", "00:00")
    assert [await _ask(park, number) for number in (KNOWN, UNKNOWN)] == ["live_registration_exists", "taken"]


async def test_past_the_limit_postgresql_does_not_look_for_the_person(park: Park) -> None:
    beside = person_within_limit(park.context, EMPLOYER_B, document_of_identity_number(KNOWN), park.clock.at)
    asked = ", ".join(f"({each.sql}) AS {each.name}" for each in beside.queries)
    looked: list[bool] = []
    await _use_up(park)
    for used in (19, 20):
        async with park.context.database.begin("emp-b") as connection:
            await connection.execute(update(tables.quotas).values(count=used))
            explained = await connection.execute(text(f"EXPLAIN (ANALYZE, TIMING OFF) SELECT {asked}"), beside.values)
            nodes = [line for line in explained.scalars() if "on persons" in line]
        looked.append(not all("never executed" in node for node in nodes))
    assert looked == [True, False]


async def test_the_last_of_the_twenty_is_named_and_the_next_is_not(park: Park) -> None:
    await _use_up(park, 19)
    assert [await _ask(park, KNOWN) for _ in range(2)] == ["live_registration_exists", "too_many_requests"]


async def test_no_more_than_twenty_are_named_however_many_are_asked_at_once(park: Park) -> None:
    known = [KNOWN]
    for serial in range(40):
        known.append(identity_number(500 + serial))
        await accept(park.context, EMPLOYER_A, _request(known[-1], "emp-a"), key())

    codes = Counter(await asyncio.gather(*(_ask(park, number) for number in known)))

    assert codes == {"live_registration_exists": 20, "too_many_requests": len(known) - 20}
    assert await _ask(park, UNKNOWN) == "too_many_requests"


async def test_the_same_key_gets_the_first_answer_past_the_limit_too(park: Park) -> None:
    named = key("POST /v1/registrations", "k-1")
    first = await accept(park.context, EMPLOYER_B, _request(UNKNOWN), named)
    await _use_up(park)
    again = await accept(park.context, EMPLOYER_B, _request(UNKNOWN), named)
    assert again.reference == first.reference


async def test_a_correction_to_another_number_is_a_new_registration_to_the_limit(park: Park) -> None:
    case = await park.review(by=EMPLOYER_B, identity_number=OWN, employment={"work_site": "SZP-101"})
    await case.claim("review")
    given = {"action": "return", "round": 1, "reasons": [{"code": "name_differs"}]}
    await case.do(OFFICER, CommandKind.DECIDE, **given)
    await _use_up(park)
    for number in (KNOWN, UNKNOWN):
        parts = {"person": {"identity_number": number}}
        assert await case.refused(EMPLOYER_B, CommandKind.CORRECT, **parts) == "too_many_requests", number
    mended = {"person": {"identity_number": OWN, "name_en": "Feng"}}
    await case.do(EMPLOYER_B, CommandKind.CORRECT, **mended)


async def test_the_rows_of_a_roster_past_the_limit_stay_new_until_the_next_day_and_go_on_by_themselves(
    park: Park,
) -> None:
    await _use_up(park, 19)
    row = "文书,{},研究员,SZP-101,contract,2025-01-01,zh-Hans,HK,no"
    numbers = [KNOWN, UNKNOWN, identity_number(803)]
    content = "\n".join([HEADERS, *(row.format(number) for number in numbers)]).encode()
    file = RosterFile(content, "text/csv", "r.csv", PermitRoster.REGISTER, dry_run=False, on_defect=OnDefect.SKIP)
    roster_id = (await receive(park.context, EMPLOYER_B, file, key())).body["id"]
    while await work_once(park.context):
        pass

    waiting = await get_roster(park.context, EMPLOYER_B, roster_id)
    told = waiting.as_json()
    assert (told["status"], told["resumes_at"]) == ("running", "2026-03-03T00:00:00+08:00")
    assert (waiting.totals["defect"], waiting.totals["new"]) == (1, 2)
    rows, _ = await get_rows(park.context, EMPLOYER_B, roster_id)
    assert [each.result for each in rows] == ["defect", "new", "new"]
    assert not await work_once(park.context)

    park.clock.at = china("2026-03-03", "00:00")
    while await work_once(park.context):
        pass
    done = await get_roster(park.context, EMPLOYER_B, roster_id)
    assert (done.status, done.resumes_at, done.totals["registered"]) == ("done", None, 2)


@pytest.mark.parametrize("is_used_up", [False, True])
async def test_a_check_asks_the_same_of_the_database_whoever_is_checked(park: Park, is_used_up: bool) -> None:
    await accept(park.context, EMPLOYER_B, _request(OWN), key())
    if is_used_up:
        await _use_up(park)
    seen: dict[str, list[str]] = {}
    outcomes: dict[str, Any] = {}
    for number in (UNKNOWN, KNOWN, UNKNOWN, OWN):
        with _statements(park) as seen[number]:
            outcomes[number] = await check(park.context, EMPLOYER_B, _request(number))

    assert seen[KNOWN] == seen[UNKNOWN] == seen[OWN]
    assert outcomes[KNOWN] == outcomes[UNKNOWN]
    assert outcomes[OWN] != outcomes[UNKNOWN]
    looked = [statement for statement in seen[KNOWN] if "lookup_hash" in statement]
    assert len(looked) == 1
    assert "wrapped" not in looked[0].partition("lookup_hash")[0].rpartition("EXISTS")[2]


async def test_a_check_opens_no_key_of_a_person(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise AssertionError("a key was opened")

    for place in ("cases.shared.persons.unwrap", "cases.case.file.unwrap", "cases.case.reading.unwrap"):
        monkeypatch.setattr(place, refuse)
    for number in (KNOWN, UNKNOWN):
        await check(park.context, EMPLOYER_B, _request(number))
    async with park.context.database.begin() as connection:
        assert (await connection.execute(select(tables.quotas))).all() == []
