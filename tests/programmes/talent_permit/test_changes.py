"""Changes after the approval and before it (R34, P40 to P42): asked, looked at, taken or declined, and what follows."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from cases.calls import making
from cases.decisions.change_reads import get_change
from domain.commands import CommandKind
from domain.errors import Refused
from domain.languages import Language
from domain.purposes import Purpose
from record.re_evaluation import evaluate_again
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, shown
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park

CARD = {"permit_card_number": "C87654321", "permit_card_valid_until": "2037-01-31"}
PROOF = {"kind": "permit_card", "issuer": "公安部出入境管理局", "number": "C87654321", "date": "2026-03-02"}
NO_CARD = {"permit_card_number": None, "permit_card_valid_until": None}
DECLINED = [{"code": "permit_card_wrong", "note": "号码与证件不符"}]


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _ask(case: Case, by: Any = EMPLOYER_A, **wanted: Any) -> None:
    await case.do(by, CommandKind.CHANGE, **wanted)


async def _answer(case: Case, action: str, *, by: Any = OFFICER, **more: Any) -> dict[str, Any]:
    task_id = await case.task_id("change")
    return await case.do(by, CommandKind.ANSWER_TASK, task_id=task_id, action=action, **more)


async def _refusal(case: Case, by: Any = EMPLOYER_A, **wanted: Any) -> tuple[str, list[str], str]:
    with pytest.raises(Refused) as caught:
        await case.do(by, CommandKind.CHANGE, **wanted)
    assert caught.value.words
    return caught.value.code, [error.field for error in caught.value.errors], caught.value.words


async def _due(case: Case) -> list[str]:
    course = await making.current_course(case.park.context, case.reference)
    return sorted(call.key.replace(case.reference, "REF") for call in course.calls)


async def _sent(case: Case, key: str) -> dict[str, Any]:
    found = await making.find_orders(
        case.park.context, case.reference, key.replace("REF", case.reference), case.park.clock.at
    )
    return found[0].message.body.model_dump(mode="json")


async def _reject(case: Case, key: str) -> None:
    refused = {key.replace("REF", case.reference): "422 person.permit_card_number"}
    await making.record(case.park.context, case.reference, refused, case.park.clock.at)


async def _opened(case: Case) -> dict[str, Any]:
    return dict(shown(await get_change(case.park.context, OFFICER, case.reference, Purpose.CASE_REVIEW)))


async def test_a_new_card_is_looked_at_taken_and_told_to_the_authority(park: Park) -> None:
    case = await park.issued()
    await _ask(case, **CARD, proof=PROOF)
    task = (await case.tasks())["change"]
    assert task["detail"]["fields"] == ["permit_card_number", "permit_card_valid_until"]
    assert "C8765" not in str(task["detail"])
    assert (await case.view(EMPLOYER_A))["pending_change"]["due_at"].startswith("2026-03-09")
    seen = await _opened(case)
    number = seen["fields"][0]
    assert (number["known"], number["wanted"]) == ("C12345678", "C87654321")
    assert (number["asked_by"], number["proof"]["kind"]) == ("employer", "permit_card")
    looked = {(rule["scope"], rule["code"]) for rule in seen["rules"]}
    assert {("registration", "permit_card_ends_early"), ("HK", "permit_card_wrong")} <= looked

    await _answer(case, "take")

    assert (await case.row())["facts_version"] == 2
    changed = await case.last("changed")
    assert (changed["fields"], changed["version"], changed["proof"]) == (sorted(CARD), 2, ["permit_card"])
    keys = ["report/REF/HK/entry_changed/2", "report/REF/MO/entry_changed/2"]
    assert await _due(case) == keys
    body = await _sent(case, keys[0])
    assert (body["changed"], body["person"]["permit_card_number"]) == (["permit_card_number"], "C87654321")
    assert await case.told("change_taken") == Counter(employer=1, person=1)
    await case.make_calls()
    assert await _due(case) == []
    assert "report_expected" not in await case.deadlines()
    assert (await case.permit())["stage"] == "issued"


async def test_what_changes_later_is_judged_by_the_rules_of_its_day_and_runs_again_the_same(park: Park) -> None:
    case = await park.issued()
    await case.at("2027-03-01")
    await _ask(case, work_site="SZP-001", contract_start="2027-02-01")
    await _answer(case, "take")
    rows = await park.rows(tables.assessments, tables.assessments.c.scope == "registration")
    newest = max(rows, key=lambda row: row["seq"])
    assert newest["evaluated_on"] == date(2027, 3, 1)
    again = await evaluate_again(park.context, OFFICER, case.reference, Language.EN)
    assert again.same
    assert {run.evaluated_on for run in again.assessments} == {date(2026, 3, 2), date(2027, 3, 1)}


async def test_the_person_has_their_own_card_changed_and_is_told(park: Park) -> None:
    case = await park.issued()
    await _ask(case, PERSON, **CARD)
    assert (await _opened(case))["fields"][0]["asked_by"] == "person"
    await _answer(case, "take")
    assert (await case.last("changed"))["asked_by"] == ["person"]
    assert await case.told("change_taken") == Counter(employer=1, person=1)


async def test_the_person_may_not_state_what_is_the_employers(park: Park) -> None:
    case = await park.issued()
    assert await case.refused(PERSON, CommandKind.CHANGE, position="所长") == "role_not_allowed"
    assert await case.tasks() == {}


async def test_a_change_is_declined_with_a_reason_that_the_asker_reads(park: Park) -> None:
    case = await park.issued()
    await _ask(case, PERSON, **CARD)
    with pytest.raises(Refused, match="reason_missing"):
        await _answer(case, "decline")
    await _answer(case, "decline", reasons=DECLINED)
    assert (await case.last("change_declined"))["reason_codes"] == ["permit_card_wrong"]
    assert await case.told("change_declined") == Counter(employer=1, person=1)
    assert (await case.row())["facts_version"] == 1
    assert await _due(case) == []


@pytest.mark.parametrize(
    ("given", "wanted", "fields", "words"),
    [
        (NO_CARD, {"permit_card_valid_until": "2037-01-31"}, ["permit_card_valid_until"], "no_card"),
        ({}, {"permit_card_number": "C87654321"}, ["permit_card_valid_until"], "card_without_last_day"),
        ({}, {"destinations": ["MO", "HK"]}, ["destinations"], "destinations_held"),
        ({}, {"position": "研究员"}, ["position"], "nothing_changes"),
        ({}, {**CARD, "proof": {**PROOF, "date": "2026-03-03"}}, ["proof.date"], "in_future"),
    ],
)
async def test_a_change_of_what_is_not_there_is_refused_and_nothing_is_changed(
    park: Park, given: dict[str, Any], wanted: dict[str, Any], fields: list[str], words: str
) -> None:
    case = await park.approved(**given)
    before = await case.ledger()
    assert await _refusal(case, **wanted) == ("invalid", fields, words)
    assert "change" not in await case.tasks()
    assert await case.ledger() == before


async def test_what_waits_for_an_officer_is_not_asked_again_by_whoever(park: Park) -> None:
    case = await park.issued()
    await _ask(case, PERSON, **CARD)
    refused = ("already_decided", ["permit_card_number"], "change_waits")
    assert await _refusal(case, permit_card_number="C11111111") == refused
    await _ask(case, position="高级研究员")
    assert (await case.tasks())["change"]["detail"]["asked"]["position"]["role"] == "employer"


async def test_employer_and_person_who_ask_differing_things_are_answered_apart(park: Park) -> None:
    case = await park.issued()
    await _ask(case, PERSON, **CARD)
    await _ask(case, position="高级研究员")
    with pytest.raises(Refused, match="invalid"):
        await _answer(case, "take", fields=["work_site"])
    await _answer(case, "take", fields=sorted(CARD))
    assert (await case.tasks())["change"]["detail"]["fields"] == ["position"]
    assert (await _opened(case))["fields"][0]["wanted"] == "高级研究员"
    await _answer(case, "decline", reasons=[{"code": "employment_unproved"}])
    assert "change" not in await case.tasks()
    assert await case.told("change_declined") == Counter(employer=1)
    assert (await case.row())["facts_version"] == 2


async def test_a_rule_that_would_fail_needs_a_reason_to_be_passed_over(park: Park) -> None:
    case = await park.issued()
    await _ask(case, permit_card_number="W12345678", permit_card_valid_until="2026-12-31")
    with pytest.raises(Refused) as caught:
        await _answer(case, "take")
    assert (caught.value.code, caught.value.words) == ("reason_missing", "change_fails_rules")
    assert "permit_card_ends_early" in {error.about for error in caught.value.errors}
    assert (await case.row())["facts_version"] == 1
    await _answer(case, "take", reasons=[{"code": "document_seen"}])
    assert (await case.last("changed"))["reason_codes"] == ["document_seen"]


async def test_a_destination_that_is_added_is_followed_by_the_rules_of_the_day(park: Park) -> None:
    case = await park.issued(destinations=["HK"])
    await case.at("2026-05-04")
    await _ask(case, destinations=["HK", "MO"])
    await _answer(case, "take")
    assert [p["stage"] for p in (await case.view())["permits"]] == ["issued", "eligible"]
    assert await _due(case) == ["permit/REF/MO"]
    (row,) = await park.rows(tables.assessments, tables.assessments.c.scope == "MO")
    assert row["evaluated_on"] == date(2026, 5, 4)
    await case.make_calls()
    assert (await case.permit("MO"))["stage"] == "submitted"
    assert (await evaluate_again(park.context, OFFICER, case.reference, Language.EN)).same


async def test_a_destination_added_that_is_not_clear_is_an_officers(park: Park) -> None:
    case = await park.issued(destinations=["HK"])
    await case.at("2034-05-04")  # the card ends before a permit of today would
    await case.do(EMPLOYER_A, CommandKind.CHANGE, destinations=["HK", "MO"], contract_end="2036-12-31")
    await _answer(case, "take")
    assert "permit_eligibility/MO" in await case.tasks()


async def test_a_destination_given_up_is_closed_where_it_was_not_sent(park: Park) -> None:
    case = await park.approved()
    await _ask(case, destinations=["HK"])
    await _answer(case, "take")
    permit = await case.permit("MO")
    assert (permit["stage"], permit["end_reason"]) == ("ended", "withdrawn")
    assert await _due(case) == ["permit/REF/HK"]
    assert (await case.view())["destinations"] == ["HK"]


@pytest.mark.parametrize(("issued", "says"), [(False, "withdrawn"), (True, "cancelled")])
async def test_a_destination_given_up_stays_until_the_authority_says(park: Park, issued: bool, says: str) -> None:
    case = await park.submitted()
    if issued:
        await case.answer("issued", "MO")
    await _ask(case, destinations=["HK"])
    await _answer(case, "take")
    assert await _due(case) == ["report/REF/MO/destination_given_up"]
    assert (await case.permit("MO"))["stage"] == ("issued" if issued else "submitted")
    assert await _refusal(case, destinations=["HK", "MO"]) == ("invalid", ["destinations"], "destination_given_up")
    await case.make_calls()
    await case.answer(says, "MO")
    assert (await case.permit("MO"))["stage"] == "ended"
    assert await case.stage() == "approved"


async def test_what_the_authority_issues_between_ask_and_take_is_told_of_the_change(park: Park) -> None:
    case = await park.submitted()
    await _ask(case, **CARD)
    await _ask(case, destinations=["HK"])
    await case.answer("issued", "MO")
    await case.answer("refused", "HK")
    await _answer(case, "take")
    assert await _due(case) == ["report/REF/MO/destination_given_up"]
    assert (await case.permit("MO"))["stage"] == "issued"
    assert (await case.permit())["stage"] == "refused"


async def test_a_change_while_the_list_entry_is_under_way_is_told_once_it_was_taken(park: Park) -> None:
    case = await park.approved()
    await _ask(case, name_en="Feng Chengze")
    await _answer(case, "take")
    assert await _due(case) == ["permit/REF"]
    await case.make_calls()
    assert await _due(case) == ["report/REF/HK/entry_changed/2", "report/REF/MO/entry_changed/2"]


async def test_of_two_changes_the_second_tells_all(park: Park) -> None:
    case = await park.submitted(destinations=["HK"])
    await _ask(case, name_en="Feng Chengze")
    await _answer(case, "take")
    await _ask(case, **CARD)
    await _answer(case, "take")
    (key,) = await _due(case)
    assert key == "report/REF/HK/entry_changed/3"
    assert (await _sent(case, key))["changed"] == ["name_en", "permit_card_number"]


async def test_a_change_that_the_authority_refuses_is_sent_again_once_mended(park: Park) -> None:
    case = await park.submitted(destinations=["HK"])
    await _ask(case, **CARD)
    await _answer(case, "take")
    await _reject(case, "report/REF/HK/entry_changed/2")
    await case.answer("issued")
    assert (await case.tasks())["authority_rejected/HK"]["detail"]["what"] == "entry_changed"
    task_id = await case.task_id("authority_rejected/HK")
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=task_id, action="send_again")
    assert await _due(case) == ["report/REF/HK/entry_changed/2/2"]
    assert "authority_rejected/HK" not in await case.tasks()


async def test_the_row_of_a_change_tells_the_round_that_begins_with_it_where_no_rule_looks(park: Park) -> None:
    case = await park.review()
    await _ask(case, position="高级研究员")
    await _answer(case, "take", by=OFFICER_2)
    assert await case.round() == (await case.last("changed"))["round"] == 2


async def test_nobody_decides_on_facts_that_changed_meanwhile(park: Park) -> None:
    case = await park.review()
    await _ask(case, work_site="不在园区的地址")
    await _answer(case, "take", by=OFFICER_2, reasons=[{"code": "document_seen"}])
    assert await case.round() == 2
    with pytest.raises(Refused, match="stale_round"):
        await case.do(OFFICER, CommandKind.DECIDE, action="approve", round=1)
    found = {each["code"]: each["outcome"] for each in (await case.view())["findings"]}
    assert found["work_site_unknown"] == "needs_person"
    assert (await case.tasks())["review"]["round"] == 2
    await case.decide("approve")
    assert await case.stage() == "approved"


async def test_what_waits_for_its_second_signature_is_not_changed_underneath(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await _ask(case, position="高级研究员")
    with pytest.raises(Refused, match="already_decided"):
        await _answer(case, "take")
    await case.confirm("reject", "reason_not_supported")
    await _answer(case, "take")
    assert (await case.row())["facts_version"] == 2


async def test_destinations_changed_before_the_approval_are_those_that_are_followed(park: Park) -> None:
    case = await park.review()
    await _ask(case, destinations=["MO"])
    await _answer(case, "take")
    await case.approve()
    assert [p["destination"] for p in (await case.view())["permits"]] == ["MO"]


async def test_a_closed_case_takes_no_change(park: Park) -> None:
    case = await park.review()
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    assert await case.refused(EMPLOYER_A, CommandKind.CHANGE, **CARD) == "case_closed"
