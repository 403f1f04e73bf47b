"""Evidence as it is shown: with a case in codes, and opened for a purpose in clear."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from cases.case.evidence import evidence_of
from cases.case.row import OneCase
from cases.case.view import shown_at
from cases.case.views import view
from domain.evidence import EvidenceResult, EvidenceState
from store.rows.evidence import EvidenceRow

_SHOWN: Final = Field(description="What proves which item, and what came of it; in clear at its own address.")


@view
class EvidenceView:
    """A piece of evidence as every reader of the case sees it, without its content."""

    evidence_id: int
    item: str
    kind: str
    state: EvidenceState
    round: int
    given_at: datetime
    result: Annotated[EvidenceResult | None, Field(description="Null until an officer has seen it.")]
    seen_at: datetime | None
    fallen_at: datetime | None
    fallen_for: Annotated[tuple[str, ...], Field(description="Reasons of use L.")]
    source_programme: Annotated[str | None, Field(description="In which programme it was verified that it is from.")]


@view
class EvidenceShown:
    """What a case shows of its evidence, for programmes that declare some, in a class below this one."""

    evidence: Annotated[tuple[EvidenceView, ...], _SHOWN]


@view
class OpenedEvidenceView(EvidenceView):
    """A piece of evidence in clear, and what an officer said of it."""

    issuer: str
    number: str | None
    date: date
    value: Annotated[Any, Field(description="What it is to prove.")]
    proved: Annotated[Any, Field(description="What it proves, where its item has a value.")]
    seen_in: str | None
    notes: Annotated[tuple[str | None, ...], Field(description="Of the reasons for which it fell, in their order.")]
    note: Annotated[str | None, Field(description="Of who saw it; for staff and auditors.")] = None
    seen_by: Annotated[tuple[str, ...], Field(description="Who said something of it; for staff and auditors.")] = ()
    source_reference: Annotated[
        str | None, Field(description="The case that it was taken over from; for staff, auditors and the person.")
    ] = None
    source_evidence: Annotated[int | None, Field(description="Its number there; 0 for what no piece says.")] = None


def evidence_views(case: OneCase) -> tuple[EvidenceView, ...]:
    """Return the evidence of a case, the first piece first."""
    return tuple(evidence_view(case, row) for row in evidence_of(case))


def evidence_view(case: OneCase, row: EvidenceRow) -> EvidenceView:
    """Return a piece of evidence as every reader of its case sees it."""
    return EvidenceView(
        evidence_id=row.evidence_id,
        item=row.item,
        kind=row.kind,
        state=EvidenceState(row.state),
        round=row.round,
        given_at=shown_at(row.given_at),
        result=None if row.result is None else EvidenceResult(row.result),
        seen_at=None if row.seen_at is None else shown_at(row.seen_at),
        fallen_at=None if row.fallen_at is None else shown_at(row.fallen_at),
        fallen_for=tuple(row.fallen_for),
        source_programme=_programme_of(case, row.source_reference),
    )


def _programme_of(case: OneCase, reference: str | None) -> str | None:
    """Return the programme whose references begin as this one does."""
    found = (code for code, each in case.context.programmes.items() if (reference or "").startswith(f"{each.prefix}-"))
    return next(found, None)
