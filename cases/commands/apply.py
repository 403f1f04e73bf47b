"""Applying commands: each kind by its verb, in the order in which they were stored."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.file import CaseFile
from cases.case.identity import take_identity
from cases.case.signers import need_no_conflict, take_task
from cases.commands import recount
from cases.decisions import assessing, correction, review
from cases.decisions import facts as recording
from cases.notices import contact_changes
from domain.actors import Actor, system
from domain.acts import Act
from domain.answers import AnswerState
from domain.case_facts import FactRequest
from domain.clock import day_of
from domain.commands import CommandKind
from domain.deadlines import DeadlineKind
from domain.decisions import (
    TASK_ANSWERS,
    CardLostRequest,
    ConfirmationRequest,
    DecisionRequest,
    EligibilityRequest,
    HoldRequest,
    OutcomeRequest,
    PermitConfirmationRequest,
    RevocationRequest,
    TaskAction,
    TaskAnswerRequest,
)
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.registration import ChangeRequest, CorrectionRequest, DepartureRequest
from domain.stages import Destination, PendingAct
from domain.tasks import TaskKind
from privacy import objections
from programmes.talent_permit import employment, permit_acts, permits
from programmes.talent_permit.authority import applying as answering
from programmes.talent_permit.authority import inbox
from store.rows.authority import AnswerRow
from store.rows.work import CommandRow, TaskRow

Body = dict[str, Any]
Verb = Callable[[CaseFile, AsyncConnection, Actor, datetime, Body], Awaitable[None]]


async def apply(file: CaseFile, connection: AsyncConnection, command: CommandRow) -> None:
    """Apply one command to the file in memory; a declared conflict of interest binds every one of them.

    Raises:
        Refused: the register stands where this cannot be done, or its actor may not act on the case; the caller then
            drops the file.
    """
    body: Body = {}
    if command.body is not None:
        plain = file.person_key.open("commands", "body", str(command.command_id), command.body)
        body = json.loads(plain)
    actor = Actor.model_validate(command.actor)
    need_no_conflict(file, actor)
    await VERBS[CommandKind(command.kind)](file, connection, actor, command.at, body)


async def _start(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    assessing.start(file, system("start", actor.correlation_id), at)


async def _correct(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    whole = employment.merged(file.application, CorrectionRequest.model_validate(body))
    held = contact_changes.held_back(file, at, whole.person)
    given = file.application.person
    whole = whole.model_copy(
        update={"person": whole.person.model_copy(update={name: getattr(given, name) for name in held})}
    )
    await take_identity(file, connection, whole)
    employment.keep_version(file, at, whole=whole)
    file.row.destinations = [d.value for d in whole.destinations]
    file.row.undertaking_version = whole.undertaking_version
    file.row.contract_end = case_facts.known(file).employment.contract_end
    content = file.person_key.ledger_hash(whole.model_dump_json(exclude_none=True).encode())
    correction.take_correction(file, actor, at, content)
    if held:
        employment.ask_officer(file, actor, at, held)


async def _contest(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    correction.contest(file, actor, at)
    task = file.find_task(TaskKind.REVIEW)
    if task is not None:
        sealed = file.seal("tasks", "detail", f"{file.reference}/contest", {"note": body["note"]}).hex()
        file.change_task(task, detail={"contested": True, "contest": sealed})


async def _withdraw(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    review.withdraw(file, actor, at)


async def _decide(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await review.decide(file, connection, actor, at, DecisionRequest.model_validate(body))


async def _confirm(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    was_revocation = file.row.pending_act == PendingAct.REVOKE
    await review.confirm(file, connection, actor, at, ConfirmationRequest.model_validate(body))
    if was_revocation and body["action"] == "reject":
        employment.after_rejected_revocation(file, actor, at)


async def _recall(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    review.recall(file, actor, at)


async def _hold(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    review.hold(file, actor, at, HoldRequest.model_validate(body))


async def _revoke(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    employment.revoke(file, actor, at, RevocationRequest.model_validate(body))


async def _depart(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    employment.depart(file, actor, at, DepartureRequest.model_validate(body))


async def _dispute(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    employment.dispute(file, actor, at)


async def _change(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await employment.change(file, connection, actor, at, ChangeRequest.model_validate(body))


async def _standing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await employment.standing(file, connection, actor, at, file.standing_on(day_of(at)))


async def _recount(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    recount.recount(file, actor, at)


async def _resume(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    file.close_tasks([TaskKind.STUCK], at)
    file.record(Act.INCIDENT_RESUMED, actor, at)


async def _card_lost(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    destination = _destination(body)
    if destination not in file.permits:
        raise Refused("wrong_stage", "No permit of this destination was issued.")
    asked = CardLostRequest.model_validate(_rest(body))
    permits.need_lost_day(file, at, destination, asked.lost_on)
    permits.card_lost(file, actor, at, destination, asked.lost_on)


async def _eligibility(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked = EligibilityRequest.model_validate(_rest(body))
    permit_acts.settle_eligibility(file, actor, at, _destination(body), asked)


async def _permit_confirm(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked = PermitConfirmationRequest.model_validate(_rest(body))
    permit_acts.confirm(file, actor, at, _destination(body), asked)
    take_early(file, actor, at, _destination(body))


async def _enter_outcome(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked = OutcomeRequest.model_validate(_rest(body))
    paper = asked.paper(file.reference, _destination(body))
    if paper is not None:
        await inbox.keep_paper(file, connection, paper, at)
    permit_acts.propose_outcome(file, actor, at, _destination(body), asked)


async def _answer(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    kept = next((a for a in file.answers if str(a.answer_id) == body["answer_id"]), None)
    if kept is None or kept.state != AnswerState.STORED:
        return
    take_answer(file, actor, at, kept)
    take_early(file, actor, at, Destination(kept.destination))


def take_answer(file: CaseFile, actor: Actor, at: datetime, kept: AnswerRow) -> None:
    """Do with a kept answer what the permit's stage now says."""
    answer = inbox.read_kept(file, kept)
    state = answering.judge(file, answer)
    file.change_answer(kept, state.value)
    _TAKEN[state](file, actor, at, answer, kept.answer_id)


