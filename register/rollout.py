"""The way of a standing to the employer's cases, and of one report for all to the authority."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol
from uuid import UUID, uuid4, uuid5

import structlog
from sqlalchemy import Select, Update, func, or_, select, tuple_, union, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.programme import LeavingReport, programmes_of
from cases.shared.context import Context
from cases.shared.lost_calls import OUTCOME, find_lost
from domain.actors import system
from domain.acts import Act
from domain.clock import day_of, start_of
from domain.commands import CommandKind, CommandState
from domain.errors import Defect
from domain.messages import StandingInput
from domain.parties import Party
from domain.stages import Standing
from register.standing import IN_FORCE
from store.incident_rows import new_incident, opening
from store.ledger import Entry, begin_chain, current_origin
from store.rows.authority import CallRow
from store.rows.people import StandingRow
from store.rows.work import CommandRow
from store.tables import calls, case_parties, cases, commands, employer_standings, ledger
from temporal.traces import current_traceparent

CHUNK: Final = 500
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of standing that holds from a day on."""

    change_id: UUID
    employer_id: str
    standing: Standing
    begins_at: datetime
    spread: bool


@dataclass(frozen=True, slots=True)
class DepartedList:
    """What the authority is told once for an employer that left the Park: the cases and the day, under one key."""

    key: str
    what: str
    on: date
    cases: tuple[str, ...]


async def get_change(context: Context, change_id: str) -> Change:
    """Return a change that is in force.

    Raises:
        Defect: when there is none of this id.
    """
    query = select(employer_standings).where(
        employer_standings.c.change_id == UUID(change_id), employer_standings.c.state == IN_FORCE
    )
    async with context.database.begin() as connection:
        row = StandingRow.one_of(await connection.execute(query))
    if row is None:
        raise Defect("standing_unknown")
    return Change(row.change_id, row.employer_id, Standing(row.standing), start_of(row.valid_from), row.spread)


async def find_change(context: Context, change_id: str) -> Change | None:
    """Return a change that is in force, or None: a restore of the register took it, or its second signature, away."""
    try:
        return await get_change(context, change_id)
    except Defect as defect:
        if defect.reason != "standing_unknown":
            raise
        _log.warning("standing_gone", change_id=change_id)
        return None


async def find_unspread(context: Context, at: datetime, limit: int = 100) -> list[str]:
    """Return the changes that hold by now and that not all cases have heard of, for the sweeper to start again."""
    query = (
        select(employer_standings.c.change_id)
        .where(
            employer_standings.c.state == IN_FORCE,
            employer_standings.c.spread.is_(False),
            employer_standings.c.valid_from <= day_of(at),
        )
        .order_by(employer_standings.c.at)
        .limit(limit)
    )
    async with context.database.statement() as connection:
        return [str(change_id) for change_id in (await connection.execute(query)).scalars()]


class Spreading(Protocol):
    """The part of the engine that starts the spreading of a change of standing."""

    async def start_standing(self, employer_id: str, standing: StandingInput, *, is_unspread: bool = False) -> bool:
        """Start spreading a change of standing."""


async def sweep_standings(context: Context, engine: Spreading) -> None:
    """Start spreading what holds by now and not all cases have heard of."""
    for change_id in await find_unspread(context, context.clock()):
        change = await get_change(context, change_id)
        standing = StandingInput(change_id=change_id, at=context.clock())
        await engine.start_standing(change.employer_id, standing, is_unspread=True)


async def spread_chunk(context: Context, change: Change, at: datetime, after: str) -> tuple[list[tuple[str, str]], str]:
    """Store a command for the next live cases of the employer; a command stored before is not stored again.

    A case is the employer's where it owns it, or where it has a part in it that hears of its standing.

    Returns:
        Reference and command id of each case of the chunk, and the reference the next chunk begins after, empty at
        the end.
    """
    live = select(cases.c.reference, cases.c.employer_id).where(cases.c.live, cases.c.reference > after)
    owned = live.where(cases.c.employer_id == change.employer_id)
    heard = live.where(cases.c.reference.in_(_with_a_part(context, change)))
    query = union(owned, heard).order_by("reference").limit(CHUNK)
    async with context.database.begin() as connection:
        found = (await connection.execute(query)).all()
        if not found:
            return [], ""
        asked = [(row.reference, str(uuid5(change.change_id, row.reference))) for row in found]
        # A command bears the owner that all rows of its case bear.
        owners = {row.reference: row.employer_id for row in found}
        rows = [_command(owners[reference], reference, command_id, at).filled() for reference, command_id in asked]
        statement = upsert(commands).values(rows)
        await connection.execute(statement.on_conflict_do_nothing(index_elements=[commands.c.command_id]))
    return asked, asked[-1][0]


def _with_a_part(context: Context, change: Change) -> Select[tuple[str]]:
    """Return the cases of others in which the employer has a part now that hears of its standing."""
    hearing = [
        (each.code, part.part.value)
        for each in programmes_of(context)
        for part in each.parts
        if part.hears and part.kind is Party.EMPLOYER
    ]
    p = case_parties.c
    return select(p.reference).where(
        p.tenant == change.employer_id,
        p.kind == Party.EMPLOYER.value,
        p.until.is_(None),
        tuple_(p.programme, p.part).in_(hearing),
    )


