"""Reason codes: what each may be used for, where it comes from and whether the park has confirmed it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from domain.errors import Refused


class Use(StrEnum):
    """What a reason is given for (states.md, section 5)."""

    RETURN = "R"
    REFUSE = "F"
    REVOKE = "V"
    WITHHOLD = "W"
    END = "E"
    HOLD = "H"
    OVERRIDE = "O"
    REJECT = "C"


class ReasonStanding(StrEnum):
    """Whether a rule that is published, or the park, confirms a use."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


class ReasonCode(StrEnum):
    """A published reason."""

    IDENTITY_NUMBER_WRONG = "identity_number_wrong"
    BIRTH_DATE_IMPLAUSIBLE = "birth_date_implausible"
    NAME_DIFFERS = "name_differs"
    DOCUMENT_UNREADABLE = "document_unreadable"
    CONTACT_UNUSABLE = "contact_unusable"
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
    EMPLOYER_NOT_IN_PARK = "employer_not_in_park"
    EMPLOYER_STANDING = "employer_standing"
    CONSENT_LETTER_MISSING = "consent_letter_missing"
    LIVE_REGISTRATION_EXISTS = "live_registration_exists"
    FALSE_STATEMENT = "false_statement"
    DECIDED_IN_ERROR = "decided_in_error"
    NOT_MENDED = "not_mended"
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
    FALSE_STATEMENT_SUSPECTED = "false_statement_suspected"
    OTHER_AUTHORITY_ASKED = "other_authority_asked"
    LEGAL_QUESTION = "legal_question"
    DOCUMENT_SEEN = "document_seen"
    REGISTER_OUTDATED = "register_outdated"
    EXPLAINED_BY_EMPLOYER = "explained_by_employer"
    FINDING_MISTAKEN = "finding_mistaken"
    REASON_NOT_SUPPORTED = "reason_not_supported"
    RETURN_INSTEAD = "return_instead"
    FACTS_INCOMPLETE = "facts_incomplete"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its uses, the source of the rule, and where that source itself is not confirmed."""

    code: ReasonCode
    uses: frozenset[Use]
    source: str
    source_standing: ReasonStanding

    def standing(self, use: Use) -> ReasonStanding:
        """Return the standing of one use: that a rule is a ground for refusing, revoking or withholding is published
        nowhere."""
        return ReasonStanding.UNCONFIRMED if use in UNCONFIRMED_USES else self.source_standing


UNCONFIRMED_USES: Final = frozenset({Use.REFUSE, Use.REVOKE, Use.WITHHOLD})
_C: Final = ReasonStanding.CONFIRMED
_U: Final = ReasonStanding.UNCONFIRMED
_DESIGN: Final = "design"
_NONE_FOUND: Final = "none found"
_R: Final = ReasonCode
_ROWS: Final[tuple[tuple[tuple[ReasonCode, ...], str, str, ReasonStanding], ...]] = (
    ((_R.IDENTITY_NUMBER_WRONG,), "RF", "GB 11643 (domain reference, section 10)", _C),
    ((_R.BIRTH_DATE_IMPLAUSIBLE,), "R", "design; bounds of age: none found", _U),
    ((_R.NAME_DIFFERS, _R.DOCUMENT_UNREADABLE, _R.CONTACT_UNUSABLE, _R.UNDERTAKING_MISSING), "R", _NONE_FOUND, _U),
    ((_R.NOT_MAINLAND_RESIDENT,), "FW", "S8: 内地人才", _C),
    ((_R.PERMIT_CARD_WRONG,), "R", "S77", _C),
    ((_R.PERMIT_CARD_MISSING,), "O", "S14, general rule", _C),
    ((_R.PERMIT_CARD_ENDS_EARLY,), "RW", _NONE_FOUND, _U),
    ((_R.NOT_EMPLOYED_THERE,), "FV", "S8: 工作的", _C),
    ((_R.EMPLOYMENT_UNPROVED,), "RF", "no list of documents found", _U),
    ((_R.EMPLOYMENT_DATES_WRONG, _R.WORK_SITE_UNKNOWN), "R", "design, from S8", _U),
    ((_R.WORK_SITE_OUTSIDE_PARK,), "FV", "S8; area: S1", _C),
    ((_R.EMPLOYER_KIND_NOT_LISTED,), "F", "S8; 等 leaves the list open", _C),
    ((_R.EMPLOYER_NOT_IN_PARK,), "FV", "S8", _C),
    ((_R.EMPLOYER_STANDING,), "FH", _NONE_FOUND, _U),
    ((_R.CONSENT_LETTER_MISSING,), "RF", "S15, for the endorsement; at registration none found", _U),
    ((_R.LIVE_REGISTRATION_EXISTS,), "FH", _DESIGN, _U),
    ((_R.FALSE_STATEMENT,), "FV", _NONE_FOUND, _U),
    ((_R.DECIDED_IN_ERROR,), "V", _NONE_FOUND, _U),
    ((_R.NOT_MENDED,), "F", _NONE_FOUND, _U),
    (
        (
            _R.RESIGNED,
            _R.DISMISSED,
            _R.CONTRACT_ENDED,
            _R.MOVED_WITHIN_PARK,
            _R.MOVED_OUT_OF_PARK,
            _R.DECEASED,
            _R.OTHER,
        ),
        "E",
        "design; official rules not found",
        _U,
    ),
    (
        (
            _R.EMPLOYER_LEFT_PARK,
            _R.REVOKED,
            _R.REGISTRATION_ENDED,
            _R.NOT_ELIGIBLE,
            _R.WITHDRAWN,
            _R.CANCELLED,
        ),
        "E",
        _DESIGN,
        _U,
    ),
    ((_R.FALSE_STATEMENT_SUSPECTED, _R.OTHER_AUTHORITY_ASKED, _R.LEGAL_QUESTION), "H", _DESIGN, _U),
    ((_R.DOCUMENT_SEEN, _R.REGISTER_OUTDATED, _R.EXPLAINED_BY_EMPLOYER, _R.FINDING_MISTAKEN), "O", _DESIGN, _U),
    ((_R.REASON_NOT_SUPPORTED, _R.RETURN_INSTEAD, _R.FACTS_INCOMPLETE), "C", _DESIGN, _U),
)
REASONS: Final[dict[ReasonCode, Reason]] = {
    code: Reason(code=code, uses=frozenset(Use(use) for use in uses), source=source, source_standing=standing)
    for codes, uses, source, standing in _ROWS
    for code in codes
}
# Those that an employer, or an officer on proof, may report; the other codes of use E are the engine's own words.
DEPARTURE_REASONS: Final = frozenset(
    {
        ReasonCode.RESIGNED,
        ReasonCode.DISMISSED,
        ReasonCode.CONTRACT_ENDED,
        ReasonCode.MOVED_WITHIN_PARK,
        ReasonCode.MOVED_OUT_OF_PARK,
        ReasonCode.DECEASED,
        ReasonCode.OTHER,
    }
)


def of_use(use: Use) -> tuple[ReasonCode, ...]:
    """Return the published reasons of a use, in the order in which they are published."""
    return tuple(reason.code for reason in REASONS.values() if use in reason.uses)


def facts_of(use: Use, allowed: Iterable[ReasonCode]) -> dict[str, Any]:
    """Return what the refusal of a reason tells: the use that it needs, and the codes that would be taken."""
    return {"use": use.value, "allowed": [code.value for code in allowed]}


def checked_reasons(
    codes: Iterable[str], use: Use, among: Collection[ReasonCode] | None = None
) -> tuple[ReasonCode, ...]:
    """Return the reasons given for a use, each once, in the order given.

    Args:
        codes: what was given.
        use: what the reasons are for.
        among: the reasons of that use that this act takes; all of them where none is named.

    Raises:
        Refused: `reason_unknown` or `reason_not_allowed`, naming the place in the list and never the text.
    """
    allowed = [code for code in of_use(use) if among is None or code in among]
    taken: dict[ReasonCode, None] = {}
    for at, code in enumerate(codes):
        if code not in _KNOWN:
            refused = f"reasons[{at}] has a code that is not published at /v1/reasons."
            raise Refused("reason_unknown", refused, facts=facts_of(use, allowed))
        reason = ReasonCode(code)
        if reason not in allowed:
            raise Refused("reason_not_allowed", f"{reason} is not a reason for this.", facts=facts_of(use, allowed))
        taken[reason] = None
    return tuple(taken)


def departure_reason(code: str) -> ReasonCode:
    """Return the reason that a departure is reported with.

    Raises:
        Refused: `reason_unknown` or `reason_not_allowed`.
    """
    return checked_reasons([code], Use.END, DEPARTURE_REASONS)[0]


_KNOWN: Final = frozenset(ReasonCode)
