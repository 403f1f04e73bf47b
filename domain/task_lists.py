"""What a list of tasks is asked for: which tasks, in which order, and how urgent each is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.findings import FindingOutcome
from domain.stages import AssessmentOutcome


class Priority(StrEnum):
    """How urgent a task is: past its due date, due today or on the next working day, or later."""

    OVERDUE = "overdue"
    URGENT = "urgent"
    NORMAL = "normal"


class TaskOrder(StrEnum):
    """What a list goes by first; the inbox's own order, by urgency, comes after it."""

    PRIORITY = "priority"
    ASSESSMENT = "assessment"
    FINDINGS = "findings"
    EMPLOYER = "employer"
    DESTINATION = "destination"
    ASSESSMENT_DOWN = "-assessment"
    FINDINGS_DOWN = "-findings"
    EMPLOYER_DOWN = "-employer"
    DESTINATION_DOWN = "-destination"

    @property
    def is_down(self) -> bool:
        """Whether the list goes from the last to the first."""
        return self.value.startswith("-")

    @property
    def by(self) -> "TaskOrder":
        """What the list goes by, whichever way."""
        return TaskOrder(self.value.removeprefix("-"))


# The place of a registration's own tasks, which are of no destination.
NO_DESTINATION: Final = "none"


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """Which open tasks a list shows; None where it makes no difference."""

    kind: str | None = None
    holder: str | None = None
    due_before: datetime | None = None
    employer_id: str | None = None
    destination: str | None = None
    assessment: AssessmentOutcome | None = None
    finding: FindingOutcome | None = None
    priority: Priority | None = None


def priority_of(overdue: bool, due_at: datetime | None, now: datetime, urgent_until: datetime) -> Priority:
    """Return how urgent a task is; `urgent_until` is the end of the next working day."""
    if overdue or (due_at is not None and due_at <= now):
        return Priority.OVERDUE
    return Priority.URGENT if due_at is not None and due_at <= urgent_until else Priority.NORMAL
