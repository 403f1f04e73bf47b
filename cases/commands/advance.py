"""The step of a case: apply what is stored in its order, then what time has brought, in one transaction."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, open_case
from cases.commands.apply import apply
from cases.commands.signals import SIGNALLED
from cases.commands.timers import pass_deadlines
from cases.decisions import transferring
from cases.decisions.assessing import assess_case
from cases.incidents import rehearsal
from cases.incidents.rows import note
from cases.keys.register import wait_for_signer
from cases.once_only import standing
from cases.programme import programme_of
from cases.shared.context import Context
from domain.actors import Actor, system
from domain.acts import Act
from domain.commands import CommandKind, CommandState
from domain.errors import Refused
from domain.messages import CommandOutcome, Course, Origin
from domain.tasks import TaskKind
from proof.statements import StatementKeyUnknown, is_about, said_of
from store.rows.work import CommandRow

# A caller waits this long for an outcome; one refused later is told to the officer by a task (states.md, section 2).
CALLER_WAITS_SECONDS = 20


class _CommandRefused(Exception):  # noqa: N818
    """One command cannot be applied; what it had begun to change is dropped with the transaction."""

    def __init__(self, command_id: UUID, refusal: Refused) -> None:
        super().__init__(refusal.code)
        self.command_id, self.refusal = command_id, refusal


async def advance(
    context: Context, reference: str, at: datetime, actor: Actor | None = None, origin: Origin | None = None
) -> Course:
    """Bring a case as far as its stored commands and the time allow, and return what it waits for now.

    Running it twice, or twice at once, changes nothing: the case is locked, applied commands are marked, and passed
    deadlines are gone.
    """
    rehearsal.check(context, reference)
    actor = actor or system("advance")
    refusals: dict[UUID, Refused] = {}
    while True:
        try:
            async with open_case(context, reference, origin=origin) as (file, connection):
                outcomes = await _advance(file, connection, actor, at, refusals)
            return file.course().model_copy(update={"outcomes": tuple(outcomes)})
        except _CommandRefused as refused:
            refusals[refused.command_id] = refused.refusal


@asynccontextmanager
async def _tried(
    file: CaseFile, connection: AsyncConnection, commands: Sequence[CommandRow], *, keep: bool
) -> AsyncIterator[None]:
    """Bound what commands write by themselves while they are tried: kept where they succeed, or undone in any case."""
    declared = programme_of(file).commands
    if not any(declared[command.kind].writes_by_itself for command in commands):
        yield
        return
    savepoint = await connection.begin_nested()
    try:
        yield
    except BaseException:
        await savepoint.rollback()
        raise
    await (savepoint.commit() if keep else savepoint.rollback())


async def preview(file: CaseFile, connection: AsyncConnection, command: CommandRow, content: object) -> None:
    """Try a command on the file in memory, after all that is stored before it, and change nothing.

    Raises:
        Refused: what the command would be refused for now.
    """
    file.previewed = True
    async with _tried(file, connection, [*file.commands, command], keep=False):
        for earlier in list(file.commands):
            with suppress(Refused):
                async with _tried(file, connection, [earlier], keep=True):
                    await apply(file, connection, earlier)
        await pass_deadlines(file, connection, system("preview"), command.at, strictly=True)
        # Sealed only now, since a correction before it may have brought another person's key.
        command.body = file.seal("commands", "body", str(command.command_id), content)
        await apply(file, connection, command)


async def _advance(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, refusals: dict[UUID, Refused]
) -> list[CommandOutcome]:
    outcomes: list[CommandOutcome] = []
    was = standing.before(file)
    for command in list(file.commands):
        await pass_deadlines(file, connection, actor, command.at, strictly=True)
        refusal = refusals.get(command.command_id)
        if refusal is None:
            try:
                _need_statement(file, command)
                file.statement_hash = _hash_of_statement(command)
                await apply(file, connection, command)
            except Refused as refused:
                if isinstance(refused, StatementKeyUnknown):
                    await wait_for_signer(file.context, connection, refused)
                raise _CommandRefused(command.command_id, refused) from refused
            outcomes.append(_mark(file, command, CommandState.APPLIED, at))
        else:
            outcomes.append(_mark(file, command, CommandState.REFUSED, at, refusal))
            file.statement_hash = _hash_of_statement(command)
            _tell_refused(file, command, refusal, at)
        file.statement_hash = None
        await assess_case(file, connection, actor, max(at, command.at))
    file.commands.clear()
    await assess_case(file, connection, actor, at)
    await pass_deadlines(file, connection, actor, at)
    await transferring.pass_on(file, connection, at)
    await standing.pass_on(file, connection, was, at)
    _note_unsent(file, at)
    return outcomes


def _need_statement(file: CaseFile, command: CommandRow) -> None:
    """Check that the command is the one its actor asked for."""
    if command.statement is None:
        if command.actor["role"] == "system" or command.kind == CommandKind.START:
            return
        raise Refused("signature_invalid", "The command has no actor statement.")
    said = said_of(command.document(), file.context.keyring.statement_keys())
    if not is_about(said, command.document()):
        raise Refused("signature_invalid", "The actor statement is about another command.")


def _hash_of_statement(command: CommandRow) -> bytes | None:
    statement = command.statement
    return None if statement is None else hashlib.sha256(statement.encode()).digest()


def _mark(
    file: CaseFile, command: CommandRow, state: CommandState, at: datetime, refusal: Refused | None = None
) -> CommandOutcome:
    outcome: dict[str, Any] = {"stage": file.stage.value, "round": file.round}
    if refusal is not None:
        outcome |= {"code": refusal.code, "detail": refusal.detail}
        outcome["errors"] = [error.as_kept() for error in refusal.errors]
        outcome |= {"facts": refusal.facts} if refusal.facts else {}
        outcome |= {"words": refusal.words} if refusal.words else {}
    file.mark_command(command, state.value, at, outcome)
    return CommandOutcome(command_id=str(command.command_id), state=state, code=refusal.code if refusal else None)


def _tell_refused(file: CaseFile, command: CommandRow, refusal: Refused, at: datetime) -> None:
    actor = Actor.model_validate(command.actor)
    about = {"kind": command.kind, "command_id": str(command.command_id)}
    file.record(Act.REQUEST_REFUSED, actor, at, outcome="refused", reasons=[refusal.code], **about)
    if actor.correlation_id.startswith(SIGNALLED):
        # A signal has no answer, so its refusal is the operator's to see (R33).
        note(file, at, kind="decision_signal", step="apply", reason=refusal.code)
        return
    waited = (at - command.at).total_seconds()
    declared = programme_of(file).commands[command.kind]
    if declared.is_awaited(actor.role) and waited > CALLER_WAITS_SECONDS:
        file.open_task(
            TaskKind.DECISION_NOT_TAKEN,
            at,
            reserved_for=f"{actor.issuer} {actor.subject}",
            detail={"code": refusal.code, **about},
        )


def _note_unsent(file: CaseFile, at: datetime) -> None:
    """Put a line before the operator for what could not be sent to the authority within its limit (P5)."""
    for destination in dict.fromkeys(file.unsent):
        step = f"tell_authority/{destination}"
        note(file, at, kind="authority_unreached", step=step, reason="not_sent_in_time")
