"""PostgreSQL restored to before Temporal: workflows that remember more than the register yield to it."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert
from temporalio.client import WorkflowExecutionStatus

from domain.actors import system
from domain.commands import CommandKind
from domain.errors import Refused
from domain.messages import AUTHORITY_POLL_WORKFLOW, REGISTRATION_QUEUE, StandingInput
from domain.stages import Stage
from programmes import CASE_TYPES
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.tables import permit_rows
from record.restores.declaring import declare_restore, find_lost_cases
from record.restores.telling import tell_epoch
from store import tables
from temporal.case_workflows import CaseWorkflows
from tests.cases.contexts import OFFICER
from tests.rows import Rows
from tests.workflows.world import Case, World


async def _restore(world: World, rows: Rows) -> int:
    """Restore the backup under a Temporal that goes on, declare it, and tell every workflow."""
    await rows.restore()
    found = await declare_restore(world.context, system("restored"))
    assert await tell_epoch(world.context, CaseWorkflows(world.client, CASE_TYPES)) is not None
    return found.epoch


async def _status(world: World, case: Case) -> WorkflowExecutionStatus | None:
    return (await world.client.get_workflow_handle(CASE_TYPES.id_of(case.reference)).describe()).status


async def test_a_case_approved_again_after_a_restore_has_its_calls_made(world: World, rows: Rows) -> None:
    case = await world.submit()
    await rows.back_up()
    await case.approve()
    sent = set(world.authority.entries_of(case.reference))
    assert sent == {f"permit/{case.reference}/{each}" for each in ("HK", "MO")}
    remembered = (await case.course()).age
    epoch = await _restore(world, rows)
    assert await case.stage() is Stage.UNDER_REVIEW
    await case.idle()
    yielded = await case.course()
    assert (yielded.epoch, yielded.stage) == (epoch, Stage.UNDER_REVIEW)
    assert yielded.version < remembered[1]
    world.authority.answers_searches = False
    await case.approve()
    assert set(world.authority.entries_of(case.reference)) - sent == {f"{key}@{epoch}" for key in sent}


async def test_an_entry_that_the_authority_has_stands_for_the_call_of_a_case_approved_again(
    world: World, rows: Rows
) -> None:
    case = await world.submit()
    await rows.back_up()
    await case.approve()
    entries = dict(world.authority.entries)
    await _restore(world, rows)
    await case.approve()
    assert world.authority.entries == entries
    assert world.authority.searches == 2
    assert len(world.authority.calls) == len(entries)
    sent = [row for row in await world.rows(tables.ledger, chain=case.reference) if row["act"] == "permit_sent"]
    assert {row["detail"]["entry"]["case"] for row in sent} == {f"{case.reference}/{each}" for each in ("HK", "MO")}
    assert {permit.entry_case for permit in permit_rows(await case.file()).values()} == {None}


async def test_a_case_submitted_anew_has_the_entry_and_the_answers_of_the_one_that_was_lost(
    world: World, rows: Rows
) -> None:
    await rows.back_up()
    lost = await world.submit()
    await lost.approve()
    entries = dict(world.authority.entries)
    await _restore(world, rows)
    said = {"occurred_at": world.clock().isoformat(), "authority_number": "A-1"}
    case = await world.submit()
    assert case.reference != lost.reference
    # Hong Kong's answer comes before the case is approved, Macao's after.
    world.authority.outcomes.append({**said, "outcome_id": "hk", "case": f"{lost.reference}/HK", "outcome": "accepted"})
    await _poll(world)
    await case.approve()
    assert world.authority.entries == entries
    world.authority.outcomes.append({**said, "outcome_id": "mo", "case": f"{lost.reference}/MO", "outcome": "accepted"})
    await _poll(world)
    await _poll(world)
    file = await case.until_permits(PermitStage.ACCEPTED, "HK", "MO")
    assert {permit.entry_case for permit in permit_rows(file).values()} == {
        f"{lost.reference}/{each}" for each in ("HK", "MO")
    }
    (kept,) = await world.rows(tables.lost_answers)
    assert (kept["state"], kept["attached_to"]) == ("applied", case.reference)
    # The authority hears of the case by the name that it knows.
    async with asyncio.timeout(20):
        await (await world.employer_leaves()).result()
    (report,) = world.authority.reports.values()
    assert set(report["cases"]) == {f"{lost.reference}/{each}" for each in ("HK", "MO")}


async def test_an_entry_that_is_anothers_is_shown_to_an_officer_who_sends_beside_it(world: World, rows: Rows) -> None:
    case = await world.submit()
    await rows.back_up()
    await case.approve()
    (hong_kong, _) = sorted(world.authority.entries)
    world.authority.entries[hong_kong]["person"]["identity_number"] = "33010619860128072X"
    entries = dict(world.authority.entries)
    epoch = await _restore(world, rows)
    await case.decide("approve")
    await case.until_permits(PermitStage.SUBMITTED, "MO")
    assert world.authority.entries == entries
    (task,) = await world.rows(tables.tasks, reference=case.reference, kind="authority_rejected", state="open")
    assert task["destination"] == "HK"
    detail = task["detail"]
    assert (detail["reason"], detail["differs"]) == ("entry_differs", ["person.identity_number"])
    number = world.authority.entries[hong_kong]["registration_number"]
    assert (detail["entry"]["registration_number"], detail["entry"]["case"]) == (number, f"{case.reference}/HK")
    assert detail["own"]["registration_number"] == (await case.file()).row.registration_number != number
    assert "33010619860128072X" not in str(detail)
    body = {"task_id": str(task["task_id"]), "action": "send_again"}
    assert (await case.ask(OFFICER, CommandKind.ANSWER_TASK, body)).progress == "applied"
    await case.until_permits(PermitStage.SUBMITTED, "HK")
    assert set(world.authority.entries) - set(entries) == {f"permit/{case.reference}/HK@{epoch}/2"}


@pytest.mark.parametrize("parameters", ["default"])
async def test_what_was_due_before_a_restore_is_done_again_under_its_own_key(world: World, rows: Rows) -> None:
    case = await world.submit()
    assert (await case.decide("approve")).progress == "applied"
    await rows.back_up()
    await case.skip(world.context.limits.settling + timedelta(seconds=5))
    await case.until_permits(PermitStage.SUBMITTED)
    entries = dict(world.authority.entries)
    await _restore(world, rows)
    # Nobody asks anything of it: the register says that the approval is still to settle.
    await case.until_permits(PermitStage.SUBMITTED)
    assert world.authority.entries == entries
    assert len(world.authority.calls) == 2 * len(entries)


async def test_a_workflow_whose_case_is_gone_ends_with_a_line(world: World, rows: Rows) -> None:
    await rows.back_up()
    case = await world.submit()
    await _restore(world, rows)
    await case.ended()
    assert await _status(world, case) is WorkflowExecutionStatus.COMPLETED
    assert await world.rows(tables.incidents) == []
    (lost,) = await world.rows(tables.lost_cases)
    assert (lost["reference"], lost["known_by"]) == (case.reference, "temporal")


async def test_an_update_on_a_case_that_is_gone_is_refused_and_ends_it(world: World, rows: Rows) -> None:
    await rows.back_up()
    case = await world.submit()
    await rows.restore()
    await declare_restore(world.context, system("restored"))
    assert not await world.engine.decide(case.reference, "11111111-1111-4111-8111-111111111111")
    await case.ended()


async def test_temporal_names_the_cases_that_a_restore_took_away(world: World, rows: Rows) -> None:
    kept = await world.submit()
    await rows.back_up()
    lost = await world.submit(identity_number="33010619860128072X")
    await rows.restore()
    await declare_restore(world.context, system("restored"))
    found = await find_lost_cases(world.context, CaseWorkflows(world.client, CASE_TYPES).ids())
    assert lost.reference in found
    assert kept.reference not in found


async def test_a_standing_that_a_restore_took_away_comes_to_its_end(world: World) -> None:
    change_id = str(uuid4())
    assert await world.engine.start_standing("emp-a", StandingInput(change_id=change_id, at=world.clock()))
    async with asyncio.timeout(10):
        await world.client.get_workflow_handle(f"standing/emp-a/{change_id}").result()


async def test_a_standing_that_was_spread_before_a_restore_is_spread_again(world: World, rows: Rows) -> None:
    case = await world.submit()
    await rows.back_up()
    first = await world.employer_leaves()
    await first.result()
    await rows.restore()
    await declare_restore(world.context, system("restored"))
    # The same change, signed before the backup, comes to its cases although a run of before completed.
    (change,) = await _signed_again(world, str(first.id).rpartition("/")[2])
    asked = StandingInput(change_id=change, at=world.clock())
    assert await world.engine.start_standing("emp-a", asked, is_unspread=True)
    async with asyncio.timeout(10):
        await world.client.get_workflow_handle(first.id).result()
    assert (await world.rows(tables.employer_standings, spread=True)) != []
    assert [row for row in await world.rows(tables.commands, reference=case.reference) if row["kind"] == "standing"]


async def _signed_again(world: World, change_id: str) -> list[str]:
    row = {
        "change_id": UUID(change_id),
        "employer_id": "emp-a",
        "standing": "suspended",
        "valid_from": world.clock().date(),
        "state": "in_force",
        "proposed_by": {},
        "spread": False,
        "at": world.clock(),
    }
    async with world.context.database.begin() as connection:
        await connection.execute(insert(tables.employer_standings).values(row))
    return [change_id]


async def test_what_the_authority_answered_meanwhile_is_kept_and_applied_by_the_poll(world: World, rows: Rows) -> None:
    case = await world.submit()
    await rows.back_up()
    await case.approve()
    await _restore(world, rows)
    said = {"outcome": "accepted", "occurred_at": world.clock().isoformat()}
    # By callback for Hong Kong, and in the feed of the poll for Macao.
    with pytest.raises(Refused, match="case_unknown"):
        await case.answer("HK", "accepted", authority_number="A-HK")
    world.authority.outcomes.append(
        {**said, "outcome_id": "mo", "case": f"{case.reference}/MO", "authority_number": "A-MO"}
    )
    await _poll(world)
    assert {row["state"] for row in await world.rows(tables.lost_answers)} == {"kept"}
    await case.approve()
    await _poll(world)
    file = await case.until_permits(PermitStage.ACCEPTED, "HK", "MO")
    assert {permit.authority_number for permit in permit_rows(file).values()} == {"A-HK", "A-MO"}
    assert {row["state"] for row in await world.rows(tables.lost_answers)} == {"applied"}


async def _poll(world: World) -> None:
    handle = await world.client.start_workflow(
        AUTHORITY_POLL_WORKFLOW, id=f"poll/{uuid4()}", task_queue=REGISTRATION_QUEUE
    )
    async with asyncio.timeout(15):
        await handle.result()
