"""What can be asked of any case, whatever its programme: the verbs, and their declarations for programmes to take."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import holder_of, take_task
from cases.commands import recount, routes, said
from cases.decisions import assessing, correction, facts, review, transferring
from cases.moves.front_half import Event
from cases.moves.transfer import TransferEvent
from cases.programme import EVERYBODY, Answer, Body, Command, Reasoned, effect, programme_of
from domain.actors import Actor, Role, system
from domain.acts import Act
from domain.case_facts import FactAsked, FactContest
from domain.case_requests import ContestRequest, WithdrawalRequest
from domain.clock import day_of
from domain.commands import CommandKind
from domain.decisions import (
    ConfirmationRequest,
    DecisionRequest,
    HoldRequest,
    RecallRequest,
    TaskAnswerRequest,
)
from domain.errors import FieldError, Refused, need
from domain.field_errors import FieldCode, field_errors
from domain.reasons import Use
from domain.stages import CLOSED, Standing
from domain.tasks import TaskKind
from domain.transfers import DepartureAnswerRequest
from store.rows.work import TaskRow


async def _start(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    assessing.start(file, system("start", actor.correlation_id), at)


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
    await review.confirm(file, connection, actor, at, ConfirmationRequest.model_validate(body))


async def _recall(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    review.recall(file, actor, at)


async def _hold(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    review.hold(file, actor, at, HoldRequest.model_validate(body))


async def _recount(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    recount.recount(file, actor, at)


async def _standing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    if file.stage in CLOSED:
        return
    file.row.standing_hold = file.standing_on(day_of(at)) is Standing.SUSPENDED
    act = Act.HELD if file.row.standing_hold else Act.HOLD_RELEASED
    file.record(act, actor, at, reasons=["employer_standing"])


async def _ask_departure(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    transferring.ask_departure(file, actor, at)


async def _answer_departure(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body
) -> None:
    transferring.answer_departure(file, actor, at, DepartureAnswerRequest.model_validate(body))


async def _ask_no_more(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    transferring.ask_no_more(file, actor, at)


async def _let_follow(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    transferring.let_follow(file, actor, at)


async def _transfer_off(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    transferring.transfer_off(file, actor, at)


async def _let_rest(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    transferring.let_rest(file, actor, at)


async def _resume(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    file.close_tasks([TaskKind.STUCK], at)
    file.record(Act.INCIDENT_RESUMED, actor, at)


async def _record_fact(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await facts.record(file, connection, actor, at, FactAsked.model_validate(body))


async def _contest_fact(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    facts.contest(file, actor, at, body["fact"])


async def _answer_task(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    task = next((t for t in file.tasks if str(t.task_id) == body["task_id"]), None)
    if task is None:
        raise Refused("already_decided", "The task is closed.")
    kind = task.kind
    take_task(file, actor, at, kind, task.destination)
    asked = answer_given(file, body)
    _need_answer(file, kind, asked.action)
    does = programme_of(file).answers.get(kind)
    if does is not None:
        await does(file, connection, actor, at, asked, task)
        return
    file.close_tasks([kind], at, destination=task.destination)
    file.record(Act.TASK_ANSWERED, actor, at, outcome="done", destination=task.destination, kind=kind)


def answer_given(file: CaseFile, body: Body) -> TaskAnswerRequest:
    """Return an answer as its programme takes it; one call serves the tasks of all programmes."""
    model = need(programme_of(file).commands[CommandKind.ANSWER_TASK].body, "body")
    try:
        asked = model.model_validate({name: value for name, value in body.items() if name != "task_id"})
    except ValidationError as error:
        raise Refused("invalid", "The tasks of this case are answered otherwise.", field_errors(error)) from None
    if not isinstance(asked, TaskAnswerRequest):
        raise TypeError(type(asked).__name__)
    return asked


def _need_answer(file: CaseFile, kind: str, action: str) -> None:
    """Refuse an answer that a task of this kind does not take, naming those that it does."""
    allowed = file.words.tasks[kind].answers
    if action not in allowed:
        said = "This task does not take this answer."
        wrong = FieldError("action", FieldCode.UNKNOWN_VALUE, said, allowed=tuple(str(each) for each in allowed))
        raise Refused("invalid", f"A task `{kind}` does not take the answer `{action}`.", [wrong])


async def _answer_contest(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    asked: TaskAnswerRequest,
    task: TaskRow,
) -> None:
    await facts.answer_contest(file, connection, actor, at, asked)


def _refuses_answer(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse where no task is open that takes an answer from this actor."""
    words = programme_of(file).words
    open_tasks = [
        task for task in file.tasks if words.tasks[task.kind].answers and task.holder in (None, holder_of(actor))
    ]
    if not open_tasks:
        raise Refused("already_decided", "The task is closed.")


def owned_by_persons(commands: Mapping[str, Command]) -> dict[str, Command]:
    """Return commands with those that an employer asks of its own case asked by the person who owns it."""
    return {kind: _by_person(each) for kind, each in commands.items()}


def _by_person(command: Command) -> Command:
    if command.route is None or Role.EMPLOYER not in command.route.by:
        return command
    by = command.route.by - {Role.EMPLOYER} | {Role.PERSON}
    return replace(command, route=replace(command.route, by=by))


