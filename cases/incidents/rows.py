"""Lines for the operator: those that a step writes with what it does to a case, and those that count repeats."""

from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.incidents import Healed
from store.incident_rows import new_incident
from store.tables import incidents

if TYPE_CHECKING:
    from cases.case.file import CaseFile

# Whatever else is wrong with the case, its two plain columns are all that is read of it.
_COUNT: Final = text("""
    INSERT INTO incidents AS i
        (incident_id, reference, employer_id, kind, step, reason, place, correlation_id, state, at, times, last_at)
    SELECT :incident_id, r.reference, r.employer_id, :kind, :step, :reason, :place, :correlation_id, 'open',
        :at, :times, :at
    FROM (SELECT) one LEFT JOIN cases r ON r.reference = :reference
    ON CONFLICT (kind, step, reason, coalesce(place, ''), coalesce(reference, ''))
        WHERE state = 'open' AND (kind = 'defect' OR kind = 'workflow_ended' OR reason = 'signature_invalid')
    DO UPDATE SET times = i.times + excluded.times, last_at = excluded.last_at, correlation_id = excluded.correlation_id
    RETURNING i.incident_id
""")


def note(
    file: "CaseFile",
    at: datetime,
    *,
    kind: str,
    step: str,
    reason: str,
    place: str | None = None,
    incident_id: UUID | None = None,
) -> UUID:
    """Open an incident on a case and return its id."""
    opened = new_incident(
        at,
        kind=kind,
        step=step,
        reason=reason,
        reference=file.reference,
        employer_id=file.employer_id,
        place=place,
        incident_id=incident_id,
    )
    file.add_row("incidents", opened)
    return opened.incident_id


async def count(
    connection: AsyncConnection,
    at: datetime,
    *,
    kind: str,
    step: str,
    reason: str,
    reference: str | None = None,
    place: str | None = None,
    correlation_id: str | None = None,
    times: int = 1,
) -> UUID:
    """Open an incident, or count it with the open one of the same; return its id."""
    values = {
        "incident_id": uuid4(),
        "reference": reference,
        "kind": kind,
        "step": step,
        "reason": reason[:200],
        "place": place,
        "correlation_id": correlation_id,
        "at": at,
        "times": times,
    }
    found: UUID = (await connection.execute(_COUNT, values)).scalar_one()
    return found


async def end(connection: AsyncConnection, at: datetime, why: Healed, by: str, *which: ColumnElement[bool]) -> int:
    """Close open incidents that have healed by themselves, and return how many; what an operator closed stays so.

    Args:
        connection: a transaction.
        at: when.
        why: what it is that has healed.
        by: the step that saw it.
        which: conditions on columns of `incidents`.
    """
    healed = {"state": "ended", "closed_reason": why.value, "resumed_at": at, "resumed_by": by}
    closed = update(incidents).where(incidents.c.state == "open", *which)
    return (await connection.execute(closed.values(**healed, resume_asked_at=None, resume_asked_by=None))).rowcount
