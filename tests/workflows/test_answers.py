"""What the authority answers, through the workflow (states.md, P4 to P27)."""

from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus

from domain.actors import Actor, Role
from domain.clock import start_of
from domain.commands import CommandKind
from domain.decisions import PermitConfirmationRequest
from domain.errors import Refused
from domain.messages import AUTHORITY_POLL_WORKFLOW, REGISTRATION_QUEUE
from domain.stages import Stage
from programmes.talent_permit.authority import outcomes
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.tables import permit_rows
from programmes.talent_permit.words import PermitCommand
from store import tables
from tests.cases.contexts import registration_body
from tests.workflows.histories import count_events
from tests.workflows.world import EMPLOYER_A, OFFICER, OFFICER_2, Case, World

CONFIRM = {"destination": "HK", "action": "confirm"}


@pytest_asyncio.fixture
async def sent(world: World) -> Case:
    """A case with its one list entry taken."""
    body = registration_body()
    body["destinations"] = ["HK"]
    case = await world.submit(body=body)
    await case.approve()
    return case


async def _poll(world: World, number: int = 1) -> None:
    """Ask the authority once, as its Schedule does each minute."""
    await world.client.execute_workflow(
        AUTHORITY_POLL_WORKFLOW, id=f"poll/{number}/{world.started[0]}", task_queue=REGISTRATION_QUEUE
    )


async def test_list_entry_whose_answer_was_lost_is_sent_again_under_its_key(world: World) -> None:
    world.authority.lose_answers = 2
    case = await world.submit()
    await case.decide("approve")
    await case.until_permits(PermitStage.SUBMITTED)
    keys = [f"permit/{case.reference}/HK", f"permit/{case.reference}/MO"]
    assert sorted(world.authority.entries) == keys
    assert len(world.authority.calls) == 4


async def test_of_two_entries_sent_side_by_side_the_lost_one_alone_is_sent_again(world: World) -> None:
    world.authority.lose_answers = 1
    case = await world.submit()
    await case.decide("approve")
    await case.until_permits(PermitStage.SUBMITTED)
    assert sorted(world.authority.entries) == [f"permit/{case.reference}/HK", f"permit/{case.reference}/MO"]
    assert len(world.authority.calls) == 3


async def test_answer_proves_an_entry_whose_2xx_was_lost(world: World) -> None:
    world.authority.away = True
    case = await world.submit()
    await case.decide("approve")
    await case.until_permits(PermitStage.ELIGIBLE)
    await case.answer("HK", "issued", authority_number="C-HK-1")
    file = await case.until_permits(PermitStage.ISSUED, "HK")
    assert [call.key for call in file.calls] == [f"permit/{case.reference}/MO"]


async def test_authority_away_for_three_days_gets_each_entry_once(world: World) -> None:
    world.authority.away = True
    case = await world.submit()
    await case.decide("approve")
    await case.until_permits(PermitStage.ELIGIBLE)
    world.authority.retry_after = 6 * 3600
    for _ in range(3):
        await case.skip(timedelta(days=1), settle=False)
    incidents = await world.rows(tables.incidents, reference=case.reference)
    assert {row["kind"] for row in incidents} == {"authority_unreached"}
    assert len(incidents) == 2
    assert world.authority.calls.count("away") >= 12
    world.authority.away = False
    await case.skip(timedelta(hours=7), settle=False)
    await case.until_permits(PermitStage.SUBMITTED)
    assert len([call for call in world.authority.calls if call != "away"]) == 2
    assert {row["state"] for row in await world.rows(tables.incidents, reference=case.reference)} == {"ended"}
    await case.idle()


