"""When each round that is made for all cases together last came to its end, as a cursor of its own."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.calendar import set_cursor
from cases.shared.context import Context
from domain.spellings import ROUND_CURSOR
from store.tables import cursors

_ENDED: Final = "ended"
_AWAITED: Final = "awaited"


class Round(StrEnum):
    """What a Schedule has done for all cases together."""

    ARCHIVE = "archive"
    RECONCILIATION = "reconciliation"
    RETENTION = "retention"
    SEAL_CHECK = "seal_check"
    AUTHORITY_POLL = "authority_poll"


async def note_end(context: Context, which: Round) -> None:
    """Write that a round came to its end now."""
    async with context.database.begin() as connection:
        await set_cursor(connection, ROUND_CURSOR + which.value, _ENDED, context.clock())


async def read_ends(connection: AsyncConnection, at: datetime) -> dict[Round, datetime]:
    """Return when each round last ended; one that never did counts from the first time that somebody asked."""
    wanted = {ROUND_CURSOR + each.value: each for each in Round}
    rows = [{"name": name, "value": _AWAITED, "at": at} for name in wanted]
    found = select(cursors.c.name, cursors.c.at).where(cursors.c.name.in_(wanted))
    ends = {wanted[row.name]: row.at for row in await connection.execute(found)}
    if len(ends) < len(wanted):
        await connection.execute(insert(cursors).values(rows).on_conflict_do_nothing())
        ends = {wanted[row.name]: row.at for row in await connection.execute(found)}
    return ends
