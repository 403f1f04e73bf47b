"""What can be asked of a work permit beside what any case takes, and what time does to it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands import evidence, objecting, once_only, timers, verbs
from cases.commands.changing import change_commands
from cases.commands.correcting import correct
from cases.commands.renewals import SIGNED_OF_RENEWALS, renewal_commands
from cases.decisions import renewals
from cases.decisions.setting_aside import SIGNATURES as SETTING_ASIDE
from cases.programme import EVERYBODY, Command, Signature, Timer, effect
from domain import spellings
from domain.actors import Actor
from domain.acts import Act
from domain.commands import CommandKind
from programmes.work_permit import ending, permit, residences, routes
from programmes.work_permit.life_requests import (
    WorkPermitCancellationRequest,
    WorkPermitChange,
    WorkPermitEndRequest,
    WorkPermitExtensionRequest,
)
from programmes.work_permit.requests import (
    ResidenceApplicationRequest,
    ResidenceOutcomeRequest,
    WorkPermitEntryRequest,
    WorkPermitOutcomeRequest,
    WorkPermitRequest,
)
from programmes.work_permit.stages import PERMIT, RESIDENCE, PermitEvent, ResidenceEvent, WorkPermitEvent
from programmes.work_permit.words import WorkPermitAct, WorkPermitCommand, WorkPermitDeadline, WorkPermitProposal


async def _propose(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    await permit.propose_outcome(file, connection, actor, at, WorkPermitOutcomeRequest.model_validate(body))


_A: Final = WorkPermitAct
_C: Final = WorkPermitCommand
_CONFIRM: Final = objecting.COMMANDS[CommandKind.CONFIRM]
# What the second signature on a paper of the authority leaves.
_ANSWERED: Final = (
    _A.ISSUED, _A.REFUSED, _A.EXTENDED, _A.EXTENSION_REFUSED, _A.CANCELLED, _A.EXPIRED, _A.RESIDENCE_CLOSED,
    _A.RESIDENCE_EXTENSION_DUE, Act.RENEWAL_CLOSED,
)  # fmt: skip
COMMANDS: Final[Mapping[str, Command]] = {
    **verbs.COMMANDS,
    **objecting.COMMANDS,
    **evidence.commands(Act.ASSESSED),
    **once_only.commands(Act.ASSESSED),
    **change_commands(WorkPermitChange),
    **renewal_commands(WorkPermitExtensionRequest, routes.EXTEND),
    CommandKind.CORRECT: correct(spellings.WORK_PERMIT, WorkPermitRequest, routes.CORRECT),
    CommandKind.CONFIRM: replace(
        _CONFIRM,
        acts=effect(*_CONFIRM.acts.own, further=(*_CONFIRM.acts.further, *_ANSWERED)),
        events=(*_CONFIRM.events, *SIGNED_OF_RENEWALS, WorkPermitEvent.CONFIRM_OUTCOME, WorkPermitEvent.REJECT_OUTCOME),
    ),
    _C.OUTCOME: Command(
        does=_propose,
        route=routes.OUTCOME,
        events=(WorkPermitEvent.PROPOSE_OUTCOME,),
        refuses=permit.refuses_outcome,
        acts=effect(_A.OUTCOME_PROPOSED),
        body=WorkPermitOutcomeRequest,
        waits=EVERYBODY,
    ),
    _C.REPORT_END: Command(
        does=ending.report,
        route=routes.REPORT_END,
        events=(PermitEvent.REPORT_END,),
        track=PERMIT,
        refuses=ending.refuses_end,
        acts=effect(_A.END_REPORTED),
        body=WorkPermitEndRequest,
    ),
    _C.CANCEL: Command(
        does=ending.cancel,
        route=routes.CANCEL,
        own=routes.CANCEL_OWN,
        events=(PermitEvent.ASK_CANCELLATION,),
        track=PERMIT,
        refuses=ending.refuses_cancellation,
        acts=effect(_A.CANCELLATION_ASKED, further=(_A.END_REPORTED, Act.ESCALATED)),
        body=WorkPermitCancellationRequest,
    ),
    _C.ENTERED: Command(
        does=residences.enter,
        route=routes.ENTERED,
        events=(ResidenceEvent.ENTER,),
        track=RESIDENCE,
        acts=effect(_A.ENTERED),
        body=WorkPermitEntryRequest,
    ),
    _C.APPLIED: Command(
        does=residences.apply,
        route=routes.APPLIED,
        events=(ResidenceEvent.APPLY,),
        track=RESIDENCE,
        acts=effect(_A.APPLIED),
        body=ResidenceApplicationRequest,
    ),
    _C.RESIDENCE_OUTCOME: Command(
        does=residences.answer,
        route=routes.RESIDENCE_OUTCOME,
        events=(ResidenceEvent.ISSUE, ResidenceEvent.REFUSE),
        track=RESIDENCE,
        acts=effect(_A.RESIDENCE_ISSUED, _A.RESIDENCE_REFUSED, further=(_A.RESIDENCE_EXTENSION_DUE,)),
        body=ResidenceOutcomeRequest,
    ),
}
SIGNATURES: Final[Mapping[str, Signature]] = {
    **SETTING_ASIDE,
    **renewals.SIGNATURES,
    WorkPermitProposal.OUTCOME: Signature(
        proposed=_A.OUTCOME_PROPOSED,
        rejected=WorkPermitEvent.REJECT_OUTCOME,
        given=permit.confirm_outcome,
        withheld=permit.withhold_outcome,
    ),
}
TIMERS: Final[Mapping[str, Timer]] = {
    **timers.TIMERS,
    WorkPermitDeadline.OUTCOME_EXPECTED: permit.late,
    WorkPermitDeadline.WINDOW: permit.tell_window,
    WorkPermitDeadline.EXPIRED: permit.expire,
    WorkPermitDeadline.CONTRACT_OVER: ending.contract_over,
    WorkPermitDeadline.CANCELLATION_DUE: ending.overdue,
    WorkPermitDeadline.RESIDENCE_DUE: residences.overdue,
    WorkPermitDeadline.RESIDENCE_EXPECTED: residences.late,
}
