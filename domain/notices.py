"""Who is told what, by which channel, and how far a notice got (states, section 4).

`PLANS` is the table of notice kinds. A notice has one delivery for each of its channels; the
functions below say which deliveries open at once, which one follows a mail that failed, how a
receipt moves a delivery, and what the notice counts as.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict


class NoticeKind(StrEnum):
    """What a notice is about."""

    REGISTRATION_RECEIVED = "registration_received"
    CORRECTION_REQUESTED = "correction_requested"
    CORRECTION_REMINDER = "correction_reminder"
    CORRECTION_RECEIVED = "correction_received"
    FACT_RECORDED = "fact_recorded"
    FACT_UPHELD = "fact_upheld"
    FACT_SET_ASIDE = "fact_set_aside"
    CHANGE_TAKEN = "change_taken"
    CHANGE_DECLINED = "change_declined"
    REGISTRATION_LAPSED = "registration_lapsed"
    REGISTRATION_WITHDRAWN = "registration_withdrawn"
    DECISION_DELAYED = "decision_delayed"
    DUE_DATE_CHANGED = "due_date_changed"
    REGISTRATION_APPROVED = "registration_approved"
    REGISTRATION_REFUSED = "registration_refused"
    REGISTRATION_REVOKED = "registration_revoked"
    PERMIT_WITHHELD = "permit_withheld"
    DEPARTURE_RECORDED = "departure_recorded"
    REGISTRATION_ENDED = "registration_ended"
    CONTRACT_ENDING = "contract_ending"
    EMPLOYER_SUSPENDED = "employer_suspended"
    EMPLOYER_REINSTATED = "employer_reinstated"
    WEBHOOK_PAUSED = "webhook_paused"
    PERMIT_SUBMITTED = "permit_submitted"
    PERMIT_ACTION_NEEDED = "permit_action_needed"
    PERMIT_ACCEPTED = "permit_accepted"
    PERMIT_ISSUED = "permit_issued"
    PERMIT_REFUSED = "permit_refused"
    PERMIT_CLOSED = "permit_closed"
    CARD_LOST_RECORDED = "card_lost_recorded"
    PERMIT_REPORTED = "permit_reported"
    PERMIT_KEPT = "permit_kept"
    PERMIT_REVOKED = "permit_revoked"
    PERMIT_EXPIRING = "permit_expiring"
    PERMIT_EXPIRED = "permit_expired"
    SECOND_SIGNATURE_REQUESTED = "second_signature_requested"
    SECOND_SIGNATURE_REJECTED = "second_signature_rejected"
    DUE_SOON = "due_soon"
    HOLD_REVIEW_DUE = "hold_review_due"
    ESCALATED = "escalated"
    AUTHORITY_LATE = "authority_late"
    AUTHORITY_CONFLICT = "authority_conflict"
    ATTACHMENT_PROPOSED = "attachment_proposed"
    # Not a row of the table: the sentence under it, "the employer is asked to hand the notice over".
    HAND_OVER_REQUESTED = "hand_over_requested"
    # Not rows of the table either: what the person asked for (api.md, The person).
    SIGN_IN_LINK = "sign_in_link"
    COMPLAINT_ANSWERED = "complaint_answered"
    # Nor this one: an address by which the person signs in was changed by somebody else (R34).
    CONTACT_CHANGED = "contact_changed"
    # Nor this one: where the employer's notices go was changed.
    EMPLOYER_CONTACT_CHANGED = "employer_contact_changed"


class Recipient(StrEnum):
    """Who a notice is for; `park` is the staff queue, told where nobody holds the task."""

    EMPLOYER = "employer"
    PERSON = "person"
    OFFICERS = "officers"
    SUPERVISORS = "supervisors"
    PROPOSER = "proposer"
    HOLDER = "holder"
    PARK = "park"


class Channel(StrEnum):
    """A way by which a notice travels."""

    MAIL = "mail"
    SMS = "sms"
    WEBHOOK = "webhook"
    INBOX = "inbox"


class StatedDate(StrEnum):
    """The date or clock that a notice states."""

    PARK_DECISION_DUE = "park_decision_due"
    CORRECTION_DUE = "correction_due"
    MISSED_AND_EXPECTED = "missed_and_expected"
    OLD_AND_NEW = "old_and_new"
    REMEDY = "remedy"
    LAST_DAY = "last_day"
    ENDED_ON = "ended_on"
    CONTRACT_END = "contract_end"
    FROM_WHEN = "from_when"
    AUTHORITY_ANSWER_EXPECTED = "authority_answer_expected"
    VALID_FROM_AND_UNTIL = "valid_from_and_until"
    VALID_UNTIL = "valid_until"
    REVOKED_ON = "revoked_on"
    REVIEW_ON = "review_on"
    DAYS_OVER = "days_over"


class About(StrEnum):
    """What a notice is counted by: one for each case, each permit or each employer, and occasion."""

    CASE = "case"
    PERMIT = "permit"
    EMPLOYER = "employer"


class ChannelPlan(BaseModel):
    """The channels used at once, in order, and the one that follows when the mail fails or is late."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_once: tuple[Channel, ...]
    fallback: Channel | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel that a notice of this plan may use."""
        return self.at_once if self.fallback is None else (*self.at_once, self.fallback)


W_AND_M: Final = ChannelPlan(at_once=(Channel.WEBHOOK, Channel.MAIL))
M_THEN_S: Final = ChannelPlan(at_once=(Channel.MAIL,), fallback=Channel.SMS)
M_AND_S: Final = ChannelPlan(at_once=(Channel.MAIL, Channel.SMS))
INBOX_ONLY: Final = ChannelPlan(at_once=(Channel.INBOX,))
INBOX_THEN_M: Final = ChannelPlan(at_once=(Channel.INBOX, Channel.MAIL))


class NoticePlan(BaseModel):
    """One row of the table: who is told by which channels, and what the notice states."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipients: Mapping[Recipient, ChannelPlan]
    about: About = About.CASE
    states: Mapping[Recipient, StatedDate] = {}
    digestible: bool = False
    is_letter: bool = False


