"""What follows where a piece of evidence falls on which the approval of a work permit stands.

The rules of the day of acceptance run again by what is still proved, and both are told; approval and permit stand until
an officer has looked (the task `evidence_fallen`), and only the authority takes a permit away.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.decisions.assessing import assess_again
from cases.moves.moving import move
from cases.notices.compose import Said
from domain.actors import Actor, Role, system
from domain.clock import day_of
from domain.errors import need
from domain.stages import Stage
from domain.tasks import TaskKind
from programmes.work_permit.stages import AT_PERMIT, PermitEvent
from store.rows.evidence import EvidenceRow


async def evidence_fell(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, piece: EvidenceRow
) -> None:
    """Assess again what an approval stands on; of what fell elsewhere both are told already, as of any case."""
    if file.stage is not Stage.APPROVED:
        return
    await assess_again(file, connection, system("evidence_fell", actor.correlation_id), at)
    if actor.role is Role.SYSTEM:
        return
    looked_at = need(need(file.find_task(TaskKind.EVIDENCE_FALLEN), "evidence_fallen").due_at, "due_at")
    said = Said(occasion=f"evidence/{piece.evidence_id}/{at.isoformat()}", facts={"apply_by": day_of(looked_at)})
    move(file, PermitEvent.PROOF_FALLS, actor, at, track=AT_PERMIT, said=said)
