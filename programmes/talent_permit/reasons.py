"""Reasons of a talent permit beside those of any case, and what any of them may be given for here."""

from enum import StrEnum
from typing import Final

from domain.reasons import DESIGN, NONE_FOUND, Reasons, ReasonStanding, Use, checked_reasons, reason
from domain.reasons import REASONS as OF_ANY_CASE
from domain.reasons import ReasonCode as Core


class PermitUse(StrEnum):
    """What a reason is given for of a talent permit and of no other case."""

    REVOKE = "V"
    WITHHOLD = "W"
    END = "E"


# In the order in which they are published.
USES: Final[tuple[str, ...]] = (
    Use.RETURN,
    Use.REFUSE,
    PermitUse.REVOKE,
    PermitUse.WITHHOLD,
    PermitUse.END,
    Use.HOLD,
    Use.OVERRIDE,
    Use.REJECT,
    Use.SET_ASIDE,
    Use.DISMISS,
)


class PermitReason(StrEnum):
    """A reason of a talent permit; stored and published as it stands here, never changed."""

    UNDERTAKING_MISSING = "undertaking_missing"
    NOT_MAINLAND_RESIDENT = "not_mainland_resident"
    PERMIT_CARD_WRONG = "permit_card_wrong"
    PERMIT_CARD_MISSING = "permit_card_missing"
    PERMIT_CARD_ENDS_EARLY = "permit_card_ends_early"
    NOT_EMPLOYED_THERE = "not_employed_there"
    EMPLOYMENT_UNPROVED = "employment_unproved"
    EMPLOYMENT_DATES_WRONG = "employment_dates_wrong"
    WORK_SITE_UNKNOWN = "work_site_unknown"
    WORK_SITE_OUTSIDE_PARK = "work_site_outside_park"
    EMPLOYER_KIND_NOT_LISTED = "employer_kind_not_listed"
    CONSENT_LETTER_MISSING = "consent_letter_missing"
    LIVE_REGISTRATION_EXISTS = "live_registration_exists"
    RESIGNED = "resigned"
    DISMISSED = "dismissed"
    CONTRACT_ENDED = "contract_ended"
    MOVED_WITHIN_PARK = "moved_within_park"
    MOVED_OUT_OF_PARK = "moved_out_of_park"
    DECEASED = "deceased"
    OTHER = "other"
    EMPLOYER_LEFT_PARK = "employer_left_park"
    REVOKED = "revoked"
    REGISTRATION_ENDED = "registration_ended"
    NOT_ELIGIBLE = "not_eligible"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


