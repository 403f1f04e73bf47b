"""The step of a case: apply what is stored in its order, then what time has brought, in one transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import answering, correction, employment, permit_acts, permits, review_tasks, settling
from cases.applying import apply, take_answer
from cases.assessing import assess_case
from cases.case_file import CaseFile, open_case
from cases.context import Context
from domain.actors import Actor, system
from domain.acts import Act
from domain.answers import AnswerState
from domain.commands import AWAITED, CommandKind, CommandState
from domain.deadlines import WATCHED_BY_SCHEDULE, DeadlineKind
from domain.errors import Refused
from domain.messages import CommandOutcome, Course
from domain.tasks import TaskKind
from proof.statements import body_hash, verify
from store.case_rows import Row
from store.tables import incidents

# A caller waits this long for an outcome; one refused later is told to the officer by a task (states.md, section 2).
CALLER_WAITS_SECONDS = 20


class _CommandRefused(Exception):  # noqa: N818
    """One command cannot be applied; what it had begun to change is dropped with the transaction."""

    def __init__(self, command_id: UUID, refusal: Refused) -> None:
        super().__init__(refusal.code)
        self.command_id, self.refusal = command_id, refusal


async def advance(context: Context, reference: str, at: datetime, actor: Actor | None = None) -> Course:
    """Bring a case as far as its stored commands and the time allow, and return what it waits for now.

    Running it twice, or twice at once, changes nothing: the case is locked, applied commands are marked, and passed
    deadlines are gone.
    """
    actor = actor or system("advance")
    refusals: dict[UUID, Refused] = {}
    while True:
        try:
            async with open_case(context, reference) as (file, connection):
                outcomes = await _advance(file, connection, actor, at, refusals)
            return file.course().model_copy(update={"outcomes": tuple(outcomes)})
        except _CommandRefused as refused:
            refusals[refused.command_id] = refused.refusal


async def pass_watched(context: Context, reference: str, at: datetime) -> None:
    """Pass the deadlines of a case that the Schedule watches (P15)."""
    async with open_case(context, reference) as (file, _connection):
        for row in sorted(_due(file, at, watched=True), key=lambda row: row["at"]):
            file.pass_deadline(row)
            permits.pass_deadline(file, system("authority_poll"), at, row)


async def preview(file: CaseFile, connection: AsyncConnection, command: Row) -> None:
    """Try a command on the file in memory, after all that is stored before it, and change nothing.

    Raises:
        Refused: what the command would be refused for now.
    """
    file.previewed = True
    savepoint = await connection.begin_nested()
    try:
        for earlier in list(file.commands):
            inner = await connection.begin_nested()
            try:
                await apply(file, connection, earlier)
            except Refused:
                await inner.rollback()
            else:
                await inner.commit()
        await _pass(file, connection, system("preview"), command["at"], strictly=True)
        await apply(file, connection, command)
    finally:
        await savepoint.rollback()


async def _advance(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, refusals: dict[UUID, Refused]
) -> list[CommandOutcome]:
    outcomes: list[CommandOutcome] = []
    for command in list(file.commands):
        await _pass(file, connection, actor, command["at"], strictly=True)
        refusal = refusals.get(command["command_id"])
        if refusal is None:
            try:
                _need_statement(file, command)
                await apply(file, connection, command)
            except Refused as refused:
                raise _CommandRefused(command["command_id"], refused) from refused
            outcomes.append(_mark(file, command, CommandState.APPLIED, at))
        else:
            outcomes.append(_mark(file, command, CommandState.REFUSED, at, refusal))
            _tell_refused(file, command, refusal, at)
        await assess_case(file, connection, actor, max(at, command["at"]))
    file.commands.clear()
    await assess_case(file, connection, actor, at)
    await _pass(file, connection, actor, at)
    await _note_unsent(file, connection, at)
    return outcomes


async def _pass(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, *, strictly: bool = False
) -> None:
    """Pass every deadline up to a time, each at its own time and in order; strictly: only those before it."""
    while True:
        due = [row for row in _due(file, at) if not strictly or row["at"] < at]
        if not due:
            return
        row = min(due, key=lambda row: row["at"])
        file.pass_deadline(row)
        await _pass_one(file, connection, actor, max(row["at"], file.row["accepted_at"]), row)


def _due(file: CaseFile, at: datetime, *, watched: bool = False) -> list[Row]:
    return [
        row
        for row in file.deadlines.values()
        if row["at"] <= at and (DeadlineKind(row["kind"]) in WATCHED_BY_SCHEDULE) == watched
    ]


async def _pass_one(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, row: Row) -> None:
    kind, step = DeadlineKind(row["kind"]), row["step"]
    match kind:
        case DeadlineKind.DEFECTS_NAMED:
            review_tasks.count_as_complete(file)
        case DeadlineKind.CORRECTION_REMINDER:
            correction.remind(file, actor, at, row)
        case DeadlineKind.CORRECTION_OVER:
            correction.lapse(file, actor, at)
        case DeadlineKind.REVIEW_REMINDER:
            review_tasks.remind(file, actor, at, step)
        case DeadlineKind.REVIEW_OVER:
            review_tasks.escalate(file, actor, at)
        case DeadlineKind.CLAIM_OVER:
            review_tasks.lapse_claim(file, actor, at, row["destination"])
        case DeadlineKind.SIGNATURE_EXPECTED:
            review_tasks.expect_signature(file, at)
        case DeadlineKind.HOLD_REVIEW:
            review_tasks.review_hold(file, actor, at)
        case DeadlineKind.SETTLED:
            await settling.settle(file, connection, actor, at)
        case DeadlineKind.EMPLOYMENT_OVER:
            employment.end_employment(file, actor, at)
        case DeadlineKind.CONTRACT_REMINDER:
            employment.remind_of_contract(file, actor, at, step)
        case DeadlineKind.CONTRACT_GRACE:
            employment.end_contract_grace(file, actor, at)
        case DeadlineKind.EARLY_ANSWER:
            _show_early(file, actor, at, row["destination"])
        case _:
            permits.pass_deadline(file, actor, at, row)


def _show_early(file: CaseFile, actor: Actor, at: datetime, destination: str) -> None:
    """Show an answer that came too early and whose forerunner never came (P25, then P26)."""
    for kept in [a for a in file.answers if a["state"] == AnswerState.EARLY and a["destination"] == destination]:
        answer = permit_acts.read_kept(file, kept)
        if answering.judge(file, answer) is AnswerState.EARLY:
            file.change_answer(kept, AnswerState.HELD.value)
            answering.hold(file, actor, at, answer)
        else:
            take_answer(file, actor, at, kept)


def _need_statement(file: CaseFile, command: Row) -> None:
    """Check that the command is the one its actor asked for."""
    if command["statement"] is None:
        if command["actor"]["role"] == "system" or command["kind"] == CommandKind.START:
            return
        raise Refused("signature_invalid", "The command has no actor statement.")
    said = verify(command["statement"], file.context.keyring.statement_keys())
    actor = Actor.model_validate(command["actor"])
    same = (said.issuer, said.subject, said.role, said.reference) == (
        actor.issuer, actor.subject, actor.role, file.reference,
    )  # fmt: skip
    if not same or said.command_id != str(command["command_id"]) or said.body_hash != body_hash(command["body"]):
        raise Refused("signature_invalid", "The actor statement is about another command.")


def _mark(
    file: CaseFile, command: Row, state: CommandState, at: datetime, refusal: Refused | None = None
) -> CommandOutcome:
    outcome: dict[str, Any] = {"stage": file.stage.value, "round": file.round}
    if refusal is not None:
        outcome |= {"code": refusal.code, "detail": refusal.detail}
        outcome["errors"] = [{"field": e.field, "code": e.code, "message": e.message} for e in refusal.errors]
    file.mark_command(command, state.value, at, outcome)
    return CommandOutcome(command_id=str(command["command_id"]), state=state, code=refusal.code if refusal else None)


def _tell_refused(file: CaseFile, command: Row, refusal: Refused, at: datetime) -> None:
    actor = Actor.model_validate(command["actor"])
    detail = {"code": refusal.code, "kind": command["kind"], "command_id": str(command["command_id"])}
    file.record(Act.REQUEST_REFUSED, actor, at, **detail)
    waited = (at - command["at"]).total_seconds()
    if CommandKind(command["kind"]) in AWAITED and waited > CALLER_WAITS_SECONDS:
        file.open_task(TaskKind.DECISION_NOT_TAKEN, at, reserved_for=f"{actor.issuer} {actor.subject}", detail=detail)


async def _note_unsent(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """Put a line before the operator for what could not be sent to the authority within its limit (P5)."""
    for destination in dict.fromkeys(file.unsent):
        await connection.execute(
            insert(incidents).values(
                incident_id=uuid4(),
                reference=file.reference,
                employer_id=file.employer_id,
                kind="authority_unreached",
                step=f"tell_authority/{destination.value}",
                reason="not_sent_in_time",
                state="open",
                at=at,
            )  # fmt: skip
        )
