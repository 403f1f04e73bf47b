"""In which epoch the register is, and what its log was called in each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from proof.checkpoints import VerifierKey, verifier_key
from proof.declarations import Declaration, FormerLog
from store.keyring import Keyring
from store.tables import epochs


@dataclass(frozen=True, slots=True)
class LogEpoch:
    """One name of the log: it stands in every checkpoint larger than `since`, up to the beginning of the next one."""

    origin: str
    since: int
    declaration: dict[str, Any] = field(default_factory=dict)


async def current_epoch(connection: AsyncConnection) -> int:
    """Return the number of the restore that was declared last; 0 before any."""
    return int((await connection.execute(select(func.coalesce(func.max(epochs.c.number), 0)))).scalar_one())


async def origin_now(connection: AsyncConnection, first: str) -> str:
    """Return what the log is called now; `first` is its name before any restore."""
    newest = select(epochs.c.origin).order_by(epochs.c.number.desc()).limit(1)
    return (await connection.execute(newest)).scalar_one_or_none() or first


async def log_epochs(connection: AsyncConnection, first: str) -> Sequence[LogEpoch]:
    """Return the names of the log, the first one first; a restore by which the log lost nothing began none."""
    found = [LogEpoch(first, 0)]
    for row in await connection.execute(select(epochs).order_by(epochs.c.number)):
        if row.origin != found[-1].origin:
            found.append(LogEpoch(row.origin, row.tree_size, row.declaration))
    return found


async def read_log_epochs(context: Context) -> Sequence[LogEpoch]:
    """Return the names of the log in a transaction of its own."""
    async with context.database.begin() as connection:
        return await log_epochs(connection, context.log_origin)


def log_keys(keyring: Keyring, origin: str) -> tuple[VerifierKey, ...]:
    """Return the log's public keys under one of its names, the one that writes first."""
    return tuple(verifier_key(origin, key) for key in keyring.sealing_keys().values())


def former_log(keyring: Keyring, name: LogEpoch, after: LogEpoch) -> FormerLog:
    """Return a name of the log that ended, with the restore after which it bears another one."""
    keys = log_keys(keyring, name.origin)
    return FormerLog(name.origin, keys, after.since, Declaration.read(after.declaration, keys))
