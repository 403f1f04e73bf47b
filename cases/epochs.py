"""In which epoch the register is, and what its log was called in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from store.tables import epochs


@dataclass(frozen=True, slots=True)
class LogEpoch:
    """One name of the log: it stands in every checkpoint larger than `since`, up to the beginning of the next one."""

    origin: str
    since: int
    declaration: dict[str, Any] | None = None


async def current_epoch(connection: AsyncConnection) -> int:
    """Return the number of the restore that was declared last; 0 before any."""
    return int((await connection.execute(select(func.coalesce(func.max(epochs.c.number), 0)))).scalar_one())


async def log_epochs(context: Context, connection: AsyncConnection) -> Sequence[LogEpoch]:
    """Return the names of the log, the first one first; a restore by which the log lost nothing began none."""
    found = [LogEpoch(context.log_origin, 0)]
    for row in await connection.execute(select(epochs).order_by(epochs.c.number)):
        if row.origin != found[-1].origin:
            found.append(LogEpoch(row.origin, row.tree_size, row.declaration))
    return found


async def current_origin(context: Context) -> str:
    """Return what the log is called now."""
    newest = select(epochs.c.origin).order_by(epochs.c.number.desc()).limit(1)
    async with context.database.begin() as connection:
        return (await connection.execute(newest)).scalar_one_or_none() or context.log_origin