_E: Final = Recipient.EMPLOYER
_P: Final = Recipient.PERSON
_EMPLOYER: Final = {_E: W_AND_M}
_BOTH: Final = {_E: W_AND_M, _P: M_THEN_S}
_LETTER: Final = {_E: W_AND_M, _P: M_AND_S}
_STAFF: Final = {Recipient.OFFICERS: INBOX_ONLY, Recipient.SUPERVISORS: INBOX_ONLY}
_HOLDER: Final = {Recipient.HOLDER: INBOX_ONLY, Recipient.PARK: INBOX_ONLY}


def _plan(
    recipients: Mapping[Recipient, ChannelPlan],
    states: StatedDate | Mapping[Recipient, StatedDate] | None = None,
    *,
    about: About = About.CASE,
    digestible: bool = False,
    is_letter: bool = False,
) -> NoticePlan:
    """Return a row; a single stated date holds for every recipient."""
    stated = dict.fromkeys(recipients, states) if isinstance(states, StatedDate) else dict(states or {})
    return NoticePlan(recipients=recipients, about=about, states=stated, digestible=digestible, is_letter=is_letter)


_K = NoticeKind
_S = StatedDate
_PERMIT: Final = About.PERMIT

PLANS: Final[Mapping[NoticeKind, NoticePlan]] = {
    _K.REGISTRATION_RECEIVED: _plan(_BOTH, _S.PARK_DECISION_DUE, digestible=True),
    _K.CORRECTION_REQUESTED: _plan(_EMPLOYER, _S.CORRECTION_DUE),
    _K.CORRECTION_REMINDER: _plan(_EMPLOYER, _S.CORRECTION_DUE),
    _K.CORRECTION_RECEIVED: _plan(_EMPLOYER, _S.PARK_DECISION_DUE, digestible=True),
    _K.FACT_RECORDED: _plan(_BOTH),
    _K.FACT_UPHELD: _plan(_BOTH),
    _K.FACT_SET_ASIDE: _plan(_BOTH),
    _K.CHANGE_TAKEN: _plan(_EMPLOYER),
    _K.CHANGE_DECLINED: _plan(_EMPLOYER),
    _K.REGISTRATION_LAPSED: _plan(_BOTH),
    _K.REGISTRATION_WITHDRAWN: _plan(_BOTH, digestible=True),
    _K.DECISION_DELAYED: _plan(_BOTH, _S.MISSED_AND_EXPECTED),
    _K.DUE_DATE_CHANGED: _plan(_EMPLOYER, _S.OLD_AND_NEW, digestible=True),
    _K.REGISTRATION_APPROVED: _plan(_BOTH, digestible=True),
    _K.REGISTRATION_REFUSED: _plan(_LETTER, _S.REMEDY, is_letter=True),
    _K.REGISTRATION_REVOKED: _plan(_LETTER, _S.REMEDY, is_letter=True),
    _K.PERMIT_WITHHELD: _plan(_LETTER, _S.REMEDY, about=_PERMIT, is_letter=True),
    _K.DEPARTURE_RECORDED: _plan(_BOTH, _S.LAST_DAY),
    _K.REGISTRATION_ENDED: _plan(_BOTH, _S.ENDED_ON, digestible=True),
    _K.CONTRACT_ENDING: _plan(_EMPLOYER, _S.CONTRACT_END),
    _K.EMPLOYER_SUSPENDED: _plan(_EMPLOYER, _S.FROM_WHEN, about=About.EMPLOYER),
    _K.EMPLOYER_REINSTATED: _plan(_EMPLOYER, _S.FROM_WHEN, about=About.EMPLOYER),
    _K.WEBHOOK_PAUSED: _plan(_EMPLOYER, _S.FROM_WHEN, about=About.EMPLOYER),
    _K.EMPLOYER_CONTACT_CHANGED: _plan(_EMPLOYER, _S.FROM_WHEN, about=About.EMPLOYER),
    _K.PERMIT_SUBMITTED: _plan(_BOTH, about=_PERMIT, digestible=True),
    _K.PERMIT_ACTION_NEEDED: _plan(_BOTH, about=_PERMIT),
    _K.PERMIT_ACCEPTED: _plan(_BOTH, _S.AUTHORITY_ANSWER_EXPECTED, about=_PERMIT, digestible=True),
    _K.PERMIT_ISSUED: _plan(_BOTH, _S.VALID_FROM_AND_UNTIL, about=_PERMIT, digestible=True),
    _K.PERMIT_REFUSED: _plan(_BOTH, {_P: _S.REMEDY}, about=_PERMIT),
    _K.PERMIT_CLOSED: _plan(_BOTH, about=_PERMIT, digestible=True),
    _K.CARD_LOST_RECORDED: _plan(_BOTH, about=_PERMIT, digestible=True),
    _K.PERMIT_REPORTED: _plan({_P: M_THEN_S}, about=_PERMIT),
    _K.PERMIT_KEPT: _plan(_BOTH, {_P: _S.VALID_UNTIL}, about=_PERMIT),
    _K.PERMIT_REVOKED: _plan(_BOTH, {_P: _S.REVOKED_ON}, about=_PERMIT),
    _K.PERMIT_EXPIRING: _plan(_BOTH, _S.VALID_UNTIL, about=_PERMIT, digestible=True),
    _K.PERMIT_EXPIRED: _plan(_BOTH, _S.VALID_UNTIL, about=_PERMIT, digestible=True),
    _K.SECOND_SIGNATURE_REQUESTED: _plan(_STAFF, _S.PARK_DECISION_DUE),
    _K.SECOND_SIGNATURE_REJECTED: _plan({Recipient.PROPOSER: INBOX_THEN_M}, _S.PARK_DECISION_DUE),
    _K.DUE_SOON: _plan(_HOLDER, _S.PARK_DECISION_DUE),
    _K.HOLD_REVIEW_DUE: _plan(_HOLDER, _S.REVIEW_ON),
    _K.ESCALATED: _plan({Recipient.SUPERVISORS: INBOX_THEN_M}, _S.DAYS_OVER),
    _K.AUTHORITY_LATE: _plan({Recipient.OFFICERS: INBOX_THEN_M}, _S.AUTHORITY_ANSWER_EXPECTED, about=_PERMIT),
    _K.AUTHORITY_CONFLICT: _plan({Recipient.OFFICERS: INBOX_THEN_M}, _S.AUTHORITY_ANSWER_EXPECTED, about=_PERMIT),
    _K.ATTACHMENT_PROPOSED: _plan(_STAFF, _S.PARK_DECISION_DUE, about=_PERMIT),
    _K.HAND_OVER_REQUESTED: _plan(_EMPLOYER),
    # By the one channel that the person names; nobody else ever has it.
    _K.SIGN_IN_LINK: _plan({_P: M_AND_S}),
    # To the very address that complained, or that was changed.
    _K.COMPLAINT_ANSWERED: _plan({_P: M_THEN_S}),
    _K.CONTACT_CHANGED: _plan({_P: M_THEN_S}, _S.FROM_WHEN),
}

