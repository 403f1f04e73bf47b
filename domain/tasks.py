"""Kinds of task, and what else of a task has names."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


# Of any case; a programme declares its own.
class TaskKind(StrEnum):
    """What a person is asked to do."""

    REVIEW = "review"
    CONFIRM = "confirm"
    CHANGE = "change"
    FACT_CONTESTED = "fact_contested"
    EVIDENCE_FALLEN = "evidence_fallen"
    OBJECTION = "objection"
    RENEWAL = "renewal"
    TRANSFER = "transfer"
    UNDELIVERED = "undelivered"
    DECISION_NOT_TAKEN = "decision_not_taken"
    STUCK = "stuck"


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Queue(StrEnum):
    """Who may take a free task."""

    OFFICERS = "officers"
    SUPERVISORS = "supervisors"
    OPERATORS = "operators"


class TaskAction(StrEnum):
    """What the answer to a task of another kind does."""

    TAKE = "take"
    DECLINE = "decline"
    DONE = "done"
    UPHOLD = "uphold"
    SET_ASIDE = "set_aside"
    DEPARTED = "departed"
    END_TRANSFER = "end_transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMeaning:
    """What a kind of task implies.

    Attributes:
        answers: what it can be answered with; nothing where it is decided or signed by a call of its own.
        outlives: whether a case that closes leaves it to be done.
    """

    answers: tuple[str, ...] = ()
    outlives: bool = False


TASKS: Final[Mapping[str, TaskMeaning]] = {
    **dict.fromkeys(TaskKind, TaskMeaning()),
    TaskKind.CHANGE: TaskMeaning(answers=(TaskAction.TAKE, TaskAction.DECLINE)),
    TaskKind.DECISION_NOT_TAKEN: TaskMeaning(answers=(TaskAction.DONE,)),
    TaskKind.TRANSFER: TaskMeaning(answers=(TaskAction.DEPARTED, TaskAction.END_TRANSFER)),
    # A letter to hand over, and an answer to who contested a fact.
    TaskKind.UNDELIVERED: TaskMeaning(answers=(TaskAction.DONE,), outlives=True),
    TaskKind.FACT_CONTESTED: TaskMeaning(answers=(TaskAction.UPHOLD, TaskAction.SET_ASIDE), outlives=True),
    # What stands on evidence that fell after the decision, which may have been the last one of the case.
    TaskKind.EVIDENCE_FALLEN: TaskMeaning(answers=(TaskAction.DONE,), outlives=True),
    # Decided by a call of its own, and about a decision that may have closed the case.
    TaskKind.OBJECTION: TaskMeaning(outlives=True),
}
REVIEW_TASKS: Final = frozenset({TaskKind.REVIEW, TaskKind.CONFIRM})
