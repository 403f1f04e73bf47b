"""The table of notice kinds, who is told by which channel, and the one-way order of statuses."""

from itertools import product

import pytest

from domain.notices import (
    PLANS,
    About,
    Channel,
    DeliveryStatus,
    NoticeKind,
    Recipient,
    advance,
    fallback_channel,
    notice_status,
    opening_channels,
    when_undelivered,
)
from programmes.talent_permit.notices import NOTICES, PermitNotice
from tests.programmes.declared import WORDS

ALL = frozenset(Channel)
QUEUED, SENT, DELIVERED, FAILED, SUPPRESSED = DeliveryStatus


def test_every_kind_has_a_row_and_every_row_a_reader() -> None:
    assert set(PLANS) == set(NoticeKind)
    assert set(NOTICES) == {*NoticeKind, *PermitNotice}
    assert all(plan.recipients for plan in WORDS.notices.values())
    assert all(set(plan.states) <= set(plan.recipients) for plan in WORDS.notices.values())
    assert all(NOTICES[kind] is plan for kind, plan in PLANS.items())


def test_the_letters_are_those_of_the_table() -> None:
    letters = "registration_refused registration_revoked renewal_refused permit_withheld objection_rejected"
    assert set(letters.split()) == {kind for kind, plan in NOTICES.items() if plan.is_letter}


def test_the_digestible_kinds_are_those_marked_with_a_star() -> None:
    assert {
        "registration_received",
        "correction_received",
        "registration_withdrawn",
        "due_date_changed",
        "registration_approved",
        "renewal_received",
        "renewal_granted",
        "renewal_withdrawn",
        "renewal_correction_received",
        "registration_ended",
        "permit_submitted",
        "permit_accepted",
        "permit_issued",
        "permit_closed",
        "permit_moved",
        "card_lost_recorded",
        "permit_expiring",
        "permit_expired",
    } == {kind for kind, plan in NOTICES.items() if plan.digestible}


def test_webhooks_carry_only_what_employers_are_told() -> None:
    for kind, plan in WORDS.notices.items():
        assert plan.by_webhook is (Recipient.EMPLOYER in plan.recipients), kind


def test_a_straight_approval_for_both_destinations_makes_sixteen_notices() -> None:
    kinds = ("registration_received", "registration_approved", "permit_submitted", "permit_accepted", "permit_issued")
    plans = [NOTICES[kind] for kind in kinds]
    assert sum(len(plan.recipients) * (2 if plan.about is About.TRACK else 1) for plan in plans) == 16


@pytest.mark.parametrize(
    ("kind", "recipient", "reachable", "opened"),
    [
        (NoticeKind.REGISTRATION_RECEIVED, Recipient.EMPLOYER, ALL, (Channel.WEBHOOK, Channel.MAIL)),
        (NoticeKind.REGISTRATION_RECEIVED, Recipient.EMPLOYER, {Channel.MAIL}, (Channel.MAIL,)),
        (NoticeKind.REGISTRATION_RECEIVED, Recipient.PERSON, ALL, (Channel.MAIL,)),
        (NoticeKind.REGISTRATION_RECEIVED, Recipient.PERSON, {Channel.SMS}, (Channel.SMS,)),
        (NoticeKind.REGISTRATION_RECEIVED, Recipient.PERSON, set(), ()),
        (NoticeKind.REGISTRATION_REFUSED, Recipient.PERSON, ALL, (Channel.MAIL, Channel.SMS)),
        (NoticeKind.REGISTRATION_REFUSED, Recipient.PERSON, {Channel.SMS}, (Channel.SMS,)),
        (NoticeKind.DUE_SOON, Recipient.HOLDER, ALL, (Channel.INBOX,)),
        (NoticeKind.ESCALATED, Recipient.SUPERVISORS, ALL, (Channel.INBOX, Channel.MAIL)),
    ],
)
def test_the_channels_that_open_are_those_that_reach_the_reader(
    kind: NoticeKind, recipient: Recipient, reachable: set[Channel], opened: tuple[Channel, ...]
) -> None:
    assert opening_channels(PLANS[kind], recipient, reachable) == opened


