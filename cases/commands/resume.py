"""Letting cases go on after an incident: one, or all of one cause, those in the background and at a pace (R31)."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import load_case
from cases.commands import store as commands
from cases.incidents import causes
from cases.incidents.views import cause_resumed, incident_view
from cases.keys.data import add_data_key
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.views import document
from domain.actors import Actor
from domain.commands import CommandKind
from domain.errors import Defect, Refused, Unavailable
from domain.incidents import IncidentKind
from domain.languages import Language
from store.database import is_passing
from store.encryption import DataKey
from store.incident_rows import IncidentRead
from store.rows.work import IncidentRow
from store.tables import incidents
from temporal.telemetry import place_of

_EVERY: Final = 1.0
_AWAY: Final = 5.0
# Cases a second and worker: a resumed case does at once what it could not do, and is one of many others.
_AT_ONCE: Final = 10
_NEXT: Final = text("""
    SELECT incident_id, reference FROM incidents WHERE state = 'open' AND resume_asked_at IS NOT NULL
    ORDER BY resume_asked_at, incident_id LIMIT :most
""")
_STILL: Final = text("""
    UPDATE incidents SET still_wrong = :what, resume_asked_at = NULL, resume_asked_by = NULL
    WHERE incident_id = :incident_id AND state = 'open' AND resume_asked_at IS NOT NULL
""")
_log = structlog.get_logger(__name__)


class Nudging(Protocol):
    """The part of the engine that is needed here."""

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        """Tell a case of a stored command."""
        ...


async def resume(
    context: Context, actor: Actor, incident_id: UUID, idempotency: Idempotency
) -> tuple[Reply, str | None, UUID | None]:
    """Let a case go on; return the answer, and the case and command that its workflow has to hear of.

    Raises:
        Refused: `not_found`, `already_decided`; `still_broken` where the case cannot be read or written yet.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        query = select(incidents).where(incidents.c.incident_id == incident_id).with_for_update()
        found = (await connection.execute(query)).one_or_none()
        if found is None:
            raise Refused("not_found", "There is no incident of this id.")
        row = IncidentRead.from_row(found)
        if row.state != "open":
            raise Refused("already_decided", "The incident is closed.")
        closed = _closed(actor, at)
        await connection.execute(update(incidents).where(incidents.c.incident_id == incident_id).values(**closed))
        row.change(**closed)
        reply = Reply(Progress.APPLIED, document(incident_view(row)))
        command_id = None
        if row.reference is not None and row.kind == IncidentKind.STUCK.value:
            command_id, key = await _go_on(context, connection, row.reference, actor, at)
        else:
            key = await add_data_key(context, connection)
        return Done(reply, key, row.reference, command_id)

    done = await once(context, actor, idempotency, write)
    return done.reply, done.reference, done.command_id


async def resume_cause(
    context: Context, actor: Actor, cause_id: UUID, idempotency: Idempotency, language: Language
) -> Reply:
    """Close all open incidents of a cause, or have their cases go on where they are stuck; say how many.

    Lines that no case waits for are closed at once (200). Cases are taken one after the other by the worker (202): what
    was asked stands in their rows, so that it outlives every process.

    Raises:
        Refused: `not_found` where nothing of it is open.
    """
    i = incidents.c
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        line = await causes.find_cause(connection, cause_id)
        which = (i.cause_id == cause_id, i.state == "open")
        waits = i.reference.is_not(None) & (i.kind == IncidentKind.STUCK.value)
        asked = {"resume_asked_at": at, "resume_asked_by": actor.model_dump(mode="json"), "still_wrong": None}
        closed = await connection.execute(update(incidents).where(*which, ~waits).values(**_closed(actor, at)))
        taken = await connection.execute(
            update(incidents).where(*which, waits, i.resume_asked_at.is_(None)).values(**asked)
        )
        line = line._replace(still_wrong=0, resuming=line.resuming + taken.rowcount)
        shown = cause_resumed(line, language, closed=closed.rowcount)
        reply = Reply(Progress.STORED if line.resuming else Progress.APPLIED, document(shown))
        return Done(reply, await add_data_key(context, connection))

    return (await once(context, actor, idempotency, write)).reply


async def resume_next(context: Context, engine: Nudging, *, most: int = _AT_ONCE) -> int:
    """Let the next cases go on that operators asked for, and return how many were looked at.

    Two workers may look at the same: the second finds it done. One that is still broken is left open and says why.
    """
    async with context.database.statement() as connection:
        found = list(await connection.execute(_NEXT, {"most": most}))
    for row in found:
        command_id = await _resume_asked(context, row.incident_id, row.reference)
        if command_id is not None:
            # Where Temporal is away the sweeper sends it.
            await engine.nudge(row.reference, str(command_id), is_resume=True)
    return len(found)


async def keep_resuming(
    context: Context, engine: Nudging, *, is_stopping: Callable[[], bool], every: float = _EVERY
) -> None:
    """Let cases go on until the worker stops; PostgreSQL away is waited out."""
    while not is_stopping():
        pause = every
        try:
            await resume_next(context, engine)
        except Unavailable:
            pause = _AWAY
        except Exception as error:  # noqa: BLE001 - whatever one round met, others wait
            _log.error("resuming_failed", error=type(error).__name__)
            pause = _AWAY
        await asyncio.sleep(pause)


async def _resume_asked(context: Context, incident_id: UUID, reference: str) -> UUID | None:
    """Let one case go on; None where somebody else did, or where it is still broken."""
    at, i = context.clock(), incidents.c
    try:
        # The case is locked first, as by every step that writes it.
        async with context.database.begin(case=reference) as connection:
            asked = select(incidents).where(i.incident_id == incident_id, i.state == "open").with_for_update()
            found = (await connection.execute(asked)).one_or_none()
            row = None if found is None else IncidentRow.from_row(found)
            if row is None or row.resume_asked_by is None:
                return None
            actor = Actor.model_validate(row.resume_asked_by)
            closed = {**_closed(actor, at), "resume_asked_at": None, "resume_asked_by": None}
            await connection.execute(update(incidents).where(i.incident_id == incident_id).values(**closed))
            command_id, _ = await _go_on(context, connection, reference, actor, at)
    except Refused as refused:
        what = " ".join(str(refused.facts.get(name, "")) for name in ("reason", "place")).strip() or refused.code
        async with context.database.begin() as connection:
            await connection.execute(_STILL, {"incident_id": incident_id, "what": what[:200]})
        _log.warning("still_broken", reference=reference, what=what)
        return None
    return command_id


async def _go_on(
    context: Context, connection: AsyncConnection, reference: str, actor: Actor, at: datetime
) -> tuple[UUID, DataKey]:
    """Store the command by which a case goes on; its facts are opened, which its next step cannot do without.

    Raises:
        Refused: `still_broken` with what is wrong and where it was met.
    """
    try:
        file = await load_case(context, connection, reference, lock=True)
        key, _ = file.person_key, file.application
        command_id = commands.store(file, actor, CommandKind.RESUME, None, at)
        await file.save(connection)
    except (Refused, Unavailable):
        raise
    except DBAPIError as error:
        if is_passing(error):
            raise
        raise _still_broken(error) from error
    except Exception as error:
        raise _still_broken(error) from error
    return command_id, key


def _still_broken(error: Exception) -> Refused:
    reason = error.reason if isinstance(error, Defect) else type(error).__name__
    return Refused("still_broken", facts={"reason": reason, "place": place_of(error)})


def _closed(actor: Actor, at: datetime) -> dict[str, Any]:
    return {"state": "resumed", "resumed_at": at, "resumed_by": f"{actor.issuer} {actor.subject}"}
