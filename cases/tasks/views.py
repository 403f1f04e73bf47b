"""What staff is shown of tasks: each with what its list tells of it, and how many there are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from cases.shared.views import Coded
from domain.findings import FindingOutcome
from domain.stages import AssessmentOutcome
from domain.task_lists import Priority
from domain.tasks import Queue, TaskAction, TaskKind
from domain.tracks import TrackKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Something that a person is asked to do."""

    id: str
    kind: Annotated[str, Coded(TaskKind)]
    reference: str | None
    employer_id: str | None
    destination: Annotated[
        str | None, Coded(TrackKey | None), Field(description="Null as well where one task serves several.")
    ]
    destinations: Annotated[list[str], Coded(list[TrackKey]), Field(description="All that the task is about.")]
    round: int
    state: str
    queue: Annotated[str, Coded(Queue)]
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    holder: str | None
    held_since: datetime | None
    answers: Annotated[
        list[str],
        Coded(list[TaskAction]),
        Field(description="What it can be answered with; empty where it is decided or signed."),
    ]
    detail: dict[str, Any]
    employer_name: str | None
    employer_name_en: str | None
    assessment: Annotated[
        AssessmentOutcome | None, Field(description="What the findings that the task is about amount to.")
    ]
    findings: Annotated[
        dict[str, int], Coded(dict[FindingOutcome, int]), Field(description="How many findings of each outcome.")
    ]
    priority: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """The open tasks of a kind."""

    kind: Annotated[str, Coded(TaskKind)]
    open: int
    overdue: Annotated[int, Field(description="Past the due date.")]
    urgent: Annotated[int, Field(description="Due today or on the next working day.")]
    normal: int
    free: Annotated[int, Field(description="Held by nobody.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderCount:
    """The open tasks of a holder."""

    holder: Annotated[str | None, Field(description="Null for those that nobody holds.")]
    open: int
    overdue: Annotated[int, Field(description="Past the due date.")]
    urgent: Annotated[int, Field(description="Due today or on the next working day.")]
    normal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCounts:
    """The open tasks of the caller's lists, counted."""

    open: int
    free: int
    overdue: Annotated[int, Field(description="Past the due date.")]
    urgent: Annotated[int, Field(description="Due today or on the next working day.")]
    normal: int
    by_kind: list[KindCount]
    by_holder: list[HolderCount]
