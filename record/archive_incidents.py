"""Runs that cannot be archived, or are missing from the archive, put before the operator by the run's id."""

from collections.abc import Iterable
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.incidents import rows
from cases.shared.context import Context
from domain.case_types import reference_of
from domain.incidents import Healed, IncidentKind
from store.incident_rows import new_incident, opening
from store.tables import cases, incidents
from temporal.histories import Run

KIND = IncidentKind.HISTORY_MISSING.value


async def note_unreadable(context: Context, run: Run) -> None:
    """Show a run whose payloads cannot be decoded."""
    await note(context, run.workflow_id, run.run_id, "unreadable")


async def note(context: Context, workflow_id: str, run_id: str, why: str) -> None:
    """Open an incident that names a run, once for each run; while it is open, it says the last reason given.

    One that was closed as archived is open again: what was archived is not there any more.
    """
    at, reference = context.clock(), reference_of(workflow_id)
    r = cases.c
    async with context.database.begin() as connection:
        employer = None
        if reference is not None:
            query = cases.select().with_only_columns(r.employer_id).where(r.reference == reference)
            employer = (await connection.execute(query)).scalar_one_or_none()
        opened = new_incident(
            at,
            kind=KIND,
            step=workflow_id,
            reason=f"{run_id} {why}",
            reference=reference if employer is not None else None,
            employer_id=employer,
            incident_id=_incident_id(workflow_id, run_id),
        )
        statement = opening([opened])
        i = incidents.c
        said = {"reason": statement.excluded.reason, "state": "open", "closed_reason": None}
        said |= {"resumed_at": None, "resumed_by": None}
        is_ours = i.state.in_(("open", "ended"))
        await connection.execute(
            statement.on_conflict_do_update(index_elements=[i.incident_id], set_=said, where=is_ours)
        )


async def end(connection: AsyncConnection, runs: Iterable[tuple[str, str]], at: datetime) -> None:
    """Close the lines of runs, by workflow and run, that are archived now."""
    ids = [_incident_id(workflow_id, run_id) for workflow_id, run_id in runs]
    if ids:
        which = incidents.c.incident_id.in_(ids)
        await rows.end(connection, at, Healed.ARCHIVED, "archive_histories", which)


def _incident_id(workflow_id: str, run_id: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"{KIND}/{workflow_id}/{run_id}")
