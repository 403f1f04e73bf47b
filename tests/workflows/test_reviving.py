"""Workflows that Temporal lost or somebody ended: what is due in PostgreSQL goes on by itself, and nothing twice."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text, update

from cases.commands import reviving, submit
from cases.incidents.stopped import open_incident
from domain.case_requests import WithdrawalRequest
from domain.clock import day_of
from domain.commands import CommandKind
from domain.decisions import DecisionRequest, PermitConfirmationRequest
from domain.employers import StandingRequest
from domain.messages import LastRun, StandingInput
from domain.stages import Stage
from programmes.talent_permit.authority import outcomes
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.permit_stages import PermitStage
from register.rollout import sweep_standings
from register.standing import confirm_standing, propose_standing
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, SUPERVISOR_2
from tests.e2e.people import identity_number
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import AUTHORITY, SECONDS, Case, World, new_key, term

APPROVE = DecisionRequest.model_validate({"action": "approve", "round": 1})
_FAST = 1000.0


async def _late(world: World) -> None:
    """Let what waits have waited for longer than it should."""
    async with world.context.database.begin() as connection:
        ago = world.clock() - reviving.LATE - timedelta(seconds=1)
        await connection.execute(update(tables.commands).where(tables.commands.c.state == "stored").values(at=ago))
        await connection.execute(update(tables.calls).where(tables.calls.c.state == "due").values(at=ago))


async def _round(world: World) -> reviving.Round:
    return await reviving.revive_due(world.context, world.engine, starts_a_second=_FAST)


async def _look_again(world: World) -> None:
    """Let the time come in which cases are looked at again."""
    async with world.context.database.begin() as connection:
        await connection.execute(update(tables.revivals).values(next_at=text("clock_timestamp()")))


async def _events(case: Case) -> int:
    return len((await case.handle.fetch_history()).events)


NUMBERS = tuple(identity_number(serial) for serial in range(6))


async def test_what_is_due_has_its_workflow_started_where_that_is_gone_and_a_running_one_hears_nothing(
    world: World,
) -> None:
    terminated, cancelled, running, unsent = [await world.submit(identity_number=number) for number in NUMBERS[:4]]
    world.authority.away = True
    await unsent.decide("approve")
    await unsent.until(lambda file: len(file.calls) == 2)
    await unsent.end()
    world.authority.away = False
    for case in (terminated, cancelled, running):
        await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, APPROVE, new_key())
    await terminated.end()
    await cancelled.end(cancel=True)
    events = await _events(running)
    assert (await _round(world)).looked == 0  # nothing is late yet
    await _late(world)
    done = await _round(world)
    assert (done.looked, done.running) == (4, 1)
    assert done.revived == Counter({LastRun.TERMINATED: 2, LastRun.CANCELLED: 1})
    await unsent.until_permits(PermitStage.SUBMITTED)
    for case in (terminated, cancelled):
        await case.until_stage(Stage.APPROVED)
        assert await case.is_running()
    assert await running.stage() is Stage.UNDER_REVIEW
    assert await _events(running) == events
    incidents = await world.rows(tables.incidents, kind=reviving.INCIDENT, state="open")
    assert {(row["reason"], row["times"]) for row in incidents} == {("terminated", 2), ("cancelled", 1)}


@pytest.mark.parametrize("parameters", ["default"])
async def test_a_case_goes_on_from_whatever_stage_its_workflow_was_lost_in(world: World) -> None:
    received, returned, reviewed, confirmed, approved, unsent = [
        await world.submit(identity_number=number, start=number != NUMBERS[0]) for number in NUMBERS
    ]
    await returned.decide("return", "document_unreadable")
    await confirmed.decide("refuse", "employment_unproved")
    world.authority.away = True
    await unsent.decide("approve")
    await unsent.skip(world.context.limits.settling + timedelta(seconds=5), settle=False)
    await unsent.until(lambda file: len(file.calls) == 2)
    await approved.decide("approve")
    for case in (returned, reviewed, confirmed, approved, unsent):
        await case.end()
    world.authority.away = False
    world.authority.calls.clear()
    world.clock.jump(timedelta(days=60))
    done = await _round(world)
    assert done.revived == Counter({LastRun.TERMINATED: 5, LastRun.MISSING: 1})
    await received.until_stage(Stage.UNDER_REVIEW)
    await returned.until_stage(Stage.LAPSED)
    await reviewed.until(lambda file: file.row.overdue)
    await confirmed.until(lambda file: file.stage is Stage.AWAITING_CONFIRMATION)
    for case in (approved, unsent):
        await case.until_permits(PermitStage.SUBMITTED)
    assert len(world.authority.calls) == len(set(world.authority.calls)) == 4
    await returned.ended()


async def test_a_followed_permit_goes_on_without_its_workflow_and_one_at_rest_is_left_to_sleep(world: World) -> None:
    accepted, issued, at_rest = [await world.submit(identity_number=number) for number in NUMBERS[:3]]
    for case in (accepted, issued, at_rest):
        await case.approve()
    await accepted.answer("HK", "accepted", authority_number="A-1")
    for case in (issued, at_rest):
        await case.issue()
        await case.idle()
    for case in (accepted, issued, at_rest):
        await case.end()
    said = {"outcome_id": "o-1", "case": f"{accepted.reference}/HK", "outcome": "issued", "authority_number": "C-1"}
    answer = AuthorityAnswer.model_validate({**said, "occurred_at": world.clock(), **term(world.clock())})
    assert (await outcomes.receive(world.context, AUTHORITY, answer)).command_id is not None
    await _late(world)
    d = tables.deadlines.c
    of_issued = (d.reference == issued.reference, d.kind == "permit_expiring", d.destination == "HK")
    async with world.context.database.begin() as connection:
        first = select(func.min(d.at)).where(*of_issued).scalar_subquery()
        ago = world.clock() - reviving.LATE - timedelta(seconds=1)
        await connection.execute(update(tables.deadlines).where(*of_issued, d.at == first).values(at=ago))
    done = await _round(world)
    assert (done.looked, done.revived) == (2, Counter({LastRun.TERMINATED: 2}))
    await accepted.until_permits(PermitStage.ISSUED, "HK")
    async with asyncio.timeout(SECONDS):
        while "permit_expiring" not in await issued.notices():  # noqa: ASYNC110 - the case's stage does not tell
            await asyncio.sleep(0.03)
    assert await accepted.is_running()
    assert not await at_rest.is_running()


async def test_a_change_of_standing_reaches_a_case_whose_workflow_is_gone(world: World) -> None:
    case = await world.submit()
    await case.approve()
    await case.end()
    left = StandingRequest.model_validate({"standing": "left_park", "valid_from": day_of(world.clock())})
    await propose_standing(world.context, SUPERVISOR, "emp-a", left, new_key())
    confirmation = PermitConfirmationRequest.model_validate({"action": "confirm"})
    await confirm_standing(world.context, SUPERVISOR_2, "emp-a", confirmation, new_key())
    (change,) = await world.rows(tables.employer_standings)
    spreading = world.client.get_workflow_handle(f"standing/emp-a/{change['change_id']}")
    # Nobody started it, or it was lost: the sweep does, and what it tells the case starts that one.
    await sweep_standings(world.context, world.engine)
    await case.until_stage(Stage.ENDED)
    async with asyncio.timeout(SECONDS):
        await spreading.result()
    (report,) = world.authority.reports.values()
    assert report["cases"] == [f"{case.reference}/{each}" for each in ("HK", "MO")]


async def test_a_case_that_was_looked_at_or_waits_for_an_operator_is_left_alone_and_two_workers_share(
    world: World,
) -> None:
    first, second, stuck = [await world.submit(identity_number=number, start=False) for number in NUMBERS[:3]]
    await _late(world)
    await open_incident(world.context, stuck.reference, "advance", "defect", world.clock())
    async with world.context.database.begin() as connection:
        leased = await reviving.lease_on(world.context, connection, world.clock(), most=5)
        at_once = asyncio.create_task(reviving.lease_due(world.context, most=5))
        while not (await connection.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted"))).first():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (sorted(case.reference for case in leased), await at_once) == (
        sorted([first.reference, second.reference]),
        [],
    )
    assert await reviving.lease_due(world.context, most=5) == []  # nor a third that comes soon after
    await _look_again(world)
    assert (await _round(world)).revived == Counter({LastRun.MISSING: 2})
    (row,) = await world.rows(tables.incidents, kind=reviving.INCIDENT)
    assert (row["reason"], row["times"], row["reference"]) == ("missing", 2, None)
    for case in (first, second):
        await case.until_stage(Stage.UNDER_REVIEW)
    assert await stuck.stage() is Stage.RECEIVED
    # Under way by now; looked at again it only runs, and each look puts the next one off for longer.
    async with world.context.database.begin() as connection:
        await connection.execute(update(tables.commands).values(state="stored"))
    waits = []
    for _ in range(2):
        await _look_again(world)
        done = await _round(world)
        assert (done.running, done.revived) == (2, Counter())
        rows = await world.rows(tables.revivals, reference=first.reference)
        waits.append((rows[0]["next_at"] - rows[0]["looked_at"]).total_seconds())
    assert waits[0] * 1.5 < waits[1]


async def test_a_sleeper_is_started_by_hand_and_named_at_night(world: World) -> None:
    asleep, running, other = [await world.submit(identity_number=number) for number in NUMBERS[:3]]
    await asleep.end()
    world.clock.jump(timedelta(minutes=5))
    assert (await _round(world)).looked == 0
    counted = await nightly_round(world)
    assert (counted.cases, counted.without_workflow) == (3, 1)
    (named,) = await world.rows(tables.incidents, kind=reviving.INCIDENT)
    assert (named["step"], named["reason"], named["times"]) == ("reconcile_cases", "not_running", 1)
    looks = [each async for each in reviving.revive_all(world.context, world.engine, dry_run=True)]
    assert {each.reference: (each.found, each.started) for each in looks} == {
        asleep.reference: (LastRun.TERMINATED, False),
        running.reference: (LastRun.RUNNING, False),
        other.reference: (LastRun.RUNNING, False),
    }
    waits = {each.reference: each.wait for each in looks}
    deadline = min(row["at"] for row in await world.rows(tables.deadlines, reference=asleep.reference, state="waiting"))
    assert waits[asleep.reference] == (deadline, False)
    assert deadline > world.clock()
    assert not await asleep.is_running()
    after = sorted(case.reference for case in (asleep, running, other))[1]
    looks = [each async for each in reviving.revive_all(world.context, world.engine, starts_a_second=_FAST)]
    assert {each.reference for each in looks if each.started} == {asleep.reference}
    assert await asleep.is_running()
    again = [each async for each in reviving.revive_all(world.context, world.engine, after=after)]
    assert [(each.found, each.started) for each in again] == [(LastRun.RUNNING, False)]
    await submit.ask(world.context, OFFICER, asleep.reference, CommandKind.DECIDE, APPROVE, new_key())
    await open_incident(world.context, other.reference, "advance", "defect", world.clock())
    waits = await reviving.waits_of(world.context, [each.reference for each in (asleep, other)])
    (command,) = await world.rows(tables.commands, reference=asleep.reference, state="stored")
    assert waits[asleep.reference] == (command["at"], False)
    assert waits[other.reference].is_stuck


async def test_only_what_completed_counts_as_started(world: World) -> None:
    case = await world.submit()
    await case.end()
    assert await world.engine.start(case.reference)
    assert await case.is_running()
    await case.ask(EMPLOYER_A, CommandKind.WITHDRAW, WithdrawalRequest())
    await case.ended()
    run = (await case.handle.describe()).run_id
    assert await world.engine.start(case.reference)
    assert (await case.handle.describe()).run_id == run
    change = StandingInput(change_id=str(uuid4()), at=world.clock())
    handle = world.client.get_workflow_handle(f"standing/emp-a/{change.change_id}")
    assert await world.engine.start_standing("emp-a", change)
    await handle.terminate()
    assert await world.engine.start_standing("emp-a", change)
    assert (await handle.describe()).close_time is None
    await handle.terminate()


@pytest.mark.parametrize("parameters", ["default"])
async def test_what_was_done_while_a_round_went_is_no_finding(world: World) -> None:
    case = await world.submit()
    asked = await submit.ask(
        world.context, EMPLOYER_A, case.reference, CommandKind.WITHDRAW, WithdrawalRequest(), new_key()
    )
    await _late(world)

    class DoneMeanwhile:
        async def last_run(self, reference: str) -> LastRun | None:
            await world.engine.nudge(reference, str(asked.command_id))
            await case.ended()
            return await world.engine.last_run(reference)

        async def revive(self, reference: str, employer_id: str) -> bool | None:
            return await world.engine.revive(reference, employer_id)

    done = await reviving.revive_due(world.context, DoneMeanwhile(), starts_a_second=_FAST)
    assert (done.looked, done.running, done.gone) == (1, 1, Counter())
    assert await world.rows(tables.incidents, kind=reviving.INCIDENT) == []
