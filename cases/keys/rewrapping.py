"""Data keys are wrapped again by the current key-encryption key, in the background, so that an old one may go."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import Gauge
from sqlalchemy import bindparam, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.keys.register import current_kek
from cases.shared import pace
from cases.shared.context import Context
from domain.errors import Unavailable
from domain.service_keys import KeyKind
from store.encryption import WrappedKey, wrap_again
from store.tables import data_keys

MOST: Final = 200
EVERY: Final = 60.0
_LEFT: Final = Gauge(
    "hetao_keys_left", "Data keys that a key-encryption key still wraps which another has followed.", ["kind", "key_id"]
)
_COUNT: Final = text(
    "SELECT kek_id, count(*) AS left FROM data_keys"
    " WHERE wrapped IS NOT NULL AND (kek_id < :current OR kek_id > :current) GROUP BY kek_id"
)
# Leased by their locks: another worker passes over them, and whoever only refers to a key is not held up.
_TAKE: Final = text(
    "SELECT key_id, kek_id, wrapped FROM data_keys WHERE wrapped IS NOT NULL AND kek_id = :kek_id"
    " ORDER BY key_id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED"
)
_log = structlog.get_logger(__name__)


async def count_left(connection: AsyncConnection, current: str) -> dict[str, int]:
    """Return how many data keys each key-encryption key wraps but for one."""
    return {row.kek_id: row.left for row in await connection.execute(_COUNT, {"current": current})}


async def wrap_some(context: Context, most: int = MOST) -> int:
    """Wrap some data keys again, in one short transaction, and return how many; broken off, nothing is lost.

    Only a process that writes with the current key of the register does: one that has the key file of before would
    wrap them back.
    """
    kek = context.keyring.kek
    async with context.database.begin() as connection:
        if await current_kek(connection) != kek.current:
            return 0
        for kek_id in sorted(set(kek.keys) - {kek.current}):
            found = (await connection.execute(_TAKE, {"kek_id": kek_id, "most": most})).all()
            if not found:
                continue
            again = [wrap_again(context.keyring, WrappedKey(row.key_id, row.kek_id, row.wrapped)) for row in found]
            changed = [{"b_id": each.key_id, "b_kek": each.kek_id, "b_wrapped": each.wrapped} for each in again]
            k = data_keys.c
            statement = update(data_keys).where(k.key_id == bindparam("b_id"), k.wrapped.isnot(None))
            await connection.execute(
                statement.values(kek_id=bindparam("b_kek"), wrapped=bindparam("b_wrapped")), changed
            )
            return len(found)
    return 0


async def watch_left(context: Context) -> dict[str, int]:
    """Count what is left under old keys and show it among the metrics."""
    kek = context.keyring.kek
    async with context.database.begin() as connection:
        current = await current_kek(connection) or kek.current
        left = await count_left(connection, current)
    for kek_id in {*kek.keys, *left} - {current}:
        _LEFT.labels(KeyKind.KEK.value, kek_id).set(left.get(kek_id, 0))
    return left


async def keep_wrapping(context: Context, *, is_stopping: Callable[[], bool], every: float = EVERY) -> None:
    """Wrap again whatever is left until the worker stops, half of the time at most; what goes wrong is tried again."""
    loop = asyncio.get_running_loop()
    while not is_stopping():
        try:
            done, begun = 0, loop.time()
            while not is_stopping() and (some := await wrap_some(context)):
                done += some
                await pace.rest(begun)
                begun = loop.time()
            left = await watch_left(context)
            if done:
                _log.info("keys_wrapped_again", count=done, left=sum(left.values()))
        except Unavailable:
            pass
        except Exception as error:  # noqa: BLE001 - an error of one round must not end it
            _log.error("keys_not_wrapped_again", error=type(error).__name__)
        await asyncio.sleep(every)
