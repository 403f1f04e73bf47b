"""The working calendar as it stands in its table, and the cursors that say how far something has come."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import CalendarShelf, Context
from domain.spellings import Cursor
from domain.working_days import WorkingCalendar
from policy.calendars import mainland_calendar
from store.tables import calendar_days, cursors

CURSOR: Final = Cursor.CALENDAR


async def current_calendar(context: Context, connection: AsyncConnection, version: str | None) -> WorkingCalendar:
    """Return the calendar of a version, from the shelf where it is the one read last.

    Args:
        version: the value of the cursor `calendar`; None where no year was loaded yet, and then the library's years
            stand in.
    """
    shelf = context.calendars
    if shelf.calendar is not None and shelf.version == (version or ""):
        return shelf.calendar
    return keep(shelf, version, await read_days(connection) if version else mainland_calendar())


async def set_cursor(connection: AsyncConnection, name: str, value: str, at: datetime) -> None:
    """Set a cursor, made where there was none."""
    statement = upsert(cursors).values(name=name, value=value, at=at)
    replaced = {"value": statement.excluded.value, "at": statement.excluded.at}
    await connection.execute(statement.on_conflict_do_update(index_elements=[cursors.c.name], set_=replaced))


async def find_cursor(connection: AsyncConnection, name: str) -> str | None:
    """Return a cursor, or None where there is none."""
    return (await connection.execute(select(cursors.c.value).where(cursors.c.name == name))).scalar_one_or_none()


def keep(shelf: CalendarShelf, version: str | None, calendar: WorkingCalendar) -> WorkingCalendar:
    """Put a calendar on the shelf as the one of a version, and return it."""
    shelf.version, shelf.calendar = version or "", calendar
    return calendar


async def read_days(connection: AsyncConnection) -> WorkingCalendar:
    """Return the calendar of the days that are loaded."""
    rows = await connection.execute(select(calendar_days.c.day, calendar_days.c.working))
    return WorkingCalendar({row.day: row.working for row in rows})
