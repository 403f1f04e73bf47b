"""Refusals, revocations and permits withheld cool off: nothing is told, and who signed last takes them back."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from domain.commands import CommandKind
from domain.errors import Refused
from programmes.talent_permit.words import PermitCommand
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, SUPERVISOR_2
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park

WITHHELD = [{"code": "permit_card_ends_early"}]
NO_CARD: dict[str, Any] = {"permit_card_number": None, "permit_card_valid_until": None}
RECALL = {"reason": "误操作"}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _refused(park: Park) -> Case:
    """Return a case whose refusal is signed and cools off."""
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await case.sign()
    return case


async def _revoked(case: Case) -> Case:
    """Sign the revocation of a case."""
    await case.do(OFFICER, PermitCommand.REVOKE, reasons=[{"code": "decided_in_error"}])
    await case.sign()
    return case


async def _withheld(park: Park) -> Case:
    """Return a case whose permit for Hong Kong is withheld, signed and not yet in effect."""
    case = await park.approved(**NO_CARD)
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action="withhold", reasons=WITHHELD)
    await case.sign_permit()
    return case


# R14, R14a: a refusal.


async def test_r14_a_refusal_is_told_to_nobody_outside_until_it_takes_effect(park: Park) -> None:
    case = await park.review()
    before = {who: await case.view(who) for who in (EMPLOYER_A, PERSON)}
    told = await case.told()
    await case.decide("refuse", "employment_unproved")
    signed = await case.sign()
    assert (signed["stage"], signed["pending_act"], signed["due_at"]) == ("awaiting_confirmation", "refuse", None)
    assert signed["settles_at"] == "2026-03-02T12:10:00+08:00"
    assert signed["pending"]["signed_by"] == "officer-2"
    await case.after(minutes=9)
    for who, seen in before.items():
        assert {**await case.view(who), "updated_at": ""} == {**seen, "updated_at": ""}, who
    new = await case.told() - told
    assert {each.split("/")[0] for each in new} == {"second_signature_requested"}
    assert await case.tasks() == {}
    await case.after(minutes=1)
    assert await case.stage() == "refused"
    assert await case.told("registration_refused") == Counter(employer=1, person=1)
    assert (await case.last("settled"))["outcome"] == "refuse"
    assert (await case.row())["pending_act"] is None
    assert await case.deadlines() == {}


async def test_r14_the_day_of_the_last_signature_ends_the_clock_and_dates_the_letter(park: Park) -> None:
    case = await park.review()
    await case.at("2026-03-09", "23:55")  # the last day of the park's limit
    await case.decide("refuse", "employment_unproved")
    await case.sign()
    await case.at("2026-03-10", "00:10")
    assert await case.stage() == "refused"
    assert await case.told("escalated") == await case.told("decision_delayed") == Counter()
    assert not (await case.row())["overdue"]
    assert (await case.last("confirmed"))["due"] == {"at": None, "kind": None}
    (letter,) = await case.notices("registration_refused")
    (given,) = await park.rows(tables.ledger, tables.ledger.c.act == "confirmed")
    assert given["at"] == china("2026-03-09", "23:55")
    assert letter["at"] == china("2026-03-10", "00:05")


async def test_r14a_who_signed_takes_a_refusal_back_and_the_clock_runs_on(park: Park) -> None:
    case = await park.review()
    due = await case.due()
    await case.decide("refuse", "employment_unproved")
    await case.sign()
    assert await case.refused(OFFICER, CommandKind.RECALL, **RECALL) == "role_not_allowed"
    view = await case.do(OFFICER_2, CommandKind.RECALL, **RECALL)
    assert (view["stage"], view["round"], view["pending_act"]) == ("under_review", 2, None)
    assert (await case.due(), view["settles_at"], view["clock"]) == (due, None, "running")
    assert list(await case.tasks()) == ["review"]
    assert "takes_effect" not in await case.deadlines()
    assert (await case.last("recalled"))["outcome"] == "refuse"
    await case.after(minutes=20)
    assert await case.stage() == "under_review"
    assert await case.told("registration_refused") == Counter()
    await case.approve()
    assert await case.stage() == "approved"


async def test_r14a_a_recall_keeps_a_case_overdue(park: Park) -> None:
    case = await park.review()
    await case.at("2026-03-10")
    await case.decide("refuse", "employment_unproved", by=SUPERVISOR)
    await case.sign(by=SUPERVISOR_2)
    assert not (await case.row())["overdue"]
    await case.do(SUPERVISOR_2, CommandKind.RECALL, **RECALL)
    assert (await case.row())["overdue"]
    assert (await case.tasks())["review"]["overdue"]
    assert (await case.told())["decision_delayed/employer"] == 1


async def test_r14a_once_it_has_taken_effect_nobody_takes_a_refusal_back(park: Park) -> None:
    case = await _refused(park)
    park.clock.at = china("2026-03-02", "12:10")  # on time, though nothing has passed the deadline yet
    assert await case.refused(OFFICER_2, CommandKind.RECALL, **RECALL) == "wrong_stage"
    await case.step()
    assert await case.stage() == "refused"
    assert await case.refused(OFFICER_2, CommandKind.RECALL, **RECALL) == "case_closed"


async def test_a_proposal_that_is_not_signed_cannot_be_taken_back(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    assert await case.refused(OFFICER, CommandKind.RECALL, **RECALL) == "wrong_stage"


async def test_what_is_signed_takes_no_further_act_of_a_review(park: Park) -> None:
    case = await _refused(park)
    hold = {"action": "place", "reason": "legal_question", "review_on": "2026-03-20"}
    assert await case.refused(OFFICER, CommandKind.DECIDE, action="approve", round=1) == "already_decided"
    assert await case.refused(OFFICER, CommandKind.CONFIRM, action="confirm", round=1) == "already_decided"
    assert await case.refused(OFFICER, CommandKind.HOLD, **hold) == "wrong_stage"
    assert (await case.row())["pending_act"] == "refuse"


async def test_a_withdrawal_is_too_late_in_the_same_words_as_after_an_approval(park: Park) -> None:
    approved = await park.review(identity_number="33010619860128072X")
    await approved.decide("approve")
    words = []
    for case in (await _refused(park), approved):
        with pytest.raises(Refused) as refused:
            await case.do(EMPLOYER_A, CommandKind.WITHDRAW, reason="不再需要")
        words.append((refused.value.code, refused.value.detail))
    assert words[0] == words[1]
    assert words[0][0] == "wrong_stage"


async def test_after_a_recall_an_employer_withdraws_and_a_withdrawal_before_the_signature_stands(park: Park) -> None:
    case = await _refused(park)
    await case.do(OFFICER_2, CommandKind.RECALL, **RECALL)
    await case.store(EMPLOYER_A, CommandKind.WITHDRAW, reason="不再需要")
    await case.step()
    assert await case.stage() == "withdrawn"
    other = await park.review(identity_number="33010619860128072X")
    await other.decide("refuse", "employment_unproved")
    await other.store(EMPLOYER_A, CommandKind.WITHDRAW, reason="不再需要")
    assert await other.refused(OFFICER_2, CommandKind.CONFIRM, action="confirm", round=1) == "case_closed"
    await other.after(minutes=10)
    assert await other.stage() == "withdrawn"


async def test_while_a_refusal_cools_off_the_person_is_live(park: Park) -> None:
    case = await _refused(park)
    with pytest.raises(Refused, match="live_registration_exists"):
        await park.take_on()
    await case.after(minutes=10)
    await park.take_on()


async def test_an_employer_suspended_meanwhile_leaves_the_refusal_to_take_effect(park: Park) -> None:
    case = await _refused(park)
    await case.set_standing("suspended", date(2026, 3, 2))
    await case.after(minutes=10)
    assert await case.stage() == "refused"


async def test_an_employer_that_left_the_park_meanwhile_leaves_the_refusal_to_take_effect(park: Park) -> None:
    case = await _refused(park)
    await case.set_standing("left_park", date(2026, 3, 2))
    assert await case.stage() == "awaiting_confirmation"
    await case.after(minutes=10)
    assert await case.stage() == "refused"


# R25, R25a: a revocation.


async def test_r25_a_revocation_leaves_a_registration_in_force_until_it_takes_effect(park: Park) -> None:
    case = await park.issued()
    before = {who: await case.view(who) for who in (EMPLOYER_A, PERSON)}
    told = await case.told()
    await _revoked(case)
    for who, seen in before.items():
        now = await case.view(who)
        assert {**now, "updated_at": "", "round": 1} == {**seen, "updated_at": "", "round": 1}, who
    assert (await case.view())["settles_at"] == "2026-03-02T12:20:00+08:00"
    new = await case.told() - told
    assert {each.split("/")[0] for each in new} == {"second_signature_requested"}
    assert (await case.permit())["reported_at"] is None
    assert case.course is not None
    assert case.course.calls == ()
    await case.after(minutes=10)
    row = await case.row()
    assert (row["stage"], row["end_reason"], row["ended_on"]) == ("ended", "revoked", date(2026, 3, 2))
    assert await case.told("registration_revoked") == Counter(employer=1, person=1)
    assert (await case.permit())["reported_at"] is not None
    assert (await case.last("settled"))["outcome"] == "revoke"


async def test_r25a_who_signed_takes_a_revocation_back_and_what_waited_goes_on(park: Park) -> None:
    case = await _revoked(await park.approved())
    number = (await case.row())["registration_number"]
    assert case.course is not None
    assert case.course.calls == ()
    assert await case.refused(OFFICER, CommandKind.RECALL, **RECALL) == "role_not_allowed"
    view = await case.do(OFFICER_2, CommandKind.RECALL, **RECALL)
    assert (view["stage"], view["round"], view["pending_act"]) == ("approved", 3, None)
    assert (view["registration_number"], view["in_force"]) == (number, True)
    assert len(case.course.calls) == 1
    await case.after(minutes=20)
    assert await case.stage() == "approved"
    assert await case.told("registration_revoked") == Counter()


async def test_r25a_a_last_day_that_waited_for_the_revocation_ends_the_registration(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-02")
    await case.at("2026-03-02", "23:55")
    await _revoked(case)
    await case.at("2026-03-03", "00:01")
    assert await case.stage() == "approved"
    await case.do(OFFICER_2, CommandKind.RECALL, **RECALL)
    row = await case.row()
    assert (row["stage"], row["end_reason"]) == ("ended", "resigned")


async def test_r28_an_employer_that_leaves_lets_a_signed_revocation_take_effect_first(park: Park) -> None:
    case = await _revoked(await park.issued())
    await case.set_standing("left_park", date(2026, 3, 2))
    row = await case.row()
    assert (row["stage"], row["end_reason"]) == ("ended", "revoked")
    assert await case.told("registration_revoked") == Counter(employer=1, person=1)
    assert "takes_effect" not in await case.deadlines()


# P3, P3a: a permit withheld.


async def test_p3_a_permit_withheld_is_told_to_nobody_until_it_takes_effect(park: Park) -> None:
    case = await _withheld(park)
    before = (await case.told(), [(await case.view(who))["permits"] for who in (EMPLOYER_A, PERSON)])
    assert before[1] == [[], []]
    assert (await case.view())["permits"][0]["settles_at"] == "2026-03-02T12:20:00+08:00"
    again = {"destination": "HK", "action": "confirm"}
    assert await case.refused(OFFICER, PermitCommand.PERMIT_CONFIRM, **again) == "already_decided"
    await case.after(minutes=9)
    assert await case.told() == before[0]
    await case.after(minutes=1)
    permit = await case.permit()
    assert (permit["stage"], permit["end_reason"], permit["pending_act"]) == ("ended", "not_eligible", None)
    assert await case.told("permit_withheld") == Counter(employer=1, person=1)


async def test_p3a_who_signed_takes_it_back_and_the_question_is_asked_again(park: Park) -> None:
    case = await _withheld(park)
    back = {"destination": "HK", **RECALL}
    assert await case.refused(OFFICER, PermitCommand.PERMIT_RECALL, **back) == "role_not_allowed"
    await case.do(OFFICER_2, PermitCommand.PERMIT_RECALL, **back)
    permit = await case.permit()
    assert (permit["stage"], permit["pending_act"]) == (None, None)
    assert "permit_eligibility/HK" in await case.tasks()
    recalled = await case.last("recalled")
    assert (recalled["outcome"], recalled["destination"]) == ("withhold", "HK")
    await case.after(minutes=20)
    assert await case.told("permit_withheld") == Counter()
    assert await case.refused(OFFICER_2, PermitCommand.PERMIT_RECALL, **back) == "wrong_stage"


async def test_p3_the_end_of_the_registration_lets_it_take_effect_first(park: Park) -> None:
    case = await _withheld(park)
    await case.set_standing("left_park", date(2026, 3, 2))
    hk, mo = await case.permit(), await case.permit("MO")
    assert (hk["end_reason"], mo["end_reason"]) == ("not_eligible", "registration_ended")
    assert await case.told("permit_withheld") == Counter(employer=1, person=1)
    assert "takes_effect" not in await case.deadlines()