# Of a programme whose cases may follow one another, an employer's after another's (`Programme.transfer`).
TRANSFER_ANSWERS: Final[Mapping[str, Answer]] = {TaskKind.TRANSFER: transferring.answer_task}
TRANSFER_COMMANDS: Final[Mapping[str, Command]] = {
    CommandKind.ASK_DEPARTURE: Command(does=_ask_departure, acts=effect(Act.DEPARTURE_ASKED)),
    CommandKind.ANSWER_DEPARTURE: Command(
        does=_answer_departure,
        route=routes.ANSWER_DEPARTURE,
        events=(TransferEvent.DENY_DEPARTURE,),
        refuses=transferring.refuses_answer,
        acts=effect(Act.DEPARTURE_DENIED),
        body=DepartureAnswerRequest,
    ),
    CommandKind.ASK_NO_MORE: Command(does=_ask_no_more, acts=effect(Act.DEPARTURE_ASKED_NO_MORE)),
    CommandKind.LET_FOLLOW: Command(does=_let_follow, acts=effect(Act.TRANSFER_DONE)),
    CommandKind.TRANSFER_OFF: Command(does=_transfer_off, acts=effect(Act.TRANSFER_NOT_CONFIRMED)),
}


def runs_on_commands(*acts: str) -> dict[str, Command]:
    """Return the command by which what waited of a case that ended comes to its end there, with what that leaves."""
    return {CommandKind.LET_REST: Command(does=_let_rest, acts=effect(further=acts))}


ANSWERS: Final[Mapping[str, Answer]] = {TaskKind.FACT_CONTESTED: _answer_contest}
COMMANDS: Final[Mapping[str, Command]] = {
    CommandKind.START: Command(does=_start, acts=effect(Act.STARTED)),
    CommandKind.CONTEST: Command(
        does=_contest, route=routes.CONTEST, events=(Event.CONTEST,), acts=effect(Act.CONTESTED), body=ContestRequest
    ),
    CommandKind.WITHDRAW: Command(
        does=_withdraw,
        route=routes.WITHDRAW,
        events=(Event.WITHDRAW,),
        refuses=review.refuses_withdrawal,
        acts=effect(Act.WITHDRAWN),
        body=WithdrawalRequest,
    ),
    CommandKind.DECIDE: Command(
        does=_decide,
        route=routes.DECIDE,
        events=(Event.APPROVE, Event.APPROVE_OVER_FAIL, Event.RETURN, Event.REFUSE),
        refuses=review.refuses_decision,
        acts=effect(Act.DECIDED),
        body=DecisionRequest,
        reasons={
            Event.APPROVE: Reasoned(Use.OVERRIDE, is_needed=False),
            Event.APPROVE_OVER_FAIL: Reasoned(Use.OVERRIDE),
            Event.RETURN: Reasoned(Use.RETURN),
            Event.REFUSE: Reasoned(Use.REFUSE),
        },
        comes_to=review.comes_to,
        waits=EVERYBODY,
        said=said.decision,
    ),
    CommandKind.CONFIRM: Command(
        does=_confirm,
        route=routes.CONFIRM,
        acts=effect(Act.CONFIRMED, Act.SIGNED, Act.REJECTED),
        events=(Event.CONFIRM_APPROVAL, Event.CONFIRM_REFUSAL, Event.REJECT),
        refuses=review.refuses_signature,
        body=ConfirmationRequest,
        reasons={Event.REJECT: Reasoned(Use.REJECT)},
        waits=EVERYBODY,
        said=said.signature(Act.CONFIRMED),
    ),
    CommandKind.RECALL: Command(
        does=_recall,
        route=routes.RECALL,
        events=(Event.RECALL,),
        refuses=review.refuses_recall,
        acts=effect(Act.RECALLED),
        body=RecallRequest,
        waits=EVERYBODY,
    ),
    CommandKind.HOLD: Command(
        does=_hold,
        route=routes.HOLD,
        events=(Event.HOLD,),
        refuses=review.refuses_hold,
        acts=effect(Act.HELD, Act.HOLD_RELEASED),
        body=HoldRequest,
        reasons={Event.HOLD: Reasoned(Use.HOLD)},
        waits=EVERYBODY,
        said=said.hold,
    ),
    CommandKind.ANSWER_TASK: Command(
        does=_answer_task,
        route=routes.ANSWER_TASK,
        acts=effect(Act.TASK_ANSWERED),
        events=(Event.ANSWER_FACT,),
        refuses=_refuses_answer,
        body=TaskAnswerRequest,
        named=("task_id",),
        waits=EVERYBODY,
    ),
    CommandKind.RECORD_FACT: Command(
        does=_record_fact,
        route=routes.RECORD_FACT,
        events=(Event.RECORD_FACT,),
        refuses=facts.refuses_fact,
        acts=effect(Act.FACT_RECORDED),
        body=FactAsked,
        waits=EVERYBODY,
    ),
    CommandKind.CONTEST_FACT: Command(
        does=_contest_fact,
        route=routes.CONTEST_FACT,
        own=routes.CONTEST_OWN_FACT,
        acts=effect(Act.FACT_CONTESTED),
        events=(Event.CONTEST_FACT,),
        refuses=facts.refuses_contest,
        body=FactContest,
        named=("fact",),
        is_confided=True,
    ),
    # A suspended employer's cases wait until it is in good standing again; what else follows, a programme says.
    CommandKind.STANDING: Command(does=_standing, acts=effect(Act.HELD, Act.HOLD_RELEASED)),
    CommandKind.RECOUNT: Command(does=_recount, acts=effect(Act.DUE_DATE_CHANGED)),
    CommandKind.RESUME: Command(does=_resume, acts=effect(Act.INCIDENT_RESUMED)),
}
