"""Tries of a call that left no row: their worker died, or could not write, and what they came to is not known."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.acts import Act
from domain.messages import Origin
from store.tables import ledger

OUTCOME = "unrecorded"


class Lost(NamedTuple):
    """The first and the last of the tries that left no row."""

    first: int
    last: int


async def find_lost(
    connection: AsyncConnection,
    keys: Iterable[str],
    about: ColumnElement[bool],
    origin: Origin | None,
    *,
    attempt: int,
) -> dict[str, Lost]:
    """Return by the key of each call the earlier tries of a step of which no row tells.

    Args:
        connection: the transaction.
        keys: the calls that this try is about to make.
        about: which rows to look at, by a column that has an index.
        origin: the run and event that asked for the step, whose tries are counted from one.
        attempt: which try of the step this is.
    """
    key, tried = ledger.c.detail["key"].astext, ledger.c.detail["attempt"].as_integer()
    query = (
        select(key, func.max(tried))
        .where(
            about,
            ledger.c.act == Act.CALL_MADE.value,
            ledger.c.run_id == (origin.run_id if origin else None),
            ledger.c.event_id == (origin.event_id if origin else None),
        )
        .group_by(key)
    )
    told = {row[0]: row[1] for row in await connection.execute(query)}
    return {key: Lost(told.get(key, 0) + 1, attempt - 1) for key in keys if told.get(key, 0) < attempt - 1}
