"""Findings of the rules: codes, outcomes and the values used, never personal data."""

from collections.abc import Iterable, Set
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.stages import AssessmentOutcome


class FindingOutcome(StrEnum):
    """What a rule makes of the facts."""

    PASS = "pass"
    FAIL = "fail"
    MISSING = "missing"
    NEEDS_PERSON = "needs_person"


# Outcomes over which a registration is approved by two people only (states.md, R11).
STANDING_IN_THE_WAY: Final = frozenset({FindingOutcome.FAIL, FindingOutcome.MISSING})


class AssessmentScope(StrEnum):
    """Which rules an assessment is of, beside those of each track, which has its key."""

    FORM = "registration"
    RENEWAL = "renewal"


class Audience(StrEnum):
    """Who sees a finding besides staff and auditors."""

    EMPLOYER = "employer"
    STAFF = "staff"


class ParameterUsed(BaseModel):
    """A value of the rule pack that a finding rests on, with where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: bool | int | str
    unit: str | None = None
    reference: str
    status: str


class Finding(BaseModel):
    """What one rule found: codes, the names of the facts it looked at and the parameters it used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    outcome: FindingOutcome
    source: str
    audience: Audience
    fields: tuple[str, ...] = ()
    parameters: tuple[ParameterUsed, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the rule has nothing to say against the registration."""
        return self.outcome is FindingOutcome.PASS


def outcome_of(findings: Iterable[Finding]) -> AssessmentOutcome:
    """Return what findings amount to (states.md, section 1): a missing one first, then any that did not pass."""
    return amount_to({finding.outcome for finding in findings})


def amount_to(outcomes: Set[str]) -> AssessmentOutcome:
    """Return what findings of these outcomes amount to."""
    if FindingOutcome.MISSING in outcomes:
        return AssessmentOutcome.INCOMPLETE
    return AssessmentOutcome.NEEDS_OFFICER if outcomes - {FindingOutcome.PASS} else AssessmentOutcome.CLEAR


def to_be_mended(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what an employer is asked to mend in one list (R4): all that is missing, and what it fails in and sees."""
    return tuple(
        finding
        for finding in findings
        if finding.outcome is FindingOutcome.MISSING
        or (finding.outcome is FindingOutcome.FAIL and finding.audience is Audience.EMPLOYER)
    )


def seen_by(findings: Iterable[Finding], audience: Audience) -> tuple[Finding, ...]:
    """Return the findings that a reader sees: staff all, an employer those meant for it."""
    return tuple(f for f in findings if audience is Audience.STAFF or f.audience is Audience.EMPLOYER)
