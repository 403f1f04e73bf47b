"""One fact, one question: an answer on a finding holds for the same finding with the same facts later in the case."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import insert, update

from cases.calls import making
from cases.case.file import open_case
from cases.case.reads import get_case
from cases.tasks import inbox
from domain.commands import CommandKind
from domain.languages import Language
from domain.task_lists import TaskChoice
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.words import PermitCommand, PermitTask
from record.reconciliation.reconcile import reconcile_case
from store import tables
from tests.api.engines import NoHistories
from tests.cases.contexts import OFFICER
from tests.cases.driver import OFFICER_2, Case, Park, china, open_park
from tests.cases.facts import LAST_DAY, record

NO_CARD = {"permit_card_number": None, "permit_card_valid_until": None}
SHORT = {"permit_card_valid_until": "2027-03-31"}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _stages(case: Case) -> list[str | None]:
    return [(await case.permit(destination.value))["stage"] for destination in Destination]


async def _answer(case: Case, destination: str, action: str, *reasons: str) -> dict[str, Any]:
    given = [{"code": code} for code in reasons]
    return await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination=destination, action=action, reasons=given)


# An override at registration, at eligibility.


async def test_an_override_at_registration_is_not_asked_again_for_the_permits(park: Park) -> None:
    case = await park.review(**NO_CARD)
    await case.decide("approve", "permit_card_missing")
    await case.after(minutes=10)
    assert await _stages(case) == ["eligible", "eligible"]
    assert await case.tasks() == {}
    eligible = await case.last("permit_eligible")
    assert (eligible["actor_role"], eligible["reason_codes"]) == ("system", ["permit_card_missing"])


async def test_one_that_two_signed_over_a_failed_finding_holds_as_well(park: Park) -> None:
    case = await park.review(**SHORT)
    await case.decide("approve", "explained_by_employer")
    await case.confirm()
    await case.after(minutes=10)
    assert await _stages(case) == ["eligible", "eligible"]


async def test_an_approval_without_a_reason_answers_nothing(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    assert await _stages(case) == [None, None]
    assert list(await case.tasks()) == ["permit_eligibility"]


@pytest.mark.parametrize(
    ("reason", "is_asked"),
    [
        ({"code": "document_seen", "field": "person.permit_card_number"}, False),
        ({"code": "document_seen", "field": "permit_card_number"}, False),
        ({"code": "document_seen", "field": "employment.work_site"}, True),
        ({"code": "permit_card_missing"}, False),
        ({"code": "register_outdated"}, False),
    ],
)
async def test_a_reason_that_names_a_field_answers_what_is_found_about_it(
    park: Park, reason: dict[str, str], is_asked: bool
) -> None:
    case = await park.review(**NO_CARD)
    await case.do(OFFICER, CommandKind.DECIDE, action="approve", round=1, reasons=[reason])
    await case.after(minutes=10)
    assert await _stages(case) == ([None, None] if is_asked else ["eligible", "eligible"])


async def test_other_facts_are_asked_about_again(park: Park) -> None:
    case = await park.review(**SHORT)
    await case.decide("approve", "explained_by_employer")
    await case.confirm()
    # Before the approval has settled another card is seen, which ends early as well.
    await record(case, LAST_DAY, "2028-01-01")
    await case.after(minutes=10)
    assert await _stages(case) == [None, None]
    assert (await case.tasks())["permit_eligibility"]["detail"]["findings"] == ["permit_card_ends_early"]


async def test_an_answer_is_kept_as_codes_and_a_hash_of_the_facts(park: Park) -> None:
    case = await park.review(**SHORT)
    await case.decide("approve", "explained_by_employer")
    assert (await case.row())["answered_findings"] is None  # not before the second signature
    await case.confirm()
    (answer,) = (await case.row())["answered_findings"]
    named = (answer["code"], answer["outcome"], answer["scope"], answer["reasons"])
    assert named == ("permit_card_ends_early", "fail", "registration", ["explained_by_employer"])
    assert len(answer["facts"]) == 64


async def test_a_recall_takes_back_what_was_answered(park: Park) -> None:
    case = await park.review(**NO_CARD)
    await case.decide("approve", "permit_card_missing")
    await case.do(OFFICER, CommandKind.RECALL, reason="误操作")
    assert (await case.row())["answered_findings"] is None
    await case.approve()
    assert await _stages(case) == [None, None]


# One task for both destinations.


async def test_the_same_question_about_both_destinations_is_one_task(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    items, _ = await inbox.list_tasks(
        park.context, OFFICER, TaskChoice(kind=PermitTask.PERMIT_ELIGIBILITY, destination="MO")
    )
    (task,) = items
    assert (task.destination, task.destinations, task.assessment) == (None, ["HK", "MO"], "needs_officer")
    assert task.detail == {"findings": ["permit_card_missing"]}
    (shown,) = (await case.view())["tasks"]
    assert (shown["kind"], shown["destinations"]) == ("permit_eligibility", ["HK", "MO"])


async def test_one_destination_has_its_task_by_name(park: Park) -> None:
    case = await park.approved(destinations=["MO"], **NO_CARD)
    (task,) = (await case.tasks()).values()
    assert (task["destination"], task["detail"]) == ("MO", {"findings": ["permit_card_missing"]})


async def test_an_answer_for_one_destination_serves_the_other(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    await case.claim("permit_eligibility")
    assert await case.refused(OFFICER_2, PermitCommand.ELIGIBILITY, **_send("HK")) == "task_held"
    await _answer(case, "HK", "send", "document_seen")
    assert await _stages(case) == ["eligible", "eligible"]
    acts = await park.rows(tables.ledger, tables.ledger.c.act == "permit_eligible")
    told = {row["destination"]: (row["actor_role"], row["reason_codes"], row["statement_hash"] is None) for row in acts}
    # The officer signed for Hong Kong; what follows for Macao is the engine's, and nobody's signature stands under it.
    assert told == {"HK": ("officer", ["document_seen"], False), "MO": ("system", ["document_seen"], True)}


async def test_the_records_of_a_case_so_answered_agree(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    await case.claim("permit_eligibility")
    await case.after(minutes=1)
    await _answer(case, "HK", "send", "document_seen")
    overridden = await park.review(identity_number="440304197001010012", **SHORT)
    await overridden.decide("approve", "explained_by_employer")
    await overridden.confirm()
    await overridden.after(minutes=10)
    for each in (case, overridden):
        _, found = await reconcile_case(park.context, NoHistories(), each.reference)
        assert {difference.code for difference in found} == {"history_missing"}  # there is no Temporal here


async def test_withholding_is_proposed_for_each_destination_by_itself(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    await _answer(case, "HK", "withhold", "permit_card_ends_early")
    open_tasks = await case.tasks()
    assert sorted(open_tasks) == ["confirm/HK", "permit_eligibility"]
    assert open_tasks["permit_eligibility"]["detail"]["destinations"] == ["MO"]
    await _answer(case, "MO", "send", "document_seen")
    assert await _stages(case) == [None, "eligible"]
    await case.confirm_permit()
    assert await _stages(case) == ["ended", "eligible"]
    assert await case.tasks() == {}


async def test_tasks_of_each_destination_that_are_open_already_stay_workable(park: Park) -> None:
    """As a case stood before: two tasks, and nothing kept of what they are about."""
    case = await park.approved(**NO_CARD)
    row = (await case.tasks())["permit_eligibility"]
    t = tables.tasks
    each = [{**row, "task_id": uuid4(), "destination": key, "detail": {}} for key in ("HK", "MO")]
    async with park.context.database.begin() as connection:
        # A task stays what it was written as, so that the one of both gives way to two.
        over = {"state": "done", "closed_at": park.clock.at}
        await connection.execute(update(t).where(t.c.task_id == row["task_id"]).values(over))
        await connection.execute(insert(t).values(each))
    assert sorted(await case.tasks()) == ["permit_eligibility/HK", "permit_eligibility/MO"]
    await case.claim("permit_eligibility/MO")
    await _answer(case, "MO", "send", "document_seen")
    assert await _stages(case) == ["eligible", "eligible"]
    assert await case.tasks() == {}


async def test_entries_that_one_call_found_malformed_for_one_reason_are_one_task(park: Park) -> None:
    case = await park.approved()
    course = await making.current_course(park.context, case.reference)
    orders = await making.find_orders(park.context, case.reference, course.calls[0].key, park.clock.at)
    refused = {order.key: "invalid_person.permit_card_number" for order in orders}
    await making.record(park.context, case.reference, refused, park.clock.at)
    task = (await case.tasks())["authority_rejected"]
    assert task["detail"]["destinations"] == ["HK", "MO"]
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=task["task_id"], action="send_again")
    assert await case.tasks() == {}
    await case.make_calls()
    assert await _stages(case) == ["submitted", "submitted"]


async def test_a_person_who_has_applied_for_neither_permit_is_asked_about_once(park: Park) -> None:
    case = await park.submitted()
    await case.at("2026-06-15")
    task = (await case.tasks())["applicant_inactive"]
    assert task["detail"]["destinations"] == ["HK", "MO"]
    await case.answer("accepted", "HK")
    assert (await case.tasks())["applicant_inactive"]["detail"]["destinations"] == ["MO"]
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=task["task_id"], action="done")
    assert await case.tasks() == {}


async def test_a_task_of_another_step_is_left_as_its_ledger_rows_name_it(park: Park) -> None:
    case = await park.submitted()
    async with open_case(park.context, case.reference) as (file, _):
        file.share_task(PermitTask.APPLICANT_INACTIVE, park.clock.at, Destination.HK)
    park.clock.at = china("2026-03-03")
    async with open_case(park.context, case.reference) as (file, _):
        file.share_task(PermitTask.APPLICANT_INACTIVE, park.clock.at, Destination.MO)
    assert sorted(await case.tasks()) == ["applicant_inactive/HK", "applicant_inactive/MO"]


# What approve answers.


async def test_approve_says_what_will_still_stand_in_the_way_of_each_permit(park: Park) -> None:
    case = await park.review(**NO_CARD)
    answer = await case.decide("approve")
    assert [(each["destination"], each["code"], each["outcome"]) for each in answer["permit_obstacles"]] == [
        ("HK", "permit_card_missing", "needs_person"),
        ("MO", "permit_card_missing", "needs_person"),
    ]
    assert all(each["message"] for each in answer["permit_obstacles"])


async def test_what_the_reasons_of_an_approval_answer_stands_in_no_permits_way(park: Park) -> None:
    case = await park.review(**NO_CARD)
    assert (await case.decide("approve", "permit_card_missing"))["permit_obstacles"] == []
    clear = await park.review(identity_number="440304197001010012")
    assert (await clear.decide("approve"))["permit_obstacles"] == []


async def test_a_proposal_says_what_will_stand_in_the_way_once_it_is_signed(park: Park) -> None:
    case = await park.review(employment={"contract_end": "2026-01-31"}, **NO_CARD)
    reason = {"code": "document_seen", "field": "employment.contract_end"}
    body = {"action": "approve", "round": 1, "reasons": [reason]}
    answer = await case.do(OFFICER, CommandKind.DECIDE, **body)
    assert answer["stage"] == "awaiting_confirmation"
    expected = {("HK", "permit_card_missing"), ("MO", "permit_card_missing")}
    assert {(each["destination"], each["code"]) for each in answer["permit_obstacles"]} == expected
    signed = await case.confirm()
    assert {(each["destination"], each["code"]) for each in signed["permit_obstacles"]} == expected
    await case.after(minutes=10)
    assert (await case.tasks())["permit_eligibility"]["detail"]["findings"] == ["permit_card_missing"]


async def test_a_refusal_and_a_return_look_at_no_permit(park: Park) -> None:
    case = await park.review(**NO_CARD)
    assert "permit_obstacles" not in await case.decide("refuse", "employment_unproved")
    assert "permit_obstacles" not in vars(await get_case(park.context, OFFICER, case.reference, Language.EN))


def _send(destination: str) -> dict[str, Any]:
    return {"destination": destination, "action": "send", "reasons": [{"code": "document_seen"}]}
