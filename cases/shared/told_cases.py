"""What the engine tells one case because of another: a command without a word of the other, stored once."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.actors import system
from domain.commands import CommandState
from store.rows.work import CommandRow
from store.tables import commands
from temporal.traces import current_traceparent


async def tell_case(
    connection: AsyncConnection, about: UUID, reference: str, employer_id: str, kind: str, by: str, at: datetime
) -> None:
    """Store what a case is told, once for each matter and kind; the sweeper lets its workflow hear of it.

    Args:
        connection: a transaction of the park.
        about: the id of the matter that it is told of.
        reference: the case.
        employer_id: who owns it, as its rows bear it.
        kind: the kind of the command.
        by: the part of the engine that tells it.
        at: when.
    """
    row = CommandRow(
        command_id=uuid5(about, str(kind)),
        reference=reference,
        employer_id=employer_id,
        kind=str(kind),
        actor=system(by).model_dump(mode="json"),
        state=CommandState.STORED.value,
        at=at,
        traceparent=current_traceparent(),
    )
    statement = upsert(commands).values(row.filled())
    await connection.execute(statement.on_conflict_do_nothing(index_elements=[commands.c.command_id]))