async def test_entry_refused_as_malformed_is_sent_again_by_an_officer_under_the_next_attempt(world: World) -> None:
    world.authority.refusing = True
    case = await world.submit()
    await case.decide("approve")
    await case.until(lambda file: not file.calls)
    tasks = await world.rows(tables.tasks, reference=case.reference, kind="authority_rejected", state="open")
    (task,) = tasks  # one question for both destinations
    world.authority.refusing = False
    await case.ask(OFFICER, CommandKind.ANSWER_TASK, {"task_id": str(task["task_id"]), "action": "send_again"})
    await case.until_permits(PermitStage.SUBMITTED)
    assert sorted(world.authority.entries) == [f"permit/{case.reference}/{d}/2" for d in ("HK", "MO")]
    assert await case.open_tasks() == set()


async def test_accepted_moves_the_register_and_does_not_wake_the_case(sent: Case) -> None:
    await sent.idle()
    before = await count_events(sent)
    assert await sent.answer("HK", "accepted", authority_number="A-1") == "recorded"
    assert (await sent.permit()).stage == PermitStage.ACCEPTED
    await sent.idle()
    assert await count_events(sent) == before
    assert "permit_accepted" in await sent.notices()


async def test_final_answers_wake_the_case(sent: Case) -> None:
    await sent.answer("HK", "accepted")
    before = await count_events(sent)
    await sent.answer("HK", "issued", authority_number="C-1")
    await sent.until_permits(PermitStage.ISSUED)
    await sent.idle()
    assert (await sent.course()).rests
    assert await count_events(sent) != before


async def test_refused_permit_leaves_registration_and_other_destination_alone(world: World) -> None:
    case = await world.submit()
    await case.approve()
    await case.answer("HK", "refused", reason_code="X1", reason_text="资料不符")
    await case.until_permits(PermitStage.REFUSED, "HK")
    assert (await case.permit("MO")).stage == PermitStage.SUBMITTED
    assert await case.stage() is Stage.APPROVED
    await case.answer("MO", "issued", authority_number="C-MO-1")
    await case.until_permits(PermitStage.ISSUED, "MO")


@pytest.mark.parametrize("outcome", ["withdrawn"])
async def test_withdrawn_application_ends_the_permit(sent: Case, outcome: str) -> None:
    await sent.answer("HK", outcome)
    file = await sent.until_permits(PermitStage.ENDED)
    assert [permit.end_reason for permit in permit_rows(file).values()] == [outcome]
    assert "permit_closed" in await sent.notices()


async def test_issued_permit_is_cancelled_at_its_holders_wish(sent: Case) -> None:
    await sent.issue()
    await sent.answer("HK", "cancelled")
    file = await sent.until_permits(PermitStage.ENDED)
    assert [permit.end_reason for permit in permit_rows(file).values()] == ["cancelled"]


async def test_person_who_does_not_apply_is_reminded_and_then_shown(sent: Case) -> None:
    await sent.skip_to_day(date(2026, 4, 20))
    assert set(await sent.notices()) >= {"permit_action_needed"}
    reminders = await sent.world.rows(tables.notices, reference=sent.reference, kind="permit_action_needed")
    assert len({row["occasion"] for row in reminders}) == 2
    await sent.skip_to_day(date(2026, 6, 15))
    assert "applicant_inactive" in await sent.open_tasks()
    assert (await sent.permit()).stage == PermitStage.SUBMITTED


async def test_poll_takes_answers_in_and_shows_what_is_late(sent: Case) -> None:
    world = sent.world
    await sent.answer("HK", "accepted", authority_number="A-1")
    await sent.skip(timedelta(days=14))
    await _poll(world)
    assert await world.rows(tables.cursors, name="round/authority_poll", value="ended")
    assert "authority_late" in await sent.open_tasks()
    world.authority.outcomes.append(_raw(sent, "issued", authority_number="C-1", **_dates()))
    world.authority.outcomes.append({"outcome_id": "x", "case": "HT-0000-0000-0/HK", "outcome": "odd"})
    await _poll(world, 2)
    await sent.until_permits(PermitStage.ISSUED)
    assert "authority_late" not in await sent.open_tasks()
    assert [row["reason"] for row in await world.rows(tables.incidents, kind="authority_answer")] == ["invalid"]
    await _poll(world, 3)
    assert len(await world.rows(tables.answers, reference=sent.reference)) == 2


