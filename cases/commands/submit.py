"""Asking something of a case: checked against the register, stored as a command, answered with the case."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, build_file, load_case, load_rows
from cases.case.view import case_view
from cases.case.views import AnyCaseView, CaseForStaff
from cases.commands import store as commands
from cases.commands.advance import advance, preview
from cases.decisions import review
from cases.programme import Told, programme_of
from cases.shared.context import Context
from cases.shared.idempotency import (
    KEPT_KEY,
    Idempotency,
    Progress,
    Reply,
    asked_before,
    keep_reply,
    key_row,
    read_known,
)
from domain.actors import Actor
from domain.commands import CommandKind, CommandState
from domain.errors import FieldError, Refused
from domain.languages import Language
from domain.stages import PendingAct, Stage
from store import case_writes
from store.rows.work import CommandRow

# Answered with what would then still stand in the way of what follows an approval.
_LOOKING_AHEAD: Final = frozenset({CommandKind.DECIDE, CommandKind.CONFIRM, CommandKind.RECORD_FACT})


# What is stored in the transaction of a command beside it: the case, its actor, the command's id and time.
Beside = Callable[[CaseFile, AsyncConnection, Actor, UUID, datetime], Awaitable[None]]


class _RefusedError(Exception):
    """A try was refused, and its caller is told what the command's declaration makes of that."""

    def __init__(self, refused: Refused, told: Told) -> None:
        super().__init__(refused.code)
        self.refused, self.told = refused, told


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the case, the command, its kind, and the answer where it is known already."""

    reference: str
    kind: str
    command_id: UUID
    reply: Reply | None


async def ask(
    context: Context,
    actor: Actor,
    reference: str,
    kind: str,
    body: BaseModel | dict[str, Any],
    idempotency: Idempotency,
    language: Language = Language.ZH_HANS,
    *,
    beside: Beside | None = None,
) -> Asked:
    """Store a command, unless the register already says that it would be refused.

    The caller sends it on: an awaited kind by an update, any other by a signal. `beside` writes what is to be stored
    with it, in the same transaction.

    Raises:
        Refused: the code that the step would refuse with now.
    """
    at = context.clock()
    try:
        asked, is_closed = await _store(context, actor, reference, kind, body, idempotency, language, at, beside)
    except _RefusedError as error:
        raise await error.told(context, actor, body, error.refused) from None
    if is_closed:
        # The workflow of the case has closed, so nobody else applies what is stored for it.
        await advance(context, reference, at)
    return asked


async def _store(
    context: Context,
    actor: Actor,
    reference: str,
    kind: str,
    body: BaseModel | dict[str, Any],
    idempotency: Idempotency,
    language: Language,
    at: datetime,
    beside: Beside | None,
) -> tuple[Asked, bool]:
    """Store a command in one transaction; return what was asked, and whether the case has no workflow any more."""
    async with context.database.begin(actor.tenant, case=reference, planned_once=True) as connection:
        loaded = await load_rows(context, connection, reference, beside=asked_before(actor, idempotency))
        known = read_known(context, idempotency, loaded.beside.of(KEPT_KEY))
        if known is not None and known.reference is not None and known.command_id is not None:
            return Asked(known.reference, kind, known.command_id, known.reply), False
        file = await build_file(context, connection, loaded)
        is_closed, key = file.is_finished(), file.person_key
        content = body if isinstance(body, dict) else body.model_dump(mode="json", exclude_unset=True)
        declared = programme_of(file).commands[kind]
        awaited = declared.is_awaited(actor.role)
        reply = None if awaited else Reply(Progress.STORED, case_view(file, actor, language))
        command_id = uuid4()
        trial = CommandRow(
            command_id=command_id,
            reference=file.reference,
            employer_id=file.employer_id,
            kind=str(kind),
            actor=actor.model_dump(mode="json"),
            state=CommandState.STORED.value,
            at=at,
        )
        if declared.before is not None:
            await declared.before(file, connection, actor, at, body)
        try:
            await preview(file, connection, trial, content)
        except Refused as refused:
            seen = for_reader(refused, actor)
            if declared.refused is None:
                raise seen from None
            raise _RefusedError(seen, declared.refused) from None
        stored = await load_case(context, connection, reference) if file.person_key is not key else file
        command = commands.command_row(stored, actor, kind, content, at, command_id=command_id, unanswered=awaited)
        kept = key_row(context, actor, idempotency, reference=reference, command_id=command_id, reply=reply, key=key)
        await case_writes.write(connection, {"commands": [command.document()], "idempotency": [kept]})
        if beside is not None:
            await beside(stored, connection, actor, command_id, at)
    return Asked(reference, kind, command_id, reply), is_closed


async def _looking_ahead(
    context: Context, connection: AsyncConnection, file: CaseFile, kind: str, view: AnyCaseView, language: Language
) -> AnyCaseView:
    """Return a case with what the act that was asked of it by staff lets expect."""
    if not isinstance(view, CaseForStaff) or kind not in _LOOKING_AHEAD:
        return view
    if not (_may_be_approved(file) or kind == CommandKind.RECORD_FACT):
        return view
    says_who = kind == CommandKind.RECORD_FACT and file.stage is Stage.UNDER_REVIEW
    needs = review.needs_second_signature(file) if says_who else None
    return await programme_of(file).outlook(file, connection, context.clock(), language, view, needs)


def _may_be_approved(file: CaseFile) -> bool:
    """Whether what follows an approval comes next: the case is approved, or proposed to be."""
    return file.stage is Stage.APPROVED or file.row.pending_act == PendingAct.APPROVE


def for_reader(refused: Refused, actor: Actor) -> Refused:
    """Return a refusal as its reader may see it: an outsider never learns of a proposal or a settling approval.

    A sentence of the catalogue is written for all who may read it.
    """
    if actor.is_inside or refused.code != "wrong_stage" or refused.words:
        return refused
    return Refused(refused.code, "This cannot be done at the present stage of the case.", refused.errors)


async def reply(
    context: Context,
    actor: Actor,
    asked: Asked,
    idempotency: Idempotency,
    language: Language = Language.ZH_HANS,
    *,
    is_answered: bool,
    pending_because: str | None = None,
) -> Reply:
    """Answer an awaited command with the case: applied, or pending while the engine is away.

    What is proposed is stored: nothing is set before its second signature (R22).

    `is_answered` says that its update answered, so that the workflow knows; otherwise the sweeper tells it again.
    `pending_because` is why it is pending, as a code.

    Raises:
        Refused: what the step refused the command with.
    """
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, asked.reference, beside=commands.outcome_of(asked.command_id))
        state, outcome = file.beside.of(commands.OUTCOME)
        if state is CommandState.REFUSED:
            errors = [FieldError.from_kept(error) for error in outcome.get("errors", [])]
            words = outcome.get("words", "")
            raise Refused(outcome["code"], outcome.get("detail", ""), errors, facts=outcome.get("facts"), words=words)
        declared = programme_of(file).commands[asked.kind]
        view = await _looking_ahead(context, connection, file, asked.kind, case_view(file, actor, language), language)
        if state is CommandState.STORED:
            return Reply(Progress.PENDING, view, pending_because)
        answer = Reply(Progress.STORED if declared.proposes else Progress.APPLIED, view)
        beside = commands.answered([asked.command_id]) if is_answered else None
        await keep_reply(connection, actor, idempotency, answer, file.person_key, beside=beside)
    return answer
