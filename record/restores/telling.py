"""Telling the workflows of cases that the register was restored: each looks at it again, and yields or ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Protocol

import structlog
from sqlalchemy import select, update

from cases.health.restore_watch import note_undeclared
from cases.shared import pace
from cases.shared.context import Context
from domain.errors import Unavailable
from store.tables import epochs

EVERY: Final = 5.0
# A database may be laid back, or a standby take over, under a worker that goes on: looked for every so many rounds.
_UNDECLARED_EACH: Final = 12
_AT_ONCE: Final = 10
_log = structlog.get_logger(__name__)


class Workflows(Protocol):
    """The part of Temporal that telling needs."""

    def ids(self, *, is_open: bool = False) -> AsyncIterator[list[str]]:
        """Yield the ids of the workflows of cases, a page at a time."""
        ...

    async def tell(self, workflow_id: str) -> bool:
        """Let a workflow look at the register again; False where none of this id is open."""
        ...


async def tell_epoch(context: Context, workflows: Workflows) -> int | None:
    """Tell every open workflow of an epoch that none was told of; return how many, or None where there is none.

    One that is told twice, after this broke off, looks twice and finds nothing new.

    Raises:
        Unavailable: when PostgreSQL or Temporal is away.
    """
    e = epochs.c
    async with context.database.statement() as connection:
        untold = (await connection.execute(select(e.number).where(e.told_at.is_(None)))).scalars().all()
    if not untold:
        return None
    told = 0
    async for page in workflows.ids(is_open=True):
        for start in range(0, len(page), _AT_ONCE):
            told += await _tell(workflows, page[start : start + _AT_ONCE])
    async with context.database.statement() as connection:
        await connection.execute(update(epochs).where(e.number.in_(untold)).values(told_at=context.clock()))
    _log.info("epoch_told", epoch=max(untold), workflows=told)
    return told


async def _tell(workflows: Workflows, ids: Sequence[str]) -> int:
    begun = asyncio.get_running_loop().time()
    told = await asyncio.gather(*(workflows.tell(each) for each in ids))
    await pace.rest(begun)
    return sum(told)


async def keep_telling_epochs(
    context: Context, workflows: Workflows, *, is_stopping: Callable[[], bool], every: float = EVERY
) -> None:
    """Look until the worker stops for a restore that was declared, and each minute for one that was not.

    What is away is waited out.
    """
    turn = 0
    while not is_stopping():
        try:
            if turn % _UNDECLARED_EACH == 0:
                await note_undeclared(context)
            turn += 1
            await tell_epoch(context, workflows)
        except Unavailable:
            pass
        except Exception as error:  # noqa: BLE001 - an error of one look must not end the telling
            _log.error("epoch_telling_failed", error=type(error).__name__)
        await asyncio.sleep(every)
