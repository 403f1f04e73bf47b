"""Rosters from file to registrations: results, repeats, kills, and turns between employers."""

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text, update

from cases.shared.context import Context
from domain.actors import Actor
from domain.employers import StandingRequest
from domain.errors import Refused
from domain.roster import OnDefect
from domain.stages import Standing
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.rosters import PermitRoster
from register.rosters import work
from register.rosters.intake import RosterFile, receive
from register.rosters.reads import get_roster, get_rows
from register.rosters.views import RosterRowView
from register.rosters.work import work_once
from register.standing import propose_standing
from store.tables import cases, commands, idempotency, ledger, roster_rows, rosters
from tests.cases.contexts import (
    EMPLOYER_A,
    EMPLOYER_B,
    EXAMPLES,
    NOON,
    SUPERVISOR,
    Clock,
    key,
    load_samples,
    open_context,
    registration_body,
)
from tests.cases.taking_on import accept

SAMPLE = (EXAMPLES / "roster.csv").read_bytes()
SAMPLE_B = (EXAMPLES / "roster-b.csv").read_bytes()


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


def _file(content: bytes = SAMPLE, **changes: Any) -> RosterFile:
    given: dict[str, Any] = {"act": PermitRoster.REGISTER, "dry_run": False, "on_defect": OnDefect.SKIP} | changes
    return RosterFile(content=content, content_type="text/csv", filename="roster.csv", **given)


def _some(count: int) -> bytes:
    """Return the headers and first rows of the sample."""
    return b"\n".join(SAMPLE.splitlines()[: count + 1])


async def _receive(context: Context, file: RosterFile, actor: Actor = EMPLOYER_A) -> UUID:
    reply = await receive(context, actor, file, key("POST /v1/rosters", body=file.content))
    assert reply.progress == "stored"
    return UUID(reply.body["id"])


async def _work(context: Context) -> None:
    while await work_once(context):
        pass


async def _results(context: Context, roster_id: UUID, actor: Actor = EMPLOYER_A) -> dict[int, RosterRowView]:
    items, end = await get_rows(context, actor, roster_id, limit=200)
    assert end is None
    return {item.row: item for item in items}


async def _count(context: Context, table: Any) -> int:
    async with context.database.begin() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


def _departures(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["client_reference", "identity_number", "last_day", "reason"])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


