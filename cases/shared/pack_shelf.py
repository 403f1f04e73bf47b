"""The shelf of rule packs: those that ship with the engine, and those published since, read from their table."""

import asyncio
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.clock import day_of
from domain.errors import Unavailable
from domain.rule_packs import PackState
from policy.pack import Pack, PackError, parse_pack
from policy.packs import TALENT_PERMIT
from store.tables import rule_packs
from temporal.events import first_of

# A pack takes effect on a later day than that of its second signature, so that every process hears of it before.
READ_EVERY_SECONDS: Final = 60.0
_READ_AGAIN_SECONDS: Final = 2.0
_log = structlog.get_logger(__name__)


async def read_packs(context: Context, connection: AsyncConnection) -> None:
    """Put the published packs on the shelf.

    One that this process cannot read, which a newer version of the code published, is told and passed over.
    """
    r = rule_packs.c
    query = select(r.version, r.content).where(r.name == TALENT_PERMIT, r.state == PackState.PUBLISHED.value)
    for row in await connection.execute(query):
        if context.packs.has(row.version):
            continue
        try:
            context.packs.add(parse_pack(row.content))
        except PackError as error:
            _log.error("pack_not_read", pack=TALENT_PERMIT, version=row.version, error=type(error).__name__)
    context.packs.is_read = True


async def pack_for(context: Context, connection: AsyncConnection, at: datetime) -> Pack:
    """Return the pack for a case accepted now; the first call of a process reads what was published."""
    if not context.packs.is_read:
        await read_packs(context, connection)
    return context.packs.on(day_of(at))


async def need_pack(context: Context, connection: AsyncConnection, version: str) -> None:
    """Read what was published where the version of a case is not on the shelf yet."""
    if not context.packs.has(version):
        await read_packs(context, connection)


async def keep_reading_packs(context: Context, stopping: asyncio.Event) -> None:
    """Read the published packs again and again; told to stop and not cancelled, since drivers may lose that."""
    while not stopping.is_set():
        try:
            async with context.database.begin() as connection:
                await read_packs(context, connection)
            pause = READ_EVERY_SECONDS
        except Unavailable:
            pause = _READ_AGAIN_SECONDS
        await first_of(stopping, within=pause)
