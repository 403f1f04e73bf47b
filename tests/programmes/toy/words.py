"""The toy's own words, beside those of any case: stored and published as they stand here, never changed."""

from enum import StrEnum
from typing import Final

from domain.acts import ActMeaning
from domain.deadlines import DeadlineMeaning
from domain.evidence import EVIDENCE_WORDS
from domain.notices import BOTH, plan
from domain.words import CORE_WORDS, Words


class ToyCommand(StrEnum):
    """What is asked of a toy and of no other case."""

    FINISH = "toy_finish"


class ToyAct(StrEnum):
    """What is done about a toy; one ledger row for each."""

    BEGUN = "toy_begun"
    MADE = "toy_made"
    STOPPED = "toy_stopped"
    LEFT = "toy_left"


class ToyDeadline(StrEnum):
    """What is due at a deadline of a toy."""

    MADE = "toy_made"


class MakingStage(StrEnum):
    """Stages of a making."""

    MAKING = "making"
    MADE = "made"
    STOPPED = "stopped"
    LEFT = "left"


class ToyNotice(StrEnum):
    """What is told of a toy."""

    MADE = "toy_made"


class ToyFinding(StrEnum):
    """What the rules look for."""

    NOT_SAFE = "toy_not_safe"
    AGE_UNPROVED = "toy_age_unproved"


WORDS: Final = (
    CORE_WORDS
    | EVIDENCE_WORDS
    | Words(
        acts={
            **dict.fromkeys((ToyAct.BEGUN, ToyAct.LEFT, ToyAct.STOPPED), ActMeaning()),
            ToyAct.MADE: ActMeaning(judges=True),
        },
        deadlines={ToyDeadline.MADE: DeadlineMeaning()},
        notices={ToyNotice.MADE: plan(BOTH)},
    )
)
