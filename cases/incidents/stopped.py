"""Incidents: what stopped for a defect or needs an operator's eye, and how it goes on (R31)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4, uuid5

from sqlalchemy import ColumnElement, Select, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from cases.case.file import open_case
from cases.incidents.rows import note
from cases.incidents.views import IncidentView, incident_view
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.actors import Actor, system
from domain.acts import Act
from domain.errors import Refused, Unavailable
from domain.messages import Origin
from domain.spellings import STUCK_INCIDENTS
from domain.stages import CLOSED, Stage
from domain.tasks import Queue, TaskKind
from store.incident_rows import IncidentRead, new_incident, opening
from store.ledger import Entry, append
from store.tables import cases, incidents, tasks


async def open_incident(
    context: Context,
    reference: str,
    step: str,
    reason: str,
    at: datetime,
    origin: Origin | None = None,
    *,
    place: str = "",
) -> str:
    """Put a case that cannot go on before the operator; return the incident's id, the open one where there is one.

    A repeat whose first try was committed, and its incident perhaps closed since, changes nothing. A case that cannot
    even be read is put there all the same.
    """
    # One stop of a case is one incident, however often the step that opens it runs.
    stop_id = uuid5(STUCK_INCIDENTS, f"{reference}/{step}/{at.astimezone(UTC).isoformat()}")
    stop = _Stop(stop_id, step, reason, place, at, origin)
    try:
        return await _stop_read(context, reference, stop)
    except (Refused, Unavailable):
        raise
    except Exception:  # noqa: BLE001 - whatever a row of the case does to its reader
        return await _stop_unread(context, reference, stop)


@dataclass(frozen=True, slots=True)
class _Stop:
    """One stop of a case."""

    incident_id: UUID
    step: str
    reason: str
    place: str
    at: datetime
    origin: Origin | None

    @property
    def detail(self) -> dict[str, str]:
        """What the task says."""
        return {"step": self.step, "reason": self.reason[:200], "incident_id": str(self.incident_id)}


async def _stop_read(context: Context, reference: str, stop: _Stop) -> str:
    async with open_case(context, reference, origin=stop.origin) as (file, connection):
        known = next((row for row in file.incidents if row.kind == "stuck"), None)
        if known is not None:
            return str(known.incident_id)
        if (await connection.execute(_known(stop.incident_id))).first() is not None:
            return str(stop.incident_id)
        note(
            file, stop.at, kind="stuck", step=stop.step, reason=stop.reason, place=stop.place,
            incident_id=stop.incident_id,
        )  # fmt: skip
        file.open_task(TaskKind.STUCK, stop.at, queue=Queue.OPERATORS, detail=stop.detail)
        file.record(Act.INCIDENT_OPENED, system(stop.step), stop.at, step=stop.step)
    return str(stop.incident_id)


async def _stop_unread(context: Context, reference: str, stop: _Stop) -> str:
    """Do the same by the plain columns of the register alone, where some other value cannot be read."""
    r = cases.c
    async with context.database.begin(case=reference) as connection:
        for query in (_stuck(reference), _known(stop.incident_id)):
            known = (await connection.execute(query)).scalar_one_or_none()
            if known is not None:
                return str(known)
        case = select(r.employer_id, r.stage, r.round).where(r.reference == reference)
        row = (await connection.execute(case)).one()
        about = {"reference": reference, "employer_id": row.employer_id}
        opened = new_incident(
            stop.at, kind="stuck", step=stop.step, reason=stop.reason, place=stop.place, incident_id=stop.incident_id,
            **about,
        )  # fmt: skip
        await connection.execute(opening([opened]))
        await connection.execute(
            insert(tasks)
            .values(
                **about, task_id=uuid4(), kind=TaskKind.STUCK.value, round=row.round, state="open",
                queue=Queue.OPERATORS.value, opened_at=stop.at, detail=stop.detail,
            )
            .on_conflict_do_nothing()
        )  # fmt: skip
        await connection.execute(update(cases).where(r.reference == reference).values(version=r.version + 1))
        entry = Entry(
            Act.INCIDENT_OPENED, system(stop.step), stop.at, **about,
            detail={"stage": row.stage, "round": row.round, "step": stop.step}, origin=stop.origin,
        )  # fmt: skip
        await append(connection, reference, [entry])
    return str(stop.incident_id)


def _stuck(reference: str) -> Select[tuple[UUID]]:
    i = incidents.c
    return select(i.incident_id).where(i.reference == reference, i.kind == "stuck", i.state == "open")


def _known(incident_id: UUID) -> Select[tuple[UUID]]:
    return select(incidents.c.incident_id).where(incidents.c.incident_id == incident_id)


async def list_incidents(
    context: Context, actor: Actor, after: Position | None = None, limit: int = 50
) -> tuple[list[IncidentView], Position | None]:
    """Return a page of open incidents, the oldest first."""
    return await page_of(context, actor, incidents.c.state == "open", after=after, limit=limit)


async def page_of(
    context: Context, actor: Actor, *which: ColumnElement[bool], after: Position | None, limit: int
) -> tuple[list[IncidentView], Position | None]:
    """Return a page of the incidents that meet conditions, the oldest first, and the position of the next one."""
    i = incidents.c
    query = select(incidents).where(*which).order_by(i.at, i.incident_id).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(i.at, i.incident_id) > tuple_(after[0], UUID(after[1])))
    async with context.database.begin(actor.tenant) as connection:
        rows = [IncidentRead.from_row(row) for row in await connection.execute(query)]
    page, position = cut(rows, limit, lambda row: (row.at, str(row.incident_id)))
    return [incident_view(row) for row in page], position


async def find_stuck(context: Context, reference: str) -> str | None:
    """Return the id of the open incident by which a case stands still."""
    async with context.database.begin() as connection:
        found = (await connection.execute(_stuck(reference))).scalar_one_or_none()
    return str(found) if found is not None else None


async def goes_on(context: Context, reference: str) -> bool:
    """Whether steps of a case still run.

    Raises:
        Refused: `case_unknown`.
    """
    r = cases.c
    async with context.database.begin() as connection:
        stage = (await connection.execute(select(r.stage).where(r.reference == reference))).scalar_one_or_none()
    if stage is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    return Stage(stage) not in CLOSED