# What is written to the one address that it is about, and to no other that the case has.
TO_ONE_ADDRESS: Final = frozenset({_K.SIGN_IN_LINK, _K.COMPLAINT_ANSWERED, _K.CONTACT_CHANGED})
# What says to the person what the authority said of them: of these an employer hands over no more than the heading.
FOR_THE_PERSON_ALONE: Final = frozenset({_K.PERMIT_REFUSED, _K.PERMIT_REVOKED})
# Beside the texts of a notice as they are kept: what the hash of a letter is taken with.
SALT: Final = "salt"
LETTERS: Final = frozenset(kind for kind, plan in PLANS.items() if plan.is_letter)
DIGESTIBLE: Final = frozenset(kind for kind, plan in PLANS.items() if plan.digestible)
# What an employer may subscribe a webhook to.
WEBHOOK_KINDS: Final = frozenset(
    kind for kind, plan in PLANS.items() if any(Channel.WEBHOOK in p.channels for p in plan.recipients.values())
)


def opening_channels(kind: NoticeKind, recipient: Recipient, reachable: Collection[Channel]) -> tuple[Channel, ...]:
    """Return the channels whose deliveries open with the notice; empty when no channel is left.

    Where none of the channels used at once can reach the reader, the fallback opens straight away.
    """
    plan = PLANS[kind].recipients[recipient]
    at_once = tuple(channel for channel in plan.at_once if channel in reachable)
    if at_once or plan.fallback is None or plan.fallback not in reachable:
        return at_once
    return (plan.fallback,)


