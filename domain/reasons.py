"""Reason codes: what each may be used for, where it comes from and whether the park has confirmed it.

Those of any case stand here; a programme declares its own, and further uses of these, in its room (`domain.words`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from domain.errors import Refused


class Use(StrEnum):
    """What a reason is given for (states.md, section 5)."""

    RETURN = "R"
    REFUSE = "F"
    HOLD = "H"
    OVERRIDE = "O"
    REJECT = "C"
    SET_ASIDE = "S"
    DISMISS = "N"


class ReasonStanding(StrEnum):
    """Whether a rule that is published, or the park, confirms a use."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


class ReasonCode(StrEnum):
    """A published reason of any case."""

    IDENTITY_NUMBER_WRONG = "identity_number_wrong"
    BIRTH_DATE_IMPLAUSIBLE = "birth_date_implausible"
    NAME_DIFFERS = "name_differs"
    DOCUMENT_UNREADABLE = "document_unreadable"
    CONTACT_UNUSABLE = "contact_unusable"
    EMPLOYER_NOT_IN_PARK = "employer_not_in_park"
    EMPLOYER_STANDING = "employer_standing"
    FALSE_STATEMENT = "false_statement"
    NOT_MENDED = "not_mended"
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
    DECIDED_IN_ERROR = "decided_in_error"
    NEW_PROOF = "new_proof"
    NOT_TOLD = "not_told"
    DECISION_STANDS = "decision_stands"
    GROUNDS_UNPROVED = "grounds_unproved"
    NO_EFFECT_LEFT = "no_effect_left"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: the source of the rule, and its uses, each with its standing."""

    code: str
    source: str
    standings: Mapping[str, ReasonStanding]

    @property
    def uses(self) -> frozenset[str]:
        """What it may be given for."""
        return frozenset(self.standings)

    def with_uses_of(self, other: "Reason") -> "Reason":
        """Return it with the uses that another declaration of the same reason has beside its own."""
        return replace(self, standings={**other.standings, **self.standings})


Reasons = Mapping[str, Reason]


def reason(
    code: str, uses: Iterable[str], source: str, standing: ReasonStanding, *, grounds: Collection[str]
) -> Reason:
    """Return a reason whose source has a standing.

    That a rule is a ground for refusing, and what is like it, is published nowhere: each such use is unconfirmed.
    """
    of = {str(use): ReasonStanding.UNCONFIRMED if use in grounds else standing for use in uses}
    return Reason(code=code, source=source, standings=of)


_C: Final = ReasonStanding.CONFIRMED
_U: Final = ReasonStanding.UNCONFIRMED
DESIGN: Final = "design"
NONE_FOUND: Final = "none found"
_R: Final = ReasonCode
_ROWS: Final[tuple[tuple[tuple[ReasonCode, ...], str, str, ReasonStanding], ...]] = (
    ((_R.IDENTITY_NUMBER_WRONG,), "RF", "GB 11643 (domain reference, section 10)", _C),
    ((_R.BIRTH_DATE_IMPLAUSIBLE,), "R", "design; bounds of age: none found", _U),
    ((_R.NAME_DIFFERS, _R.DOCUMENT_UNREADABLE, _R.CONTACT_UNUSABLE), "R", NONE_FOUND, _U),
    ((_R.EMPLOYER_NOT_IN_PARK,), "F", "S8", _C),
    ((_R.EMPLOYER_STANDING,), "FH", NONE_FOUND, _U),
    ((_R.FALSE_STATEMENT, _R.NOT_MENDED), "F", NONE_FOUND, _U),
    ((_R.FALSE_STATEMENT_SUSPECTED, _R.OTHER_AUTHORITY_ASKED, _R.LEGAL_QUESTION), "H", DESIGN, _U),
    ((_R.DOCUMENT_SEEN, _R.REGISTER_OUTDATED, _R.EXPLAINED_BY_EMPLOYER, _R.FINDING_MISTAKEN), "O", DESIGN, _U),
    ((_R.REASON_NOT_SUPPORTED, _R.RETURN_INSTEAD, _R.FACTS_INCOMPLETE), "C", DESIGN, _U),
    # Why a decision is set aside, and why an objection against it is not upheld.
    ((_R.DECIDED_IN_ERROR, _R.NEW_PROOF, _R.NOT_TOLD), "S", NONE_FOUND, _U),
    ((_R.DECISION_STANDS, _R.GROUNDS_UNPROVED, _R.NO_EFFECT_LEFT), "N", NONE_FOUND, _U),
)
REASONS: Final[Reasons] = {
    code: reason(code, uses, source, standing, grounds={Use.REFUSE})
    for codes, uses, source, standing in _ROWS
    for code in codes
}


def of_use(use: str, known: Reasons) -> tuple[str, ...]:
    """Return the published reasons of a use, in the order in which they are published."""
    return tuple(str(code) for code, each in known.items() if use in each.uses)


def facts_of(use: str, allowed: Iterable[str]) -> dict[str, Any]:
    """Return what the refusal of a reason tells: the use that it needs, and the codes that would be taken."""
    return {"use": str(use), "allowed": [str(code) for code in allowed]}


def checked_reasons(
    codes: Iterable[str], use: str, known: Reasons, among: Collection[str] | None = None
) -> tuple[str, ...]:
    """Return the reasons given for a use, each once, in the order given.

    Args:
        codes: what was given.
        use: what the reasons are for.
        known: those that are published.
        among: the reasons of that use that this act takes; all of them where none is named.

    Raises:
        Refused: `reason_unknown` or `reason_not_allowed`, naming the place in the list and never the text.
    """
    allowed = [code for code in of_use(use, known) if among is None or code in among]
    taken: dict[str, None] = {}
    for at, code in enumerate(codes):
        if code not in known:
            refused = f"reasons[{at}] has a code that is not published at /v1/reasons."
            raise Refused("reason_unknown", refused, facts=facts_of(use, allowed))
        if code not in allowed:
            raise Refused("reason_not_allowed", f"{code} is not a reason for this.", facts=facts_of(use, allowed))
        taken[str(code)] = None
    return tuple(taken)
