"""Rows P1 to P8, P13 to P16, P19, P21 and P22 of states.md: what the park and time do with a permit."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio

from cases.calls import making
from cases.case import reads
from domain.commands import CommandKind
from domain.messages import Origin
from programmes.talent_permit.authority.messages import ListEntry
from programmes.talent_permit.tables import permits
from programmes.talent_permit.words import PermitCommand
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park

NO_CARD = {"permit_card_number": None, "permit_card_valid_until": None}
WITHHELD = [{"code": "permit_card_ends_early", "note": "证件有效期不足"}]


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _eligibility(case: Case, action: str, code: str, by: object = OFFICER) -> None:
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action=action, reasons=[{"code": code}])


async def _keys(case: Case) -> list[str]:
    course = await making.current_course(case.park.context, case.reference)
    return sorted(call.key.replace(case.reference, "REF") for call in course.calls)


async def test_p1_each_destination_is_eligible_with_findings_under_the_rules_of_acceptance(park: Park) -> None:
    case = await park.approved()
    view = await case.view()
    assert [(p["destination"], p["stage"]) for p in view["permits"]] == [("HK", "eligible"), ("MO", "eligible")]
    assert view["permits"][0]["findings"]
    scopes = {a["scope"]: a["policy_version"] for a in await park.rows(tables.assessments)}
    assert scopes == {"registration": "2025-11-05", "HK": "2025-11-05", "MO": "2025-11-05"}
    assert await _keys(case) == ["permit/REF"]
    assert "findings" not in (await case.view(EMPLOYER_A))["permits"][0]


async def test_p2_what_is_not_clear_is_an_officers_and_is_not_shown_yet(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    assert sorted(await case.tasks()) == ["permit_eligibility"]
    assert (await case.view(EMPLOYER_A))["permits"] == []
    assert [p["stage"] for p in (await case.view())["permits"]] == [None, None]
    assert await _keys(case) == []


async def test_p2_an_officer_sends_anyway_with_an_override_reason(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    wrong = {"destination": "HK", "action": "send", "reasons": [{"code": "resigned"}]}
    assert await case.refused(OFFICER, PermitCommand.ELIGIBILITY, **wrong) == "reason_not_allowed"
    await _eligibility(case, "send", "permit_card_missing")
    assert [(await case.permit(each))["stage"] for each in ("HK", "MO")] == ["eligible", "eligible"]
    assert await case.tasks() == {}
    assert await _keys(case) == ["permit/REF"]
    again = {"destination": "HK", "action": "send", "reasons": [{"code": "permit_card_missing"}]}
    assert await case.refused(OFFICER, PermitCommand.ELIGIBILITY, **again) == "wrong_stage"


async def test_p3_withholding_needs_a_second_signature_and_is_told_by_letter(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action="withhold", reasons=WITHHELD)
    assert (await case.permit())["pending_act"] == "withhold"
    assert await case.told("second_signature_requested") == Counter(officers=1, supervisors=1)
    confirmation = {"destination": "HK", "action": "confirm"}
    assert await case.refused(OFFICER, PermitCommand.PERMIT_CONFIRM, **confirmation) == "same_signer"
    await case.confirm_permit()
    permit = await case.permit()
    assert (permit["stage"], permit["end_reason"], permit["pending_act"]) == ("ended", "not_eligible", None)
    assert await case.told("permit_withheld") == Counter(employer=1, person=1)
    assert (await case.permit("MO"))["stage"] is None


async def test_p3_a_rejected_signature_goes_back_to_the_proposer(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action="withhold", reasons=WITHHELD)
    await case.confirm_permit("reject", "reason_not_supported")
    permit = await case.permit()
    assert (permit["stage"], permit["pending_act"]) == (None, None)
    assert (await case.tasks())["permit_eligibility/HK"]["holder"] == "test officer-1"
    assert await case.told("second_signature_rejected") == Counter(proposer=1)
    await _eligibility(case, "send", "permit_card_missing")
    assert (await case.permit())["stage"] == "eligible"


async def test_p4_the_list_entry_is_taken_once_and_told(park: Park) -> None:
    case = await park.approved()
    await case.make_calls()
    await making.record(park.context, case.reference, {f"permit/{case.reference}/HK": None}, park.clock.at)
    permit = await case.permit()
    assert (permit["stage"], permit["sent_at"]) == ("submitted", park.clock.at)
    assert await case.told("permit_submitted", "HK") == Counter(employer=1, person=1)
    assert (await case.row())["holder"] == "person"


async def test_p4_two_workers_at_once_say_the_same_under_the_same_key(park: Park) -> None:
    case = await park.approved()
    call = f"permit/{case.reference}/HK"
    (order,) = await making.find_orders(park.context, case.reference, call, park.clock.at)
    entry = order.message.body
    assert isinstance(entry, ListEntry)
    assert (entry.case, order.what) == (f"{case.reference}/HK", "list_entry")
    assert entry.person.identity_number == "44030419900307123X"
    assert await making.find_orders(park.context, case.reference, call, park.clock.at) == [order]
    taken = [making.record(park.context, case.reference, {call: None}, park.clock.at) for _ in range(2)]
    await asyncio.gather(*taken)
    assert await case.told("permit_submitted", "HK") == Counter(employer=1, person=1)
    assert await making.find_orders(park.context, case.reference, call, park.clock.at) == []


async def test_p4_any_answer_proves_a_list_entry_whose_2xx_was_lost(park: Park) -> None:
    case = await park.approved()
    assert await case.answer("accepted") == (200, "recorded")
    permit = await case.permit()
    assert (permit["stage"], permit["sent_at"]) == ("accepted", park.clock.at)
    assert await _keys(case) == ["permit/REF/MO"]


async def test_p5_an_entry_not_sent_within_its_limit_is_a_line_for_the_operator(park: Park) -> None:
    case = await park.approved()
    await case.at("2026-03-04", "00:00")
    lines = {i["step"] for i in await park.rows(tables.incidents) if i["kind"] == "authority_unreached"}
    assert lines == {"tell_authority/HK", "tell_authority/MO"}
    assert (await case.permit())["stage"] == "eligible"
    await case.make_calls()
    assert {i["state"] for i in await park.rows(tables.incidents)} == {"ended"}


async def test_p6_a_malformed_entry_is_mended_and_sent_under_the_next_number(park: Park) -> None:
    case = await park.approved()
    await making.record(park.context, case.reference, {f"permit/{case.reference}/HK": "person.name_en"}, park.clock.at)
    assert "authority_rejected/HK" in await case.tasks()
    task_id = await case.task_id("authority_rejected/HK")
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=task_id, action="send_again")
    assert await _keys(case) == ["permit/REF"]
    assert await case.answer("accepted") == (200, "recorded")  # its 2xx was lost
    assert await _keys(case) == ["permit/REF/MO"]


async def test_p7_sending_waits_for_a_revocation(park: Park) -> None:
    case = await park.approved()
    await case.do(OFFICER, PermitCommand.REVOKE, reasons=[{"code": "false_statement"}])
    assert await _keys(case) == []
    assert await making.find_orders(park.context, case.reference, f"permit/{case.reference}/HK", park.clock.at) == []


async def test_p8_a_permit_not_sent_closes_with_its_registration(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-02")
    await case.at("2026-03-03", "00:00")
    assert {(p["stage"], p["end_reason"]) for p in await park.rows(permits)} == {("ended", "registration_ended")}
    assert await case.told("permit_closed", "HK") == Counter(employer=1, person=1)
    assert await _keys(case) == []
    assert case.course is not None
    assert case.course.finished


async def test_p8_a_proposal_to_withhold_ends_with_the_registration(park: Park) -> None:
    case = await park.approved(**NO_CARD)
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action="withhold", reasons=WITHHELD)
    await case.depart("2026-03-02")
    await case.at("2026-03-03", "00:00")
    assert (await case.permit())["pending_act"] is None
    assert await case.tasks() == {}


async def test_p8_an_entry_taken_after_the_end_is_shown_to_the_operator_once(park: Park) -> None:
    case = await park.approved(destinations=["HK"])
    call = f"permit/{case.reference}/HK"
    assert await making.find_orders(park.context, case.reference, call, park.clock.at)
    await case.depart("2026-03-02")
    await case.at("2026-03-03", "00:00")
    for _ in range(2):
        await making.record(park.context, case.reference, {call: None}, park.clock.at)
    assert (await case.permit())["stage"] == "ended"
    assert [i["reason"] for i in await park.rows(tables.incidents)] == ["taken_after_end"]


async def test_p13_a_permit_with_the_authority_is_reported_once_and_its_answer_decides(park: Park) -> None:
    case = await park.accepted()
    await case.depart("2026-03-02")
    await case.at("2026-03-03", "00:00")
    assert await _keys(case) == ["report/REF/HK/registration_ended", "report/REF/MO/registration_ended"]
    permit = await case.permit()
    assert (permit["stage"], permit["reported_at"]) == ("accepted", china("2026-03-03", "00:00"))
    await case.make_calls()
    await case.answer("withdrawn")
    permit = await case.permit()
    assert (permit["stage"], permit["end_reason"]) == ("ended", "withdrawn")
    assert await case.told("permit_reported") == Counter()


async def test_p13_a_report_not_taken_within_its_limit_is_a_line_for_the_operator(park: Park) -> None:
    case = await park.issued(destinations=["HK"])
    await case.depart("2026-03-02")
    await case.at("2026-03-03", "00:00")
    await case.at("2026-03-05", "00:00")
    assert [i["kind"] for i in await park.rows(tables.incidents)] == ["authority_unreached"]


async def test_p14_the_person_is_reminded_and_then_an_officer_looks(park: Park) -> None:
    case = await park.submitted(destinations=["HK"])
    days = await case.deadlines()
    assert [str(d.date()) for d in days["applicant_reminder"]] == ["2026-03-16", "2026-04-14"]
    for moment in days["applicant_reminder"]:
        await case.at(str(moment.date()), "09:00")
    assert await case.told("permit_action_needed") == Counter(employer=2, person=2)
    await case.at(str(days["applicant_inactive"][0].date()), "09:00")
    assert "applicant_inactive/HK" in await case.tasks()
    assert (await case.permit())["stage"] == "submitted"
    task_id = await case.task_id("applicant_inactive/HK")
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=task_id, action="done")
    assert await case.tasks() == {}


async def test_p14_an_application_stops_the_reminders(park: Park) -> None:
    case = await park.accepted(destinations=["HK"])
    assert "applicant_reminder" not in await case.deadlines()


async def test_p15_the_authoritys_limit_and_the_second_alert_are_watched_by_the_schedule(park: Park) -> None:
    case = await park.accepted(destinations=["HK"])
    view = await case.view()
    assert (view["due_at"], view["due_kind"], view["holder"]) == (
        "2026-03-11T23:59:59+08:00",
        "authority_answer",
        "authority",
    )
    assert case.course is not None
    assert case.course.wake_for != "authority_late"
    park.clock.at = china("2026-03-12", "00:00")
    await park.watch()
    await park.watch()
    assert "authority_late/HK" in await case.tasks()
    assert await case.told("authority_late") == Counter(officers=1)
    park.clock.at = china("2026-03-31")
    await park.watch()
    assert await case.told("authority_late") == Counter(officers=2)
    assert (await case.permit())["stage"] == "accepted"
    await case.answer("issued")
    assert "authority_late/HK" not in await case.tasks()


@pytest.mark.parametrize("actor", [PERSON, EMPLOYER_A, OFFICER], ids=lambda actor: actor.role.value)
async def test_p19_a_lost_card_is_recorded_and_reported(park: Park, actor: object) -> None:
    case = await park.issued(destinations=["HK"])
    await case.do(actor, PermitCommand.CARD_LOST, destination="HK", lost_on="2026-03-02")  # type: ignore[arg-type]
    assert (await case.permit())["card_lost_on"] == date(2026, 3, 2)
    assert await _keys(case) == ["report/REF/HK/card_lost/2026-03-02"]
    assert await case.told("card_lost_recorded") == Counter(employer=1, person=1)


async def test_p19_a_card_is_not_lost_before_it_is_issued_or_in_the_future(park: Park) -> None:
    case = await park.accepted(destinations=["HK"])
    given = {"destination": "HK", "lost_on": "2026-03-02"}
    assert await case.refused(PERSON, PermitCommand.CARD_LOST, **given) == "wrong_stage"
    assert await case.refused(PERSON, PermitCommand.CARD_LOST, **given | {"destination": "MO"}) == "wrong_stage"
    await case.answer("issued")
    later = {"destination": "HK", "lost_on": "2026-03-03"}
    assert await case.refused(PERSON, PermitCommand.CARD_LOST, **later) == "invalid"


async def test_p21_reminders_that_are_past_at_issue_are_skipped(park: Park) -> None:
    case = await park.accepted(destinations=["HK"])
    await case.answer("issued", valid_until="2026-05-10")
    assert [str(d.date()) for d in (await case.deadlines())["permit_expiring"]] == ["2026-03-11", "2026-04-10"]
    await case.at("2026-03-11", "09:00")
    await case.at("2026-04-10", "09:00")
    assert await case.told("permit_expiring") == Counter(employer=2, person=2)


async def test_p21_three_years_have_three_reminders(park: Park) -> None:
    case = await park.issued(destinations=["HK"])
    assert [str(d.date()) for d in (await case.deadlines())["permit_expiring"]] == [
        "2028-12-09",
        "2029-01-08",
        "2029-02-07",
    ]


async def test_p22_a_permit_expires_at_midnight_after_its_last_day(park: Park) -> None:
    case = await park.issued(destinations=["HK"])
    await case.at("2029-03-09", "23:59:59")
    assert (await case.view())["permits"][0]["in_force"]
    park.clock.at = china("2029-03-10", "00:00")
    assert not (await case.view())["permits"][0]["in_force"]  # whether or not the timer has fired
    await case.step()
    assert (await case.permit())["stage"] == "expired"
    assert await case.told("permit_expired") == Counter(employer=1, person=1)


async def test_a_straight_approval_for_both_destinations_makes_sixteen_notices(park: Park) -> None:
    case = await park.submitted()
    for destination in ("HK", "MO"):
        await case.answer("accepted", destination)
        await case.answer("issued", destination)
    told = await case.told()
    assert sum(told.values()) == 16
    assert len({kind.split("/")[0] for kind in told}) == 5


async def test_nothing_said_twice_makes_a_second_notice(park: Park) -> None:
    case = await park.issued()
    before = await case.told()
    for _ in range(3):
        await case.step()
    await park.watch()
    assert await case.told() == before


async def test_a_person_without_mail_and_phone_is_reached_through_the_employer(park: Park) -> None:
    case = await park.review(email=None, phone=None)
    (received,) = await case.notices("registration_received", "person")
    assert received["status"] == "failed"
    assert await case.told("hand_over_requested") == Counter(employer=1)
    await case.refuse()
    assert await case.told("hand_over_requested") == Counter(employer=2)
    assert "undelivered" in await case.tasks()
    # The workflow of a refused case has closed; its task is answered all the same.
    await case.store(OFFICER, CommandKind.ANSWER_TASK, task_id=await case.task_id("undelivered"), action="done")
    assert await case.tasks() == {}


async def test_person_fields_are_opened_for_a_purpose_and_by_a_ledger_act(park: Park) -> None:
    case = await park.review()
    masked = (await case.view())["person"]
    assert masked["identity_number"] == "4403**********123X"
    assert (masked["name_zh"], masked["name_en"]) == ("冯○○", None)
    assert set(masked) == {"name_zh", "name_en", "identity_number", "document", "language", "erased"}
    opened = await reads.open_person(park.context, EMPLOYER_A, case.reference, ("name_zh", "identity_number"), None)
    assert opened == {"name_zh": "冯承泽", "identity_number": "44030419900307123X"}
    read = [row for row in await park.rows(tables.ledger) if row["act"] == "personal_data_read"]
    assert [row["detail"]["fields"] for row in read] == [["name_zh", "identity_number"]]
    assert "冯" not in str(read)


async def test_the_supervisor_signs_as_any_officer_may(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved", by=SUPERVISOR)
    await case.confirm(by=OFFICER_2)
    assert await case.stage() == "refused"


async def test_every_call_to_the_authority_leaves_a_row_answered_or_not(park: Park) -> None:
    case = await park.approved()
    hong_kong, macao = (f"permit/{case.reference}/{destination}" for destination in ("HK", "MO"))
    (order, *_) = await making.find_orders(park.context, case.reference, hong_kong, park.clock.at)
    await making.record_unanswered(park.context, [(order, "authority_503")], park.clock.at, attempt=1)
    results = {hong_kong: None, macao: "person.name_en"}
    await making.record(park.context, case.reference, results, park.clock.at, attempt=2)
    acts = tables.ledger.c.act.in_(("call_made", "call_answered"))
    rows = await park.rows(tables.ledger, tables.ledger.c.reference == case.reference, acts)
    assert {(r["outcome"], r["destination"], r["detail"]["attempt"], *r["reason_codes"]) for r in rows} == {
        ("no_answer", "HK", 1, "authority_503"),
        ("taken", "HK", 2),
        ("rejected", "MO", 2, "person.name_en"),
    }


async def test_tries_of_a_call_that_were_cut_off_are_told_by_the_next_one(park: Park) -> None:
    case = await park.approved()
    keys = [f"permit/{case.reference}/{destination}" for destination in ("HK", "MO")]
    at, origin = park.clock.at, Origin(workflow_id=f"registration/{case.reference}", run_id="run", event_id=9)
    orders = await making.find_orders(park.context, case.reference, f"permit/{case.reference}", at)
    assert [order.key for order in orders] == keys
    await making.record_unanswered(park.context, [(orders[0], "authority_503")], at, origin, attempt=1)
    # The second and the third try die; the fourth tells of them, and the fifth has nothing to add.
    await making.record_lost(park.context, orders, at, origin, attempt=4)
    await making.record_unanswered(park.context, [(order, "authority_503") for order in orders], at, origin, attempt=4)
    await making.record_lost(park.context, orders, at, origin, attempt=5)
    # Tries are counted for each time that the step was asked for.
    await making.record_lost(park.context, orders[:1], at, origin.model_copy(update={"event_id": 12}), attempt=2)
    rows = await park.rows(tables.ledger, tables.ledger.c.outcome == "unrecorded")
    told = {(r["destination"], r["event_id"], r["detail"]["from_attempt"], r["detail"]["attempt"]) for r in rows}
    assert told == {("HK", 9, 2, 3), ("MO", 9, 1, 3), ("HK", 12, 1, 1)}
    assert len(rows) == 3
