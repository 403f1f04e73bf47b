"""Incidents: what stopped for a defect or needs an operator's eye, and how it goes on (R31)."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import structlog
from sqlalchemy import and_, insert, or_, select, tuple_, update

from cases import commands
from cases.case_file import load_case, open_case
from cases.context import Context
from cases.idempotency import Idempotency, Reply, find_known, remember
from cases.incident_rows import note
from cases.keys import add_data_key
from cases.view import moment
from domain.actors import Actor, system
from domain.acts import Act
from domain.commands import CommandKind
from domain.errors import Refused, Unavailable
from domain.messages import Origin
from domain.tasks import Queue, TaskKind, TaskState
from store.case_rows import Row
from store.ledger import Entry, append
from store.tables import incidents, registrations, tasks

Position = tuple[datetime, str]
_log = structlog.get_logger(__name__)
# One stop of a case is one incident, however often the step that opens it runs.
_STUCK: Final = UUID("8c0c2f60-6d0b-4d8e-9b52-6a2a4c0f3d11")


async def open_incident(
    context: Context, reference: str, step: str, reason: str, at: datetime, origin: Origin | None = None
) -> str:
    """Put a case that cannot go on before the operator; return the incident's id, the open one where there is one.

    A repeat whose first try was committed, and its incident perhaps closed since, changes nothing. A case whose rows
    cannot be read back, such as those of a date that no calendar has, is put there without being read.

    Raises:
        Refused: as `open_case`.
        Unavailable: when PostgreSQL is away.
    """
    incident_id = uuid5(_STUCK, f"{reference}/{step}/{at.astimezone(UTC).isoformat()}")
    try:
        return await _open_with_case(context, reference, step, reason, at, origin, incident_id)
    except (Refused, Unavailable):
        raise
    except Exception as error:  # noqa: BLE001 - whatever keeps the case from being read is what the operator must see
        _log.error("incident_beside_case", reference=reference, error=type(error).__name__)
        return await _open_beside_case(context, reference, step, reason, at, origin, incident_id)


async def _open_with_case(
    context: Context, reference: str, step: str, reason: str, at: datetime, origin: Origin | None, incident_id: UUID
) -> str:
    async with open_case(context, reference, origin=origin) as (file, connection):
        known = next((row for row in file.row["incidents"] if row["kind"] == "stuck"), None)
        if known is not None:
            return str(known["incident_id"])
        if (await connection.execute(select(1).where(incidents.c.incident_id == incident_id))).first() is not None:
            return str(incident_id)
        note(file, at, kind="stuck", step=step, reason=reason, incident_id=incident_id)
        detail = {"step": step, "reason": reason[:200], "incident_id": str(incident_id)}
        file.open_task(TaskKind.STUCK, at, queue=Queue.OPERATORS, detail=detail)
        file.record(Act.INCIDENT_OPENED, system(step), at, step=step)
    return str(incident_id)


async def _open_beside_case(
    context: Context, reference: str, step: str, reason: str, at: datetime, origin: Origin | None, incident_id: UUID
) -> str:
    """Write the incident, its task and its ledger row with no more of the case than its reference, stage and round."""
    r, i = registrations.c, incidents.c
    async with context.database.begin(case=reference) as connection:
        query = select(r.reference, r.employer_id, r.stage, r.round).where(r.reference == reference).with_for_update()
        case = dict((await connection.execute(query)).mappings().one())
        stands = and_(i.reference == reference, i.kind == "stuck", i.state == "open")
        known = select(i.incident_id).where(or_(i.incident_id == incident_id, stands))
        if (found := (await connection.execute(known)).scalars().first()) is not None:
            return str(found)
        about = {"reference": reference, "employer_id": case["employer_id"]}
        line = {"incident_id": incident_id, "kind": "stuck", "step": step, "reason": reason[:200], "state": "open"}
        await connection.execute(insert(incidents).values(**about, **line, at=at))
        task = {
            "task_id": uuid4(),
            "kind": TaskKind.STUCK.value,
            "round": case["round"],
            "state": TaskState.OPEN.value,
            "queue": Queue.OPERATORS.value,
            "opened_at": at,
            "detail": {"step": step, "reason": reason[:200], "incident_id": str(incident_id)},
        }
        await connection.execute(insert(tasks).values(**about, **task))
        detail = {"stage": case["stage"], "round": case["round"], "step": step}
        entry = Entry(Act.INCIDENT_OPENED, system(step), at, **about, detail=detail, origin=origin)
        await append(connection, reference, [entry])
    return str(incident_id)


async def list_incidents(
    context: Context, actor: Actor, after: Position | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], Position | None]:
    """Return a page of open incidents, the oldest first."""
    i = incidents.c
    query = select(incidents).where(i.state == "open").order_by(i.at, i.incident_id).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(i.at, i.incident_id) > tuple_(after[0], UUID(after[1])))
    async with context.database.begin(actor.tenant) as connection:
        rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    page = rows[:limit]
    position = (page[-1]["at"], str(page[-1]["incident_id"])) if len(rows) > limit else None
    return [incident_view(row) for row in page], position


async def resume(
    context: Context, actor: Actor, incident_id: UUID, idempotency: Idempotency
) -> tuple[Reply, str | None, UUID | None]:
    """Let a case go on; return the answer, and the case and command that its workflow has to hear of."""
    at = context.clock()
    async with context.database.begin() as connection:
        known = await find_known(context, connection, actor, idempotency)
        if known is not None and known.reply is not None:
            return known.reply, known.reference, known.command_id
        query = select(incidents).where(incidents.c.incident_id == incident_id).with_for_update()
        row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise Refused("not_found", "There is no incident of this id.")
        if row["state"] != "open":
            raise Refused("already_decided", "The incident is closed.")
        closed = {"state": "resumed", "resumed_at": at, "resumed_by": f"{actor.issuer} {actor.subject}"}
        await connection.execute(update(incidents).where(incidents.c.incident_id == incident_id).values(**closed))
        reply = Reply(200, incident_view({**row, **closed}))
        command_id = None
        if row["reference"] is not None and row["kind"] == "stuck":
            file = await load_case(context, connection, row["reference"], lock=True)
            command_id = commands.store(file, actor, CommandKind.RESUME, None, at)
            await file.save(connection)
            key = file.person_key
        else:
            key = await add_data_key(context, connection)
        await remember(
            context, connection, actor, idempotency, reference=row["reference"], command_id=command_id, reply=reply,
            key=key,
        )  # fmt: skip
    return reply, row["reference"], command_id


def incident_view(row: Row) -> dict[str, Any]:
    """Return an incident as an operator sees it: codes, never personal data."""
    return {
        "id": str(row["incident_id"]),
        "kind": row["kind"],
        "reference": row["reference"],
        "step": row["step"],
        "reason": row["reason"],
        "state": row["state"],
        "at": moment(row["at"]),
        "resumed_at": moment(row["resumed_at"]),
    }
