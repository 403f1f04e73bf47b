"""The archive of histories: what Temporal recorded, kept under keys of its own with its hash in the ledger."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import exists, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.calendar import set_cursor
from cases.shared.context import Context
from domain.actors import system
from domain.acts import Act
from domain.case_types import reference_of
from domain.errors import Defect
from domain.spellings import Cursor
from record import archive_incidents
from store.encryption import open_kept, seal_kept
from store.ledger import Entry, append_each
from store.rows.archive import ArchivedRow
from store.tables import archived_histories, cases, cursors
from temporal.histories import Run, RunHistory, events_of

_CURSOR: Final = Cursor.ARCHIVE
_TABLE, _COLUMN = "archived_histories", "content"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Archived:
    """One kept run: what the row says of it, and its content as it was sealed."""

    run: Run
    events: int
    sha256: bytes
    key_id: str
    content: bytes = field(repr=False)

    def open(self, context: Context) -> bytes:
        """Return the history in its written form.

        Raises:
            Defect: when the content was altered, moved from another place or replaced.
        """
        place = _place(self.run)
        sealed = open_kept(context.keyring.archive, self.key_id, _TABLE, _COLUMN, place, self.content)
        plain = zlib.decompress(sealed)
        if hashlib.sha256(plain).digest() != self.sha256 or len(events_of(plain)) != self.events:
            raise Defect("archived_history_altered")
        return plain


async def find_cursor(context: Context) -> datetime | None:
    """Return the time of closing up to which runs were looked at."""
    query = select(cursors.c.value).where(cursors.c.name == _CURSOR)
    async with context.database.begin() as connection:
        value = (await connection.execute(query)).scalar_one_or_none()
    return datetime.fromisoformat(value) if value is not None else None


async def move_cursor(context: Context, to: datetime) -> None:
    """Move the cursor behind runs that are archived."""
    async with context.database.begin() as connection:
        await set_cursor(connection, _CURSOR, to.isoformat(), context.clock())


async def find_unarchived(context: Context, runs: Sequence[Run]) -> list[Run]:
    """Return those of the runs that the archive does not have."""
    if not runs:
        return []
    a = archived_histories.c
    keys = [(run.workflow_id, run.run_id) for run in runs]
    query = select(a.workflow_id, a.run_id).where(tuple_(a.workflow_id, a.run_id).in_(keys))
    async with context.database.begin() as connection:
        known = {(row.workflow_id, row.run_id) for row in await connection.execute(query)}
    return [run for run in runs if (run.workflow_id, run.run_id) not in known]


async def find_unfollowed(context: Context, most: int = 500) -> list[Key]:
    """Return runs of workflows that are no case which an archived run went on as, and which the archive lacks."""
    a, following = archived_histories.alias("a"), archived_histories.alias("following")
    is_there = exists().where(following.c.workflow_id == a.c.workflow_id, following.c.run_id == a.c.next_run_id)
    query = (
        select(a.c.workflow_id, a.c.next_run_id)
        .where(a.c.reference.is_(None), a.c.next_run_id.is_not(None), ~is_there)
        .limit(most)
    )
    async with context.database.begin() as connection:
        return [(row.workflow_id, row.next_run_id) for row in await connection.execute(query)]


async def archive(context: Context, histories: Sequence[RunHistory]) -> int:
    """Keep histories of closed runs with their ledger rows, in one transaction; return how many were new."""
    at = context.clock()
    async with context.database.begin() as connection:
        # Locks the cases, whose chains get a row each, and shows whoever waits for one that its chain has grown.
        employers = await _touch(connection, [ref for h in histories if (ref := reference_of(h.run.workflow_id))])
        rows = {_key(history.run): _row(context, history, employers) for history in histories}
        if not rows:
            return 0
        a = archived_histories
        statement = insert(a).values([row.document() for row in rows.values()]).on_conflict_do_nothing()
        added = await connection.execute(statement.returning(a.c.workflow_id, a.c.run_id))
        new = {(row.workflow_id, row.run_id) for row in added}
        entries: dict[str, list[Entry]] = {}
        for key, row in rows.items():
            if key in new:
                chain = row.reference or f"workflow/{row.workflow_id}"
                entries.setdefault(chain, []).append(_entry(row, employers, at))
        if entries:
            await append_each(connection, entries)
        await archive_incidents.end(connection, new, at)
    return len(new)


async def archived_runs(connection: AsyncConnection, reference: str) -> list[Archived]:
    """Return the kept runs of a case, the first one first."""
    a = archived_histories.c
    query = select(archived_histories).where(a.reference == reference).order_by(a.started_at, a.run_id)
    return [archived(row) for row in ArchivedRow.all_of(await connection.execute(query))]


def archived(row: ArchivedRow) -> Archived:
    """Return a row of the archive."""
    run = Run(
        workflow_id=row.workflow_id,
        run_id=row.run_id,
        workflow_type=row.workflow_type,
        status=row.status,
        started_at=row.started_at,
        closed_at=row.closed_at,
    )
    return Archived(run, row.events, row.sha256, row.key_id, row.content)


async def _touch(connection: AsyncConnection, references: Sequence[str]) -> dict[str, str]:
    """Lock cases, count their versions up, and return the employer of each."""
    if not references:
        return {}
    r = cases
    statement = update(r).where(r.c.reference.in_(set(references))).values(version=r.c.version + 1)
    rows = await connection.execute(statement.returning(r.c.reference, r.c.employer_id))
    return {row.reference: row.employer_id for row in rows}


def _row(context: Context, history: RunHistory, employers: Mapping[str, str]) -> ArchivedRow:
    run, keys = history.run, context.keyring.archive
    if run.closed_at is None:
        raise Defect("open_run_is_not_archived")
    reference = reference_of(run.workflow_id)
    events = history.events
    packed = zlib.compress(history.content, 9)
    return ArchivedRow(
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        workflow_type=run.workflow_type,
        reference=reference if reference in employers else None,
        started_at=run.started_at,
        closed_at=run.closed_at,
        status=run.status,
        events=len(events),
        next_run_id=_next_run(events),
        sha256=history.sha256,
        key_id=keys.current,
        content=seal_kept(keys, _TABLE, _COLUMN, _place(run), packed),
    )


def _entry(row: ArchivedRow, employers: Mapping[str, str], at: datetime) -> Entry:
    return Entry(
        act=Act.HISTORY_ARCHIVED,
        actor=system("archive_histories"),
        at=at,
        reference=row.reference,
        employer_id=employers.get(row.reference) if row.reference else None,
        detail={
            "workflow": row.workflow_id,
            "run": row.run_id,
            "status": row.status,
            "events": row.events,
            "sha256": row.sha256.hex(),
            "closed_at": row.closed_at.isoformat(),
        },
    )


def _next_run(events: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the run that a run went on as, from its last event."""
    for name, attributes in (events[-1] if events else {}).items():
        if name.endswith("Attributes") and isinstance(attributes, dict):
            run_id = attributes.get("newExecutionRunId")
            return str(run_id) if run_id else None
    return None


def _key(run: Run) -> Key:
    return run.workflow_id, run.run_id


def _place(run: Run) -> str:
    return f"{run.workflow_id}/{run.run_id}"
