"""Messages of machines that were refused: a ledger row and a line for the operator, for one or for many."""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.incidents import rows
from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.incidents import IncidentKind
from store.ledger import Entry, append


async def note_refused(
    context: Context,
    actor: Actor,
    code: str,
    *,
    kind: IncidentKind,
    times: int | None = None,
) -> None:
    """Write a ledger row and a line for the operator for a refused message, or for so many; nothing else changes."""
    async with context.database.begin() as connection:
        await write(connection, actor, context.clock(), code, {"times": times}, kind=kind, times=times or 1)


async def write(
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    code: str,
    detail: Mapping[str, object],
    *,
    kind: IncidentKind,
    times: int = 1,
) -> None:
    """Write the same in a transaction that is open already."""
    entry = Entry(Act.ANSWER_REFUSED, actor, at, outcome="refused", reason_codes=(code,), detail=detail)
    await append(connection, f"request/{uuid4()}", [entry])
    await rows.count(
        connection,
        at,
        kind=kind.value,
        step="receive",
        reason=code,
        correlation_id=actor.correlation_id,
        times=times,
    )
