"""Withdrawing a recognition from a person: proposed, signed by another, cooled off; and setting that aside again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.row import OneCase
from cases.case.signers import need_reasons
from cases.decisions import ending, renewals, setting_aside, settling
from cases.decisions.proposals import need_no_proposal
from cases.decisions.review import propose
from cases.moves.moving import move, need_move
from cases.programme import Contestable, Cooling, Decided, Signature
from domain.actors import Actor
from domain.decisions import GivenReason
from domain.errors import Refused, need
from domain.stages import Stage
from programmes.appraisal import confirming, recognising
from programmes.appraisal.requests import RecognitionRevocation
from programmes.appraisal.stages import AppraisalEvent
from programmes.appraisal.words import (
    AppraisalAct,
    AppraisalDeadline,
    AppraisalNotice,
    AppraisalProposal,
    AppraisalReason,
    AppraisalUse,
)

REVOCATION: Final = "revocation"


def refuses(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to revoke an approval that can still be recalled."""
    need_move(file, AppraisalEvent.REVOKE, actor)
    if not file.row.settled:
        raise Refused("wrong_stage", "The approval can still be recalled; nothing has been given that is withdrawn.")


async def revoke(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Propose to withdraw a recognition, which takes effect with a second signature."""
    asked = RecognitionRevocation.model_validate(body)
    refuses(file, actor, None, at)
    need_no_proposal(file)
    need_reasons(asked.reasons, AppraisalUse.REVOKE, file.forms, file.words.reasons)
    file.row.round += 1
    file.row.rejected = None
    propose(file, actor, at, AppraisalEvent.REVOKE, AppraisalProposal.REVOKE, asked.reasons, asked.note)


def _take_effect(file: CaseFile, actor: Actor, at: datetime, decided: Decided) -> Mapping[str, Any]:
    renewals.close(file, actor, at)
    recognising.close_revoked(file, actor, at)
    ending.close(file, at, AppraisalReason.REVOKED, *AppraisalDeadline)
    said = settling.letter(file, decided.by, decided.at, decided.reasons)
    move(file, AppraisalEvent.REVOKED, actor, at, said=said)
    return {"ended_on": need(file.row.ended_on, "ended_on").isoformat()}


async def _restore(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    track: str | None,
    reasons: Sequence[GivenReason],
) -> None:
    """Let the approval stand again."""
    file.row.change(ended_on=None, end_reason=None)
    move(file, AppraisalEvent.SET_ASIDE_REVOCATION, actor, at, said=setting_aside.told(REVOCATION, None, reasons))


async def _go_on(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, track: str | None) -> None:
    """Let the employment and the recognition go on from where they stood."""
    confirming.wait_again(file)
    recognising.revive(file, actor, at)


def _is_revoked(case: OneCase, track: str | None) -> bool:
    return case.stage is Stage.ENDED and case.row.end_reason == AppraisalReason.REVOKED


CONTESTABLE: Final[Mapping[str, Contestable]] = {
    REVOCATION: Contestable(
        act=AppraisalAct.REVOKED,
        letter=AppraisalNotice.REVOKED,
        stands=_is_revoked,
        event=AppraisalEvent.SET_ASIDE_REVOCATION,
        undo=_restore,
        follows=_go_on,
    )
}
COOLING: Final[Mapping[str, Cooling]] = {
    AppraisalProposal.REVOKE: Cooling(
        act=AppraisalAct.REVOKED,
        signed=AppraisalEvent.CONFIRM_REVOCATION,
        recalled=AppraisalEvent.RECALL_REVOCATION,
        effect=_take_effect,
    )
}
SIGNATURES: Final[Mapping[str, Signature]] = {
    AppraisalProposal.REVOKE: Signature(
        proposed=AppraisalAct.REVOCATION_PROPOSED, rejected=AppraisalEvent.REJECT_REVOCATION
    )
}
