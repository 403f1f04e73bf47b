"""What is told of a talent permit and of no other case; the texts stand in `texts/notices`, one file a kind."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.acts import Act
from domain.notices import (
    BOTH,
    EMPLOYER,
    INBOX_THEN_M,
    LETTER,
    M_THEN_S,
    PLANS,
    SIGNERS,
    About,
    NoticePlan,
    Recipient,
    StatedDate,
    plan,
)
from domain.notices import NoticeKind as Core


class PermitNotice(StrEnum):
    """What a notice of a talent permit is about; stored and published as it stands here, never changed."""

    REGISTRATION_REVOKED = "registration_revoked"
    PERMIT_WITHHELD = "permit_withheld"
    DEPARTURE_RECORDED = "departure_recorded"
    REGISTRATION_ENDED = "registration_ended"
    CONTRACT_ENDING = "contract_ending"
    PERMIT_SUBMITTED = "permit_submitted"
    PERMIT_ACTION_NEEDED = "permit_action_needed"
    PERMIT_ACCEPTED = "permit_accepted"
    PERMIT_ISSUED = "permit_issued"
    PERMIT_REFUSED = "permit_refused"
    PERMIT_CLOSED = "permit_closed"
    PERMIT_MOVED = "permit_moved"
    CARD_LOST_RECORDED = "card_lost_recorded"
    PERMIT_REPORTED = "permit_reported"
    PERMIT_KEPT = "permit_kept"
    PERMIT_REVOKED = "permit_revoked"
    PERMIT_EXPIRING = "permit_expiring"
    PERMIT_EXPIRED = "permit_expired"
    AUTHORITY_LATE = "authority_late"
    AUTHORITY_CONFLICT = "authority_conflict"
    ATTACHMENT_PROPOSED = "attachment_proposed"


class PermitDate(StrEnum):
    """The date that a notice of a talent permit states."""

    LAST_DAY = "last_day"
    ENDED_ON = "ended_on"
    CONTRACT_END = "contract_end"
    AUTHORITY_ANSWER_EXPECTED = "authority_answer_expected"
    VALID_FROM_AND_UNTIL = "valid_from_and_until"
    VALID_UNTIL = "valid_until"
    REVOKED_ON = "revoked_on"


_K: Final = PermitNotice
_S: Final = PermitDate
_P: Final = Recipient.PERSON
_O: Final = Recipient.OFFICERS
_TRACK: Final = About.TRACK
_OWN: Final[Mapping[str, NoticePlan]] = {
    _K.REGISTRATION_REVOKED: plan(LETTER, StatedDate.REMEDY, is_letter=True),
    _K.PERMIT_WITHHELD: plan(LETTER, StatedDate.REMEDY, about=_TRACK, is_letter=True),
    _K.DEPARTURE_RECORDED: plan(BOTH, _S.LAST_DAY),
    _K.REGISTRATION_ENDED: plan(BOTH, _S.ENDED_ON, digestible=True),
    _K.CONTRACT_ENDING: plan(EMPLOYER, _S.CONTRACT_END),
    _K.PERMIT_SUBMITTED: plan(BOTH, about=_TRACK, digestible=True),
    _K.PERMIT_ACTION_NEEDED: plan(BOTH, about=_TRACK),
    _K.PERMIT_ACCEPTED: plan(BOTH, _S.AUTHORITY_ANSWER_EXPECTED, about=_TRACK, digestible=True),
    _K.PERMIT_ISSUED: plan(BOTH, _S.VALID_FROM_AND_UNTIL, about=_TRACK, digestible=True),
    _K.PERMIT_REFUSED: NoticePlan(
        recipients=BOTH,
        states={_P: StatedDate.REMEDY},
        about=_TRACK,
        for_person_alone=True,
        without_employer=True,
        needs_person=True,
    ),
    _K.PERMIT_CLOSED: plan(BOTH, about=_TRACK, digestible=True),
    _K.PERMIT_MOVED: plan(BOTH, about=_TRACK, digestible=True),
    _K.CARD_LOST_RECORDED: plan(BOTH, about=_TRACK, digestible=True),
    _K.PERMIT_REPORTED: plan({_P: M_THEN_S}, about=_TRACK),
    _K.PERMIT_KEPT: NoticePlan(recipients=BOTH, states={_P: _S.VALID_UNTIL}, about=_TRACK),
    _K.PERMIT_REVOKED: NoticePlan(recipients=BOTH, states={_P: _S.REVOKED_ON}, about=_TRACK, for_person_alone=True),
    _K.PERMIT_EXPIRING: plan(BOTH, _S.VALID_UNTIL, about=_TRACK, digestible=True),
    _K.PERMIT_EXPIRED: plan(BOTH, _S.VALID_UNTIL, about=_TRACK, digestible=True),
    _K.AUTHORITY_LATE: plan({_O: INBOX_THEN_M}, _S.AUTHORITY_ANSWER_EXPECTED, about=_TRACK),
    _K.AUTHORITY_CONFLICT: plan({_O: INBOX_THEN_M}, _S.AUTHORITY_ANSWER_EXPECTED, about=_TRACK),
    _K.ATTACHMENT_PROPOSED: plan(
        SIGNERS, StatedDate.PARK_DECISION_DUE, about=_TRACK, asks_after=(Act.ANSWER_ATTACH_PROPOSED,)
    ),
}
# Its own among those of any case, in the order of the life of a case, as they are published.
_ORDER: Final[tuple[str, ...]] = (
    Core.REGISTRATION_RECEIVED,
    Core.CORRECTION_REQUESTED,
    Core.CORRECTION_REMINDER,
    Core.CORRECTION_RECEIVED,
    Core.FACT_RECORDED,
    Core.FACT_UPHELD,
    Core.FACT_SET_ASIDE,
    Core.CHANGE_TAKEN,
    Core.CHANGE_DECLINED,
    Core.REGISTRATION_LAPSED,
    Core.REGISTRATION_WITHDRAWN,
    Core.DECISION_DELAYED,
    Core.DUE_DATE_CHANGED,
    Core.REGISTRATION_APPROVED,
    Core.REGISTRATION_REFUSED,
    _K.REGISTRATION_REVOKED,
    _K.PERMIT_WITHHELD,
    Core.OBJECTION_RECEIVED,
    Core.OBJECTION_REJECTED,
    Core.DECISION_SET_ASIDE,
    _K.DEPARTURE_RECORDED,
    _K.REGISTRATION_ENDED,
    _K.CONTRACT_ENDING,
    Core.RENEWAL_RECEIVED,
    Core.RENEWAL_GRANTED,
    Core.RENEWAL_REFUSED,
    Core.RENEWAL_WITHDRAWN,
    Core.RENEWAL_CORRECTION_REQUESTED,
    Core.RENEWAL_CORRECTION_REMINDER,
    Core.RENEWAL_CORRECTION_RECEIVED,
    Core.RENEWAL_LAPSED,
    Core.EMPLOYER_SUSPENDED,
    Core.EMPLOYER_REINSTATED,
    Core.WEBHOOK_PAUSED,
    _K.PERMIT_SUBMITTED,
    _K.PERMIT_ACTION_NEEDED,
    _K.PERMIT_ACCEPTED,
    _K.PERMIT_ISSUED,
    _K.PERMIT_REFUSED,
    _K.PERMIT_CLOSED,
    _K.PERMIT_MOVED,
    _K.CARD_LOST_RECORDED,
    _K.PERMIT_REPORTED,
    _K.PERMIT_KEPT,
    _K.PERMIT_REVOKED,
    _K.PERMIT_EXPIRING,
    _K.PERMIT_EXPIRED,
    Core.SECOND_SIGNATURE_REQUESTED,
    Core.SECOND_SIGNATURE_REJECTED,
    Core.DUE_SOON,
    Core.HOLD_REVIEW_DUE,
    Core.ESCALATED,
    _K.AUTHORITY_LATE,
    _K.AUTHORITY_CONFLICT,
    _K.ATTACHMENT_PROPOSED,
    Core.HAND_OVER_REQUESTED,
    Core.SIGN_IN_LINK,
    Core.COMPLAINT_ANSWERED,
    Core.CONTACT_CHANGED,
    Core.PERSONS_JOINED,
    Core.PERSONS_PARTED,
    Core.TRANSFER_AGREED,
    Core.TRANSFER_TAKEN_BACK,
    Core.DEPARTURE_ASKED,
    Core.DEPARTURE_ASKED_NO_MORE,
    Core.TRANSFER_NOT_CONFIRMED,
    Core.EMPLOYER_CONTACT_CHANGED,
)
NOTICES: Final[Mapping[str, NoticePlan]] = {kind: (_OWN.get(kind) or PLANS[kind]) for kind in _ORDER}
