"""The shelf of rule packs: those that ship with the engine, and those published since, read from their table."""

import asyncio
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context, pack_names, shelf_of
from domain.clock import day_of
from domain.errors import Unavailable
from domain.rule_packs import PackState
from policy.pack import Pack, PackError, PackShelf, parse_pack
from store.rows.register import CaseRow
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
    r, names = rule_packs.c, pack_names(context)
    query = select(r.name, r.version, r.content).where(r.name.in_(names), r.state == PackState.PUBLISHED.value)
    for row in await connection.execute(query):
        shelf = context.packs.of(row.name)
        if shelf.has(row.version):
            continue
        try:
            shelf.add(parse_pack(row.content))
        except PackError as error:
            _log.error("pack_not_read", pack=row.name, version=row.version, error=type(error).__name__)
    context.packs.is_read = True


async def pack_for(context: Context, connection: AsyncConnection, code: str, at: datetime) -> Pack:
    """Return the pack for a case of a programme accepted now; the first call of a process reads what was published."""
    if not context.packs.is_read:
        await read_packs(context, connection)
    return shelf_of(context, code).on(day_of(at))


async def shelf_at_hand(context: Context, code: str) -> PackShelf:
    """Return the versions of a programme's rules, for what is of no case; the first call of a process reads them."""
    if not context.packs.is_read:
        async with context.database.begin() as connection:
            await read_packs(context, connection)
    return shelf_of(context, code)


async def need_pack(context: Context, connection: AsyncConnection, case: CaseRow) -> None:
    """Read what was published where the version of a case is not on the shelf yet."""
    if case.programme in context.programmes and not shelf_of(context, case.programme).has(case.policy_version):
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
