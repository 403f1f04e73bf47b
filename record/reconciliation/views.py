"""What auditors are shown of a comparison; the order of members is the order in which they are answered."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from cases.case.view import moment
from cases.shared.views import Coded, Time
from domain.errors import need
from domain.languages import Language
from record.reconciliation.evidence import Difference, Evidence
from store.rows.archive import DifferenceRow
from texts.story import difference_sentence


@dataclass(frozen=True, kw_only=True)
class DifferenceView:
    """A place where two records do not agree."""

    code: str
    says: Annotated[str, Field(description="In the caller's language.")]
    place: Annotated[dict[str, str | int], Coded(dict[str, Any])]
    expected: str | None
    found: str | None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How much of each record was compared."""

    ledger_rows: int
    runs: int
    archived_runs: int
    events: int
    answers: int
    commands: int
    personal_data: bool


@dataclass(frozen=True, kw_only=True)
class ReconciliationView:
    """What the comparison of a case's records came to."""

    reference: str
    at: Time
    complete: Annotated[bool, Field(description="False while Temporal does not answer.")]
    compared: Annotated[Compared, Coded(dict[str, Any]), Field(description="How much of each record was compared.")]
    differences: list[DifferenceView]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Of which case, and when it was seen first and last."""

    reference: Annotated[str, Field(description="The case, or `seal` where it is of the seal and of no single case.")]
    first_seen_at: Time
    last_seen_at: Time


@dataclass(frozen=True, kw_only=True)
class KeptDifference(DifferenceView, Seen):
    """A difference that a nightly round found and that still stands."""


def difference_view(each: Difference, language: Language) -> DifferenceView:
    """Return a difference as an auditor sees it."""
    says = difference_sentence(each.code, language)
    return DifferenceView(code=each.code, says=says, place=dict(each.place), expected=each.expected, found=each.found)


def kept_difference(row: DifferenceRow, language: Language) -> KeptDifference:
    """Return a difference that is kept as an auditor sees it."""
    return KeptDifference(
        reference=row.reference,
        first_seen_at=need(moment(row.first_seen_at), "first_seen_at"),
        last_seen_at=need(moment(row.last_seen_at), "last_seen_at"),
        code=row.code,
        says=difference_sentence(row.code, language),
        place=row.place,
        expected=row.expected,
        found=row.found,
    )


def compared(evidence: Evidence) -> Compared:
    """Return how much of each record of a case was compared."""
    record = evidence.record
    return Compared(
        ledger_rows=len(record.ledger),
        runs=len(record.runs),
        archived_runs=sum(1 for run in record.runs if run.archived is not None),
        events=sum(len(run.events) for run in record.runs),
        answers=len(evidence.answers),
        commands=len(evidence.commands),
        personal_data=evidence.contents is not None,
    )
