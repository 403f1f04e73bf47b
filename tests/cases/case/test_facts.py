"""Facts that officers saw: kept beside what was given, taken by the rules, signed for by two, and seen by all."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError

from cases.calls import making
from cases.case import fact_reads, reads
from cases.tasks import inbox
from domain.case_facts import short_of
from domain.commands import CommandKind
from domain.errors import Refused
from domain.field_errors import field_errors
from domain.languages import Language
from domain.purposes import Purpose
from privacy import own_data
from privacy.sign_in import Session, address_hash
from programmes.talent_permit.requests import FactField, FactRequest
from store import tables
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, OFFICER, SUPERVISOR, key, shown
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park
from tests.cases.facts import AUDITOR, LAST_DAY, NUMBER, SHORT, differences, fact, found, record

NO_CARD = {"permit_card_number": None, "permit_card_valid_until": None}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


# Recording.


async def test_a_fact_stands_beside_what_was_given_and_the_rules_run_again(park: Park) -> None:
    case = await park.review(**SHORT)
    assert await found(case, "permit_card_ends_early") == "fail"
    answer = await record(case, LAST_DAY, "2036-05-31")
    assert await found(case, "permit_card_ends_early") == "pass"
    assert (answer["assessment"], answer["approval_needs_second_signature"]) == ("clear", True)
    assert answer["permit_obstacles"] == []
    (seen,) = shown(await fact_reads.list_facts(park.context, OFFICER_2, case.reference, Purpose.SECOND_SIGNATURE))
    assert (seen["number"], seen["field"], seen["value"], seen["seen_in"]) == (1, LAST_DAY, "2036-05-31", "证件原件")
    assert (seen["given"], seen["subject"], seen["role"], seen["state"]) == (
        "2027-03-31",
        "officer-1",
        "officer",
        "stands",
    )
    name = "permit_card_valid_until"
    given = await reads.open_person(park.context, OFFICER, case.reference, (name,), Purpose.CASE_REVIEW)
    assert given == {name: "2027-03-31"}
    assert (await case.row())["facts_version"] == 1
    assert (await case.ledger())[-2:] == ["fact_recorded", "assessed"]
    told = await case.last("fact_recorded")
    assert (told["fact"], told["field"], told["rule_version"]) == (1, LAST_DAY, "2025-11-05")
    assert "2036" not in str(told["detail"])


async def reads_person(case: Case) -> Any:
    """Return the last day of the card as it was given."""
    from cases.case.reads import open_person

    name = "permit_card_valid_until"
    return (await open_person(case.park.context, OFFICER, case.reference, (name,), Purpose.CASE_REVIEW))[name]


async def test_what_a_fact_turned_is_approved_by_two(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    view = await case.decide("approve")
    assert (view["stage"], view["pending_act"]) == ("awaiting_confirmation", "approve")
    confirmation = {"action": "confirm", "round": 1}
    assert await case.refused(OFFICER, CommandKind.CONFIRM, **confirmation) == "same_signer"
    await case.confirm()
    await case.after(minutes=10)
    assert [(await case.permit(each))["stage"] for each in ("HK", "MO")] == ["eligible", "eligible"]


async def test_a_fact_that_turns_a_failure_into_a_question_needs_two_as_well(park: Park) -> None:
    case = await park.review(permit_card_number="X1", permit_card_valid_until="2036-01-01")
    assert await found(case, "permit_card_wrong") == "fail"
    await record(case, NUMBER, "W12345678")
    assert await found(case, "permit_card_wrong") == "needs_person"
    assert (await case.decide("approve"))["stage"] == "awaiting_confirmation"


async def test_a_fact_that_turns_no_failure_leaves_the_approval_to_one(park: Park) -> None:
    case = await park.review(**NO_CARD)
    await record(case, NUMBER, "C12345678")
    answer = await record(case, LAST_DAY, "2036-05-31")
    assert (answer["assessment"], answer["approval_needs_second_signature"]) == ("clear", False)
    assert (await case.decide("approve"))["stage"] == "approved"


async def test_a_bulk_approval_over_a_turned_finding_waits_for_its_second_signature(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    assert (await case.view())["assessment"] == "clear"
    assert (await case.decide("approve"))["stage"] == "awaiting_confirmation"


async def test_the_rules_run_for_every_destination_that_waits(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    assert list(await case.tasks()) == ["permit_eligibility"]
    await record(case, NUMBER, "C12345678")
    assert [await found(case, "permit_card_missing", each) for each in ("HK", "MO")] == ["pass", "pass"]
    # The number alone raises the next question: its last day.
    assert (await case.tasks())["permit_eligibility"]["detail"]["findings"] == ["permit_card_ends_early"]
    await record(case, LAST_DAY, "2036-05-31")
    assert [(await case.permit(each))["stage"] for each in ("HK", "MO")] == ["eligible", "eligible"]
    assert await case.tasks() == {}
    rows = await park.rows(tables.ledger, tables.ledger.c.act == "permit_eligible")
    assert {(row["destination"], row["actor_role"]) for row in rows} == {("HK", "system"), ("MO", "system")}


async def test_the_authority_is_sent_the_card_that_was_seen(park: Park) -> None:
    case = await park.review(permit_card_number="X1", permit_card_valid_until="2036-01-01")
    await record(case, NUMBER, "C12345678")
    await case.decide("approve")
    await case.confirm()
    await case.after(minutes=10)
    course = await making.current_course(park.context, case.reference)
    orders = await making.find_orders(park.context, case.reference, course.calls[0].key, park.clock.at)
    assert {order.message.body.model_dump()["person"]["permit_card_number"] for order in orders} == {"C12345678"}


async def test_reminders_of_a_contract_follow_the_end_that_was_seen(park: Park) -> None:
    case = await park.review(employment={"contract_end": "2027-12-31"})
    await record(case, "employment.contract_end", "2026-12-31", seen_in="劳动合同")
    assert (await case.row())["contract_end"] == date(2026, 12, 31)
    await case.do(OFFICER, CommandKind.DECIDE, action="return", round=1, reasons=[{"code": "document_unreadable"}])
    await case.do(EMPLOYER_A, CommandKind.CORRECT, employment={"position": "工程师"})
    assert (await case.row())["contract_end"] == date(2026, 12, 31)
    await case.approve()
    assert str((await case.deadlines())["contract_reminder"][0].date()) == "2026-11-01"


async def test_versions_of_a_fact_are_kept_and_the_last_one_holds(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2028-01-01")
    assert await found(case, "permit_card_ends_early") == "fail"
    await record(case, LAST_DAY, "2036-05-31", seen_in="新证件")
    facts = (await case.view())["recorded_facts"]
    assert [(each["number"], each["state"]) for each in facts] == [(1, "replaced"), (2, "stands")]
    items = shown(await fact_reads.list_facts(park.context, AUDITOR, case.reference, Purpose.AUDIT))
    assert [(each["value"], each["seen_in"]) for each in items] == [
        ("2028-01-01", "证件原件"),
        ("2036-05-31", "新证件"),
    ]


async def test_what_the_employer_gives_anew_comes_before_what_was_seen_of_the_old(park: Park) -> None:
    case = await park.review(employment={"contract_end": "2026-01-31"}, **SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    await case.decide("return", "employment_dates_wrong")
    corrected = {"employment": {"contract_end": "2030-12-31"}}
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **corrected)
    assert await found(case, "permit_card_ends_early") == "pass"  # this field was not touched
    await case.decide("return", "permit_card_wrong", by=SUPERVISOR)
    await case.do(EMPLOYER_A, CommandKind.CORRECT, person={"permit_card_valid_until": "2027-06-30"})
    assert await found(case, "permit_card_ends_early") == "fail"
    (row,) = await park.rows(tables.assessments, tables.assessments.c.round == 3)
    assert row["on_facts"] is None


async def test_a_corrected_identity_number_takes_the_facts_along(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    await case.decide("return", "identity_number_wrong")
    await case.do(EMPLOYER_A, CommandKind.CORRECT, person={"identity_number": "440304197001010012"})
    assert await found(case, "permit_card_ends_early") == "pass"
    (seen,) = shown(await fact_reads.list_facts(park.context, AUDITOR, case.reference, Purpose.AUDIT))
    assert seen["value"] == "2036-05-31"
    assert await differences(case) == set()


# What is refused.


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (fact("person.identity_number", "440304197001010012"), "field", "unknown_value"),
        (fact("person.name_zh", "张三"), "field", "unknown_value"),
        (fact("person.email", "x@example.com"), "field", "unknown_value"),
        (fact(LAST_DAY, "2036-02-30"), "value", "impossible_date"),
        (fact(LAST_DAY, 20360101), "value", "wrong_type"),
        (fact(LAST_DAY, "9999-12-31"), "value", "impossible_date"),
        (fact("employment.state_worker", "no"), "value", "wrong_type"),
        (fact("employment.consent_letter", {"issuer": "x"}), "value", "required"),
        (fact(LAST_DAY, "2036-01-01", seen_in=" "), "seen_in", "required"),
    ],
)
def test_a_fact_is_refused_by_its_field(body: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        FactRequest.model_validate(body)
    (error,) = field_errors(refused.value)
    assert (error.field, error.code) == (field, code)


def test_a_value_is_kept_in_the_form_of_its_field() -> None:
    assert FactRequest.model_validate(fact(NUMBER, "c12345678")).value == "C12345678"
    letter = {"issuer": "示例局", "number": "1", "date": "2025-10-20"}
    assert FactRequest.model_validate(fact("employment.consent_letter", letter)).value == letter
    assert FactRequest.model_validate(fact("employment.contract_end", None)).value is None


def test_no_field_says_who_the_person_is_or_how_anyone_is_reached() -> None:
    barred = {"name_zh", "name_en", "identity_number", "email", "phone", "language"}
    assert barred & {short_of(field) for field in FactField} == set()


async def _errors(case: Case, **body: Any) -> tuple[str, list[tuple[str, str]]]:
    try:
        await case.do(OFFICER, CommandKind.RECORD_FACT, **body)
    except Refused as refused:
        return refused.code, [(each.field, each.code) for each in refused.errors]
    raise AssertionError


async def test_a_fact_that_cannot_be_true_with_the_rest_is_refused_and_changes_nothing(park: Park) -> None:
    case = await park.review()
    before = await case.ledger()
    late = fact("employment.contract_start", "2030-01-01")
    assert await _errors(case, **late) == ("invalid", [("value", "date_order")])
    assert await _errors(case, **fact("employment.work_site", None)) == ("invalid", [("value", "required")])
    assert (await case.view())["recorded_facts"] == []
    assert await case.ledger() == before


async def test_who_may_record_when_and_in_which_round(park: Park) -> None:
    case = await park.review(**SHORT)
    asked = fact(LAST_DAY, "2036-05-31")
    assert await case.refused(OFFICER, CommandKind.RECORD_FACT, **asked | {"round": 2}) == "stale_round"
    await case.claim("review", OFFICER_2)
    assert await case.refused(OFFICER, CommandKind.RECORD_FACT, **asked) == "task_held"
    await inbox.release(park.context, OFFICER_2, await case.task_id("review"), True, key())
    assert await case.refused(OFFICER_2, CommandKind.RECORD_FACT, **asked) == "role_not_allowed"
    await case.do(OFFICER, CommandKind.RECORD_FACT, **asked)
    await case.decide("approve")
    assert await case.refused(OFFICER, CommandKind.RECORD_FACT, **asked) == "wrong_stage"
    clear = await park.approved(identity_number="440304197001010012")
    assert await clear.refused(OFFICER, CommandKind.RECORD_FACT, **asked) == "wrong_stage"


# Who sees it.


async def test_employer_and_person_are_told_and_see_it(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    assert await case.told("fact_recorded") == Counter(employer=1, person=1)
    view = await case.view(EMPLOYER_A)
    (fact_seen,) = view["recorded_facts"]
    assert (fact_seen["field"], fact_seen["state"], fact_seen["contest"], fact_seen["role"]) == (
        LAST_DAY,
        "stands",
        None,
        "officer",
    )
    assert "2036" not in str(view["recorded_facts"])
    (opened,) = shown(await fact_reads.list_facts(park.context, EMPLOYER_A, case.reference, None))
    assert (opened["value"], "subject" in opened) == ("2036-05-31", False)
    with pytest.raises(Refused) as unknown:
        await fact_reads.list_facts(park.context, EMPLOYER_B, case.reference, None)
    assert unknown.value.code == "case_unknown"
    with pytest.raises(Refused) as purposeless:
        await fact_reads.list_facts(park.context, OFFICER, case.reference, None)
    assert purposeless.value.code == "purpose_missing"
    readings = await park.rows(tables.ledger, tables.ledger.c.act == "personal_data_read")
    assert [row["detail"]["fields"] for row in readings] == [["permit_card_valid_until"]]


async def test_the_person_reads_what_was_seen_and_where_among_their_own_data(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    address = address_hash(park.context, "feng@example.com")
    session = Session((await case.row())["person_id"], address, b"", park.clock.at)
    held = await own_data.read_own_data(park.context, await case.known(PERSON), session, Language.EN)
    (own,) = held.cases
    (seen,) = own["recorded_facts"]
    assert (seen["value"], seen["seen_in"], seen["given"]) == ("2036-05-31", "证件原件", "2027-03-31")
    assert seen["label"] == "Last day of the travel permit card"
    assert any("contest" in remedy for remedy in own["remedies"])
