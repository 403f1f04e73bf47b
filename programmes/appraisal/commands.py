"""What can be asked of an appraisal beside what any case takes, and what is due of one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands import evidence, objecting, once_only, said, timers, verbs
from cases.commands.changing import CHANGE_ANSWERS, change_commands
from cases.commands.correcting import correct
from cases.commands.renewals import SIGNED_OF_RENEWALS, renewal_commands
from cases.programme import EVERYBODY, Answer, Command, Reasoned, Tells, Timer, effect
from domain import spellings
from domain.actors import Actor
from domain.acts import Act
from domain.commands import CommandKind
from programmes.appraisal import confirming, recognising, revoking, routes
from programmes.appraisal.requests import (
    AppraisalChange,
    AppraisalRequest,
    EmploymentAnswer,
    EmploymentLeft,
    ReappraisalRequest,
    RecognitionRevocation,
    RestoringRequest,
    SuspensionRequest,
)
from programmes.appraisal.stages import (
    AT_RECOGNITION,
    EMPLOYMENT,
    RECOGNITION,
    AppraisalEvent,
    EmploymentEvent,
    RecognitionEvent,
)
from programmes.appraisal.words import AppraisalAct, AppraisalCommand, AppraisalDeadline, AppraisalUse


async def _standing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    recognising.heed_standing(file, actor, at)


def _said_suspended(body: Mapping[str, Any]) -> Tells:
    return Tells(frozenset({AppraisalAct.SUSPENDED}), reasons=said.codes(body), destination=AT_RECOGNITION.key)


def _said_revoked(body: Mapping[str, Any]) -> Tells:
    return Tells(frozenset({AppraisalAct.REVOCATION_PROPOSED}), reasons=said.codes(body))


TIMERS: Final[Mapping[str, Timer]] = {
    **timers.TIMERS,
    AppraisalDeadline.CONFIRMATION: confirming.over,
    AppraisalDeadline.LEAVING: confirming.left,
    AppraisalDeadline.EXPIRING: recognising.remind,
    AppraisalDeadline.EXPIRED: recognising.expire,
    AppraisalDeadline.OVER: recognising.end,
}
ANSWERS: Final[Mapping[str, Answer]] = {**verbs.ANSWERS, **CHANGE_ANSWERS}
_CORE: Final = verbs.owned_by_persons(
    {
        **verbs.COMMANDS,
        **objecting.COMMANDS,
        **change_commands(AppraisalChange),
        **renewal_commands(ReappraisalRequest, routes.RENEW),
        **evidence.commands(AppraisalAct.SUSPENDED),
        **once_only.commands(AppraisalAct.SUSPENDED),
    }
)
_CONFIRM: Final = _CORE[CommandKind.CONFIRM]
_RECALL: Final = _CORE[CommandKind.RECALL]
_ANSWER: Final = _CORE[CommandKind.ANSWER_TASK]
COMMANDS: Final[Mapping[str, Command]] = {
    **_CORE,
    CommandKind.START: replace(
        _CORE[CommandKind.START], does=confirming.start, acts=effect(Act.STARTED, further=(AppraisalAct.ASKED,))
    ),
    CommandKind.WITHDRAW: replace(
        _CORE[CommandKind.WITHDRAW],
        does=confirming.withdraw,
        acts=effect(Act.WITHDRAWN, further=(AppraisalAct.UNANSWERED,)),
    ),
    CommandKind.DECIDE: replace(
        _CORE[CommandKind.DECIDE], refuses=confirming.refuses_decision, before=confirming.need_answered
    ),
    CommandKind.CHANGE: replace(_CORE[CommandKind.CHANGE], before=confirming.need_employer),
    CommandKind.CORRECT: correct(spellings.APPRAISAL, AppraisalRequest, routes.CORRECT),
    CommandKind.STANDING: Command(does=_standing, acts=effect(AppraisalAct.SUSPENDED, AppraisalAct.RESTORED)),
    CommandKind.CONFIRM: replace(
        _CONFIRM,
        acts=effect(
            *_CONFIRM.acts.own,
            AppraisalAct.REVOKED,
            further=(
                *_CONFIRM.acts.further,
                AppraisalAct.CLOSED,
                AppraisalAct.RESTORED,
                AppraisalAct.SUSPENDED,
                Act.SETTLED,
            ),
        ),
        events=(
            *_CONFIRM.events,
            AppraisalEvent.CONFIRM_REVOCATION,
            AppraisalEvent.REJECT_REVOCATION,
            AppraisalEvent.SET_ASIDE_REVOCATION,
            *SIGNED_OF_RENEWALS,
        ),
        said=said.signature(Act.CONFIRMED, Act.SET_ASIDE, AppraisalAct.REVOKED),
    ),
    CommandKind.RECALL: replace(_RECALL, events=(*_RECALL.events, AppraisalEvent.RECALL_REVOCATION)),
    CommandKind.ANSWER_TASK: replace(
        _ANSWER, acts=effect(*_ANSWER.acts.own, further=(*_ANSWER.acts.further, AppraisalAct.ASKED))
    ),
    AppraisalCommand.CONFIRM: Command(
        does=confirming.confirm,
        route=routes.CONFIRM,
        track=EMPLOYMENT,
        events=(EmploymentEvent.CONFIRM,),
        acts=effect(AppraisalAct.CONFIRMED, further=(AppraisalAct.RESTORED, AppraisalAct.SUSPENDED, Act.ASSESSED)),
        body=EmploymentAnswer,
    ),
    AppraisalCommand.DENY: Command(
        does=confirming.deny,
        route=routes.DENY,
        track=EMPLOYMENT,
        events=(EmploymentEvent.DENY,),
        acts=effect(AppraisalAct.DENIED, further=(AppraisalAct.SUSPENDED, Act.ASSESSED)),
        body=EmploymentAnswer,
    ),
    AppraisalCommand.LEAVE: Command(
        does=confirming.leave,
        route=routes.LEAVE,
        track=EMPLOYMENT,
        events=(EmploymentEvent.LEAVE,),
        acts=effect(AppraisalAct.LEAVING, further=(AppraisalAct.LEFT, AppraisalAct.SUSPENDED)),
        body=EmploymentLeft,
    ),
    AppraisalCommand.SUSPEND: Command(
        does=recognising.suspend,
        route=routes.SUSPEND,
        track=RECOGNITION,
        events=(RecognitionEvent.SUSPEND,),
        acts=effect(AppraisalAct.SUSPENDED),
        body=SuspensionRequest,
        reasons={RecognitionEvent.SUSPEND: Reasoned(AppraisalUse.SUSPEND)},
        waits=EVERYBODY,
        said=_said_suspended,
    ),
    AppraisalCommand.RESTORE: Command(
        does=recognising.restore,
        route=routes.RESTORE,
        track=RECOGNITION,
        events=(RecognitionEvent.RESTORE,),
        refuses=recognising.refuses_restoring,
        acts=effect(AppraisalAct.RESTORED),
        body=RestoringRequest,
        waits=EVERYBODY,
    ),
    AppraisalCommand.REVOKE: Command(
        does=revoking.revoke,
        route=routes.REVOKE,
        events=(AppraisalEvent.REVOKE,),
        refuses=revoking.refuses,
        acts=effect(AppraisalAct.REVOCATION_PROPOSED),
        body=RecognitionRevocation,
        reasons={AppraisalEvent.REVOKE: Reasoned(AppraisalUse.REVOKE)},
        waits=EVERYBODY,
        said=_said_revoked,
    ),
}
