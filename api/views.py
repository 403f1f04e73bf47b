"""What answers look like, for the OpenAPI document; the verbs in `cases` make them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, create_model

from api.published import ObstacleView
from api.published_words import CommandKind, Use
from cases.case.difference_reads import OpenedAmendmentView
from cases.case.shows import Published
from cases.tasks.views import TaskView
from domain.actors import Role
from domain.commands import CommandState
from domain.reasons import ReasonStanding
from domain.stages import Stage
from register.views import EmployerSummary, PremisesView


class Page(BaseModel):
    """A page of a list."""

    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


def case_page(shown: Published) -> type[Page]:
    """Return a page of cases of a programme."""
    case: Any = shown.case
    return create_model(f"{shown.named}CasePage", __base__=Page, __doc__="A page of cases.", items=(list[case], ...))


class RequestView(BaseModel):
    """Something that was asked of a case."""

    id: str
    kind: CommandKind
    role: Role
    subject: str = Field(description="Who asked.")
    at: datetime
    state: CommandState
    content: Any = Field(description="What was asked, with its notes; null where there is nothing to read any more.")


class RequestPage(Page):
    """What was asked of a case."""

    items: list[RequestView]


class AmendmentList(Page):
    """What was given again under review, old and new, oldest first."""

    items: list[OpenedAmendmentView]


class TaskPage(Page):
    """A page of tasks."""

    items: list[TaskView]


class BulkOutcome(BaseModel):
    """What became of one case of a bulk approval."""

    reference: str | None
    status: int
    code: str | None = None
    detail: str | None = Field(default=None, description="What happened and what to do, in the caller's language.")
    holder: str | None = Field(default=None, description="Who holds the task (`task_held`).")
    stage: Stage | None = None
    pending: bool | None = None
    permit_obstacles: list[ObstacleView] = []


class BulkView(BaseModel):
    """One outcome for each case, in the order given."""

    items: list[BulkOutcome]


class ReasonView(BaseModel):
    """A published reason."""

    code: str
    uses: list[Use]
    source: str
    standing: dict[Use, ReasonStanding]
    sentences: dict[str, str]


class ReasonList(BaseModel):
    """All published reasons."""

    items: list[ReasonView]


class EmployerPage(Page):
    """A page of employers."""

    items: list[EmployerSummary]


class PremisesItems(BaseModel):
    """Premises as recorded."""

    items: list[PremisesView]


class PremisesPage(Page):
    """A page of premises."""

    items: list[PremisesView]


class DeliveryReportView(BaseModel):
    """What became of a delivery report of a gateway."""

    status: str = Field(examples=["recorded"])


class LiveView(BaseModel):
    """The process answers."""

    status: str = Field(examples=["alive"])


class ReadyView(BaseModel):
    """What the process reaches."""

    status: str = Field(description="`ready`, or `degraded` while Temporal is away or PostgreSQL takes no write.")
    postgresql: str = Field(description="`up`, or `read_only`: a full disk or a standby; readings go on.")
    temporal: str = Field(description="`up` or `away`.")
