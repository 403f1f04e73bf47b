"""Which checkpoint is to be stamped, and keeping its stamp."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from cases.shared.context import Context
from proof.checkpoints import parse_note
from store.tables import checkpoints, stamps


async def find_unstamped(context: Context, every: timedelta) -> tuple[int, str] | None:
    """Return size and text of the newest checkpoint where it has no stamp and the last one is old enough."""
    c, s = checkpoints.c, stamps.c
    async with context.database.begin() as connection:
        newest = select(c.tree_size, c.note).order_by(c.tree_size.desc()).limit(1)
        row = (await connection.execute(newest)).one_or_none()
        last = (await connection.execute(select(s.tree_size, s.at).order_by(s.tree_size.desc()).limit(1))).one_or_none()
    if row is None or (last is not None and (last.tree_size == row.tree_size or context.clock() < last.at + every)):
        return None
    return row.tree_size, parse_note(row.note).text


async def keep_stamp(context: Context, size: int, token: bytes, stated_at: datetime) -> None:
    """Keep the stamp of a checkpoint; of two that were asked for at once the first stands."""
    row = {"tree_size": size, "token": token, "stated_at": stated_at, "at": context.clock()}
    async with context.database.begin() as connection:
        await connection.execute(insert(stamps).values(row).on_conflict_do_nothing())
