"""Readings of cases by the park's own people: one row for each request, which lists what it showed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.actors import Actor, Role
from domain.acts import Act
from store.ledger import Entry, begin_chain


async def record_access(
    connection: AsyncConnection, actor: Actor, what: str, shown: Sequence[tuple[str, str]], at: datetime
) -> None:
    """Record which cases a request shows, in a chain of its own so that reading locks no case.

    An employer that reads what it gave itself, and a request that shows nothing, leave no row.

    Args:
        connection: the transaction of the reading.
        actor: who reads.
        what: `case`, `cases`, `tasks` or `notices`.
        shown: reference and employer of each case.
        at: when.
    """
    if not actor.is_inside or actor.role is Role.SYSTEM or not shown:
        return
    references = sorted({reference for reference, _ in shown})
    employers = {employer_id for _, employer_id in shown}
    entry = Entry(
        Act.CASE_READ,
        actor,
        at,
        employer_id=employers.pop() if len(employers) == 1 else None,
        detail={"what": what, "cases": references},
    )
    await note_access(connection, entry)


async def note_access(connection: AsyncConnection, entry: Entry) -> None:
    """Write down that somebody saw, opened or compared something, in a chain of its own so that it locks no case.

    Args:
        connection: the transaction of the reading.
        entry: what was seen, of which cases (`cases` of its detail), and what for.
    """
    await begin_chain(connection, f"access/{uuid4()}", [entry])
