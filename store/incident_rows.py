"""Incidents as they are opened, and as operators read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import Insert, insert

from store.rows.work import IncidentRow
from store.tables import incidents

_LONGEST_REASON: Final = 200
_OPENED: Final = (
    "incident_id", "reference", "employer_id", "kind", "step", "reason", "place", "correlation_id", "times", "state",
    "at",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class IncidentRead(IncidentRow):
    """An incident with the id of its cause, which PostgreSQL derives."""

    cause_id: UUID


class CauseLine(NamedTuple):
    """All open incidents of a cause, counted: what they have in common, and the first few of their cases."""

    cause_id: UUID
    kind: str
    step: str
    reason: str
    place: str
    incidents: int
    cases: int
    times: int
    resuming: int
    still_wrong: int
    since: datetime
    last_at: datetime
    first_references: list[str] | None


def new_incident(
    at: datetime,
    *,
    kind: str,
    step: str,
    reason: str,
    reference: str | None = None,
    employer_id: str | None = None,
    place: str | None = None,
    incident_id: UUID | None = None,
) -> IncidentRow:
    """Return an incident to open, with the beginning of its reason; one that may come twice is told by its id."""
    return IncidentRow(
        incident_id=incident_id or uuid4(),
        reference=reference,
        employer_id=employer_id,
        kind=kind,
        step=step,
        reason=reason[:_LONGEST_REASON],
        place=place,
        state="open",
        at=at,
    )


def opening(rows: Sequence[IncidentRow]) -> Insert:
    """Return the statement that opens incidents; what is to become of one that is there already, its caller adds."""
    return insert(incidents).values([{name: getattr(row, name) for name in _OPENED} for row in rows])
