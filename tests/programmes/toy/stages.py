"""Where the making of a toy stands, and what moves it; the front half is that of any case."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cases.case.file import CaseFile
from cases.case.moves import ALL, At, Counted, Move, Moves, Notice, Track, Who
from cases.moves.changing import changing
from cases.moves.evidence import EVIDENCE_MOVES, taking_over
from cases.moves.front_half import EMPLOYER, FRONT_HALF
from cases.moves.objecting import OBJECTING
from domain.actors import STAFF, Role
from domain.stages import Stage
from tests.programmes.toy import routes
from tests.programmes.toy.requests import Workshop
from tests.programmes.toy.tables import MAKINGS, makings
from tests.programmes.toy.words import MakingStage, ToyAct, ToyNotice


class ToyEvent(StrEnum):
    """What can happen to a toy itself, beside what can to any case."""

    OVER = "over"


class MakingEvent(StrEnum):
    """What can happen to one."""

    BEGIN = "begin"
    FINISH = "finish"
    STOP = "stop"
    LEAVE = "leave"


_BY_ITSELF: Final = Who("once the approval has settled", frozenset({Role.SYSTEM}), asked=False)
_MOVED: Final = Who("once a change is taken", frozenset({Role.SYSTEM}), asked=False)
_FINISHED: Final = Who("timer; officer before it", frozenset({Role.SYSTEM}) | STAFF)
_FALLEN: Final = Who("once what proved the age fell", STAFF | {Role.SYSTEM}, asked=False)

MAKING_MOVES: Final = (
    Move("T1", frozenset({None}), MakingEvent.BEGIN, _BY_ITSELF, MakingStage.MAKING),
    Move("T5", frozenset({MakingStage.MAKING}), MakingEvent.STOP, _FALLEN, MakingStage.STOPPED),
    Move(
        "T2", frozenset({MakingStage.MAKING, MakingStage.STOPPED}), MakingEvent.FINISH, _FINISHED, MakingStage.MADE,
        notices=(Notice(ToyNotice.MADE),),
    ),
    Move("T3", frozenset({MakingStage.MAKING}), MakingEvent.LEAVE, _MOVED, MakingStage.LEFT),
)  # fmt: skip


def _workshops(file: CaseFile) -> list[str]:
    return sorted({file.application.given_of("wish.workshop"), *makings(file)})


MAKING: Final = "making"
MOVES: Final = Moves(
    *FRONT_HALF,
    *OBJECTING,
    *EVIDENCE_MOVES,
    *taking_over(EMPLOYER),
    *changing(EMPLOYER),
    Move("T4", frozenset({Stage.APPROVED}), ToyEvent.OVER, _FINISHED, Stage.ENDED, closes=(ALL,)),
)
TRACKS: Final[Mapping[str, Track]] = {
    MAKING: Track(
        table=MAKINGS,
        stages=MakingStage,
        keyed_by=Workshop,
        moves=Moves(*MAKING_MOVES, called="making", no_stage="not yet begun"),
        keys=_workshops,
        path=routes.MAKINGS,
        counted={"made": Counted(ToyAct.MADE)},
    )
}


def making_at(workshop: str) -> At:
    """Return the track of a workshop."""
    return At(MAKING, workshop)
