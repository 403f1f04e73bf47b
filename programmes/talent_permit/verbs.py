"""What can be asked of a talent permit beside what any case takes: the verbs, and their declarations."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.identity import take_identity
from cases.commands import objecting, said, verbs
from cases.commands.changing import CHANGE_ANSWERS, CHANGE_EVENTS, CHANGES_ANSWERED, change_command
from cases.commands.correcting import correct
from cases.commands.renewals import SIGNED_OF_RENEWALS, renewal_commands
from cases.decisions import amending, assessing, changing, cooling, disputes
from cases.decisions.versions import keep_version
from cases.moves.transfer import TransferEvent
from cases.notices import contact_changes
from cases.programme import EVERYBODY, Answer, Body, Command, Reasoned, Tells, effect
from domain import spellings
from domain.actors import STAFF, Actor
from domain.acts import Act
from domain.answers import AnswerState
from domain.clock import day_of
from domain.commands import CommandKind
from domain.decisions import PermitConfirmationRequest, RecallRequest, TaskAnswerRequest
from domain.errors import Refused
from domain.reasons import Use
from programmes.talent_permit import (
    asking_anew,
    departures,
    eligibility,
    employment,
    permit_acts,
    permits,
    routes,
    running_on,
)
from programmes.talent_permit.authority import inbox
from programmes.talent_permit.authority.early import take_answer, take_early
from programmes.talent_permit.given import given, known
from programmes.talent_permit.permit_requests import (
    CardLostRequest,
    EligibilityAction,
    EligibilityRequest,
    OutcomeRequest,
    RenewalRequest,
    RevocationRequest,
)
from programmes.talent_permit.permit_requests import TaskAnswerRequest as PermitTaskAnswer
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.reasons import PermitUse
from programmes.talent_permit.requests import (
    ChangeRequest,
    CorrectionRequest,
    DepartureRequest,
    FactRequest,
    RegistrationRequest,
)
from programmes.talent_permit.stages import PERMIT, LifeEvent, PermitEvent, permit_of
from programmes.talent_permit.tables import destinations_of, permit_rows, talent_permit
from programmes.talent_permit.words import ABOUT_DEPARTURE, PermitAct, PermitAnswer, PermitCommand, PermitTask
from store.rows.work import TaskRow


async def _correct(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked, before = CorrectionRequest.model_validate(body), given(file)
    amending.need_may_be_given(file, actor, at, asked.round)
    whole = employment.merged(before, asked)
    held = contact_changes.held_back(file, at, whole.subject)
    whole = whole.with_contact({name: getattr(file.subject, name) for name in held})
    amending.need_amendment(file, whole)
    await take_identity(file, connection, whole, at)
    told = keep_version(file, at, whole=whole)
    talent_permit(file).change(
        destinations=[d.value for d in whole.destinations],
        undertaking_version=whole.undertaking_version,
        contract_end=known(file).employment.contract_end,
    )
    await amending.take(file, connection, actor, at, before, contact_changed=told)
    if held:
        changing.ask_officer(file, actor, at, held)


async def _revoke(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    employment.revoke(file, actor, at, RevocationRequest.model_validate(body))


async def _depart(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    employment.depart(file, actor, at, DepartureRequest.model_validate(body))


async def _dispute(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    employment.dispute(file, actor, at)


async def _standing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await employment.standing(file, connection, actor, at, file.standing_on(day_of(at)))


async def _card_lost(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    destination = _destination(body)
    if destination not in permit_rows(file):
        raise Refused("wrong_stage", "No permit of this destination was issued.")
    asked = CardLostRequest.model_validate(_rest(body))
    permits.need_lost_day(file, actor, at, destination, asked.lost_on)
    permits.card_lost(file, actor, at, destination, asked.lost_on)


async def _eligibility(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked = EligibilityRequest.model_validate(_rest(body))
    permit_acts.settle_eligibility(file, actor, at, _destination(body), asked)


async def _permit_confirm(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked = PermitConfirmationRequest.model_validate(_rest(body))
    permit_acts.confirm(file, actor, at, _destination(body), asked)
    take_early(file, actor, at, _destination(body))


async def _permit_recall(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    cooling.recall(file, actor, at, permit_of(_destination(body)))


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


def _said_revoked(body: Mapping[str, Any]) -> Tells:
    return Tells(frozenset({PermitAct.REVOCATION_PROPOSED}), reasons=said.codes(body))


def _said_departed(body: Mapping[str, Any]) -> Tells:
    """An employer's report is recorded, an officer's is proposed."""
    return Tells(
        frozenset({PermitAct.DEPARTURE_REPORTED, PermitAct.DEPARTURE_PROPOSED}), reasons=frozenset({body["reason"]})
    )


def _said_of_eligibility(body: Mapping[str, Any]) -> Tells:
    is_sent = body["action"] == EligibilityAction.SEND
    acts = frozenset({PermitAct.PERMIT_ELIGIBLE if is_sent else PermitAct.PERMIT_WITHHOLD_PROPOSED})
    return Tells(acts, reasons=said.codes(body))


def _destination(body: Body) -> Destination:
    return Destination(body["destination"])


def _rest(body: Body) -> Body:
    return {name: value for name, value in body.items() if name != "destination"}


async def _answer_employment(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest, task: TaskRow
) -> None:
    if not isinstance(asked, PermitTaskAnswer):
        raise TypeError(type(asked).__name__)
    await employment.answer_employment(file, connection, actor, at, asked)


async def _answer_dispute(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest, task: TaskRow
) -> None:
    employment.answer_dispute(file, actor, at, asked)
    await disputes.end_dispute(file, connection, actor, at, asked.action, about=ABOUT_DEPARTURE)


async def _send_again(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest, task: TaskRow
) -> None:
    permits.send_again(file, actor, at, task)


async def _answer_move(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest, task: TaskRow
) -> None:
    wanted = [Destination(each) for each in task.detail["permits"]]
    if asked.action == PermitAnswer.MOVE:
        await running_on.move(file, connection, actor, at, wanted)
        return
    await running_on.start_anew(file, connection, actor, at)
    for destination in wanted:
        if destination in destinations_of(file) and destination not in permit_rows(file):
            await eligibility.add(file, connection, actor, at, destination, assessing.of_acceptance(file))
    permits.follow_up(file)


async def _answer_ended(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest, task: TaskRow
) -> None:
    await asking_anew.answer_ended(file, connection, actor, at, asked.action, task)


_AT_ITS_END: Final = (PermitAct.ENDED, PermitAct.PERMIT_CLOSED, PermitAct.PERMIT_REPORTED, Act.SETTLED)
# What follows of permits where a decision is set aside.
_GOES_ON: Final = (
    PermitAct.PERMIT_REOPENED,
    PermitAct.PERMIT_RESTORED,
    PermitAct.PERMIT_ELIGIBLE,
    PermitAct.PERMIT_NOT_CLEAR,
)
_OF_ANSWERS: Final = (Act.ANSWER_APPLIED, Act.ANSWER_HELD, Act.ANSWER_RECEIVED, PermitAct.PERMIT_SENT)
_OF_TASKS: Final = (
    *CHANGES_ANSWERED,
    PermitAct.DEPARTURE_REPORTED,
    PermitAct.DEPARTURE_PROPOSED,
    Act.TRANSFER_ENDED,
    Act.TASK_ANSWERED,
)
_OF_MOVES: Final = (PermitAct.PERMIT_TAKEN_OVER, PermitAct.PERMIT_ELIGIBLE, PermitAct.PERMIT_NOT_CLEAR)
_DESTINATION: Final = ("destination",)
ANSWERS: Final[Mapping[str, Answer]] = {
    **verbs.ANSWERS,
    **verbs.TRANSFER_ANSWERS,
    **CHANGE_ANSWERS,
    PermitTask.EMPLOYMENT_CHECK: _answer_employment,
    PermitTask.DEPARTURE_DISPUTED: _answer_dispute,
    PermitTask.AUTHORITY_REJECTED: _send_again,
    PermitTask.PERMIT_MOVE: _answer_move,
    PermitTask.PERMIT_ENDED: _answer_ended,
}
_SIGNED: Final = (
    LifeEvent.CONFIRM_DEPARTURE,
    LifeEvent.REJECT_DEPARTURE,
    LifeEvent.CONFIRM_REVOCATION,
    LifeEvent.REJECT_REVOCATION,
    LifeEvent.SET_ASIDE_REVOCATION,
    LifeEvent.SET_ASIDE_WITHHOLDING,
    TransferEvent.CONFIRM_TO_FOLLOW,
)
_ANSWERED: Final = (
    LifeEvent.ANSWER_DISPUTE,
    *CHANGE_EVENTS,
    LifeEvent.CONTRACT_END_TAKEN,
    LifeEvent.PROPOSE_DEPARTURE,
    TransferEvent.END_TRANSFER,
    LifeEvent.ANSWER_MOVE,
)
_SIGNED_OF_PERMIT: Final = (
    PermitEvent.WITHHOLD,
    PermitEvent.REJECT_WITHHOLD,
    PermitEvent.CONFIRM_OUTCOME,
    PermitEvent.REJECT_OUTCOME,
)
COMMANDS: Final[Mapping[str, Command]] = {
    **verbs.COMMANDS,
    **objecting.COMMANDS,
    CommandKind.WITHDRAW: replace(verbs.COMMANDS[CommandKind.WITHDRAW], route=routes.WITHDRAW),
    CommandKind.RECORD_FACT: replace(verbs.COMMANDS[CommandKind.RECORD_FACT], body=FactRequest),
    CommandKind.CORRECT: replace(correct(spellings.TALENT_PERMIT, RegistrationRequest, routes.CORRECT), does=_correct),
    # A second signature may end a registration, and an answer to a task may tell of a departure or a change.
    CommandKind.CONFIRM: replace(
        objecting.COMMANDS[CommandKind.CONFIRM],
        route=routes.CONFIRM,
        acts=effect(
            Act.CONFIRMED,
            Act.SIGNED,
            Act.REJECTED,
            Act.SET_ASIDE,
            PermitAct.REVOKED,
            further=(*_AT_ITS_END, *objecting.AT_SIGNATURE, *_GOES_ON),
        ),
        events=(*objecting.COMMANDS[CommandKind.CONFIRM].events, *_SIGNED, *SIGNED_OF_RENEWALS),
        said=said.signature(Act.CONFIRMED, Act.SET_ASIDE, PermitAct.REVOKED),
    ),
    # A revocation that is taken back lets an end come about that had waited for it.
    CommandKind.RECALL: replace(
        verbs.COMMANDS[CommandKind.RECALL],
        acts=effect(Act.RECALLED, further=_AT_ITS_END),
        events=(*verbs.COMMANDS[CommandKind.RECALL].events, LifeEvent.RECALL_REVOCATION),
    ),
    CommandKind.ANSWER_TASK: replace(
        verbs.COMMANDS[CommandKind.ANSWER_TASK],
        body=PermitTaskAnswer,
        acts=effect(*_OF_TASKS, further=(*_AT_ITS_END, *_OF_MOVES, PermitAct.PERMIT_ASKED_ANEW)),
        events=(*verbs.COMMANDS[CommandKind.ANSWER_TASK].events, *_ANSWERED),
    ),
    **verbs.TRANSFER_COMMANDS,
    **verbs.runs_on_commands(PermitAct.PERMIT_REPORTED),
    # An answer with the last day is a departure.
    CommandKind.ANSWER_DEPARTURE: replace(
        verbs.TRANSFER_COMMANDS[CommandKind.ANSWER_DEPARTURE],
        acts=effect(Act.DEPARTURE_DENIED, PermitAct.DEPARTURE_REPORTED),
        events=(TransferEvent.DENY_DEPARTURE, LifeEvent.DEPART),
    ),
    CommandKind.DECIDE: replace(
        verbs.COMMANDS[CommandKind.DECIDE],
        route=routes.DECIDE,
        events=(*verbs.COMMANDS[CommandKind.DECIDE].events, TransferEvent.APPROVE_TO_FOLLOW),
    ),
    PermitCommand.REVOKE: Command(
        does=_revoke,
        route=routes.REVOKE,
        events=(LifeEvent.REVOKE,),
        refuses=employment.refuses_revocation,
        acts=effect(PermitAct.REVOCATION_PROPOSED),
        body=RevocationRequest,
        reasons={LifeEvent.REVOKE: Reasoned(PermitUse.REVOKE)},
        waits=EVERYBODY,
        said=_said_revoked,
    ),
    # Staff waits for what it proposes of a departure (R22).
    PermitCommand.DEPART: Command(
        does=_depart,
        route=routes.DEPART,
        events=(LifeEvent.DEPART, LifeEvent.PROPOSE_DEPARTURE),
        refuses=departures.refuses,
        acts=effect(PermitAct.DEPARTURE_REPORTED, PermitAct.DEPARTURE_PROPOSED),
        body=DepartureRequest,
        reasons=dict.fromkeys((LifeEvent.DEPART, LifeEvent.PROPOSE_DEPARTURE), Reasoned(PermitUse.END)),
        waits=STAFF,
        look=departures.read,
        said=_said_departed,
        proposes=True,
    ),
    PermitCommand.DISPUTE: Command(
        does=_dispute,
        own=routes.DISPUTE_OWN,
        events=(LifeEvent.DISPUTE,),
        refuses=employment.refuses_dispute,
        acts=effect(PermitAct.DEPARTURE_DISPUTED),
        is_confided=True,
    ),
    CommandKind.CHANGE: change_command(ChangeRequest, routes.CHANGE, routes.CHANGE_OWN),
    **renewal_commands(RenewalRequest),
    CommandKind.STANDING: Command(
        does=_standing, acts=effect(Act.HELD, Act.HOLD_RELEASED, Act.ASSESSED, further=_AT_ITS_END)
    ),
    PermitCommand.CARD_LOST: Command(
        does=_card_lost,
        route=routes.CARD_LOST,
        own=routes.CARD_LOST_OWN,
        events=(PermitEvent.CARD_LOST,),
        track=PERMIT,
        acts=effect(PermitAct.CARD_LOST),
        body=CardLostRequest,
        named=_DESTINATION,
    ),
    PermitCommand.ELIGIBILITY: Command(
        does=_eligibility,
        route=routes.ELIGIBILITY,
        events=(PermitEvent.ELIGIBLE, PermitEvent.PROPOSE_WITHHOLD),
        track=PERMIT,
        refuses=permit_acts.refuses_eligibility,
        acts=effect(PermitAct.PERMIT_ELIGIBLE, PermitAct.PERMIT_WITHHOLD_PROPOSED),
        body=EligibilityRequest,
        reasons={
            PermitEvent.ELIGIBLE: Reasoned(Use.OVERRIDE),
            PermitEvent.PROPOSE_WITHHOLD: Reasoned(PermitUse.WITHHOLD),
        },
        named=_DESTINATION,
        waits=EVERYBODY,
        said=_said_of_eligibility,
    ),
    PermitCommand.PERMIT_CONFIRM: Command(
        does=_permit_confirm,
        route=routes.PERMIT_CONFIRM,
        events=_SIGNED_OF_PERMIT,
        track=PERMIT,
        refuses=permit_acts.refuses_signature,
        acts=effect(PermitAct.PERMIT_WITHHELD, Act.SIGNED, Act.REJECTED, further=_OF_ANSWERS),
        body=PermitConfirmationRequest,
        reasons=dict.fromkeys((PermitEvent.REJECT_WITHHOLD, PermitEvent.REJECT_OUTCOME), Reasoned(Use.REJECT)),
        named=_DESTINATION,
        waits=EVERYBODY,
        said=said.signature(PermitAct.PERMIT_WITHHELD),
    ),
    PermitCommand.PERMIT_RECALL: Command(
        does=_permit_recall,
        route=routes.PERMIT_RECALL,
        events=(PermitEvent.RECALL_WITHHOLD,),
        track=PERMIT,
        refuses=cooling.refuses_recall,
        acts=effect(Act.RECALLED),
        body=RecallRequest,
        named=_DESTINATION,
        waits=EVERYBODY,
    ),
    PermitCommand.ENTER_OUTCOME: Command(
        does=_enter_outcome,
        route=routes.ENTER_OUTCOME,
        acts=effect(Act.ANSWER_PROPOSED),
        events=(PermitEvent.PROPOSE_OUTCOME,),
        track=PERMIT,
        refuses=permit_acts.refuses_outcome,
        body=OutcomeRequest,
        named=_DESTINATION,
        waits=EVERYBODY,
        writes_by_itself=True,
    ),
    PermitCommand.ANSWER: Command(does=_answer, acts=effect(further=_OF_ANSWERS)),
}
