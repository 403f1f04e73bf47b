"""Watching the seal: rows that wait too long to be sealed are shown to the operator, whoever holds them up.

It reads as the application and needs nothing of the sealer, so that it sees a sealer that may not, cannot or does not
seal.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import structlog
from prometheus_client import Gauge

from cases.shared.context import Context
from domain.actors import system
from domain.acts import Act
from domain.clock import CHINA
from domain.errors import Unavailable
from record.seal.sealer import PASSED_OVER
from store.incident_rows import new_incident, opening
from store.ledger import Entry, begin_chain
from store.seal_delay import Delay, read_delay
from store.tables import incidents

KIND: Final = "seal_overdue"
EVERY: Final = 30.0
_WAITING: Final = Gauge("hetao_seal_oldest_unsealed_seconds", "Age of the oldest row of the ledger that is not sealed.")
_log = structlog.get_logger(__name__)


async def watch_seal(context: Context) -> Delay | None:
    """Look once; what has waited too long is an incident and a row of the ledger, and is returned."""
    async with context.database.statement() as connection:
        delay = await read_delay(connection, PASSED_OVER)
    _WAITING.set(delay.age.total_seconds() if delay else 0)
    if delay is None or delay.age < context.seal_overdue:
        return None
    _log.error("seal_overdue", seconds=int(delay.age.total_seconds()), why=delay.why)
    await _show(context, delay)
    return delay


async def keep_watching_seal(context: Context, *, is_stopping: Callable[[], bool], every: float = EVERY) -> None:
    """Look until the worker stops; while PostgreSQL is away there is nothing to see."""
    while not is_stopping():
        try:
            await watch_seal(context)
        except Unavailable:
            pass
        except Exception as error:  # noqa: BLE001 - an error of one look must not end the watch
            _log.error("seal_watch_failed", error=type(error).__name__)
        await asyncio.sleep(every)


async def _show(context: Context, delay: Delay) -> None:
    """Open an incident, one a day for each row that waits, so that one closed too early comes again."""
    at = context.clock()
    day = at.astimezone(CHINA).date().isoformat()
    incident_id = uuid5(NAMESPACE_URL, f"{KIND}/{delay.chain}/{delay.seq}/{day}")
    reason = f"{delay.why}: row {delay.seq} of {delay.chain}"
    opened = new_incident(at, kind=KIND, step="seal", reason=reason, incident_id=incident_id)
    async with context.database.begin() as connection:
        statement = opening([opened]).on_conflict_do_nothing().returning(incidents.c.incident_id)
        if (await connection.execute(statement)).first() is None:
            return
        # Auditors read the ledger, which nobody closes: they see when the seal stood still.
        detail = {"kind": KIND, "chain": delay.chain or None, "seq": delay.seq or None, "why": delay.why.split(":")[0]}
        entry = Entry(Act.INCIDENT_OPENED, system("seal"), at, detail=detail)
        await begin_chain(connection, f"{KIND}/{incident_id}", [entry])
