"""The review of a case on a real Temporal: decisions, second signatures, corrections and what time brings."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from cases.commands import submit
from domain.case_requests import ContestRequest, WithdrawalRequest
from domain.clock import CHINA, day_of
from domain.commands import CommandKind
from domain.decisions import DecisionAction, DecisionRequest, HoldRequest, RecallRequest
from domain.errors import Refused, need
from domain.stages import Stage
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.requests import CorrectionRequest
from programmes.talent_permit.tables import permit_rows
from store import tables
from tests.cases.contexts import registration_body
from tests.workflows.world import EMPLOYER_A, OFFICER, OFFICER_2, SUPERVISOR, Case, World, new_key

LETTER = CorrectionRequest.model_validate(
    {"employment": {"consent_letter": {"issuer": "示例局", "number": "示字1号", "date": "2026-02-20"}}}
)


async def _incomplete(world: World) -> Case:
    """Submit a case that lacks the letter which a state worker needs."""
    body = registration_body()
    body["employment"]["state_worker"] = True
    case = await world.submit(body=body)
    assert await case.stage() is Stage.CORRECTION_REQUESTED
    return case


async def test_refusal_takes_effect_with_the_second_signature(world: World) -> None:
    case = await world.submit()
    assert (await case.decide("refuse", "employer_kind_not_listed")).body["stage"] == "awaiting_confirmation"
    with pytest.raises(Refused) as refused:
        await case.confirm("confirm", actor=OFFICER)
    assert refused.value.code == "same_signer"
    assert (await case.confirm("confirm")).body["stage"] == "refused"
    await case.ended()
    assert "registration_refused" in await case.notices()
    assert await case.open_tasks() == set()


async def test_rejected_signature_sends_the_case_back_to_its_proposer(world: World) -> None:
    case = await world.submit()
    await case.decide("refuse", "employer_kind_not_listed")
    reply = await case.confirm("reject", "reason_not_supported")
    assert (reply.body["stage"], reply.body["round"]) == ("under_review", 2)
    (task,) = await world.rows(tables.tasks, reference=case.reference, kind="review", state="open")
    assert OFFICER.subject in (task["reserved_for"] or task["holder"])
    assert "second_signature_rejected" in await case.notices()
    await case.approve()


async def test_approval_over_a_failed_finding_needs_a_second_signature(world: World) -> None:
    body = registration_body()
    body["employment"]["contract_end"] = "2026-02-01"
    case = await world.submit(body=body)
    if await case.stage() is Stage.CORRECTION_REQUESTED:
        await case.ask(EMPLOYER_A, CommandKind.CONTEST, ContestRequest(note="The contract was renewed."))
    reply = await case.decide("approve", "explained_by_employer")
    assert reply.body["stage"] == "awaiting_confirmation"
    assert (await case.confirm("confirm")).body["stage"] == "approved"
    await case.until(lambda file: bool(permit_rows(file)))


async def test_incomplete_case_is_mended_and_approved(world: World) -> None:
    case = await _incomplete(world)
    await case.skip_to_day(date(2026, 3, 4))
    await case.ask(EMPLOYER_A, CommandKind.CORRECT, LETTER)
    file = await case.until_stage(Stage.UNDER_REVIEW)
    assert file.round == 2
    await case.approve()
    assert {"correction_requested", "correction_received"} <= set(await case.notices())


async def test_officer_returns_a_case_and_the_clock_stands_still_meanwhile(world: World) -> None:
    case = await world.submit()
    due = need((await case.file()).row.due_at, "due_at")
    reply = await case.decide("return", "document_unreadable")
    assert (reply.body["stage"], reply.body["clock"]) == ("correction_requested", "stopped")
    await case.skip_to_day(date(2026, 3, 9))
    parts = CorrectionRequest.model_validate({"person": {"email": "feng.new@example.com"}})
    await case.ask(EMPLOYER_A, CommandKind.CORRECT, parts)
    file = await case.until_stage(Stage.UNDER_REVIEW)
    assert need(file.row.due_at, "due_at") > due
    await case.approve()


async def test_what_is_given_again_under_review_meets_a_decision_and_one_of_them_stands(world: World) -> None:
    case = await world.submit()
    parts = CorrectionRequest.model_validate({"employment": {"position": "工程师"}, "round": 1})
    approve = DecisionRequest(action=DecisionAction.APPROVE, round=1)
    amended, decided = await asyncio.gather(
        case.ask(EMPLOYER_A, CommandKind.CORRECT, parts),
        case.ask(OFFICER, CommandKind.DECIDE, approve),
        return_exceptions=True,
    )
    refused = [each for each in (amended, decided) if isinstance(each, Refused)]
    assert [each.code for each in refused] in (["stale_round"], ["wrong_stage"])
    if decided is refused[0]:
        file = await case.until(lambda file: file.round == 2)
        assert (file.stage, [each["fields"] for each in file.row.amendments or ()]) == (
            Stage.UNDER_REVIEW,
            [["employment.position"]],
        )
        await case.approve()
    else:
        assert await case.stage() is Stage.APPROVED
        assert (await case.file()).row.amendments is None


async def test_contested_finding_goes_to_a_person(world: World) -> None:
    case = await _incomplete(world)
    await case.ask(EMPLOYER_A, CommandKind.CONTEST, ContestRequest(note="He left the civil service in 2024."))
    file = await case.until_stage(Stage.UNDER_REVIEW)
    assert file.row.contested
    assert await case.open_tasks() == {"review"}
    assert (await case.decide("approve", "explained_by_employer")).body["stage"] == "awaiting_confirmation"


async def test_case_lapses_after_fifteen_working_days_of_silence(world: World) -> None:
    case = await _incomplete(world)
    due = need((await case.file()).row.due_at, "due_at")
    assert day_of(due) == date(2026, 3, 23)
    await case.skip_to(due - timedelta(minutes=10))
    assert await case.stage() is Stage.CORRECTION_REQUESTED
    assert (await case.notices()).count("correction_reminder") == 3
    await case.skip(timedelta(minutes=15))
    await case.ended()
    assert await case.stage() is Stage.LAPSED
    assert "registration_lapsed" in await case.notices()
    assert await case.open_tasks() == set()


async def test_correction_stored_in_time_wins_over_the_lapse(world: World) -> None:
    case = await _incomplete(world)
    due = need((await case.file()).row.due_at, "due_at")
    await case.skip_to(due - timedelta(minutes=10))
    # Stored, and its signal lost: the timer that fires first finds it.
    await submit.ask(world.context, EMPLOYER_A, case.reference, CommandKind.CORRECT, LETTER, new_key())
    await case.skip(timedelta(minutes=20))
    assert (await case.until_stage(Stage.UNDER_REVIEW)).round == 2


async def test_withdrawal_ends_the_workflow(world: World) -> None:
    case = await world.submit()
    await case.decide("refuse", "employer_kind_not_listed")
    await case.ask(EMPLOYER_A, CommandKind.WITHDRAW, WithdrawalRequest())
    await case.ended()
    assert await case.stage() is Stage.WITHDRAWN
    with pytest.raises(Refused) as refused:
        await case.confirm("confirm")
    assert refused.value.code == "case_closed"


async def test_held_case_is_not_decided_and_its_holder_is_reminded(world: World) -> None:
    case = await world.submit()
    hold = HoldRequest.model_validate({"action": "place", "reason": "legal_question", "review_on": "2026-03-04"})
    assert (await case.ask(OFFICER, CommandKind.HOLD, hold)).progress == "applied"
    with pytest.raises(Refused) as refused:
        await case.decide("approve")
    assert refused.value.code == "on_hold"
    await case.skip_to_day(date(2026, 3, 4))
    assert "hold_review_due" in await case.notices()
    await case.ask(
        OFFICER, CommandKind.HOLD, HoldRequest.model_validate({"action": "release", "reason": "legal_question"})
    )
    await case.approve()


@pytest.mark.parametrize("parameters", ["default"])
async def test_approval_is_recalled_within_the_settling_time(world: World) -> None:
    case = await world.submit()
    number = (await case.decide("approve")).body["registration_number"]
    assert number is not None
    assert world.authority.entries == {}
    await case.skip(timedelta(minutes=5))
    with pytest.raises(Refused) as refused:
        await case.ask(OFFICER_2, CommandKind.RECALL, RecallRequest(reason="Not mine."))
    assert refused.value.code == "role_not_allowed"
    reply = await case.ask(OFFICER, CommandKind.RECALL, RecallRequest(reason="The wrong case."))
    assert (reply.body["stage"], reply.body["round"], reply.body["registration_number"]) == ("under_review", 2, None)
    await case.skip(timedelta(minutes=20))
    assert permit_rows(await case.file()) == {}
    await case.approve()
    assert (await case.file()).row.registration_number != number


@pytest.mark.parametrize("parameters", ["default"])
async def test_settled_approval_cannot_be_recalled(world: World) -> None:
    case = await world.submit()
    await case.approve()
    with pytest.raises(Refused) as refused:
        await case.ask(OFFICER, CommandKind.RECALL, RecallRequest(reason="Too late."))
    assert refused.value.code == "wrong_stage"
    assert {p.stage for p in permit_rows(await case.file()).values()} == {PermitStage.SUBMITTED}


@pytest.mark.parametrize("start", [datetime(2026, 2, 10, 10, tzinfo=CHINA)])
async def test_review_escalates_over_spring_festival(world: World) -> None:
    case = await world.submit()
    due = need((await case.file()).row.due_at, "due_at")
    assert day_of(due) == date(2026, 2, 24)
    await case.skip_to(due - timedelta(minutes=10))
    assert not (await case.file()).row.overdue
    assert (await case.notices()).count("due_soon") == 2
    await case.skip(timedelta(minutes=15))
    file = await case.file()
    assert (file.stage, file.row.overdue) == (Stage.UNDER_REVIEW, True)
    assert {"escalated", "decision_delayed"} <= set(await case.notices())
    with pytest.raises(Refused) as refused:
        await case.decide("approve")
    assert refused.value.code == "task_held"
    assert (await case.decide("approve", actor=SUPERVISOR)).body["stage"] == "approved"
