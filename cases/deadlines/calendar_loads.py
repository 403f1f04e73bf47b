"""Loading the working calendar, a year at a time, and counting the cases again whose deadlines move by it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import uuid5

from sqlalchemy import Row, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.incidents import not_loaded
from cases.shared.calendar import CURSOR, current_calendar, keep, read_days, set_cursor
from cases.shared.context import Context
from domain.actors import Actor, system
from domain.acts import Act
from domain.calendars import day_kind
from domain.commands import CommandKind, CommandState
from domain.spellings import CALENDAR_CHAIN, CALENDAR_LOCK, RECOUNT_COMMANDS, Cursor
from domain.working_days import WorkingCalendar
from policy.calendars import FIRST_YEAR, mainland_calendar, published_year
from store.ledger import Entry, append
from store.tables import calendar_days, cases, commands, cursors, deadlines

_RECOUNTED: Final = Cursor.CALENDAR_RECOUNTED
_CHUNK: Final = 500
_LOCK: Final = text(f"SELECT pg_advisory_xact_lock(hashtextextended('{CALENDAR_LOCK}', 0))")


async def load_calendar(context: Context, actor: Actor, days: Mapping[date, bool]) -> str:
    """Load days into the calendar, store a command to count again for each case that moves, and return the version.

    Days that stand there already change nothing; the cases are looked at all the same, so that a load that was cut
    short is finished by the next.
    """
    at = context.clock()
    async with context.database.begin() as connection:
        await connection.execute(_LOCK)
        before = await read_days(connection)
        after = (before if before.days else mainland_calendar()).with_days(days)
        if after.version != before.version:
            new = {day: worked for day, worked in after.days.items() if before.days.get(day) != worked}
            await _write(connection, new, after.version)
            await set_cursor(connection, CURSOR, after.version, at)
            years = sorted({day.year for day in new})
            detail = {"years": years, "version": after.version, "previous": before.version if before.days else None}
            await append(connection, CALENDAR_CHAIN, [Entry(Act.CALENDAR_LOADED, actor, at, detail=detail)])
            await not_loaded.end(connection, not_loaded.CALENDAR, at, actor.subject)
        keep(context.calendars, after.version, after)
    await recount_cases(context)
    return after.version


async def load_published(context: Context, actor: Actor) -> str:
    """Load every year that the library knows and that was not loaded yet, and return the calendar's version.

    A year that stands in the table is left alone, since a notice loaded by hand is newer than the library, but for the
    end of its December where the next year is new: that is of the next year's notice.
    """
    async with context.database.begin() as connection:
        loaded = (await read_days(connection)).years()
    days: dict[date, bool] = {}
    year = FIRST_YEAR
    while (published := published_year(year)) is not None:
        days.update(published if year not in loaded else {})
        year += 1
    return await load_calendar(context, actor, days)


async def recount_cases(context: Context) -> int:
    """Store a command to count again for each live case with a deadline that moves; return how many were new.

    A command is named by the calendar's version and the case, so that doing this twice stores it once.
    """
    at = context.clock()
    async with context.database.begin() as connection:
        names = select(cursors.c.name, cursors.c.value).where(cursors.c.name.in_((CURSOR, _RECOUNTED)))
        found = {row.name: row.value for row in await connection.execute(names)}
        version = found.get(CURSOR)
        if version is None or found.get(_RECOUNTED) == version:
            return 0
        calendar = await current_calendar(context, connection, version)
    stored, after = 0, ""
    while True:
        async with context.database.begin() as connection:
            rows = await _counted_deadlines(connection, calendar.version, after)
            moved = {row.reference: row.employer_id for row in rows if _moves(calendar, row)}
            stored += await _ask(connection, calendar.version, moved, at)
            if not rows:
                await set_cursor(connection, _RECOUNTED, version, at)
                return stored
            after = rows[-1].reference


async def _write(connection: AsyncConnection, days: Mapping[date, bool], version: str) -> None:
    await connection.execute(delete(calendar_days).where(calendar_days.c.day.in_(list(days))))
    rows = [{"day": d, "working": w, "kind": day_kind(d, worked=w).value, "version": version} for d, w in days.items()]
    for chunk in _chunks(rows):
        await connection.execute(insert(calendar_days).values(list(chunk)))
    await connection.execute(update(calendar_days).values(version=version))


def _chunks(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))


async def _counted_deadlines(connection: AsyncConnection, version: str, after: str) -> Sequence[Row[Any]]:
    """Return the waiting deadlines of the next cases that were counted by another version of the calendar."""
    counted = (
        deadlines.c.state == "waiting",
        deadlines.c.counted_from.is_not(None),
        deadlines.c.calendar_version != version,
        deadlines.c.reference > after,
    )
    references = select(deadlines.c.reference).where(*counted).distinct().order_by(deadlines.c.reference).limit(_CHUNK)
    query = (
        select(deadlines)
        .join(cases, cases.c.reference == deadlines.c.reference)
        .where(*counted, deadlines.c.reference.in_(references))
        .order_by(deadlines.c.reference)
    )
    return (await connection.execute(query)).all()


def _moves(calendar: WorkingCalendar, row: Row[Any]) -> bool:
    counted = calendar.deadline(row.counted_from, row.counted_days)
    return bool(counted.at != row.at or counted.provisional != row.provisional)


async def _ask(connection: AsyncConnection, version: str, cases: Mapping[str, str], at: datetime) -> int:
    if not cases:
        return 0
    rows = [
        {
            "command_id": uuid5(RECOUNT_COMMANDS, f"{version}/{reference}"),
            "reference": reference,
            "employer_id": employer_id,
            "kind": CommandKind.RECOUNT.value,
            "actor": system("recount").model_dump(mode="json"),
            "state": CommandState.STORED.value,
            "at": at,
        }
        for reference, employer_id in cases.items()
    ]
    statement = upsert(commands).values(rows).on_conflict_do_nothing(index_elements=[commands.c.command_id])
    stored = await connection.execute(statement.returning(commands.c.command_id))
    return len(stored.all())
