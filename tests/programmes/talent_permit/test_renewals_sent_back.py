"""Rows R44 to R47 and R70 of states.md: a renewal is sent back, reminded of, objected to and looked at again."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from cases.case.file import load_case
from cases.case.state import state_hash
from cases.deadlines.calendar_loads import load_calendar
from domain.actors import system
from domain.calendars import CalendarFile
from domain.commands import CommandKind
from domain.errors import Refused
from domain.languages import Language
from record.re_evaluation import evaluate_again
from record.receipts import issue_receipts
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, registration_body
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park
from tests.programmes.talent_permit.test_renewing import _NEXT, AUDITOR, _decide, _issued, _keys, _renew, _renewal

SUPERVISOR_2 = SUPERVISOR.model_copy(update={"subject": "supervisor-2"})
LOADER = system("calendar_load")
_ASKED = "2028-12-09"
_REMINDER = "renewal_correction_reminder"


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _refused(case: Case, number: int = 1) -> None:
    await _decide(case, "refuse", "employment_unproved", number=number)
    await case.confirm()
    await case.after(minutes=10)


async def _object(case: Case, by: Any = EMPLOYER_A) -> str:
    """Object to the refusal, and return the id of what waits for its answer."""
    await case.do(by, CommandKind.OBJECT, against="renewal_refusal", grounds="The contract was renewed in May.")
    return await _open(case)


async def _open(case: Case) -> str:
    (found,) = [each["id"] for each in (await case.row())["objections"] if each["state"] == "open"]
    return str(found)


async def _uphold(case: Case, objection: str, by: Any = SUPERVISOR) -> dict[str, Any]:
    reasons = [{"code": "new_proof"}]
    return await case.do(by, CommandKind.DECIDE_OBJECTION, objection=objection, action="uphold", reasons=reasons)


async def _states(case: Case) -> list[tuple[str, str]]:
    return [(each["party"], each["state"]) for each in (await case.row())["objections"]]


async def _return(case: Case, number: int = 1) -> dict[str, Any]:
    reasons = [{"code": "employment_dates_wrong", "field": "employment.contract_end", "note": "It ends before."}]
    return await case.do(OFFICER, CommandKind.DECIDE_RENEWAL, action="return", renewal=number, reasons=reasons)


async def _said(case: Case, kind: str, recipient: str = "employer") -> str:
    """Return what the newest notice of a kind says to a reader."""
    told = (await case.notices(kind, recipient))[-1]
    async with case.park.context.database.begin() as connection:
        file = await load_case(case.park.context, connection, case.reference)
        return str(file.open("notices", "body", str(told["notice_id"]), told["body"]))


def _day(moment: Any) -> str:
    return str(moment.astimezone(china(_ASKED).tzinfo).date())


async def test_r70_a_refusal_that_was_wrong_is_set_aside_and_the_renewal_goes_on(park: Park) -> None:
    case = await _issued(park)
    await _renew(case, changes={"contract_end": "2033-06-30"})
    await _refused(case)
    assert f"POST /v1/registrations/{case.reference}/objection" in await _said(case, "renewal_refused")
    objection = await _object(case)
    assert (await case.tasks())["objection"]["detail"]["against"] == "renewal_refusal"
    assert await case.told("objection_received") == Counter(employer=1)
    for who in (OFFICER, OFFICER_2):  # one proposed the refusal, the other signed it
        with pytest.raises(Refused) as took_part:
            await _uphold(case, objection, who)
        assert took_part.value.code == "role_not_allowed"
    await case.at("2028-12-20", "10:00")
    await _uphold(case, objection)
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "renewal_under_way"  # it is being looked at again
    await case.sign(by=SUPERVISOR_2)
    seen = await _renewal(case)
    assert (seen["number"], seen["stage"], seen["fields"]) == (1, "under_review", ["contract_end"])
    assert (await case.tasks()).keys() == {"renewal"}
    # The park has its whole time again.
    assert (seen["due_at"][:10], _day((await case.tasks())["renewal"]["due_at"])) == ("2028-12-27", "2028-12-27")
    assert await _states(case) == [("employer", "upheld")]
    assert await case.told("decision_set_aside") == Counter(employer=1, person=1)
    await _decide(case, "grant")
    await case.after(minutes=10)
    assert ((await _renewal(case))["stage"], await _keys(case)) == ("granted", [_NEXT])
    given = await issue_receipts(park.context, AUDITOR, case.reference)
    assert [each.outcome for each in given.pending][-3:] == ["refuse_renewal", "decision_set_aside", "grant"]


async def test_r70_what_is_refused_once_more_can_be_objected_to_once_more(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    assert await case.refused(EMPLOYER_A, CommandKind.OBJECT, against="renewal_refusal", grounds="-") == "not_found"
    await _refused(case)
    await _uphold(case, await _object(case))
    await case.sign(by=SUPERVISOR_2)
    await _refused(case)
    assert await case.told("renewal_refused") == Counter(employer=2, person=2)
    objection = await _object(case, PERSON)
    reasons = [{"code": "grounds_unproved"}]
    answer = {"objection": objection, "action": "reject", "reasons": reasons}
    await case.do(SUPERVISOR.model_copy(update={"subject": "supervisor-3"}), CommandKind.DECIDE_OBJECTION, **answer)
    assert (await _states(case), await case.tasks()) == ([("employer", "upheld"), ("person", "rejected")], {})
    assert (await _renewal(case))["stage"] == "refused"


async def test_a_renewal_asked_anew_overtakes_what_was_objected_to_the_last(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _refused(case)
    await _object(case, PERSON)
    await _renew(case)
    assert await _states(case) == [("person", "overtaken")]
    assert (await case.tasks()).keys() == {"renewal"}
    assert not [each for each in await case.deadlines() if each.startswith("objection")]
    assert "取代" not in await _said(case, "renewal_received")
    assert "取代" in await _said(case, "renewal_received", "person")
    (row,) = await park.rows(tables.objections)
    assert (row["state"], row["outcome"]) == ("answered", "overtaken")
    assert await case.refused(EMPLOYER_A, CommandKind.OBJECT, against="renewal_refusal", grounds="-") == "not_found"


async def test_r70_after_the_end_nothing_goes_on(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _refused(case)
    objection = await _object(case)
    await case.depart("2028-12-11")
    await case.at("2028-12-12", "00:00")
    assert await case.stage() == "ended"
    await _uphold(case, objection)
    await case.sign(by=SUPERVISOR_2)
    assert ((await _renewal(case))["stage"], await _states(case)) == ("closed", [("employer", "upheld")])
    assert "renewal" not in await case.tasks()


async def test_r46_the_holder_is_reminded_at_half_and_at_four_fifths_of_the_limit(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await case.at("2028-12-12", "23:00")
    before = (await case.told("due_soon")).total()
    await case.at("2028-12-15", "23:00")
    reminded = [row for row in await park.rows(tables.ledger) if row["act"] == "reminded"]
    steps = [row["detail"]["step"] for row in reminded if "renewal" in row["detail"]]
    assert (steps, (await case.told("due_soon"))["park"]) == ([1, 2], 2)
    assert before < 2
    await case.at("2028-12-16", "00:00")
    assert (await case.tasks())["renewal"]["queue"] == "supervisors"


async def test_nobody_is_reminded_of_what_is_decided(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _decide(case, "grant")
    await case.at("2028-12-16", "00:00")
    assert await case.told("due_soon") == Counter()


async def test_r44_a_renewal_is_sent_back_with_what_is_to_be_mended_and_the_limit_stands(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await case.at("2028-12-11", "10:00")  # a Monday, the first of five working days
    await _return(case)
    seen = await case.view(EMPLOYER_A)
    (point,) = seen["open_points"]
    assert (point["code"], point["field"]) == ("employment_dates_wrong", "employment.contract_end")
    assert seen["renewal"]["stage"] == "correction_requested"
    assert await case.told("renewal_correction_requested") == Counter(employer=1)
    assert await case.tasks() == {}
    left = {each for each in await case.deadlines() if each.startswith("renewal")}
    assert left == {"renewal_correction_over", "renewal_correction_reminder"}
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="grant", renewal=1) == "wrong_stage"
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "renewal_under_way"
    await case.at("2028-12-18", "10:00")
    await case.do(EMPLOYER_A, CommandKind.CORRECT_RENEWAL, changes={"contract_end": "2033-06-30"})
    seen = await case.view(EMPLOYER_A)
    assert (seen["open_points"], seen["renewal"]["stage"], seen["renewal"]["fields"]) == (
        [],
        "under_review",
        ["contract_end"],
    )
    # Four of five days were left, counted from the day after the correction.
    assert (seen["renewal"]["due_at"][:10], _day((await case.tasks())["renewal"]["due_at"])) == (
        "2028-12-22",
        "2028-12-22",
    )
    assert await case.told("renewal_correction_received") == Counter(employer=1)
    assert await case.refused(EMPLOYER_A, CommandKind.CORRECT_RENEWAL) == "wrong_stage"
    await _decide(case, "grant")
    await case.after(minutes=10)
    assert str((await case.row())["contract_end"]) == "2033-06-30"
    assert await _keys(case) == [_NEXT]
    found = await evaluate_again(park.context, AUDITOR, case.reference, Language.EN)
    assert found.same


async def test_r45_what_was_wanted_is_mended_field_by_field(park: Park) -> None:
    case = await _issued(park)
    await _renew(case, changes={"contract_end": "2033-06-30", "position": "Head"})
    await _return(case)
    as_it_was = registration_body()["employment"]["position"]
    await case.do(EMPLOYER_A, CommandKind.CORRECT_RENEWAL, changes={"position": as_it_was})
    assert (await _renewal(case))["fields"] == ["contract_end"]
    await _return(case)
    assert await case.refused(OFFICER, CommandKind.CORRECT_RENEWAL) == "role_not_allowed"
    wrong = {"contract_end": "2020-01-01"}
    assert await case.refused(EMPLOYER_A, CommandKind.CORRECT_RENEWAL, changes=wrong) == "invalid"
    assert (await _renewal(case))["stage"] == "correction_requested"
    await case.do(EMPLOYER_A, CommandKind.CORRECT_RENEWAL)  # it holds as it was said
    assert (await _renewal(case))["fields"] == ["contract_end"]


async def test_r44_it_is_sent_back_as_often_as_it_may_be(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    for _ in range(park.context.limits.returns_allowed):
        await _return(case)
        await case.do(EMPLOYER_A, CommandKind.CORRECT_RENEWAL)
    with pytest.raises(Refused) as often:
        await _return(case)
    assert often.value.code == "return_not_allowed"
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="return", renewal=1) == "reason_missing"
    assert (await _renewal(case))["stage"] == "under_review"


async def test_r47_without_a_correction_it_counts_as_withdrawn_and_can_be_asked_again(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _return(case)
    over = [row for row in await park.rows(tables.deadlines) if row["kind"] == "renewal_correction_over"]
    await case.at(_day(over[-1]["at"]), "23:00")
    assert (await case.told("renewal_correction_reminder"))["employer"] >= 1
    assert (await _renewal(case))["stage"] == "correction_requested"
    await case.after(hours=2)
    assert ((await _renewal(case))["stage"], (await case.view(EMPLOYER_A))["open_points"]) == ("withdrawn", [])
    assert await case.told("renewal_lapsed") == Counter(employer=1, person=1)
    assert "It ends before." in await _said(case, "renewal_lapsed")
    assert await case.refused(EMPLOYER_A, CommandKind.CORRECT_RENEWAL) == "wrong_stage"
    await _renew(case)
    assert (await _renewal(case))["number"] == 2


@pytest.mark.parametrize("how", ["withdrawn", "closed"])
async def test_r43_what_was_sent_back_ends_as_any_renewal(park: Park, how: str) -> None:
    case = await _issued(park)
    await _renew(case)
    await _return(case)
    if how == "withdrawn":
        await case.do(EMPLOYER_A, CommandKind.WITHDRAW_RENEWAL)
    else:
        await case.depart("2028-12-11")
        await case.at("2028-12-12", "00:00")
    seen = await case.view(EMPLOYER_A)
    assert (seen["renewal"]["stage"], seen["open_points"]) == (how, [])
    assert not {each for each in await case.deadlines() if each.startswith("renewal")}


async def _load(park: Park, *days_off: str) -> None:
    """Announce the working days of a year, and some of them as days off."""
    days = CalendarFile(year=2028, source="a notice", days_off=tuple(date.fromisoformat(day) for day in days_off))
    await load_calendar(park.context, LOADER, days.days())


async def _counted_again(case: Case) -> list[dict[str, Any]]:
    found = await case.park.rows(tables.ledger, tables.ledger.c.reference == case.reference)
    rows = sorted(found, key=lambda row: row["seq"])
    return [row["detail"] for row in rows if row["act"] == "due_date_changed"]


async def _is_as_told(case: Case) -> bool:
    """Whether the state that the register holds is the one that the last row of the ledger hashed."""
    async with case.park.context.database.begin() as connection:
        file = await load_case(case.park.context, connection, case.reference)
        assert file.ledger_end is not None
        (last,) = (await case.park.rows(tables.ledger, tables.ledger.c.seq == file.ledger_end.seq))[-1:]
        return bool(state_hash(file.person_key, file.state()) == last["after_hash"])


async def test_a_calendar_moves_the_limit_of_a_renewal_and_its_owner_and_its_task_learn_of_it(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    seen = await _renewal(case)
    assert (seen["due_at"][:10], seen["due_provisional"]) == ("2028-12-15", True)
    await _load(park, "2028-12-14")
    await case.step()
    seen = await _renewal(case)
    assert (seen["due_at"][:10], seen["due_provisional"]) == ("2028-12-18", False)
    assert _day((await case.tasks())["renewal"]["due_at"]) == "2028-12-18"
    (told,) = await _counted_again(case)
    assert (told["old"][:10], told["new"][:10], told["renewal"]) == ("2028-12-15", "2028-12-18", 1)
    assert await case.told("due_date_changed") == Counter(employer=1)
    assert "备案续期" in await _said(case, "due_date_changed")
    assert await _is_as_told(case)
    await case.at("2028-12-18", "23:00")
    assert not (await case.tasks())["renewal"]["overdue"]
    await case.at("2028-12-19", "00:00")
    assert (await case.tasks())["renewal"]["queue"] == "supervisors"


async def test_a_calendar_that_settles_the_day_of_a_renewal_changes_nothing_that_is_told(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _load(park)
    await case.step()
    seen = await _renewal(case)
    assert (seen["due_at"][:10], seen["due_provisional"]) == ("2028-12-15", False)
    assert await case.told("due_date_changed") == Counter()
    assert len(await _counted_again(case)) == 1
    assert await _is_as_told(case)


async def test_a_calendar_moves_the_limit_of_who_mends_a_renewal_and_reminds_of_none_again(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _return(case)
    before = (await _renewal(case))["due_at"][:10]
    reminders = sorted(row["at"] for row in await park.rows(tables.deadlines) if row["kind"] == _REMINDER)
    await case.at(_day(reminders[0]), "23:00")
    assert await case.told(_REMINDER) == Counter(employer=1)
    await _load(park, before)
    await case.step()
    seen = await _renewal(case)
    assert before < seen["due_at"][:10]
    assert await case.told("due_date_changed") == Counter(employer=1)
    assert before[-2:] in await _said(case, "due_date_changed")
    assert await case.told(_REMINDER) == Counter(employer=1)
    reminded = [row for row in await park.rows(tables.ledger) if row["act"] == "reminded"]
    assert len([row for row in reminded if "renewal" in row["detail"]]) == 1
    assert await _is_as_told(case)
    await case.at(before, "23:59")
    await case.after(hours=1)
    assert (await _renewal(case))["stage"] == "correction_requested"
    await case.at(seen["due_at"][:10], "23:00")
    await case.after(hours=2)
    assert (await _renewal(case))["stage"] == "withdrawn"