async def test_late_answers_show_while_the_authority_is_away(sent: Case) -> None:
    await sent.answer("HK", "accepted", authority_number="A-1")
    await sent.skip(timedelta(days=14))
    sent.world.authority.away = True
    handle = await sent.world.client.start_workflow(
        AUTHORITY_POLL_WORKFLOW, id=f"poll/away/{sent.reference}", task_queue=REGISTRATION_QUEUE
    )
    await sent.until(lambda file: any(task.kind == "authority_late" for task in file.tasks))
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    sent.world.authority.away = False
    assert await handle.result() == 0


async def test_registration_that_ends_before_issue_is_reported_once_and_the_answer_decides(sent: Case) -> None:
    await sent.ask(EMPLOYER_A, PermitCommand.DEPART, {"last_day": "2026-03-01", "reason": "resigned"})
    await sent.until_stage(Stage.ENDED)
    await sent.until(lambda file: not file.calls)
    assert list(sent.world.authority.reports) == [f"report/{sent.reference}/HK/registration_ended"]
    assert (await sent.permit()).stage == PermitStage.SUBMITTED
    assert await sent.is_running()
    await sent.answer("HK", "withdrawn")
    await sent.ended()


async def test_kept_permit_of_an_ended_registration_lives_on(sent: Case) -> None:
    await sent.answer("HK", "issued", authority_number="C-1", **_dates())
    await sent.ask(EMPLOYER_A, PermitCommand.DEPART, {"last_day": "2026-03-01", "reason": "resigned"})
    await sent.until(lambda file: file.stage is Stage.ENDED and not file.calls)
    assert "permit_reported" in await sent.notices()
    await sent.answer("HK", "kept")
    assert (await sent.permit()).stage == PermitStage.ISSUED
    assert "permit_kept" in await sent.notices()
    # The case is over; the Schedule goes on watching the permit's own end.
    await sent.ended()
    sent.world.clock.reach(start_of(date(2029, 3, 3)))
    await _poll(sent.world)
    assert (await sent.permit()).stage == PermitStage.EXPIRED


async def test_revoked_permit_ends(sent: Case) -> None:
    await sent.issue()
    await sent.answer("HK", "revoked", authority_number="R-1")
    await sent.until_permits(PermitStage.REVOKED)
    assert "permit_revoked" in await sent.notices()


async def test_lost_card_is_reported_and_replaced(sent: Case) -> None:
    await sent.issue()
    await sent.ask(EMPLOYER_A, PermitCommand.CARD_LOST, {"destination": "HK", "lost_on": "2026-03-02"})
    await sent.until(lambda file: not file.calls)
    assert list(sent.world.authority.reports) == [f"report/{sent.reference}/HK/card_lost/2026-03-02"]
    assert (await sent.permit()).card_lost_on == date(2026, 3, 2)
    await sent.answer("HK", "replaced", authority_number="C-2", **_dates())
    file = await sent.until(lambda file: all(p.card_lost_on is None for p in permit_rows(file).values()))
    permit = permit_rows(file)
    assert [(p.authority_number, len(p.earlier)) for p in permit.values()] == [("C-2", 1)]


async def test_same_answer_twice_is_recorded_once(sent: Case) -> None:
    occurred = sent.world.clock()
    given: dict[str, Any] = {"authority_number": "C-1", "occurred_at": occurred, **_dates()}
    assert await sent.answer("HK", "issued", outcome_id="o-1", **given) == "recorded"
    assert await sent.answer("HK", "issued", outcome_id="o-1", **given) == "already_recorded"
    assert await sent.answer("HK", "issued", outcome_id="o-2", **given) == "already_recorded"
    assert (await sent.notices()).count("permit_issued") == 2


async def test_late_accepted_fills_in_and_does_not_go_back(sent: Case) -> None:
    await sent.answer("HK", "issued", authority_number="C-1", **_dates())
    assert await sent.answer("HK", "accepted", authority_number="A-1") == "recorded"
    permit = await sent.permit()
    assert (permit.stage, permit.authority_number) == (PermitStage.ISSUED, "C-1")
    assert permit.accepted_on == date(2026, 3, 2)


