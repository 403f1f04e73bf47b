"""Evidence, as rows of the table of a case: a piece is seen, and what was proved falls (R70 to R72)."""

from enum import StrEnum
from typing import Final

from cases.case.moves import Move, Opens
from cases.deadlines.stated import within_decision_days
from cases.moves.front_half import OFFICER
from domain.stages import CLOSED, Stage
from domain.tasks import TaskKind


class EvidenceEvent(StrEnum):
    """What can happen to a piece of evidence."""

    SEE_EVIDENCE = "see_evidence"
    EVIDENCE_FALLS = "evidence_falls"
    PROPOSAL_FALLS = "proposal_falls"
    EVIDENCE_FALLS_LATE = "evidence_falls_late"


_APPROVED: Final = frozenset({Stage.APPROVED})
_CONFIRM: Final = frozenset({Stage.AWAITING_CONFIRMATION})
_UNDECIDED: Final = frozenset({Stage.CORRECTION_REQUESTED, Stage.UNDER_REVIEW}) | _CONFIRM

EVIDENCE_MOVES: Final[tuple[Move, ...]] = (
    Move("R70", frozenset({Stage.UNDER_REVIEW}) | _APPROVED, EvidenceEvent.SEE_EVIDENCE, OFFICER),
    Move("R71", _UNDECIDED, EvidenceEvent.EVIDENCE_FALLS, OFFICER),
    Move(
        "R71", _CONFIRM, EvidenceEvent.PROPOSAL_FALLS, OFFICER, Stage.UNDER_REVIEW,
        opens=(Opens(TaskKind.REVIEW),), closes=(TaskKind.CONFIRM,),
    ),
    Move(
        "R72", _APPROVED, EvidenceEvent.EVIDENCE_FALLS_LATE, OFFICER,
        opens=(Opens(TaskKind.EVIDENCE_FALLEN, due=within_decision_days),),
    ),
    # Nothing of a closed case stands on it any more; what was taken over from it elsewhere may.
    Move("R72", CLOSED, EvidenceEvent.EVIDENCE_FALLS_LATE, OFFICER),
)  # fmt: skip