async def count_unapplied(context: Context, change: Change) -> int:
    """Return how many cases of the employer have not applied a standing they were told of."""
    theirs = or_(commands.c.employer_id == change.employer_id, commands.c.reference.in_(_with_a_part(context, change)))
    query = select(func.count()).where(
        theirs,
        commands.c.kind == CommandKind.STANDING.value,
        commands.c.state == CommandState.STORED.value,
    )
    async with context.database.begin() as connection:
        return int((await connection.execute(query)).scalar_one())


async def gather_departed(context: Context, report: LeavingReport, change: Change, at: datetime) -> DepartedList | None:
    """Write down once what the authority is to be told, and return it; None where it knows nothing that ends.

    The list is kept with the call, so that a repeat sends the same body under the same key.
    """
    key = f"{report.begins}/{change.employer_id}/{change.change_id}"
    async with context.database.begin() as connection:
        row = await _find_call(connection, key)
        if row is None:
            cases = await report.names(connection, change.employer_id)
            if not cases:
                return None
            due = CallRow(
                key=key,
                attempt=1,
                reference=None,
                employer_id=change.employer_id,
                destination=None,
                what=report.what,
                detail={"on": day_of(change.begins_at).isoformat(), "cases": list(cases)},
                state="due",
                at=at,
            )
            statement = upsert(calls).values(due.filled())
            await connection.execute(statement.on_conflict_do_nothing(index_elements=list(calls.primary_key)))
            row = await _find_call(connection, key)
    if row is None:
        raise Defect("call_missing")
    if row.state != "due":
        return None
    return DepartedList(key, row.what, date.fromisoformat(row.detail["on"]), tuple(row.detail["cases"]))


async def settle_report(
    context: Context, change: Change, departed: DepartedList, at: datetime, *, attempt: int = 1
) -> None:
    """Mark the report as taken."""
    async with context.database.begin() as connection:
        if (await connection.execute(_settled(departed.key, at, "done"))).rowcount == 1:
            answered = _report_entry(Act.CALL_ANSWERED, change, departed, at, "taken", attempt=attempt)
            await begin_chain(connection, f"call/{uuid4()}", [answered])


async def record_unanswered(
    context: Context, change: Change, departed: DepartedList, at: datetime, reason: str, *, attempt: int = 1
) -> None:
    """Record that the report got no answer; it will be made again."""
    made = _report_entry(Act.CALL_MADE, change, departed, at, "no_answer", (reason,), attempt=attempt)
    async with context.database.begin() as connection:
        await begin_chain(connection, f"call/{uuid4()}", [made])


async def record_lost(context: Context, change: Change, departed: DepartedList, at: datetime, *, attempt: int) -> None:
    """Record, before the report is made again, its earlier tries of which no row tells."""
    async with context.database.begin() as connection:
        about = ledger.c.employer_id == change.employer_id
        lost = await find_lost(connection, [departed.key], about, current_origin(), attempt=attempt)
        for tries in lost.values():
            made = _report_entry(
                Act.CALL_MADE, change, departed, at, OUTCOME, attempt=tries.last, from_attempt=tries.first
            )
            await begin_chain(connection, f"call/{uuid4()}", [made])


async def record_rejected(
    context: Context, change: Change, departed: DepartedList, at: datetime, reason: str, *, attempt: int = 1
) -> None:
    """Mark the report as one that the authority's system cannot read, and put that before the operator."""
    async with context.database.begin() as connection:
        if (await connection.execute(_settled(departed.key, at, "rejected", reason))).rowcount != 1:
            return
        opened = new_incident(
            at, kind="report_rejected", step="report_departed", reason=reason, employer_id=change.employer_id
        )
        await connection.execute(opening([opened]))
        answered = _report_entry(Act.CALL_ANSWERED, change, departed, at, "rejected", (reason,), attempt=attempt)
        await begin_chain(connection, f"call/{uuid4()}", [answered])


def _report_entry(
    act: Act,
    change: Change,
    departed: DepartedList,
    at: datetime,
    outcome: str,
    reasons: tuple[str, ...] = (),
    **tries: int,
) -> Entry:
    """Return the row of one call about all cases of an employer, which has a chain of its own."""
    cases = sorted({case.split("/")[0] for case in departed.cases})
    return Entry(
        act,
        system("report_departed"),
        at,
        employer_id=change.employer_id,
        outcome=outcome,
        reason_codes=reasons,
        detail={"key": departed.key, "what": departed.what, "cases": cases, **tries},
    )


async def finish(context: Context, change: Change) -> None:
    """Mark the change as one that every case has heard of."""
    async with context.database.begin() as connection:
        one = update(employer_standings).where(employer_standings.c.change_id == change.change_id)
        await connection.execute(one.values(spread=True))


def _settled(key: str, at: datetime, state: str, reason: str | None = None) -> Update:
    due = update(calls).where(calls.c.key == key, calls.c.state == "due")
    return due.values(state=state, done_at=at, reason=reason)


def _command(employer_id: str, reference: str, command_id: str, at: datetime) -> CommandRow:
    return CommandRow(
        command_id=UUID(command_id),
        reference=reference,
        employer_id=employer_id,
        kind=CommandKind.STANDING.value,
        actor=system("standing").model_dump(mode="json"),
        state=CommandState.STORED.value,
        at=at,
        traceparent=current_traceparent(),
    )


async def _find_call(connection: AsyncConnection, key: str) -> CallRow | None:
    return CallRow.one_of(await connection.execute(select(calls).where(calls.c.key == key)))
