"""Rows R37 to R43 of states.md: an employer renews a registration, an officer looks, and the next term goes out."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from cases.calls import making
from cases.decisions.renewal_reads import read_renewal
from domain.actors import Role
from domain.commands import CommandKind
from domain.errors import Refused
from domain.languages import Language
from programmes.talent_permit.words import PermitCommand
from record.re_evaluation import evaluate_again
from record.receipts import issue_receipts
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park

_NEXT = "permit/REF/HK/term/2"
_OPENS = "2028-12-09"  # 90 days before the last day
_LATE = {"employment": {"contract_end": "2029-01-31"}}
AUDITOR = OFFICER.model_copy(update={"subject": "auditor-1", "role": Role.AUDITOR})


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _issued(park: Park, **given: Any) -> Case:
    """Return a case whose permit runs out in 90 days, its first reminder sent."""
    case = await park.issued(destinations=["HK"], **given)
    await case.at(_OPENS, "09:00")
    return case


async def _renew(case: Case, **body: Any) -> dict[str, Any]:
    return await case.do(EMPLOYER_A, CommandKind.RENEW, **body)


async def _decide(case: Case, action: str, *reasons: str, number: int = 1, by: Any = OFFICER) -> dict[str, Any]:
    given = [{"code": code} for code in reasons]
    return await case.do(by, CommandKind.DECIDE_RENEWAL, action=action, renewal=number, reasons=given)


async def _renewal(case: Case, actor: Any = EMPLOYER_A) -> dict[str, Any]:
    found: dict[str, Any] = (await case.view(actor))["renewal"]
    return found


async def _receipts(case: Case, actor: Any = AUDITOR) -> list[str | None]:
    """Return the outcomes of the decisions that a reader has receipts of, sealed or not."""
    given = await issue_receipts(case.park.context, actor, case.reference)
    return [each.outcome for each in given.pending]


async def _keys(case: Case) -> list[str]:
    course = await making.current_course(case.park.context, case.reference)
    return sorted(call.key.replace(case.reference, "REF") for call in course.calls)


async def test_what_is_confirmed_is_known_since_it_was_given(park: Park) -> None:
    case = await _issued(park)
    await case.do(EMPLOYER_A, CommandKind.CHANGE, email="new@example.com")
    ahead = await read_renewal(park.context, EMPLOYER_A, case.reference)
    known = {each.field: each for each in ahead.confirms}
    assert known["person.identity_number"].value == "4403**********123X"
    assert str(known["person.identity_number"].since.date()) == "2026-03-02"
    assert str(known["person.email"].since.date()) == _OPENS
    assert (ahead.can_be_asked, ahead.why_not) == (True, None)
    assert [(each.destination, str(each.valid_until)) for each in ahead.ends] == [("HK", "2029-03-09")]
    assert "○" not in known["person.name_zh"].value  # to the employer that gave it
    masked = {each.field: each for each in (await read_renewal(park.context, OFFICER, case.reference)).confirms}
    assert "○" in masked["person.name_zh"].value
    assert not [r for r in await park.rows(tables.ledger) if r["act"] == "personal_data_read"]


async def test_r37_nothing_changed_and_all_clear_is_one_officers_look(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    task = (await case.tasks())["renewal"]
    assert str(task["due_at"].astimezone(china(_OPENS).tzinfo).date()) == "2028-12-15"
    seen = await _renewal(case)
    assert (seen["number"], seen["stage"], seen["fields"], seen["assessment"]) == (1, "under_review", [], "clear")
    # The rules of the day of the renewal; the registration keeps its own.
    assert (seen["policy_version"], (await case.view())["policy_version"]) == ("2026-11-30", "2025-11-05")
    assert await case.told("renewal_received") == Counter(employer=1, person=1)
    await _decide(case, "grant")
    assert "renewal" not in await case.tasks()
    assert (await _renewal(case, OFFICER))["stage"] == "granted"
    assert (await _renewal(case))["stage"] == "under_review"  # until nobody can recall it
    assert await _keys(case) == []
    await case.after(minutes=10)
    assert ((await _renewal(case))["stage"], await _keys(case)) == ("granted", [_NEXT])
    assert await case.told("renewal_granted") == Counter(employer=1, person=1)
    row = await case.last("renewal_granted")
    assert (row["rule_version"], row["renewal"]) == ("2026-11-30", 1)


async def test_the_rules_of_its_day_run_again_find_the_same(park: Park) -> None:
    case = await _issued(park)
    await _renew(case, changes=_LATE["employment"])
    found = await evaluate_again(park.context, AUDITOR, case.reference, Language.EN)
    (renewed,) = [each for each in found.assessments if each.scope == "renewal"]
    assert found.same
    assert (str(renewed.evaluated_on), renewed.rule_version) == (_OPENS, "2026-11-30")


async def test_an_invitation_says_by_when_and_comes_to_nobody_who_has_asked(park: Park) -> None:
    case = await _issued(park)
    assert await case.told("permit_expiring") == Counter(employer=1, person=1)
    assert (await case.last("reminded"))["step"] == 90
    await _renew(case)
    await case.at("2029-01-08", "09:00")
    await case.at("2029-02-07", "09:00")
    assert await case.told("permit_expiring") == Counter(employer=1, person=1)
    assert await case.told("decision_delayed") == Counter(employer=1, person=1)


async def test_nobody_is_invited_to_renew_what_has_ended(park: Park) -> None:
    case = await park.issued(destinations=["HK"])
    await case.at("2028-11-30")
    await case.depart("2028-12-31")
    await case.at(_OPENS, "09:00")
    (told,) = await case.notices("permit_expiring")
    assert told  # that it ends is told, and no renewal is spoken of
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "nothing_to_renew"


async def test_a_change_waits_for_the_grant_and_is_a_version_of_what_was_given(park: Park) -> None:
    case = await _issued(park)
    await _renew(case, changes={"contract_end": "2033-06-30", "email": "new@example.com"})
    assert (await _renewal(case))["fields"] == ["contract_end"]
    before = await case.row()
    assert (before["facts_version"], str(before["contract_end"])) == (2, "2028-12-31")  # the address is the second
    await _decide(case, "grant")
    await case.after(minutes=10)
    after = await case.row()
    assert (after["facts_version"], str(after["contract_end"])) == (3, "2033-06-30")


async def test_r39_a_grant_over_a_failed_finding_takes_two(park: Park) -> None:
    case = await _issued(park, permit_card_valid_until="2029-12-31")
    await _renew(case)  # the card ends before a term of three years would
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="grant", renewal=1) == "reason_missing"
    await _decide(case, "grant", "document_seen")
    assert "renewal_grant_proposed" in await case.ledger()
    await case.confirm()
    await case.after(minutes=10)
    assert ((await _renewal(case))["stage"], await _keys(case)) == ("granted", [_NEXT])


async def test_r40_a_refusal_is_signed_twice_and_leaves_the_running_term(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="refuse", renewal=1) == "reason_missing"
    await _decide(case, "refuse", "employment_unproved")
    assert await case.refused(OFFICER, CommandKind.CONFIRM, action="confirm", round=await case.round()) == "same_signer"
    assert (await _renewal(case))["stage"] == "under_review"
    await case.confirm()
    assert (await _renewal(case))["stage"] == "under_review"
    assert (await case.view(PERSON))["renewal"]["stage"] == "under_review"
    assert await case.told("renewal_refused") == Counter()
    assert await _receipts(case) == await _receipts(case, EMPLOYER_A) + ["refuse_renewal"]
    await case.after(minutes=10)
    assert (await _renewal(case))["stage"] == "refused"
    assert await case.told("renewal_refused") == Counter(employer=1, person=1)
    assert (await _receipts(case, EMPLOYER_A))[-1] == "refuse_renewal"
    assert (await case.permit())["stage"] == "issued"
    assert await _keys(case) == []
    told = await case.last("confirmed")
    assert (told["outcome"], told["reason_codes"]) == ("refuse_renewal", ["employment_unproved"])
    assert told["remedy"]["reconsideration_calendar_days"] == 60
    await _renew(case)  # once the facts are others
    assert (await _renewal(case))["number"] == 2


async def test_r40_a_signature_not_given_brings_the_renewal_back(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _decide(case, "refuse", "employment_unproved")
    await case.confirm("reject", "reason_not_supported")
    task = (await case.tasks())["renewal"]
    assert (task["holder"], str(task["due_at"].astimezone(china(_OPENS).tzinfo).date())) == (
        "test officer-1",
        "2028-12-15",
    )
    await _decide(case, "grant")
    await case.after(minutes=10)
    assert (await _renewal(case))["stage"] == "granted"


async def test_r41_a_decision_is_recalled_before_anything_is_sent(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _decide(case, "grant")
    assert await case.refused(OFFICER_2, CommandKind.RECALL_RENEWAL, reason="Not mine.") == "role_not_allowed"
    await case.do(OFFICER, CommandKind.RECALL_RENEWAL, reason="By mistake.")
    await case.after(minutes=10)
    assert ((await _renewal(case))["stage"], await _keys(case)) == ("under_review", [])
    await _decide(case, "grant")
    await case.after(minutes=10)
    assert await case.refused(OFFICER, CommandKind.RECALL_RENEWAL, reason="Too late.") == "wrong_stage"
    assert await case.told("renewal_granted") == Counter(employer=1, person=1)


async def test_r42_a_limit_that_passes_puts_it_before_the_supervisors(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await case.at("2028-12-16", "00:00")
    task = (await case.tasks())["renewal"]
    assert (task["overdue"], task["queue"]) == (True, "supervisors")
    assert await case.told("escalated") == Counter(supervisors=1)
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="grant", renewal=1) == "task_held"
    await _decide(case, "grant", by=SUPERVISOR)


async def test_r43_an_employer_withdraws_and_what_was_proposed_never_takes_effect(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await _decide(case, "refuse", "employment_unproved")
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW_RENEWAL)
    assert (await _renewal(case))["stage"] == "withdrawn"
    assert await case.tasks() == {}
    assert (await case.row())["pending_act"] is None
    assert await case.refused(EMPLOYER_A, CommandKind.WITHDRAW_RENEWAL) == "not_found"
    await _renew(case)


@pytest.mark.parametrize("how", ["departure", "proposed", "revocation"])
async def test_r43_a_registration_that_ends_takes_its_renewal_with_it(park: Park, how: str) -> None:
    case = await _issued(park)
    await _renew(case)
    if how == "proposed":
        await _decide(case, "refuse", "employment_unproved")
        assert {"confirm", "signature_expected"} <= {*await case.tasks(), *await case.deadlines()}
        await case.depart("2028-12-11")
        await case.at("2028-12-12", "00:00")
        assert (await case.row())["pending_act"] is None
    elif how == "departure":
        await case.depart("2028-12-11")
        assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="grant", renewal=1) == "nothing_to_renew"
        await case.at("2028-12-12", "00:00")
    else:
        await case.do(OFFICER, PermitCommand.REVOKE, reasons=[{"code": "decided_in_error"}])
        await case.confirm()
        await case.after(minutes=10)
        assert await case.told("renewal_granted") == Counter()
    assert (await case.stage(), (await _renewal(case))["stage"]) == ("ended", "closed")
    assert not {"renewal", "confirm", "signature_expected"} & {*await case.tasks(), *await case.deadlines()}
    assert _NEXT not in await _keys(case)
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "case_closed"


async def test_a_suspended_employer_renews_nothing_and_what_it_asked_waits(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await case.set_standing("suspended", date(2028, 12, 9))
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="grant", renewal=1) == "on_hold"
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW_RENEWAL)
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "employer_not_in_good_standing"


async def test_after_the_last_day_it_can_be_asked_while_the_registration_lives(park: Park) -> None:
    case = await park.issued(destinations=["HK"])
    await case.at("2029-04-01")
    assert (await case.permit())["stage"] == "expired"
    await _renew(case, changes={"contract_end": "2033-06-30"})
    await _decide(case, "grant")
    await case.after(minutes=10)
    assert await _keys(case) == [_NEXT]


async def test_what_cannot_be_asked_is_refused_and_changes_nothing(park: Park) -> None:
    case = await park.issued(destinations=["HK"])
    await case.at("2028-12-08")
    acts = await case.ledger()
    with pytest.raises(Refused) as early:
        await _renew(case)
    assert (early.value.code, early.value.facts) == ("renewal_too_early", {"opens_on": _OPENS})
    ahead = await read_renewal(park.context, EMPLOYER_A, case.reference)
    assert ahead.why_not is not None
    assert (ahead.why_not.code, str(ahead.why_not.opens_on)) == ("renewal_too_early", _OPENS)
    await case.at(_OPENS)
    assert await case.refused(OFFICER, CommandKind.RENEW) == "role_not_allowed"
    wrong = {"contract_end": "2020-01-01"}
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW, changes=wrong) == "invalid"
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="grant", renewal=1) == "not_found"
    assert [act for act in await case.ledger() if act.startswith("renewal")] == []
    assert (await case.ledger())[: len(acts)] == acts
    await _renew(case)
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "renewal_under_way"
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="grant", renewal=2) == "stale_round"
    await _decide(case, "grant")
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "renewal_under_way"
    await case.after(minutes=10)
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "nothing_to_renew"


async def test_nothing_was_issued_and_so_nothing_is_renewed(park: Park) -> None:
    case = await park.submitted(destinations=["HK"])
    assert await case.refused(EMPLOYER_A, CommandKind.RENEW) == "nothing_to_renew"


async def test_of_a_grant_and_a_withdrawal_at_once_the_first_recorded_stands(park: Park) -> None:
    case = await _issued(park)
    await _renew(case)
    await case.store(EMPLOYER_A, CommandKind.WITHDRAW_RENEWAL)
    assert await case.refused(OFFICER, CommandKind.DECIDE_RENEWAL, action="grant", renewal=1) == "not_found"
    await case.step()
    assert (await _renewal(case))["stage"] == "withdrawn"
