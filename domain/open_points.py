"""What an employer is asked to mend: one point for each finding or reason, with the fields that it is about."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from domain.decisions import GivenReason
from domain.findings import Finding, FindingOutcome
from domain.forms import Form, find_path


class OpenPoint(BaseModel):
    """One thing to mend, as codes; the officer's note is kept apart from it.

    A code is a finding's where `outcome` says what the rule made of it, and else a reason's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    outcome: FindingOutcome | None = None
    fields: tuple[str, ...] = ()


def points_of_findings(findings: Iterable[Finding]) -> tuple[OpenPoint, ...]:
    """Return the points that an assessment names."""
    return tuple(OpenPoint(code=each.code, outcome=each.outcome, fields=each.fields) for each in findings)


def points_of_reasons(reasons: Iterable[GivenReason], forms: Iterable[type[Form]]) -> tuple[OpenPoint, ...]:
    """Return the points that an officer names, of a case with one of these forms."""
    known = tuple(forms)
    return tuple(OpenPoint(code=each.code, fields=fields_of(each, known)) for each in reasons)


def fields_of(reason: GivenReason, forms: Iterable[type[Form]]) -> tuple[str, ...]:
    """Return the whole path of what a reason is about; what was kept before paths were asked for is left out."""
    path = find_path(forms, reason.field) if reason.field else None
    return () if path is None else (path,)
