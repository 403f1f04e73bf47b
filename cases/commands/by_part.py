"""Commands of an employer that confirms something of a case of another's, of which it sees its own part alone.

The command is tried by the park, with the file of the case, and stored by a transaction of the employer: PostgreSQL
takes it from who has the part now, and only of the kinds that the part may ask.
"""

from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import load_case
from cases.case.part_reads import get_part, need_part
from cases.case.parties import DeclaredPart
from cases.commands import store as commands
from cases.commands.advance import preview
from cases.commands.submit import for_reader
from cases.programme import Body
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import PARK, Actor
from domain.commands import CommandState
from domain.errors import Refused
from domain.languages import Language
from store import tables
from store.encryption import DataKey
from store.rows.work import CommandRow


async def ask_by_part(
    context: Context,
    actor: Actor,
    programme: str,
    declared: DeclaredPart,
    reference: str,
    kind: str,
    body: Body,
    idempotency: Idempotency,
    language: Language = Language.ZH_HANS,
) -> Done:
    """Store a command of a confirmer and answer with its part as it stands, before the step applies the command.

    Raises:
        Refused: `case_unknown` for a case in which the employer has no part; what the step would refuse with now;
            those of a repeated key.
    """

    async def look(connection: AsyncConnection) -> Done:
        await need_part(connection, actor, programme, reference)
        return Done(Reply(Progress.NOTHING))

    first = await once(context, actor, idempotency, look)
    if first.is_repeated:
        return first
    # In transactions of their own, one after the other, so that no request holds two connections.
    command, key = await _tried(context, actor, reference, kind, body)
    shown = await get_part(context, actor, programme, declared, reference, language)

    async def store(connection: AsyncConnection) -> Done:
        await connection.execute(insert(tables.commands).values(**command.filled()))
        reply = Reply(Progress.STORED, shown.model_dump(mode="json"))
        return Done(reply, key, reference, command.command_id)

    return await once(context, actor, idempotency, store)


async def _tried(
    context: Context, actor: Actor, reference: str, kind: str, content: Body
) -> tuple[CommandRow, DataKey]:
    """Return the command as it is stored, after it was tried on the case, and the key that seals what is said of it."""
    at, command_id = context.clock(), uuid4()
    async with context.database.begin(PARK) as connection:
        file = await load_case(context, connection, reference)
        trial = CommandRow(
            command_id=command_id,
            reference=file.reference,
            employer_id=file.employer_id,
            kind=kind,
            actor=actor.model_dump(mode="json"),
            state=CommandState.STORED.value,
            at=at,
        )
        try:
            await preview(file, connection, trial, content)
        except Refused as refused:
            raise for_reader(refused, actor) from None
        file = await load_case(context, connection, reference)
        return commands.command_row(file, actor, kind, content, at, command_id=command_id), file.person_key