def take_early(file: CaseFile, actor: Actor, at: datetime, destination: Destination, *, hold: bool = False) -> None:
    """Take the answers that came too early, once their turn has come (P25); hold: those too whose turn never came."""
    while True:
        early = _early(file, destination)
        ripe = [a for a in early if answering.judge(file, inbox.read_kept(file, a)) is not AnswerState.EARLY]
        if not ripe:
            break
        take_answer(file, actor, at, ripe[0])
    for kept in early if hold else []:
        file.change_answer(kept, AnswerState.HELD.value)
        answering.hold(file, actor, at, inbox.read_kept(file, kept), kept.answer_id)
    if not _early(file, destination):
        file.cancel_deadlines(DeadlineKind.EARLY_ANSWER, destination=destination.value)


def _early(file: CaseFile, destination: Destination) -> list[AnswerRow]:
    """Return the early answers about a permit in the order in which they were given."""
    kept = [a for a in file.answers if a.state == AnswerState.EARLY and a.destination == destination]
    return sorted(kept, key=lambda a: a.occurred_at)


async def _record_fact(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await recording.record(file, connection, actor, at, FactRequest.model_validate(body))


async def _contest_fact(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    recording.contest(file, actor, at, body["fact"])


async def _answer_task(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    task = next((t for t in file.tasks if str(t.task_id) == body["task_id"]), None)
    if task is None:
        raise Refused("already_decided", "The task is closed.")
    take_task(file, actor, at, TaskKind(task.kind), _destination_of(task))
    asked = TaskAnswerRequest.model_validate({name: v for name, v in body.items() if name != "task_id"})
    kind = TaskKind(task.kind)
    _need_answer(kind, asked.action)
    if kind is TaskKind.CHANGE:
        await employment.answer_change(file, connection, actor, at, asked)
    elif kind is TaskKind.EMPLOYMENT_CHECK:
        await employment.answer_employment(file, connection, actor, at, asked)
    elif kind is TaskKind.DEPARTURE_DISPUTED:
        employment.answer_dispute(file, actor, at, asked)
        await objections.end_dispute(file, connection, actor, at, asked.action.value)
    elif kind is TaskKind.FACT_CONTESTED:
        await recording.answer_contest(file, connection, actor, at, asked)
    elif kind is TaskKind.AUTHORITY_REJECTED:
        permits.send_again(file, actor, at, task)
    else:
        destination = _destination_of(task)
        file.close_tasks([kind], at, destination=destination)
        file.record(Act.TASK_ANSWERED, actor, at, outcome="done", destination=task.destination, kind=kind.value)


def _need_answer(kind: TaskKind, action: TaskAction) -> None:
    """Refuse an answer that a task of this kind does not take, naming those that it does."""
    allowed = TASK_ANSWERS.get(kind, ())
    if action not in allowed:
        said = "This task does not take this answer."
        wrong = FieldError("action", FieldCode.UNKNOWN_VALUE, said, allowed=tuple(each.value for each in allowed))
        raise Refused("invalid", f"A task `{kind}` does not take the answer `{action}`.", [wrong])


_TAKEN: Final = {
    AnswerState.APPLIED: answering.apply,
    AnswerState.RECORDED: answering.fill_in,
    AnswerState.EARLY: answering.keep_early,
    AnswerState.RENEWAL: answering.keep_renewal,
    AnswerState.HELD: answering.hold,
}
VERBS: Final[dict[CommandKind, Verb]] = {
    CommandKind.START: _start,
    CommandKind.CORRECT: _correct,
    CommandKind.CONTEST: _contest,
    CommandKind.WITHDRAW: _withdraw,
    CommandKind.DECIDE: _decide,
    CommandKind.CONFIRM: _confirm,
    CommandKind.RECALL: _recall,
    CommandKind.HOLD: _hold,
    CommandKind.REVOKE: _revoke,
    CommandKind.DEPART: _depart,
    CommandKind.DISPUTE: _dispute,
    CommandKind.CHANGE: _change,
    CommandKind.STANDING: _standing,
    CommandKind.CARD_LOST: _card_lost,
    CommandKind.ELIGIBILITY: _eligibility,
    CommandKind.PERMIT_CONFIRM: _permit_confirm,
    CommandKind.ENTER_OUTCOME: _enter_outcome,
    CommandKind.ANSWER: _answer,
    CommandKind.ANSWER_TASK: _answer_task,
    CommandKind.RECORD_FACT: _record_fact,
    CommandKind.CONTEST_FACT: _contest_fact,
    CommandKind.RECOUNT: _recount,
    CommandKind.RESUME: _resume,
}


# Verbs that change rows at once and not with the file: a try of them has to be undone in the database.
WRITES_BY_ITSELF: Final = frozenset({CommandKind.CORRECT, CommandKind.ENTER_OUTCOME})


def _destination(body: Body) -> Destination:
    return Destination(body["destination"])


def _destination_of(task: TaskRow) -> Destination | None:
    return Destination(task.destination) if task.destination else None


def _rest(body: Body) -> Body:
    return {name: value for name, value in body.items() if name != "destination"}
