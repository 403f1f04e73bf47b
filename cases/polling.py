"""The poll of the authority: the cursor up to which its answers are known, and answers that are late (P15)."""

from datetime import datetime

from sqlalchemy import select

from cases.advance import pass_watched as pass_watched_of
from cases.calendar import set_cursor
from cases.context import Context
from domain.deadlines import WATCHED_BY_SCHEDULE
from store.tables import cursors, deadlines

_CURSOR = "authority"
_ROUND = 200


async def cursor(context: Context) -> str | None:
    """Return the cursor of the last answer known."""
    async with context.database.begin() as connection:
        return (await connection.execute(select(cursors.c.value).where(cursors.c.name == _CURSOR))).scalar_one_or_none()


async def move_cursor(context: Context, to: str) -> None:
    """Move the cursor behind answers that are stored."""
    async with context.database.begin() as connection:
        await set_cursor(connection, _CURSOR, to, context.clock())


async def pass_watched(context: Context, at: datetime) -> None:
    """Pass the deadlines that the Schedule watches, case by case."""
    query = (
        select(deadlines.c.reference)
        .where(
            deadlines.c.kind.in_([kind.value for kind in WATCHED_BY_SCHEDULE]),
            deadlines.c.state == "waiting",
            deadlines.c.at <= at,
        )
        .distinct()
        .limit(_ROUND)
    )
    async with context.database.begin() as connection:
        references = (await connection.execute(query)).scalars().all()
    for reference in references:
        await pass_watched_of(context, reference, at)