async def test_answers_in_the_wrong_order_are_applied_in_the_right_one(sent: Case) -> None:
    assert await sent.answer("HK", "revoked", authority_number="R-1") == "held"
    assert (await sent.permit()).stage == PermitStage.SUBMITTED
    await sent.answer("HK", "issued", authority_number="C-1")
    await sent.until_permits(PermitStage.REVOKED)
    assert await sent.open_tasks() == set()


async def test_early_answer_whose_forerunner_never_comes_is_shown(sent: Case) -> None:
    await sent.answer("HK", "revoked", authority_number="R-1")
    await sent.skip_to_day(date(2026, 3, 5))
    await _poll(sent.world)
    assert "authority_conflict" in await sent.open_tasks()
    assert (await sent.permit()).stage == PermitStage.SUBMITTED


async def test_contradiction_is_applied_only_by_two_signatures(sent: Case) -> None:
    await sent.issue()
    assert await sent.answer("HK", "refused", outcome_id="o-9", reason_code="X1") == "held"
    assert (await sent.permit()).stage == PermitStage.ISSUED
    assert "authority_conflict" in await sent.open_tasks()
    await sent.ask(OFFICER, PermitCommand.ENTER_OUTCOME, {"destination": "HK", "outcome_id": "o-9"})
    confirmation = PermitConfirmationRequest.model_validate({"action": "confirm"})
    body = {"destination": "HK", **confirmation.model_dump(mode="json", exclude_unset=True)}
    with pytest.raises(Refused) as refused:
        await sent.ask(OFFICER, PermitCommand.PERMIT_CONFIRM, body)
    assert refused.value.code == "same_signer"
    await sent.ask(OFFICER_2, PermitCommand.PERMIT_CONFIRM, body)
    await sent.until_permits(PermitStage.REFUSED)
    assert await sent.open_tasks() == set()


async def test_held_answer_of_a_closed_case_takes_its_workflow_up_again(sent: Case) -> None:
    await sent.ask(EMPLOYER_A, PermitCommand.DEPART, {"last_day": "2026-03-01", "reason": "resigned"})
    await sent.until(lambda file: file.stage is Stage.ENDED and not file.calls)
    await sent.answer("HK", "withdrawn")
    await sent.ended()
    assert await sent.answer("HK", "issued", outcome_id="o-8", authority_number="C-1") == "held"
    await sent.ask(OFFICER, PermitCommand.ENTER_OUTCOME, {"destination": "HK", "outcome_id": "o-8"})
    await sent.ask(OFFICER_2, PermitCommand.PERMIT_CONFIRM, CONFIRM)
    await sent.until_permits(PermitStage.ISSUED)
    assert await sent.is_running()


async def test_answer_about_an_unknown_case_leaves_a_line_for_the_operator(world: World) -> None:
    case = await world.submit()
    answer = AuthorityAnswer.model_validate(
        {"outcome_id": "o-1", "case": f"{case.reference}/MO", "outcome": "accepted", "occurred_at": world.clock()}
    )
    with pytest.raises(Refused) as refused:
        await outcomes.receive(world.context, Actor(issuer="t", subject="authority", role=Role.AUTHORITY), answer)
    assert refused.value.code == "case_unknown"
    assert [row["reason"] for row in await world.rows(tables.incidents)] == ["case_unknown"]


def _raw(case: Case, outcome: str, **given: Any) -> dict[str, Any]:
    body = {
        "outcome_id": f"{outcome}-{case.reference}",
        "case": f"{case.reference}/HK",
        "outcome": outcome,
        "occurred_at": case.world.clock().isoformat(),
    }
    return body | given


def _dates() -> dict[str, Any]:
    return {"valid_from": "2026-03-03", "valid_until": "2029-03-02", "stay_days": 30, "entries": "multiple"}
