"""Who is told what, by which channel, and how far a notice got (states, section 4).

`PLANS` is the table of those kinds that any case, employer or person may be told; a programme declares its own in its
room (`domain.words`). A notice has one delivery for each of its channels; the
functions below say which deliveries open at once, which one follows a mail that failed, how a
receipt moves a delivery, and what the notice counts as.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict


class NoticeKind(StrEnum):
    """What a notice is about."""

    # Of any case, employer or person; a programme adds kinds of its own.
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
    OBJECTION_RECEIVED = "objection_received"
    OBJECTION_REJECTED = "objection_rejected"
    DECISION_SET_ASIDE = "decision_set_aside"
    RENEWAL_RECEIVED = "renewal_received"
    RENEWAL_GRANTED = "renewal_granted"
    RENEWAL_REFUSED = "renewal_refused"
    RENEWAL_WITHDRAWN = "renewal_withdrawn"
    RENEWAL_CORRECTION_REQUESTED = "renewal_correction_requested"
    RENEWAL_CORRECTION_REMINDER = "renewal_correction_reminder"
    RENEWAL_CORRECTION_RECEIVED = "renewal_correction_received"
    RENEWAL_LAPSED = "renewal_lapsed"
    EMPLOYER_SUSPENDED = "employer_suspended"
    EMPLOYER_REINSTATED = "employer_reinstated"
    WEBHOOK_PAUSED = "webhook_paused"
    SECOND_SIGNATURE_REQUESTED = "second_signature_requested"
    SECOND_SIGNATURE_REJECTED = "second_signature_rejected"
    DUE_SOON = "due_soon"
    HOLD_REVIEW_DUE = "hold_review_due"
    ESCALATED = "escalated"
    # Not a row of the table: the sentence under it, "the employer is asked to hand the notice over".
    HAND_OVER_REQUESTED = "hand_over_requested"
    # Not rows of the table either: what the person asked for (api.md, The person).
    SIGN_IN_LINK = "sign_in_link"
    COMPLAINT_ANSWERED = "complaint_answered"
    # Nor this one: an address by which the person signs in was changed by somebody else (R34).
    CONTACT_CHANGED = "contact_changed"
    # Nor these: two entries of the register were taken for one person, or for two again.
    PERSONS_JOINED = "persons_joined"
    PERSONS_PARTED = "persons_parted"
    # Nor these: a person changes employers within the Park (R50 to R57).
    TRANSFER_AGREED = "transfer_agreed"
    TRANSFER_TAKEN_BACK = "transfer_taken_back"
    DEPARTURE_ASKED = "departure_asked"
    DEPARTURE_ASKED_NO_MORE = "departure_asked_no_more"
    TRANSFER_NOT_CONFIRMED = "transfer_not_confirmed"
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
    """The date or clock that a notice states; a programme adds its own."""

    PARK_DECISION_DUE = "park_decision_due"
    CORRECTION_DUE = "correction_due"
    MISSED_AND_EXPECTED = "missed_and_expected"
    OLD_AND_NEW = "old_and_new"
    REMEDY = "remedy"
    ANSWER_DUE = "answer_due"
    FROM_WHEN = "from_when"
    REVIEW_ON = "review_on"
    DAYS_OVER = "days_over"


class About(StrEnum):
    """What a notice is counted by: one for each case, each track or each employer, and occasion."""

    CASE = "case"
    TRACK = "track"
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
    """One row of the table: who is told by which channels, and what the notice states.

    Attributes:
        recipients: who is told.
        about: what it is counted by.
        states: the date that each is told.
        digestible: whether it may come as one mail a day.
        is_letter: whether it is a letter, that goes out by itself and by every channel.
        to_one_address: whether it is written to the one address that it is about, and to no other that the case has.
        for_person_alone: whether it says to the person what is for nobody else: an employer that hands it over has no
            more of it than the heading.
        without_employer: whether an employer is not asked to hand it over where the person cannot be reached.
        needs_person: whether a task is opened where it reached nobody, though it is no letter.
        asks_after: the acts after which it asks for a second signature, so that nobody reads it of their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipients: Mapping[Recipient, ChannelPlan]
    about: About = About.CASE
    states: Mapping[Recipient, str] = {}
    digestible: bool = False
    is_letter: bool = False
    to_one_address: bool = False
    for_person_alone: bool = False
    without_employer: bool = False
    needs_person: bool = False
    asks_after: tuple[str, ...] = ()

    @property
    def by_webhook(self) -> bool:
        """Whether an employer may subscribe a webhook to it."""
        return any(Channel.WEBHOOK in each.channels for each in self.recipients.values())

    @property
    def is_handed_over_whole(self) -> bool:
        """Whether an employer may hand over all that it says to the person."""
        return Recipient.PERSON in self.recipients and not self.for_person_alone