def fallback_channel(
    kind: NoticeKind, recipient: Recipient, reachable: Collection[Channel], opened: Collection[Channel]
) -> Channel | None:
    """Return the channel that follows a mail that failed for good or was not sent in time, if one is left."""
    fallback = PLANS[kind].recipients[recipient].fallback
    return fallback if fallback in reachable and fallback not in opened else None


class Undelivered(BaseModel):
    """What is done when the person cannot be reached by any channel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    employer_hands_over: bool
    opens_task: bool


def when_undelivered(kind: NoticeKind, recipient: Recipient) -> Undelivered:
    """Return who hears of a notice with no channel left.

    A letter also opens the task `undelivered`; for `permit_refused` that task alone, since the
    authority's reason is not for the employer. Of a link to sign in with, of a complaint, and
    of what an address was told that the employer itself changed, the employer is not told.
    """
    if recipient is not Recipient.PERSON:
        return Undelivered(employer_hands_over=False, opens_task=PLANS[kind].is_letter)
    if kind in TO_ONE_ADDRESS:
        return Undelivered(employer_hands_over=False, opens_task=False)
    if kind is NoticeKind.PERMIT_REFUSED:
        return Undelivered(employer_hands_over=False, opens_task=True)
    return Undelivered(employer_hands_over=True, opens_task=PLANS[kind].is_letter)


class DeliveryStatus(StrEnum):
    """How far a delivery, or the notice as a whole, got."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


FINAL: Final = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED})


def advance(status: DeliveryStatus, received: DeliveryStatus) -> DeliveryStatus:
    """Return the status after a result or receipt, which only ever moves it forward.

    A failure after `delivered` counts, since what bounced later did not arrive; `delivered` after a failure changes
    nothing. Only what still waits is suppressed.
    """
    if status is DeliveryStatus.DELIVERED and received is DeliveryStatus.FAILED:
        return received
    if status in FINAL or received is DeliveryStatus.QUEUED:
        return status
    if received is DeliveryStatus.SUPPRESSED and status is not DeliveryStatus.QUEUED:
        return status
    return received


def notice_status(deliveries: Iterable[DeliveryStatus]) -> DeliveryStatus:
    """Return what a notice counts as: delivered when one delivery is, failed when all have failed.

    A notice without any delivery reaches nobody and counts as failed.
    """
    statuses = set(deliveries)
    if DeliveryStatus.DELIVERED in statuses:
        return DeliveryStatus.DELIVERED
    if statuses == {DeliveryStatus.SUPPRESSED}:
        return DeliveryStatus.SUPPRESSED
    for waiting in (DeliveryStatus.SENT, DeliveryStatus.QUEUED):
        if waiting in statuses:
            return waiting
    return DeliveryStatus.FAILED
