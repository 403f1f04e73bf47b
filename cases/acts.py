"""Asking something of a case: checked against the register, stored as a command, answered with the case."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel

from cases import commands
from cases.advance import preview
from cases.case_file import load_case
from cases.context import Context
from cases.idempotency import Idempotency, Reply, find_known, keep_reply, remember
from cases.view import case_view
from domain.actors import Actor
from domain.commands import AWAITED, CommandKind, CommandState
from domain.errors import FieldError, Refused
from domain.languages import Language
from store.case_rows import Row


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the case, the command, and the answer where it is known already."""

    reference: str
    command_id: UUID
    reply: Reply | None


async def ask(
    context: Context,
    actor: Actor,
    reference: str,
    kind: CommandKind,
    body: BaseModel | dict[str, Any],
    idempotency: Idempotency,
    language: Language = Language.ZH_HANS,
) -> Asked:
    """Store a command, unless the register already says that it would be refused.

    The caller sends it on: an awaited kind by an update, any other by a signal.

    Raises:
        Refused: the code that the step would refuse with now.
    """
    at = context.clock()
    async with context.database.begin(actor.tenant) as connection:
        known = await find_known(context, connection, actor, idempotency)
        if known is not None and known.reference is not None and known.command_id is not None:
            return Asked(known.reference, known.command_id, known.reply)
        file = await load_case(context, connection, reference, lock=True)
        content = body if isinstance(body, dict) else body.model_dump(mode="json", exclude_unset=True)
        command_id = uuid4()
        trial: Row = {
            "command_id": command_id,
            "kind": kind.value,
            "actor": actor.model_dump(mode="json"),
            "body": file.seal("commands", "body", str(command_id), content),
            "at": at,
        }
        reply = None if kind in AWAITED else Reply(202, case_view(file, actor, language))
        key = file.person_key
        await preview(file, connection, trial)
        stored = await load_case(context, connection, reference, lock=False) if file.person_key is not key else file
        await commands.store(stored, connection, actor, kind, content, at, command_id=command_id)
        await remember(
            context, connection, actor, idempotency, reference=reference, command_id=command_id, reply=reply, key=key
        )
    return Asked(reference, command_id, reply)


async def reply(
    context: Context,
    actor: Actor,
    asked: Asked,
    idempotency: Idempotency,
    language: Language = Language.ZH_HANS,
) -> Reply:
    """Answer an awaited command: 200 with the case once it is applied, 202 with `pending` while the engine is away.

    Raises:
        Refused: what the step refused the command with.
    """
    state, outcome = await commands.find_outcome(context, asked.command_id)
    if state is CommandState.REFUSED:
        errors = [FieldError(e["field"], e["code"], e["message"]) for e in outcome.get("errors", [])]
        raise Refused(outcome["code"], outcome.get("detail", ""), errors)
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, asked.reference, lock=False)
        view = case_view(file, actor, language)
        if state is CommandState.STORED:
            return Reply(202, view | {"pending": True})
        answer = Reply(200, view)
        await keep_reply(connection, actor, idempotency, answer, file.person_key)
    return answer
