"""The end of a registration, as its row keeps it; what becomes of its permits goes on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cases.case.file import CaseFile
from cases.decisions import ending, renewals, settling
from cases.moves.moving import move
from cases.programme import Decided
from domain.actors import Actor
from domain.errors import need
from programmes.talent_permit.stages import LifeEvent
from programmes.talent_permit.words import PermitDeadline


def revoke(file: CaseFile, actor: Actor, at: datetime, decided: Decided) -> Mapping[str, Any]:
    """End a registration by the revocation that two people signed (R25)."""
    renewals.close(file, actor, at)
    close(file, at, "revoked")
    said = settling.letter(file, decided.by, decided.at, decided.reasons)
    move(file, LifeEvent.REVOKED, actor, at, said=said)
    return {"ended_on": need(file.row.ended_on, "ended_on").isoformat()}


def close(file: CaseFile, at: datetime, end_reason: str) -> None:
    """Write the end of a registration; the following of its permits goes on."""
    ending.close(
        file,
        at,
        end_reason,
        PermitDeadline.CONTRACT_REMINDER,
        PermitDeadline.CONTRACT_GRACE,
        PermitDeadline.EMPLOYMENT_OVER,
    )
