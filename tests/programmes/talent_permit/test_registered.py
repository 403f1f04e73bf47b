"""Rows R22 to R30 of states.md: departure, revocation, standing, contract and the end of a registration."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date

import pytest_asyncio

from domain.commands import CommandKind
from programmes.talent_permit.words import PermitCommand
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park

MONDAY = "2026-03-02"


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china(MONDAY)) as park:
        yield park


async def _revoke(case: Case) -> None:
    await case.do(OFFICER, PermitCommand.REVOKE, reasons=[{"code": "false_statement", "note": "材料不实"}])


# R22, R23: departure and the end of employment.


async def test_r22_a_departure_to_come_is_recorded_and_told(park: Park) -> None:
    case = await park.approved()
    view = await case.depart("2026-03-31")
    row = await case.row()
    assert (row["stage"], row["ended_on"], row["end_reason"]) == ("approved", date(2026, 3, 31), "resigned")
    assert await case.told("departure_recorded") == Counter(employer=1, person=1)
    assert view["stage"] == "approved"
    assert "contract_reminder" not in await case.deadlines()


async def test_r22_a_later_report_before_that_day_replaces_it(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-31")
    await case.depart("2026-04-30", "dismissed")
    await case.at("2026-04-01")
    assert await case.stage() == "approved"
    await case.at("2026-05-01", "00:00")
    row = await case.row()
    assert (row["stage"], row["end_reason"], row["ended_on"]) == ("ended", "dismissed", date(2026, 4, 30))


async def test_r22_a_departure_that_an_officer_reports_sets_nothing_before_its_second_signature(park: Park) -> None:
    case = await park.approved()
    before = await case.row()
    view = await case.depart("2026-03-31", "dismissed", by=OFFICER)
    assert (view["pending_act"], view["round"], view["ended_on"]) == ("departure", 2, None)
    assert view["pending"]["last_day"] == "2026-03-31"
    row = await case.row()
    assert (row["departure"], row["ended_on"], row["end_reason"]) == (None, None, None)
    assert before["stage"] == row["stage"] == "approved"
    assert "employment_over" not in await case.deadlines()
    assert "contract_reminder" in await case.deadlines()
    assert await case.told("departure_recorded") == Counter()
    assert await case.told("second_signature_requested") == Counter(officers=1, supervisors=1)
    assert (await case.tasks())["confirm"]["detail"] == {"pending_act": "departure"}
    assert (await case.last("departure_proposed"))["last_day"] == "2026-03-31"
    for outsider in (EMPLOYER_A, PERSON):
        seen = await case.view(outsider)
        assert "pending_act" not in seen
        assert "pending" not in seen


async def test_r22_the_second_signature_records_the_departure(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-31", "dismissed", by=OFFICER)
    assert await case.refused(OFFICER, CommandKind.CONFIRM, action="confirm", round=2) == "same_signer"
    assert await case.refused(OFFICER_2, CommandKind.CONFIRM, action="confirm", round=1) == "stale_round"
    view = await case.confirm()
    assert (view["stage"], view["pending_act"], view["ended_on"]) == ("approved", None, "2026-03-31")
    assert "confirm" not in await case.tasks()
    assert await case.told("departure_recorded") == Counter(employer=1, person=1)
    signed = await case.last("confirmed")
    assert (signed["outcome"], signed["reason_codes"], signed["last_day"]) == ("departure", ["dismissed"], "2026-03-31")
    await case.at("2026-04-01", "00:00")
    assert await case.stage() == "ended"


async def test_r22_a_rejected_departure_leaves_the_registration_as_it_was(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-31", by=OFFICER)
    await case.confirm("reject", "facts_incomplete")
    row = await case.row()
    assert (row["stage"], row["pending_act"], row["pending"], row["ended_on"]) == ("approved", None, None, None)
    assert await case.told("second_signature_rejected") == Counter(proposer=1)
    assert await case.told("departure_recorded") == Counter()
    await case.at("2026-04-01")
    assert await case.stage() == "approved"


async def test_r22_an_employers_own_report_is_taken_while_an_officers_waits(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-31", by=OFFICER)
    reasons = [{"code": "false_statement"}]
    assert await case.refused(OFFICER_2, PermitCommand.REVOKE, reasons=reasons) == "already_decided"
    other = {"last_day": "2026-03-30", "reason": "resigned"}
    assert await case.refused(OFFICER_2, PermitCommand.DEPART, **other) == "already_decided"
    await case.depart("2026-03-03")
    assert (await case.row())["ended_on"] == date(2026, 3, 3)
    await case.at("2026-03-04")
    row = await case.row()
    assert (row["stage"], row["pending_act"], row["ended_on"]) == ("ended", None, date(2026, 3, 3))
    assert "confirm" not in await case.tasks()


async def test_r22_who_reported_or_signed_a_departure_does_not_answer_its_dispute(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-31", by=OFFICER)
    await case.confirm(by=OFFICER_2)
    await case.do(PERSON, PermitCommand.DISPUTE)
    given = {"task_id": await case.task_id("departure_disputed"), "action": "uphold"}
    for own in (OFFICER, OFFICER_2):
        assert await case.refused(own, CommandKind.ANSWER_TASK, **given) == "role_not_allowed"
    await case.do(SUPERVISOR, CommandKind.ANSWER_TASK, **given)


async def test_r22_reasons_that_only_the_engine_gives_are_refused(park: Park) -> None:
    case = await park.approved()
    given = {"last_day": "2026-03-31", "reason": "revoked"}
    assert await case.refused(EMPLOYER_A, PermitCommand.DEPART, **given) == "reason_not_allowed"


async def test_r22_a_late_report_is_taken_and_marked(park: Park) -> None:
    case = await park.approved()
    await case.at("2026-04-20")
    await case.depart("2026-03-31")
    assert (await case.last("departure_reported"))["late"] is True
    assert await case.stage() == "ended"


async def test_r22_a_settling_approval_is_not_given_away_by_a_departure(park: Park) -> None:
    case = await park.review()
    await case.decide("approve")
    given = {"last_day": "2026-03-31", "reason": "resigned"}
    assert await case.refused(EMPLOYER_A, PermitCommand.DEPART, **given) == "wrong_stage"


async def test_r22_a_disputed_departure_keeps_the_report_back(park: Park) -> None:
    case = await park.issued()
    await case.depart("2026-03-04")
    await case.do(PERSON, PermitCommand.DISPUTE)
    assert "departure_disputed" in await case.tasks()
    await case.at("2026-03-05")
    assert await case.stage() == "ended"
    assert (await case.permit())["reported_at"] is None
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=await case.task_id("departure_disputed"), action="uphold")
    assert (await case.permit())["reported_at"] is not None
    assert await case.refused(PERSON, PermitCommand.DISPUTE) == "already_decided"


async def test_r22_a_departure_set_aside_never_happened(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-31")
    await case.do(PERSON, PermitCommand.DISPUTE)
    await case.do(
        OFFICER, CommandKind.ANSWER_TASK, task_id=await case.task_id("departure_disputed"), action="set_aside"
    )
    await case.at("2026-04-01")
    row = await case.row()
    assert (row["stage"], row["ended_on"], row["end_reason"]) == ("approved", None, None)


async def test_r23_the_registration_ends_at_midnight_after_the_last_day(park: Park) -> None:
    case = await park.issued()
    await case.depart("2026-03-31")
    await case.at("2026-03-31", "23:59:59")
    assert (await case.view())["in_force"]
    await case.at("2026-04-01", "00:00")
    view = await case.view()
    assert (view["stage"], view["ended_on"], view["end_reason"]) == ("ended", "2026-03-31", "resigned")
    assert await case.told("registration_ended") == Counter(employer=1, person=1)
    assert await case.told("permit_reported") == Counter(person=1)


async def test_r23_a_late_timer_never_makes_a_registration_in_force(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-31")
    park.clock.at = china("2026-04-01")
    view = await case.view()
    assert (view["stage"], view["in_force"]) == ("approved", False)


async def test_r23_waits_while_a_revocation_is_pending(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-03")
    await _revoke(case)
    await case.at("2026-03-04")
    assert await case.stage() == "approved"
    await case.confirm("reject", "facts_incomplete", by=SUPERVISOR)
    row = await case.row()
    assert (row["stage"], row["end_reason"], row["ended_on"]) == ("ended", "resigned", date(2026, 3, 3))


async def test_after_deceased_nothing_goes_to_the_person(park: Park) -> None:
    case = await park.issued()
    before = sum(count for told, count in (await case.told()).items() if told.endswith("/person"))
    await case.depart("2026-03-02", "deceased", by=OFFICER)
    await case.confirm()
    await case.at("2026-03-03", "00:00")
    await case.answer("revoked")
    after = sum(count for told, count in (await case.told()).items() if told.endswith("/person"))
    assert before == after
    assert await case.told("registration_ended") == Counter(employer=1)
    assert await case.told("hand_over_requested") == Counter()


async def test_a_revocation_after_a_death_tells_the_person_nothing_either(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-31", "deceased")
    await _revoke(case)
    await case.confirm()
    assert await case.told("registration_revoked") == Counter(employer=1)


# R24 to R26: revocation.


async def test_r24_a_revocation_is_a_proposal_in_a_new_round(park: Park) -> None:
    case = await park.approved()
    await _revoke(case)
    row = await case.row()
    assert (row["stage"], row["pending_act"], row["round"]) == ("approved", "revoke", 2)
    assert "confirm" in await case.tasks()
    assert await case.told("second_signature_requested") == Counter(officers=1, supervisors=1)
    assert "pending_act" not in await case.view(EMPLOYER_A)
    assert case.course is not None
    assert case.course.calls == ()
    given = {"reasons": [{"code": "false_statement"}]}
    assert await case.refused(OFFICER_2, PermitCommand.REVOKE, **given) == "already_decided"


async def test_r25_the_second_signature_ends_the_registration_by_a_letter(park: Park) -> None:
    case = await park.issued()
    await _revoke(case)
    assert await case.refused(OFFICER, CommandKind.CONFIRM, action="confirm", round=2) == "same_signer"
    await case.confirm()
    row = await case.row()
    assert (row["stage"], row["end_reason"], row["ended_on"]) == ("ended", "revoked", date(2026, 3, 2))
    assert await case.told("registration_revoked") == Counter(employer=1, person=1)
    assert (await case.permit())["stage"] == "issued"
    assert (await case.permit())["reported_at"] is not None


async def test_r25_a_revocation_before_an_announced_last_day_ends_at_once(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-12-31")
    await _revoke(case)
    await case.confirm()
    assert (await case.row())["ended_on"] == date(2026, 3, 2)


async def test_r26_a_rejected_revocation_lets_waiting_permits_go_on(park: Park) -> None:
    case = await park.approved()
    await _revoke(case)
    await case.confirm("reject", "reason_not_supported")
    row = await case.row()
    assert (row["stage"], row["pending_act"], row["round"]) == ("approved", None, 3)
    assert await case.told("second_signature_rejected") == Counter(proposer=1)
    assert case.course is not None
    assert len(case.course.calls) == 1


async def test_r26_a_rejected_revocation_leaves_the_proposals_of_permits_alone(park: Park) -> None:
    case = await park.approved(permit_card_number=None, permit_card_valid_until=None)
    reasons = [{"code": "permit_card_ends_early"}]
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action="withhold", reasons=reasons)
    await _revoke(case)
    await case.confirm("reject", "reason_not_supported")
    assert "confirm/HK" in await case.tasks()


# R27, R28: the employer's standing.


async def test_r27_the_registration_of_a_suspended_employer_stands_and_its_sending_waits(park: Park) -> None:
    case = await park.approved()
    await case.set_standing("suspended", date(2026, 3, 2))
    assert case.course is not None
    assert case.course.calls == ()
    assert (await case.view())["in_force"]
    await case.after(hours=24)
    await case.set_standing("good", date(2026, 3, 3))
    assert len(case.course.calls) == 1


async def test_r28_an_employer_that_left_ends_the_registration_and_reports_by_one_list(park: Park) -> None:
    case = await park.issued()
    await case.set_standing("left_park", date(2026, 3, 2))
    row = await case.row()
    assert (row["stage"], row["end_reason"]) == ("ended", "employer_left_park")
    assert await case.told("registration_ended") == Counter(employer=1, person=1)
    assert (await case.permit())["reported_at"] is not None
    assert await park.rows(tables.calls, tables.calls.c.state == "due") == []


# R29: the contract.


async def test_r29_a_contract_that_ends_is_told_and_asked_about(park: Park) -> None:
    case = await park.issued(employment={"contract_end": "2026-06-30"})
    assert [str(d.date()) for d in (await case.deadlines())["contract_reminder"]] == ["2026-05-01", "2026-05-31"]
    await case.at("2026-05-01", "09:00")
    await case.at("2026-05-31", "09:00")
    assert await case.told("contract_ending") == Counter(employer=2)
    await case.at("2026-07-15", "00:00")
    assert "employment_check" in await case.tasks()
    assert await case.stage() == "approved"


async def test_r29_an_officer_records_the_new_end(park: Park) -> None:
    case = await park.approved(employment={"contract_end": "2026-06-30"})
    await case.at("2026-07-15")
    task_id = await case.task_id("employment_check")
    given = {"task_id": task_id, "action": "new_contract_end", "contract_end": "2028-06-30"}
    await case.do(OFFICER, CommandKind.ANSWER_TASK, **given)
    assert "employment_check" not in await case.tasks()
    assert [str(d.date()) for d in (await case.deadlines())["contract_reminder"]] == ["2028-05-01", "2028-05-31"]


async def test_r29_an_officer_records_the_departure(park: Park) -> None:
    case = await park.approved(employment={"contract_end": "2026-06-30"})
    await case.at("2026-07-15")
    given = {"task_id": await case.task_id("employment_check"), "action": "departed", "last_day": "2026-06-30"}
    await case.do(OFFICER, CommandKind.ANSWER_TASK, **given)
    assert ((await case.row())["ended_on"], "employment_check" in await case.tasks()) == (None, True)
    await case.confirm()
    assert (await case.row())["end_reason"] == "contract_ended"
    assert "employment_check" not in await case.tasks()


# R30: what has closed.


async def test_r30_a_closed_case_refuses_every_act(park: Park) -> None:
    case = await park.review()
    await case.refuse()
    reasons = [{"code": "false_statement"}]
    acts: list[tuple[str, dict[str, object]]] = [
        (CommandKind.CORRECT, {"employment": {"position": "工程师"}}),
        (CommandKind.CONTEST, {"note": "请复核"}),
        (CommandKind.WITHDRAW, {}),
        (CommandKind.DECIDE, {"action": "approve", "round": 1}),
        (CommandKind.CONFIRM, {"action": "confirm", "round": 1}),
        (CommandKind.RECALL, {"reason": "误操作"}),
        (CommandKind.HOLD, {"action": "place", "reason": "legal_question"}),
        (PermitCommand.REVOKE, {"reasons": reasons}),
        (PermitCommand.DEPART, {"last_day": "2026-03-31", "reason": "resigned"}),
        (CommandKind.CHANGE, {"email": "new@example.com"}),
    ]
    for kind, body in acts:
        actor = EMPLOYER_A if kind in (CommandKind.CORRECT, CommandKind.CONTEST, CommandKind.WITHDRAW) else OFFICER
        assert await case.refused(actor, kind, **body) == "case_closed", kind
    again = await park.review()
    assert await again.stage() == "under_review"


async def test_r30_an_ended_departure_can_still_be_disputed_and_its_task_answered_without_a_workflow(
    park: Park,
) -> None:
    case = await park.issued(destinations=["HK"])
    await case.depart("2026-03-02")
    await case.at("2026-03-03")
    await case.make_calls()
    await case.answer("kept")
    assert case.course is not None
    assert case.course.finished
    await case.store(PERSON, PermitCommand.DISPUTE)
    assert "departure_disputed" in await case.tasks()  # no workflow is left to apply it
    task_id = await case.task_id("departure_disputed")
    await case.store(OFFICER, CommandKind.ANSWER_TASK, task_id=task_id, action="uphold")
    assert await case.tasks() == {}
