"""What is asked of a case about its renewal, for programmes whose cases are renewed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands import said
from cases.decisions import renewal_returns, renewals
from cases.moves.renewals import RenewalEvent
from cases.programme import EVERYBODY, Body, Command, Reasoned, Tells, effect
from domain.actors import STAFF, Actor, Role
from domain.acts import Act
from domain.case_requests import WithdrawalRequest
from domain.commands import CommandKind
from domain.decisions import RecallRequest
from domain.reasons import Use
from domain.renewals import RenewalAction, RenewalDecisionRequest
from domain.routes import REASONS, Operation, Route

_EMPLOYER: Final = frozenset({Role.EMPLOYER})
RENEW: Final = Route(
    verb="renewal",
    by=_EMPLOYER,
    name="renewCase",
    summary="Renew",
    says="Confirm what still holds of an approved case before it runs out, with what changes; an officer looks at it.",
    problems=frozenset({"renewal_too_early", "renewal_under_way", "nothing_to_renew", "employer_not_in_good_standing"}),
)
READ: Final = Operation(
    name="readRenewal",
    summary="What a renewal would confirm",
    says="Return what is known of a case and since when, what runs out, whether it can be renewed now and, if not, "
    "why. Numbers and addresses are masked as in the case, and names too but to the owner.",
    problems=frozenset({"facts_erased"}),
)
WITHDRAW: Final = Route(
    verb="renewal-withdrawal",
    by=_EMPLOYER,
    name="withdrawRenewal",
    summary="Withdraw a renewal",
    says="Withdraw a renewal that is not decided yet; what runs goes on to its end.",
    problems=frozenset({"not_found", "already_decided"}),
)
CORRECT: Final = Route(
    verb="renewal-correction",
    by=_EMPLOYER,
    name="correctRenewal",
    summary="Correct a renewal",
    says="Answer a renewal sent back: give what is to be otherwise, or nothing where all holds as it was said; "
    "an officer looks at it again.",
)
DECIDE: Final = Route(
    verb="renewal-decision",
    by=STAFF,
    name="decideRenewal",
    summary="Grant or refuse a renewal, or send it back",
    says="Decide on a renewal; a refusal, and a grant over a failed finding, take effect with a second signature. "
    "Sent back, it waits for the owner's correction.",
    problems=REASONS
    | {"return_not_allowed", "already_decided", "stale_round", "on_hold", "task_held", "not_found", "nothing_to_renew"},
)
RECALL: Final = Route(
    verb="renewal-recall",
    by=STAFF,
    name="recallRenewal",
    summary="Take a decision on a renewal back",
    says="Take a decision on a renewal back within the settling time, by the one who gave it effect.",
)


async def _renew(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await renewals.ask(file, connection, actor, at, body)


async def _decide(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    asked = RenewalDecisionRequest.model_validate(body)
    if asked.action is RenewalAction.RETURN:
        renewal_returns.send_back(file, actor, at, asked)
    else:
        if asked.action is RenewalAction.GRANT:
            await renewals.need_own_documents(file, connection)
        renewals.decide(file, actor, at, asked)


async def _correct(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    await renewal_returns.correct(file, connection, actor, at, body)


async def _recall(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    renewals.recall(file, actor, at)


async def _withdraw(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    renewals.withdraw(file, actor, at)


# An address that comes with it is changed at once, or asked of an officer where another one waits.
_AT_ONCE: Final = (Act.CHANGED, Act.CHANGE_ASKED)
_DECIDES: Final = (
    Act.RENEWAL_GRANTED, Act.RENEWAL_GRANT_PROPOSED, Act.RENEWAL_REFUSAL_PROPOSED, Act.RENEWAL_RETURNED,
)  # fmt: skip


def _said(body: Mapping[str, Any]) -> Tells:
    return Tells(frozenset(_DECIDES), reasons=said.codes(body))


# What a second signature may be, or its withholding.
SIGNED_OF_RENEWALS: Final = (
    RenewalEvent.CONFIRM_RENEWAL_GRANT,
    RenewalEvent.CONFIRM_RENEWAL_REFUSAL,
    RenewalEvent.REJECT_RENEWAL,
    RenewalEvent.SET_ASIDE_RENEWAL_REFUSAL,
)


def renewal_commands(asks: type[BaseModel], renew: Route = RENEW) -> dict[str, Command]:
    """Return the commands by which cases of a programme are renewed.

    Args:
        asks: the model of what is given with a renewal.
        renew: how a renewal is asked, where a programme calls it otherwise.
    """
    return {
        CommandKind.RENEW: Command(
            does=_renew,
            route=renew,
            events=(RenewalEvent.ASK_RENEWAL,),
            refuses=renewals.refuses_renewal,
            acts=effect(Act.RENEWAL_ASKED, further=_AT_ONCE),
            body=asks,
        ),
        CommandKind.CORRECT_RENEWAL: Command(
            does=_correct,
            route=CORRECT,
            events=(RenewalEvent.CORRECT_RENEWAL,),
            refuses=renewal_returns.refuses_correction,
            acts=effect(Act.RENEWAL_CORRECTED, further=_AT_ONCE),
            body=asks,
        ),
        CommandKind.DECIDE_RENEWAL: Command(
            does=_decide,
            route=DECIDE,
            events=(
                RenewalEvent.GRANT_RENEWAL,
                RenewalEvent.PROPOSE_RENEWAL_GRANT,
                RenewalEvent.PROPOSE_RENEWAL_REFUSAL,
                RenewalEvent.RETURN_RENEWAL,
            ),
            refuses=renewals.refuses_decision,
            acts=effect(*_DECIDES),
            body=RenewalDecisionRequest,
            reasons={
                RenewalEvent.GRANT_RENEWAL: Reasoned(Use.OVERRIDE, is_needed=False),
                RenewalEvent.PROPOSE_RENEWAL_GRANT: Reasoned(Use.OVERRIDE),
                RenewalEvent.PROPOSE_RENEWAL_REFUSAL: Reasoned(Use.REFUSE),
                RenewalEvent.RETURN_RENEWAL: Reasoned(Use.RETURN),
            },
            waits=EVERYBODY,
            said=_said,
        ),
        CommandKind.RECALL_RENEWAL: Command(
            does=_recall,
            route=RECALL,
            events=(RenewalEvent.RECALL_RENEWAL,),
            refuses=renewals.refuses_recall,
            acts=effect(Act.RENEWAL_RECALLED),
            body=RecallRequest,
            waits=EVERYBODY,
        ),
        CommandKind.WITHDRAW_RENEWAL: Command(
            does=_withdraw,
            route=WITHDRAW,
            events=(RenewalEvent.WITHDRAW_RENEWAL,),
            refuses=renewals.refuses_withdrawal,
            acts=effect(Act.RENEWAL_WITHDRAWN),
            body=WithdrawalRequest,
        ),
    }