def test_an_sms_follows_a_mail_once_and_only_where_there_is_a_phone() -> None:
    plan, person = PLANS[NoticeKind.REGISTRATION_RECEIVED], Recipient.PERSON
    assert fallback_channel(plan, person, ALL, {Channel.MAIL}) is Channel.SMS
    assert fallback_channel(plan, person, {Channel.MAIL}, {Channel.MAIL}) is None
    assert fallback_channel(plan, person, ALL, {Channel.MAIL, Channel.SMS}) is None
    assert fallback_channel(plan, Recipient.EMPLOYER, ALL, {Channel.MAIL}) is None


def test_a_person_out_of_reach_is_told_by_the_employer_but_for_the_authoritys_reason() -> None:
    person = Recipient.PERSON
    assert when_undelivered(NOTICES[PermitNotice.PERMIT_ISSUED], person).model_dump() == {
        "employer_hands_over": True,
        "opens_task": False,
    }
    assert when_undelivered(NOTICES[PermitNotice.PERMIT_REFUSED], person).model_dump() == {
        "employer_hands_over": False,
        "opens_task": True,
    }
    for kind, letter in ((kind, plan) for kind, plan in NOTICES.items() if plan.is_letter):
        assert when_undelivered(letter, person).opens_task
        # The employer does not learn what its person objected to, nor what came of it.
        assert when_undelivered(letter, person).employer_hands_over == (kind != "objection_rejected")
        assert not when_undelivered(letter, Recipient.EMPLOYER).employer_hands_over


def test_what_is_for_the_person_alone_is_not_handed_over() -> None:
    alone = {kind for kind, plan in NOTICES.items() if plan.for_person_alone}
    assert alone == {PermitNotice.PERMIT_REFUSED, PermitNotice.PERMIT_REVOKED}
    assert not any(NOTICES[kind].is_handed_over_whole for kind in alone)


RANK = {QUEUED: 0, SENT: 1, DELIVERED: 2, FAILED: 3, SUPPRESSED: 3}


@pytest.mark.parametrize(("status", "received"), list(product(DeliveryStatus, DeliveryStatus)))
def test_a_status_never_moves_back(status: DeliveryStatus, received: DeliveryStatus) -> None:
    after = advance(status, received)
    assert after in (status, received)
    assert RANK[after] >= RANK[status]
    assert RANK[status] < 3 or after is status


def test_a_failure_counts_whenever_it_is_told() -> None:
    assert advance(SENT, FAILED) is FAILED
    assert advance(advance(SENT, DELIVERED), FAILED) is FAILED
    assert advance(advance(SENT, FAILED), DELIVERED) is FAILED
    assert advance(QUEUED, DELIVERED) is DELIVERED


def test_only_what_still_waits_is_suppressed() -> None:
    assert advance(QUEUED, SUPPRESSED) is SUPPRESSED
    assert advance(SENT, SUPPRESSED) is SENT
    assert advance(SUPPRESSED, DELIVERED) is SUPPRESSED


@pytest.mark.parametrize(
    ("deliveries", "status"),
    [
        ([], FAILED),
        ([QUEUED, FAILED], QUEUED),
        ([QUEUED, SENT], SENT),
        ([SENT, FAILED], SENT),
        ([FAILED, DELIVERED], DELIVERED),
        ([FAILED, FAILED], FAILED),
        ([SUPPRESSED, SUPPRESSED], SUPPRESSED),
        ([SUPPRESSED, FAILED], FAILED),
    ],
)
def test_a_notice_counts_as_its_best_delivery(deliveries: list[DeliveryStatus], status: DeliveryStatus) -> None:
    assert notice_status(deliveries) is status
