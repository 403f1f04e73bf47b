"""Evidence, as rows of the table of a case: a piece is seen, taken over, and what was proved falls (R70 to R73)."""

from enum import StrEnum
from typing import Final

from cases.case.moves import Move, Notice, Opens, Who
from cases.deadlines.stated import within_decision_days
from cases.moves.front_half import OFFICER
from domain.actors import STAFF, Role
from domain.evidence import EvidenceNotice
from domain.stages import CLOSED, Stage
from domain.tasks import TaskKind


class EvidenceEvent(StrEnum):
    """What can happen to a piece of evidence."""

    SEE_EVIDENCE = "see_evidence"
    EVIDENCE_FALLS = "evidence_falls"
    PROPOSAL_FALLS = "proposal_falls"
    EVIDENCE_FALLS_LATE = "evidence_falls_late"
    TAKE_OVER = "take_over"


_APPROVED: Final = frozenset({Stage.APPROVED})
_CONFIRM: Final = frozenset({Stage.AWAITING_CONFIRMATION})
_UNDECIDED: Final = frozenset({Stage.CORRECTION_REQUESTED, Stage.UNDER_REVIEW}) | _CONFIRM
_FALLS: Final = Who("officer; engine once a source fell", STAFF | {Role.SYSTEM})
# Told where it fell elsewhere; of what an officer says here they are told with what follows.
_ELSEWHERE: Final = (Notice(EvidenceNotice.SOURCE_FELL, given=True),)

EVIDENCE_MOVES: Final[tuple[Move, ...]] = (
    Move("R70", frozenset({Stage.UNDER_REVIEW}) | _APPROVED, EvidenceEvent.SEE_EVIDENCE, OFFICER),
    Move("R71", _UNDECIDED, EvidenceEvent.EVIDENCE_FALLS, _FALLS, notices=_ELSEWHERE),
    Move(
        "R71", _CONFIRM, EvidenceEvent.PROPOSAL_FALLS, _FALLS, Stage.UNDER_REVIEW,
        opens=(Opens(TaskKind.REVIEW),), closes=(TaskKind.CONFIRM,), notices=_ELSEWHERE,
    ),
    Move(
        "R72", _APPROVED, EvidenceEvent.EVIDENCE_FALLS_LATE, _FALLS,
        opens=(Opens(TaskKind.EVIDENCE_FALLEN, due=within_decision_days),), notices=_ELSEWHERE,
    ),
    # Nothing of a closed case stands on it any more; what was taken over from it elsewhere may.
    Move("R72", CLOSED, EvidenceEvent.EVIDENCE_FALLS_LATE, _FALLS),
)  # fmt: skip


def taking_over(owner: Who) -> tuple[Move, ...]:
    """Return the row by which the owner of a case takes over what another case vouches for, before the decision."""
    return (Move("R73", _UNDECIDED - _CONFIRM, EvidenceEvent.TAKE_OVER, owner),)
