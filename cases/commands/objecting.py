"""What is asked about decisions that stand: objections, what becomes of them, and setting a decision aside."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands import said, verbs
from cases.decisions import objections, setting_aside
from cases.moves.objecting import ObjectionEvent
from cases.programme import EVERYBODY, Body, Command, Reasoned, Tells, effect
from domain.actors import STAFF, Actor, Role
from domain.acts import Act
from domain.commands import CommandKind
from domain.objections import (
    ObjectionAction,
    ObjectionDecision,
    ObjectionRequest,
    ObjectionWithdrawal,
    OwnObjectionRequest,
    OwnObjectionWithdrawal,
    SetAsideRequest,
)
from domain.reasons import Use
from domain.routes import REASONS, OwnRoute, Route

# Under which a person's objection is stored with the address by which it was made.
SAID_BY: Final = "said_by"
_EMPLOYER: Final = frozenset({Role.EMPLOYER})
_OBJECTED: Final = frozenset({"not_found", "objection_exists", "objection_term_over"})
_ANSWERED: Final = frozenset({"not_found", "already_decided"})


class ObjectedView(BaseModel):
    """An objection that was taken on; it is listed with its id among the person's own."""

    reference: str
    against: str
    status: str = Field(examples=["received"])


class ObjectionWithdrawnView(BaseModel):
    """An objection that was taken back."""

    reference: str
    objection: str
    status: str = Field(examples=["received"])


def _asked(asked: OwnObjectionRequest) -> Mapping[str, object]:
    return asked.model_dump(mode="json", exclude_unset=True, exclude={"reference"})


def _against(asked: OwnObjectionRequest) -> Mapping[str, object]:
    return {"against": asked.against}


def _which(asked: OwnObjectionWithdrawal) -> Mapping[str, object]:
    return {"objection": str(asked.objection)}


OBJECT: Final = Route(
    verb="objection",
    by=_EMPLOYER,
    name="objectToDecision",
    summary="Object to a decision",
    says="Say why a decision that stands is wrong: somebody who had no part in it decides on the objection.",
    problems=_OBJECTED,
)
OBJECT_OWN: Final = OwnRoute(
    verb="objections",
    name="objectToOwnDecision",
    summary="Object to a decision",
    says="Take on why a decision that stands is wrong: somebody who had no part in it decides on the objection.",
    problems=_OBJECTED | {"case_unknown", "wrong_stage", "case_closed", "facts_erased"},
    body=OwnObjectionRequest,
    view=ObjectedView,
    asks=_asked,
    tells=_against,
    says_by=SAID_BY,
)
WITHDRAW: Final = Route(
    verb="objection-withdrawal",
    by=_EMPLOYER,
    name="withdrawObjection",
    summary="Take an objection back",
    says="Take an objection of your own back; the decision stands.",
    problems=_ANSWERED,
)
WITHDRAW_OWN: Final = OwnRoute(
    verb="objection-withdrawals",
    name="withdrawOwnObjection",
    summary="Take an objection back",
    says="Take an objection of your own back; the decision stands.",
    problems=_ANSWERED | {"case_unknown", "wrong_stage", "case_closed", "facts_erased"},
    body=OwnObjectionWithdrawal,
    view=ObjectionWithdrawnView,
    asks=_which,
    tells=_which,
)
DECIDE: Final = Route(
    verb="objection-decision",
    by=STAFF,
    name="decideObjection",
    summary="Decide on an objection",
    says="Propose to set the decision aside, or let it stand; by somebody who did not decide, sign or propose before.",
    problems=REASONS | _ANSWERED | {"task_held"},
)
SET_ASIDE: Final = Route(
    verb="set-aside",
    by=STAFF,
    name="proposeSetAside",
    summary="Propose to set a decision aside",
    says="Propose to set aside the decision that stands, so that the case goes on from where it stood; it takes effect "
    "with a second signature, and neither of the two may have decided before.",
    problems=REASONS | _ANSWERED | {"task_held", "live_registration_exists", "client_reference_taken"},
)