_E: Final = Recipient.EMPLOYER
_P: Final = Recipient.PERSON
EMPLOYER: Final = {_E: W_AND_M}
BOTH: Final = {_E: W_AND_M, _P: M_THEN_S}
LETTER: Final = {_E: W_AND_M, _P: M_AND_S}
SIGNERS: Final = {Recipient.OFFICERS: INBOX_ONLY, Recipient.SUPERVISORS: INBOX_ONLY}
_HOLDER: Final = {Recipient.HOLDER: INBOX_ONLY, Recipient.PARK: INBOX_ONLY}


def plan(recipients: Mapping[Recipient, ChannelPlan], states: str | None = None, **more: Any) -> NoticePlan:
    """Return a row that states the same date to each recipient."""
    stated = {} if states is None else dict.fromkeys(recipients, states)
    return NoticePlan(recipients=recipients, states=stated, **more)


_K = NoticeKind
_S = StatedDate

PLANS: Final[Mapping[str, NoticePlan]] = {
    _K.REGISTRATION_RECEIVED: plan(BOTH, _S.PARK_DECISION_DUE, digestible=True),
    _K.CORRECTION_REQUESTED: plan(EMPLOYER, _S.CORRECTION_DUE),
    _K.CORRECTION_REMINDER: plan(EMPLOYER, _S.CORRECTION_DUE),
    _K.CORRECTION_RECEIVED: plan(EMPLOYER, _S.PARK_DECISION_DUE, digestible=True),
    _K.FACT_RECORDED: plan(BOTH),
    _K.FACT_UPHELD: plan(BOTH),
    _K.FACT_SET_ASIDE: plan(BOTH),
    _K.CHANGE_TAKEN: plan(BOTH),
    _K.CHANGE_DECLINED: plan(BOTH),
    _K.REGISTRATION_LAPSED: plan(BOTH),
    _K.REGISTRATION_WITHDRAWN: plan(BOTH, digestible=True),
    _K.DECISION_DELAYED: plan(BOTH, _S.MISSED_AND_EXPECTED),
    _K.DUE_DATE_CHANGED: plan(EMPLOYER, _S.OLD_AND_NEW, digestible=True),
    _K.REGISTRATION_APPROVED: plan(BOTH, digestible=True),
    _K.REGISTRATION_REFUSED: plan(LETTER, _S.REMEDY, is_letter=True),
    # The first two to whoever objected alone; the employer is never asked to hand them over.
    _K.OBJECTION_RECEIVED: plan(BOTH, _S.ANSWER_DUE, without_employer=True),
    _K.OBJECTION_REJECTED: plan(LETTER, _S.REMEDY, is_letter=True, without_employer=True),
    _K.DECISION_SET_ASIDE: plan(LETTER, needs_person=True),
    _K.RENEWAL_RECEIVED: plan(BOTH, _S.PARK_DECISION_DUE, digestible=True),
    _K.RENEWAL_GRANTED: plan(BOTH, digestible=True),
    _K.RENEWAL_REFUSED: plan(LETTER, _S.REMEDY, is_letter=True),
    _K.RENEWAL_WITHDRAWN: plan(BOTH, digestible=True),
    _K.RENEWAL_CORRECTION_REQUESTED: plan(EMPLOYER, _S.CORRECTION_DUE),
    _K.RENEWAL_CORRECTION_REMINDER: plan(EMPLOYER, _S.CORRECTION_DUE),
    _K.RENEWAL_CORRECTION_RECEIVED: plan(EMPLOYER, _S.PARK_DECISION_DUE, digestible=True),
    _K.RENEWAL_LAPSED: plan(BOTH),
    _K.EMPLOYER_SUSPENDED: plan(EMPLOYER, _S.FROM_WHEN, about=About.EMPLOYER),
    _K.EMPLOYER_REINSTATED: plan(EMPLOYER, _S.FROM_WHEN, about=About.EMPLOYER),
    _K.WEBHOOK_PAUSED: plan(EMPLOYER, _S.FROM_WHEN, about=About.EMPLOYER),
    _K.EMPLOYER_CONTACT_CHANGED: plan(EMPLOYER, _S.FROM_WHEN, about=About.EMPLOYER),
    _K.SECOND_SIGNATURE_REQUESTED: plan(SIGNERS, _S.PARK_DECISION_DUE),
    _K.SECOND_SIGNATURE_REJECTED: plan({Recipient.PROPOSER: INBOX_THEN_M}, _S.PARK_DECISION_DUE),
    _K.DUE_SOON: plan(_HOLDER, _S.PARK_DECISION_DUE),
    _K.HOLD_REVIEW_DUE: plan(_HOLDER, _S.REVIEW_ON),
    _K.ESCALATED: plan({Recipient.SUPERVISORS: INBOX_THEN_M}, _S.DAYS_OVER),
    _K.HAND_OVER_REQUESTED: plan(EMPLOYER),
    # By the one channel that the person names; nobody else ever has it.
    _K.SIGN_IN_LINK: plan({_P: M_AND_S}, to_one_address=True),
    # To the very address that complained, or that was changed.
    _K.COMPLAINT_ANSWERED: plan({_P: M_THEN_S}, to_one_address=True),
    _K.CONTACT_CHANGED: plan({_P: M_THEN_S}, _S.FROM_WHEN, to_one_address=True),
    # To each address by which either signs in.
    _K.PERSONS_JOINED: plan({_P: M_AND_S}, to_one_address=True),
    _K.PERSONS_PARTED: plan({_P: M_AND_S}, to_one_address=True),
    # To each address on the case that the person leaves, whoever gave the agreement; its employer is not told.
    _K.TRANSFER_AGREED: plan({_P: M_AND_S}, to_one_address=True),
    _K.TRANSFER_TAKEN_BACK: plan({_P: M_AND_S}, to_one_address=True),
    _K.DEPARTURE_ASKED: plan(EMPLOYER, _S.ANSWER_DUE),
    _K.DEPARTURE_ASKED_NO_MORE: plan(EMPLOYER),
    _K.TRANSFER_NOT_CONFIRMED: plan(BOTH),
}

