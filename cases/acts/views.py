"""What a page needs of a case beside the case itself: its line of stages, whose turn it is, and what may be asked."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from domain.actors import Role
from domain.notices import Recipient
from domain.stages import DueKind, Holder, Stage


class StepState(StrEnum):
    """Where a step of the line stands."""

    DONE = "done"
    NOW = "now"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStepView:
    """A stage on the way of a case."""

    stage: Annotated[Stage, Field(description="As the reader may see it.")]
    label: Annotated[str, Field(description="In the caller's language.")]
    state: StepState
    at: Annotated[datetime | None, Field(description="Since when, of one that was reached.")]
    due_at: Annotated[datetime | None, Field(description="Of the stage that the case is in: until when it is to end.")]
    due_kind: DueKind | None
    due_provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackStepView:
    """A part of the case with a stage of its own."""

    track: str
    key: Annotated[str, Field(description="What addresses, tasks and notices call it.")]
    stage: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """Whose turn it is."""

    holder: Holder
    says: Annotated[str | None, Field(description="Who has to act, in the caller's language.")]
    acts: Annotated[list[str], Field(description="The commands by which the holder lets the case go on.")]
    due_at: datetime | None
    due_kind: DueKind | None
    due_provisional: bool
    if_nobody: Annotated[str | None, Field(description="What follows if nobody acts, in the caller's language.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedActView:
    """With what an act would be refused now, whatever is given with it."""

    code: str
    detail: Annotated[str, Field(description="In the caller's language.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundView:
    """A reason that may be given."""

    code: str
    sentence: Annotated[str, Field(description="In the caller's language.")]
    source: str
    standing: Annotated[str, Field(description="Whether a rule that is published, or the Park, confirms this use.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldView:
    """A notice that is written with it."""

    kind: str
    to: list[Recipient]


@dataclass(frozen=True, slots=True, kw_only=True)
class WayView:
    """One thing that an act may come to, by what is given with it."""

    event: Annotated[str, Field(description="The row of the table of moves (docs/states.md).")]
    leads_to: Annotated[str | None, Field(description="The stage then, of the case or of the track.")]
    label: Annotated[str | None, Field(description="That stage in the caller's language.")]
    second_signature_by: Annotated[
        list[Role], Field(description="Who may sign second, another than the caller; empty where it is not needed.")
    ]
    notices: list[ToldView]
    use: Annotated[str | None, Field(description="What its reasons are used for (`GET /v1/reasons`).")]
    needs_reason: bool
    reasons: list[GroundView]
    says: Annotated[list[str], Field(description="What it sets going, in sentences of the caller's language.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActView:
    """Something that the caller's role may ask of a case, and whether it may be asked now."""

    act: Annotated[str, Field(description="The kind of command.")]
    label: Annotated[str, Field(description="In the caller's language.")]
    method: str
    address: Annotated[
        str, Field(description="Where it is asked; `{number}`, `{evidence_id}`, `{task_id}` are to be filled in.")
    ]
    body: Annotated[str | None, Field(description="The schema of what is given.")]
    destination: Annotated[str | None, Field(description="The track that it is about, where it is not the case.")]
    is_allowed: bool
    why_not: RefusedActView | None
    round: int
    tasks: Annotated[list[UUID], Field(description="The open tasks that it answers; to staff.")]
    ways: list[WayView]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseActsView:
    """Where a case stands, whose turn it is, and what the caller may do with it now."""

    reference: Annotated[str, Field(examples=["HT-7K2M-9QXA-J"])]
    stage: Stage
    round: int
    line: list[LineStepView]
    tracks: list[TrackStepView]
    turn: TurnView
    acts: list[ActView]
