"""A second signature: who may give it, what refuses it, and how many people a proposal takes."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from cases.decisions.second_signature import SecondSignature, Verdict
from cases.notices import staff
from cases.programme import Programme, programmes_of
from domain.actors import Actor, Role
from domain.commands import CommandKind
from domain.decisions import ConfirmationAction
from domain.errors import Refused
from domain.languages import Language
from domain.notices import NoticeKind
from domain.signatures import Signature
from domain.stages import PendingAct
from programmes.talent_permit.words import PermitCommand, PermitProposal
from tests.cases.contexts import OFFICER, SUPERVISOR
from tests.cases.driver import OFFICER_2, Case, Park, china, open_park
from tests.cases.facts import differences

CONFIRM, REJECT = ConfirmationAction
_NO_CARD = {"permit_card_number": None, "permit_card_valid_until": None}
_WITHHELD = [{"code": "permit_card_ends_early"}]


def _signed(actor: Actor) -> Signature:
    return {"issuer": actor.issuer, "subject": actor.subject, "role": actor.role.value}


def test_what_a_signature_comes_to_is_told_by_how_many_have_signed() -> None:
    three = SecondSignature(signers=3)
    first, second = _signed(OFFICER), _signed(OFFICER_2)
    assert three.sign(OFFICER_2, (first,), CONFIRM) is Verdict.MORE
    assert three.sign(SUPERVISOR, (first, second), CONFIRM) is Verdict.GIVEN
    assert three.sign(SUPERVISOR, (first,), REJECT) is Verdict.WITHHELD
    for actor in (OFFICER, OFFICER_2):
        with pytest.raises(Refused, match="same_signer"):
            three.sign(actor, (first, second), CONFIRM)
    assert SecondSignature().is_given(OFFICER_2, first, CONFIRM)
    assert not SecondSignature().is_given(OFFICER_2, first, REJECT)
    with pytest.raises(ValueError, match="3"):
        three.is_given(OFFICER_2, first, CONFIRM)


def test_who_may_not_sign_is_refused_whatever_else_lets_them_in() -> None:
    own = SecondSignature(by=frozenset({Role.SUPERVISOR}))
    with pytest.raises(Refused, match="role_not_allowed"):
        own.sign(OFFICER_2, (_signed(OFFICER),), CONFIRM)
    assert own.sign(SUPERVISOR, (_signed(OFFICER),), CONFIRM) is Verdict.GIVEN


def test_nothing_is_proposed_while_one_waits_and_nothing_signed_while_none_does() -> None:
    with pytest.raises(Refused, match="already_decided"):
        SecondSignature(one_waits="already_decided").need_none("refuse")
    with pytest.raises(Refused, match="wrong_stage"):
        SecondSignature().need_waiting(None)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    """Return a park whose refusals and withheld permits take three people."""
    async with open_park(clean_database, china("2026-03-02")) as park:
        three: dict[str, int] = {PendingAct.REFUSE: 3, PermitProposal.WITHHOLD: 3}
        programmes: dict[str, Programme] = {
            each.code: replace(each, signers=three) for each in programmes_of(park.context)
        }
        yield replace(park, context=replace(park.context, programmes=programmes))


async def _asked(park: Park, actor: Actor) -> int:
    """Return how often one is asked for a signature."""
    kind = NoticeKind.SECOND_SIGNATURE_REQUESTED
    notices, _ = await staff.list_own(park.context, actor, Language.EN, kind=kind)
    return len(notices)


async def test_a_refusal_of_three_takes_effect_with_the_third(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    park.clock.at += timedelta(minutes=1)
    shown = await case.confirm(by=OFFICER_2)
    assert (shown["stage"], shown["pending_act"]) == ("awaiting_confirmation", "refuse")
    assert (await case.ledger())[-1] == "signed"
    assert (await case.tasks())["confirm"]["holder"] is None
    assert [await _asked(park, each) for each in (OFFICER, OFFICER_2, SUPERVISOR)] == [0, 1, 2]
    for actor in (OFFICER, OFFICER_2):
        again = {"action": "confirm", "round": 1}
        assert await case.refused(actor, CommandKind.CONFIRM, **again) == "same_signer"
        with pytest.raises(Refused, match="same_signer"):
            await case.claim("confirm", by=actor)
    assert (await case.confirm(by=SUPERVISOR))["stage"] == "refused"
    assert await case.told("registration_refused") == Counter(employer=1, person=1)
    assert await differences(case) == set()


async def test_the_third_may_withhold_what_two_have_signed(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await case.confirm(by=OFFICER_2)
    shown = await case.confirm("reject", "reason_not_supported", by=SUPERVISOR)
    assert (shown["stage"], shown["pending_act"]) == ("under_review", None)
    assert (await case.tasks())["review"]["holder"] == "test officer-1"
    # Proposed again, none of the earlier signatures counts.
    await case.decide("refuse", "employment_unproved")
    assert (await case.confirm(by=OFFICER_2))["stage"] == "awaiting_confirmation"


async def test_a_permit_that_three_withhold_ends_with_the_third(park: Park) -> None:
    case: Case = await park.approved(**_NO_CARD)
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action="withhold", reasons=_WITHHELD)
    park.clock.at += timedelta(minutes=1)
    await case.confirm_permit(by=OFFICER_2)
    permit = await case.permit()
    assert (permit["stage"], permit["pending_act"]) == (None, "withhold")
    confirmation = {"destination": "HK", "action": "confirm"}
    assert await case.refused(OFFICER_2, PermitCommand.PERMIT_CONFIRM, **confirmation) == "same_signer"
    assert [await _asked(park, each) for each in (OFFICER, OFFICER_2, SUPERVISOR)] == [0, 1, 2]
    await case.confirm_permit(by=SUPERVISOR)
    assert (await case.permit())["stage"] == "ended"
    assert await differences(case) == set()