_GROUNDS: Final = frozenset({Use.REFUSE, PermitUse.REVOKE, PermitUse.WITHHOLD})
_C: Final = ReasonStanding.CONFIRMED
_U: Final = ReasonStanding.UNCONFIRMED
_R: Final = PermitReason
# Those that an employer, or an officer on proof, may report; the other codes of use E are the engine's own words.
DEPARTURE_REASONS: Final[tuple[PermitReason, ...]] = (
    _R.RESIGNED, _R.DISMISSED, _R.CONTRACT_ENDED, _R.MOVED_WITHIN_PARK, _R.MOVED_OUT_OF_PARK, _R.DECEASED, _R.OTHER,
)  # fmt: skip
_OWN: Final[tuple[tuple[tuple[str, ...], str, str, ReasonStanding], ...]] = (
    ((_R.UNDERTAKING_MISSING,), "R", NONE_FOUND, _U),
    ((_R.NOT_MAINLAND_RESIDENT,), "FW", "S8: 内地人才", _C),
    ((_R.PERMIT_CARD_WRONG,), "R", "S77", _C),
    ((_R.PERMIT_CARD_MISSING,), "O", "S14, general rule", _C),
    ((_R.PERMIT_CARD_ENDS_EARLY,), "RW", NONE_FOUND, _U),
    ((_R.NOT_EMPLOYED_THERE,), "FV", "S8: 工作的", _C),
    ((_R.EMPLOYMENT_UNPROVED,), "RF", "no list of documents found", _U),
    ((_R.EMPLOYMENT_DATES_WRONG, _R.WORK_SITE_UNKNOWN), "R", "design, from S8", _U),
    ((_R.WORK_SITE_OUTSIDE_PARK,), "FV", "S8; area: S1", _C),
    ((_R.EMPLOYER_KIND_NOT_LISTED,), "F", "S8; 等 leaves the list open", _C),
    ((_R.CONSENT_LETTER_MISSING,), "RF", "S15, for the endorsement; at registration none found", _U),
    ((_R.LIVE_REGISTRATION_EXISTS,), "FH", DESIGN, _U),
    (DEPARTURE_REASONS, "E", "design; official rules not found", _U),
    (
        (
            _R.EMPLOYER_LEFT_PARK, _R.REVOKED, _R.REGISTRATION_ENDED, _R.NOT_ELIGIBLE, _R.WITHDRAWN, _R.CANCELLED,
        ), "E", DESIGN, _U,
    ),
    # Further uses of reasons of any case.
    ((Core.EMPLOYER_NOT_IN_PARK,), "V", "S8", _C),
    ((Core.FALSE_STATEMENT,), "V", NONE_FOUND, _U),
    ((Core.DECIDED_IN_ERROR,), "V", NONE_FOUND, _U),
)  # fmt: skip
_DECLARED: Final[Reasons] = {
    code: reason(code, uses, source, standing, grounds=_GROUNDS)
    for codes, uses, source, standing in _OWN
    for code in codes
}
# All of them in the order in which they are published.
_ORDER: Final[tuple[str, ...]] = (
    Core.IDENTITY_NUMBER_WRONG,
    Core.BIRTH_DATE_IMPLAUSIBLE,
    Core.NAME_DIFFERS,
    Core.DOCUMENT_UNREADABLE,
    Core.CONTACT_UNUSABLE,
    _R.UNDERTAKING_MISSING,
    _R.NOT_MAINLAND_RESIDENT,
    _R.PERMIT_CARD_WRONG,
    _R.PERMIT_CARD_MISSING,
    _R.PERMIT_CARD_ENDS_EARLY,
    _R.NOT_EMPLOYED_THERE,
    _R.EMPLOYMENT_UNPROVED,
    _R.EMPLOYMENT_DATES_WRONG,
    _R.WORK_SITE_UNKNOWN,
    _R.WORK_SITE_OUTSIDE_PARK,
    _R.EMPLOYER_KIND_NOT_LISTED,
    Core.EMPLOYER_NOT_IN_PARK,
    Core.EMPLOYER_STANDING,
    _R.CONSENT_LETTER_MISSING,
    _R.LIVE_REGISTRATION_EXISTS,
    Core.FALSE_STATEMENT,
    Core.DECIDED_IN_ERROR,
    Core.NOT_MENDED,
    _R.RESIGNED,
    _R.DISMISSED,
    _R.CONTRACT_ENDED,
    _R.MOVED_WITHIN_PARK,
    _R.MOVED_OUT_OF_PARK,
    _R.DECEASED,
    _R.OTHER,
    _R.EMPLOYER_LEFT_PARK,
    _R.REVOKED,
    _R.REGISTRATION_ENDED,
    _R.NOT_ELIGIBLE,
    _R.WITHDRAWN,
    _R.CANCELLED,
    Core.FALSE_STATEMENT_SUSPECTED,
    Core.OTHER_AUTHORITY_ASKED,
    Core.LEGAL_QUESTION,
    Core.DOCUMENT_SEEN,
    Core.REGISTER_OUTDATED,
    Core.EXPLAINED_BY_EMPLOYER,
    Core.FINDING_MISTAKEN,
    Core.REASON_NOT_SUPPORTED,
    Core.RETURN_INSTEAD,
    Core.FACTS_INCOMPLETE,
    Core.NEW_PROOF,
    Core.NOT_TOLD,
    Core.DECISION_STANDS,
    Core.GROUNDS_UNPROVED,
    Core.NO_EFFECT_LEFT,
)
REASONS: Final[Reasons] = {
    code: _DECLARED[code].with_uses_of(OF_ANY_CASE[code])
    if code in _DECLARED and code in OF_ANY_CASE
    else _DECLARED.get(code) or OF_ANY_CASE[code]
    for code in _ORDER
}


def departure_reason(code: str) -> str:
    """Return the reason that a departure is reported with.

    Raises:
        Refused: `reason_unknown` or `reason_not_allowed`.
    """
    return checked_reasons([code], PermitUse.END, REASONS, DEPARTURE_REASONS)[0]
