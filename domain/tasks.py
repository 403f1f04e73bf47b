"""Kinds of task, and what else of a task has names."""

from enum import StrEnum
from typing import Final


class TaskKind(StrEnum):
    """What a person is asked to do."""

    REVIEW = "review"
    CONFIRM = "confirm"
    CHANGE = "change"
    PERMIT_ELIGIBILITY = "permit_eligibility"
    EMPLOYMENT_CHECK = "employment_check"
    DEPARTURE_DISPUTED = "departure_disputed"
    APPLICANT_INACTIVE = "applicant_inactive"
    AUTHORITY_LATE = "authority_late"
    AUTHORITY_CONFLICT = "authority_conflict"
    AUTHORITY_REJECTED = "authority_rejected"
    FACT_CONTESTED = "fact_contested"
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


# What a case that closes leaves to be done: a letter to hand over, and an answer to who contested a fact.
OUTLIVING: Final = frozenset({TaskKind.UNDELIVERED, TaskKind.FACT_CONTESTED})
REVIEW_TASKS: Final = frozenset({TaskKind.REVIEW, TaskKind.CONFIRM})
