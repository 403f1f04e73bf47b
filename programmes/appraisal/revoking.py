"""Withdrawing a recognition from a person: proposed, signed by another, cooled off; and setting that aside again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import need_reasons
from cases.decisions import ending, renewals, settling
from cases.decisions.proposals import need_no_proposal
from cases.decisions.review import propose
from cases.moves.moving import move, need_move
from cases.programme import Cooling, Decided, Signature
from domain.actors import Actor
from domain.errors import Refused, need
from programmes.appraisal import recognising
from programmes.appraisal.requests import RecognitionRevocation
from programmes.appraisal.stages import AppraisalEvent
from programmes.appraisal.words import AppraisalAct, AppraisalDeadline, AppraisalProposal, AppraisalReason, AppraisalUse


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