# Beside the texts of a notice as they are kept: what the hash of a letter is taken with.
SALT: Final = "salt"


def opening_channels(told: NoticePlan, recipient: Recipient, reachable: Collection[Channel]) -> tuple[Channel, ...]:
    """Return the channels whose deliveries open with the notice; empty when no channel is left.

    Where none of the channels used at once can reach the reader, the fallback opens straight away.
    """
    channels = told.recipients[recipient]
    at_once = tuple(channel for channel in channels.at_once if channel in reachable)
    if at_once or channels.fallback is None or channels.fallback not in reachable:
        return at_once
    return (channels.fallback,)


def fallback_channel(
    told: NoticePlan, recipient: Recipient, reachable: Collection[Channel], opened: Collection[Channel]
) -> Channel | None:
    """Return the channel that follows a mail that failed for good or was not sent in time, if one is left."""
    fallback = told.recipients[recipient].fallback
    return fallback if fallback in reachable and fallback not in opened else None


class Undelivered(BaseModel):
    """What is done when the person cannot be reached by any channel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    employer_hands_over: bool
    opens_task: bool


def when_undelivered(told: NoticePlan, recipient: Recipient) -> Undelivered:
    """Return who hears of a notice with no channel left.

    A letter also opens the task `undelivered`; where the reason is not for the employer, that task alone. Of a link to
    sign in with, of a complaint, and of what an address was told that the employer itself changed, the employer is not
    told.
    """
    if recipient is not Recipient.PERSON:
        return Undelivered(employer_hands_over=False, opens_task=told.is_letter)
    hands_over = not (told.to_one_address or told.without_employer)
    return Undelivered(employer_hands_over=hands_over, opens_task=told.is_letter or told.needs_person)


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