async def test_a_roster_leaves_half_of_the_time_to_others(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    await _receive(context, _file())
    assert await work_once(context)  # the checks, which are a few statements
    rested: list[float] = []

    async def sleep(seconds: float) -> None:
        rested.append(seconds)

    monkeypatch.setattr("register.rosters.work.asyncio.sleep", sleep)
    begun = time.perf_counter()
    assert await work_once(context)
    worked = time.perf_counter() - begun
    assert len(rested) == 20
    assert 0.5 * worked < sum(rested) <= worked


async def test_a_roster_registers_what_is_fit_and_names_what_is_not(context: Context) -> None:
    roster_id = await _receive(context, _file())
    assert (await get_roster(context, EMPLOYER_A, roster_id)).status == "checking"
    await _work(context)
    roster = await get_roster(context, EMPLOYER_A, roster_id)
    assert roster.status == "done"
    assert roster.totals == {
        "rows": 29, "new": 0, "already_registered": 0, "defect": 1, "duplicate_in_file": 1, "registered": 27,
    }  # fmt: skip
    rows = await _results(context, roster_id)
    defects = [(r.row, [(e.field, e.code) for e in r.errors]) for r in rows.values() if r.errors]
    assert defects == [(6, [("identity_number", "check_digit")])]
    assert rows[19].result == "duplicate_in_file"
    assert await _count(context, cases) == 27


async def test_both_samples_register_fifty_people(context: Context) -> None:
    await _receive(context, _file())
    await _receive(context, _file(SAMPLE_B), EMPLOYER_B)
    await _work(context)
    assert await _count(context, cases) == 50


async def test_rows_are_sealed_and_the_answers_repeat_nothing_of_them(context: Context) -> None:
    roster_id = await _receive(context, _file())
    await _work(context)
    async with context.database.begin() as connection:
        bodies = (await connection.execute(select(roster_rows.c.body))).scalars().all()
    assert all("冯承泽".encode() not in body and b"33010619860128072X" not in body for body in bodies)
    assert "冯承泽" not in str(await _results(context, roster_id))


async def test_a_dry_run_checks_and_registers_nobody(context: Context) -> None:
    roster_id = await _receive(context, _file(dry_run=True))
    await _work(context)
    roster = await get_roster(context, EMPLOYER_A, roster_id)
    assert (roster.status, roster.totals["new"], roster.totals["defect"]) == ("ready", 27, 1)
    assert await _count(context, cases) == 0


async def test_a_dry_run_says_nothing_of_people_registered_elsewhere(context: Context) -> None:
    person = {"name_zh": "冯承泽", "identity_number": "33010619860128072X"}
    request = RegistrationRequest.model_validate(registration_body(**person))
    await accept(context, EMPLOYER_B, request, key())
    dry = await _receive(context, _file(_some(1), dry_run=True))
    await _work(context)
    assert (await _results(context, dry))[1].result == "new"
    real = await _receive(context, _file(_some(1)))
    await _work(context)
    row = (await _results(context, real))[1]
    assert (row.result, row.reference) == ("defect", None)
    assert [(e.field, e.code) for e in row.errors] == [("identity_number", "live_registration_exists")]


async def test_a_defect_stops_the_whole_roster_where_it_is_to(context: Context) -> None:
    roster_id = await _receive(context, _file(on_defect=OnDefect.STOP))
    await _work(context)
    roster = await get_roster(context, EMPLOYER_A, roster_id)
    assert (roster.status, roster.reason) == ("failed", "defects")
    assert await _count(context, cases) == 0


async def test_a_roster_without_defects_runs_though_a_defect_would_stop_it(context: Context) -> None:
    roster_id = await _receive(context, _file(_some(3), on_defect=OnDefect.STOP))
    await _work(context)
    assert (await get_roster(context, EMPLOYER_A, roster_id)).totals["registered"] == 3


async def test_the_same_file_again_finds_everyone_registered(context: Context) -> None:
    first = await _receive(context, _file(_some(3)))
    await _work(context)
    second = await _receive(context, _file(_some(3)))
    await _work(context)
    references = {row: found.reference for row, found in (await _results(context, first)).items()}
    again = await _results(context, second)
    assert {row: found.reference for row, found in again.items()} == references
    assert {found.result for found in again.values()} == {"already_registered"}


async def test_the_same_key_takes_the_file_on_once(context: Context) -> None:
    name = str(uuid4())
    first = await receive(context, EMPLOYER_A, _file(), key("r", name, SAMPLE))
    second = await receive(context, EMPLOYER_A, _file(), key("r", name, SAMPLE))
    assert first == second
    assert await _count(context, rosters) == 1


async def test_a_client_reference_of_another_person_is_a_defect(context: Context) -> None:
    body = registration_body() | {"client_reference": "HTRI-001"}
    await accept(context, EMPLOYER_A, RegistrationRequest.model_validate(body), key())
    roster_id = await _receive(context, _file(_some(1)))
    await _work(context)
    row = (await _results(context, roster_id))[1]
    assert [(e.field, e.code) for e in row.errors] == [("client_reference", "client_reference_taken")]


async def test_a_kill_between_a_registration_and_its_row_doubles_nothing(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster_id = await _receive(context, _file(_some(5)))
    assert await work_once(context)
    keep = work._keep
    kept = 0

    async def killed(*given: Any) -> None:
        nonlocal kept
        kept += 1
        if kept > 2:
            raise asyncio.CancelledError
        await keep(*given)

    monkeypatch.setattr(work, "_keep", killed)
    with pytest.raises(asyncio.CancelledError):
        await work_once(context)
    monkeypatch.setattr(work, "_keep", keep)
    assert not await work_once(context), "the lease is held until it is over"
    await _end_leases(context)
    await _work(context)
    assert (await get_roster(context, EMPLOYER_A, roster_id)).totals["registered"] == 5
    assert await _count(context, cases) == 5
    assert {r.reference for r in (await _results(context, roster_id)).values()} == await _references(context)


async def test_a_kill_while_checking_is_taken_up_again(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    roster_id = await _receive(context, _file())
    keep = work._keep

    async def killed(*given: Any) -> None:
        await keep(*given)
        raise asyncio.CancelledError

    monkeypatch.setattr(work, "_keep", killed)
    with pytest.raises(asyncio.CancelledError):
        await work_once(context)
    monkeypatch.setattr(work, "_keep", keep)
    await _end_leases(context)
    await _work(context)
    assert (await get_roster(context, EMPLOYER_A, roster_id)).totals["registered"] == 27


async def test_two_workers_at_once_do_each_row_once(context: Context) -> None:
    await _receive(context, _file())
    assert await work_once(context)

    async def without_lease() -> None:
        for _ in range(4):
            await _end_leases(context)
            await work_once(context)

    await asyncio.gather(without_lease(), without_lease())
    await _end_leases(context)
    await _work(context)
    assert await _count(context, cases) == 27
    async with context.database.begin() as connection:
        assert (
            await connection.execute(select(func.count()).where(idempotency.c.route == "roster"))
        ).scalar_one() == 27


async def test_a_small_roster_is_not_kept_waiting_by_many_large_ones(context: Context) -> None:
    for _ in range(3):
        await _receive(context, _file(dry_run=False))
    small = await _receive(context, _file(b"\n".join(SAMPLE_B.splitlines()[:2])), EMPLOYER_B)
    for _ in range(6):
        await work_once(context)
    assert (await get_roster(context, EMPLOYER_B, small)).status == "done"


async def test_a_roster_that_cannot_be_worked_fails_alone(context: Context) -> None:
    broken = await _receive(context, _file(_some(2)))
    async with context.database.begin() as connection:
        await connection.execute(update(roster_rows).values(body=b"\x01" + bytes(60)))
    fine = await _receive(context, _file(_some(3)))
    await _work(context)
    assert (await get_roster(context, EMPLOYER_A, broken)).status == "failed"
    assert (await get_roster(context, EMPLOYER_A, fine)).status == "done"


async def test_another_employers_roster_is_not_found(context: Context) -> None:
    roster_id = await _receive(context, _file())
    for ask in (get_roster, get_rows):
        with pytest.raises(Refused) as refused:
            await ask(context, EMPLOYER_B, roster_id)
        assert refused.value.code == "not_found"


async def test_rows_come_by_page(context: Context) -> None:
    roster_id = await _receive(context, _file())
    first, after = await get_rows(context, EMPLOYER_A, roster_id, limit=20)
    second, end = await get_rows(context, EMPLOYER_A, roster_id, after=after, limit=20)
    assert [row.row for row in (*first, *second)] == list(range(1, 30))
    assert end is None


async def test_a_suspended_employer_hands_no_roster_in(context: Context) -> None:
    request = StandingRequest(standing=Standing.SUSPENDED, valid_from=NOON.date())
    await propose_standing(context, SUPERVISOR, "emp-a", request, key())
    with pytest.raises(Refused) as refused:
        await _receive(context, _file())
    assert refused.value.code == "employer_not_in_good_standing"


async def test_an_employer_that_is_not_on_the_register_hands_no_roster_in(context: Context) -> None:
    with pytest.raises(Refused) as refused:
        await _receive(context, _file(), EMPLOYER_A.model_copy(update={"employer_id": "emp-x"}))
    assert refused.value.code == "employer_not_in_good_standing"


async def test_receiving_is_a_ledger_act_without_what_is_in_the_file(context: Context) -> None:
    roster_id = await _receive(context, _file())
    async with context.database.begin() as connection:
        row = (await connection.execute(select(ledger).where(ledger.c.chain == f"roster/{roster_id}"))).one()
    assert (row.act, row.detail["rows"], row.employer_id) == ("roster_received", 29, "emp-a")


async def test_departures_are_asked_of_approved_cases_only(context: Context) -> None:
    await _receive(context, _file(_some(4)))
    await _work(context)
    async with context.database.begin() as connection:
        approved = update(cases).where(cases.c.client_reference.in_(("HTRI-001", "HTRI-002")))
        await connection.execute(approved.values(stage="approved", settled=True, due_at=None, due_kind=None))
    content = _departures(
        {"client_reference": "HTRI-001", "last_day": "2026-03-31", "reason": "resigned"},
        {"identity_number": "620102199304213908", "last_day": "2026-03-31", "reason": "dismissed"},
        {"client_reference": "HTRI-003", "last_day": "2026-03-31", "reason": "resigned"},
        {"client_reference": "HTRI-999", "last_day": "2026-03-31", "reason": "resigned"},
        {"client_reference": "HTRI-004", "last_day": "2026-03-31", "reason": "revoked"},
        {"client_reference": "HTRI-001", "last_day": "2026-04-30", "reason": "resigned"},
        {"last_day": "2026-03-31", "reason": "resigned"},
    )
    roster_id = await _receive(context, _file(content, act=PermitRoster.DEPARTURE))
    await _work(context)
    rows = await _results(context, roster_id)
    found = {row: (r.result, [e.code for e in r.errors]) for row, r in rows.items()}
    assert found == {
        1: ("registered", []),
        2: ("registered", []),
        3: ("defect", ["wrong_stage"]),
        4: ("defect", ["case_unknown"]),
        5: ("defect", ["reason_not_allowed"]),
        6: ("duplicate_in_file", []),
        7: ("defect", ["required"]),
    }
    async with context.database.begin() as connection:
        kinds = select(commands.c.reference).where(commands.c.kind == "depart")
        assert len((await connection.execute(kinds)).all()) == 2


async def test_a_roster_of_departures_names_the_days_that_no_case_knows_before_it_does_any(context: Context) -> None:
    await _receive(context, _file(_some(4)))
    await _work(context)
    async with context.database.begin() as connection:
        approved = update(cases).values(stage="approved", settled=True, due_at=None, due_kind=None)
        await connection.execute(approved)
    content = _departures(
        {"client_reference": "HTRI-001", "last_day": "2026-03-31", "reason": "resigned"},
        {"client_reference": "HTRI-002", "last_day": "1999-01-01", "reason": "resigned"},
        {"client_reference": "HTRI-003", "last_day": "2062-03-31", "reason": "resigned"},
    )
    for dry_run in (True, False):
        departing = _file(content, act=PermitRoster.DEPARTURE, dry_run=dry_run, on_defect=OnDefect.STOP)
        roster_id = await _receive(context, departing)
        await _work(context)
        rows = await _results(context, roster_id)
        found = {row: (r.result, [(e.field, e.code) for e in r.errors]) for row, r in rows.items()}
        wrong = ("defect", [("last_day", "date_order")])
        assert found == {1: ("new", []), 2: wrong, 3: wrong}, dry_run
    async with context.database.begin() as connection:
        kinds = select(commands.c.reference).where(commands.c.kind == "depart")
        assert (await connection.execute(kinds)).all() == []


async def _references(context: Context) -> set[str]:
    async with context.database.begin() as connection:
        return set((await connection.execute(select(cases.c.reference))).scalars())


async def _end_leases(context: Context) -> None:
    async with context.database.begin() as connection:
        await connection.execute(text("UPDATE rosters SET lease_until = clock_timestamp() - interval '1 second'"))
