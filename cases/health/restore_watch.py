"""Seeing that the database came back from elsewhere: a restore that nobody declared is shown to the operator."""

from typing import Final

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.calendar import find_cursor, set_cursor
from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.checkups import Line, fail, ok
from domain.incidents import IncidentKind
from store.cluster import IDENTITY
from store.incident_rows import new_incident, opening
from store.ledger import Entry, append
from store.tables import cursors, incidents

# The cluster and its timeline in which the register was last known to be whole.
CLUSTER: Final = "cluster"
CHAIN: Final = "epochs"
KIND: Final = IncidentKind.RESTORE.value
REASON: Final = "restore_undeclared"
_I: Final = incidents.c
_log = structlog.get_logger(__name__)


async def note_undeclared(context: Context) -> bool:
    """Look whether the database is another one than it was, and open an incident if so; one stands at a time.

    A standby that took over looks like a restore to a point in time; what either lost is for a person to say.
    """
    at = context.clock()
    async with context.database.begin() as connection:
        now, known = await identity(connection), await find_cursor(connection, CLUSTER)
        if known is None:
            await set_cursor(connection, CLUSTER, now, at)
        if known in (None, now):
            return False
        # Workers look at the same time; one of them opens it.
        await connection.execute(select(cursors.c.name).where(cursors.c.name == CLUSTER).with_for_update())
        opened = select(_I.incident_id).where(_I.kind == KIND, _I.reason == REASON, _I.state == "open")
        if (await connection.execute(opened)).first() is not None:
            return True
        await connection.execute(opening([new_incident(at, kind=KIND, step="start", reason=REASON)]))
    _log.error(REASON, known=known, found=now)
    return True


async def look_at_restore(context: Context) -> Line:
    """Return the line of `hetao doctor` about whether the database is the one that the register was in before."""
    async with context.database.begin() as connection:
        now, known = await identity(connection), await find_cursor(connection, CLUSTER)
    name = "restore"
    if known is None:
        return ok(name, "no worker has looked yet which database this is")
    if known == now:
        return ok(name, "the register is in the database in which it was before")
    to_do = "stop API and workers and run `hetao restored`; where a standby took over in step, with `--nothing-lost`"
    return fail(
        name, f"the register is in another database than before ({now}, not {known}), and nobody said why", to_do
    )


async def say_nothing_lost(context: Context, actor: Actor) -> None:
    """Write down that the database is another one and lost nothing, as after a standby took over in step."""
    async with context.database.begin() as connection:
        await acknowledge(context, connection, actor)
        entry = Entry(Act.RESTORED, actor, context.clock(), outcome="nothing_lost")
        await append(connection, CHAIN, [entry])


async def acknowledge(context: Context, connection: AsyncConnection, actor: Actor) -> None:
    """Take the database for the one that the register is in from now on, and end the incident about it."""
    at = context.clock()
    await set_cursor(connection, CLUSTER, await identity(connection), at)
    opened = update(incidents).where(_I.kind == KIND, _I.reason == REASON, _I.state == "open")
    await connection.execute(opened.values(state="ended", resumed_at=at, resumed_by=actor.subject))


async def identity(connection: AsyncConnection) -> str:
    """Return what tells this cluster and its timeline from others."""
    return str((await connection.execute(IDENTITY)).scalar_one())