async def _object(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked = {name: value for name, value in body.items() if name != SAID_BY}
    await objections.take(file, connection, actor, at, ObjectionRequest.model_validate(asked), body.get(SAID_BY))


async def _withdraw(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await objections.withdraw(file, connection, actor, at, UUID(body["objection"]))


async def _decide(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked = ObjectionDecision.model_validate(body)
    decision = await objections.decided_of(file, connection, asked.objection)
    if asked.action is ObjectionAction.UPHOLD:
        await setting_aside.propose_of(file, connection, actor, at, decision, asked.reasons, asked.note)
    else:
        await objections.reject(file, connection, actor, at, asked, decision)


async def _set_aside(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await setting_aside.ask(file, connection, actor, at, SetAsideRequest.model_validate(body))


def _said_of_decision(body: Mapping[str, Any]) -> Tells:
    upholds = body["action"] == ObjectionAction.UPHOLD
    act = Act.SET_ASIDE_PROPOSED if upholds else Act.OBJECTION_REJECTED
    return Tells(frozenset({act}), reasons=said.codes(body))


def _said_set_aside(body: Mapping[str, Any]) -> Tells:
    return Tells(frozenset({Act.SET_ASIDE_PROPOSED}), reasons=said.codes(body))


# What a second signature may lead to where a decision is set aside by it.
AT_SIGNATURE: Final = (Act.ASSESSED,)
SIGNED: Final = (
    ObjectionEvent.SET_ASIDE_REFUSAL,
    ObjectionEvent.SET_ASIDE_LAPSE,
    ObjectionEvent.REJECT_SET_ASIDE,
)
# What of it the person of a case asks, for the parts of a programme.
BY_PERSON: Final = (CommandKind.OBJECT, CommandKind.WITHDRAW_OBJECTION)
_CONFIRM: Final = verbs.COMMANDS[CommandKind.CONFIRM]
COMMANDS: Final[Mapping[str, Command]] = {
    CommandKind.CONFIRM: replace(
        _CONFIRM,
        acts=effect(*_CONFIRM.acts.own, Act.SET_ASIDE, further=AT_SIGNATURE),
        events=(*_CONFIRM.events, *SIGNED),
        said=said.signature(Act.CONFIRMED, Act.SET_ASIDE),
    ),
    CommandKind.OBJECT: Command(
        does=_object,
        route=OBJECT,
        own=OBJECT_OWN,
        events=(ObjectionEvent.OBJECT,),
        refuses=objections.refuses_objection,
        acts=effect(Act.OBJECTION_RECEIVED),
        body=ObjectionRequest,
        is_confided=True,
    ),
    CommandKind.WITHDRAW_OBJECTION: Command(
        does=_withdraw,
        route=WITHDRAW,
        own=WITHDRAW_OWN,
        events=(ObjectionEvent.WITHDRAW_OBJECTION,),
        refuses=objections.refuses_withdrawal,
        acts=effect(Act.OBJECTION_WITHDRAWN),
        body=ObjectionWithdrawal,
        is_confided=True,
    ),
    CommandKind.DECIDE_OBJECTION: Command(
        does=_decide,
        route=DECIDE,
        events=(ObjectionEvent.REJECT_OBJECTION, ObjectionEvent.PROPOSE_SET_ASIDE),
        refuses=objections.refuses_decision,
        acts=effect(Act.OBJECTION_REJECTED, Act.SET_ASIDE_PROPOSED),
        body=ObjectionDecision,
        reasons={
            ObjectionEvent.REJECT_OBJECTION: Reasoned(Use.DISMISS),
            ObjectionEvent.PROPOSE_SET_ASIDE: Reasoned(Use.SET_ASIDE),
        },
        waits=EVERYBODY,
        said=_said_of_decision,
    ),
    CommandKind.SET_ASIDE: Command(
        does=_set_aside,
        route=SET_ASIDE,
        events=(ObjectionEvent.PROPOSE_SET_ASIDE,),
        refuses=setting_aside.refuses,
        acts=effect(Act.SET_ASIDE_PROPOSED),
        body=SetAsideRequest,
        reasons={ObjectionEvent.PROPOSE_SET_ASIDE: Reasoned(Use.SET_ASIDE)},
        waits=EVERYBODY,
        said=_said_set_aside,
    ),
}
