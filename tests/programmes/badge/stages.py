"""Where an employment stands, and what moves it; the front half is that of any case, with the person as its owner."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cases.case.file import CaseFile
from cases.case.moves import At, Move, Moves, Notice, Track, Who
from cases.moves.evidence import EVIDENCE_MOVES, taking_over
from cases.moves.front_half import EMPLOYER, PERSON, TIMER, front_half
from domain.actors import Role
from tests.programmes.badge.tables import EMPLOYMENTS
from tests.programmes.badge.words import BadgeNotice, EmploymentStage


class EmploymentEvent(StrEnum):
    """What can happen to one."""

    ASK = "ask"
    CONFIRM = "confirm"
    DENY = "deny"
    OVER = "over"


class Parts(StrEnum):
    """What is confirmed of a badge."""

    EMPLOYMENT = "employment"


_ASKED: Final = frozenset({EmploymentStage.ASKED})
_BY_ITSELF: Final = Who("when the case starts", frozenset({Role.SYSTEM}), asked=False)
EMPLOYMENT_MOVES: Final = (
    Move(
        "B1", frozenset({None}), EmploymentEvent.ASK, _BY_ITSELF, EmploymentStage.ASKED,
        notices=(Notice(BadgeNotice.ASKED),),
    ),
    Move("B2", _ASKED, EmploymentEvent.CONFIRM, EMPLOYER, EmploymentStage.CONFIRMED),
    Move("B3", _ASKED, EmploymentEvent.DENY, EMPLOYER, EmploymentStage.DENIED),
    Move("B4", _ASKED, EmploymentEvent.OVER, TIMER, EmploymentStage.UNANSWERED),
)  # fmt: skip


def _parts(file: CaseFile) -> list[str]:
    return [Parts.EMPLOYMENT]


EMPLOYMENT: Final = "employment"
AT: Final = At(EMPLOYMENT, Parts.EMPLOYMENT)
MOVES: Final = Moves(*front_half(PERSON), *EVIDENCE_MOVES, *taking_over(PERSON))
TRACKS: Final[Mapping[str, Track]] = {
    EMPLOYMENT: Track(
        table=EMPLOYMENTS,
        stages=EmploymentStage,
        keyed_by=Parts,
        moves=Moves(*EMPLOYMENT_MOVES, called="employment", no_stage="not yet asked about"),
        keys=_parts,
    )
}
