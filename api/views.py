"""What answers look like, for the OpenAPI document; the verbs in `cases` make them."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.published_words import CommandKind
from cases.case import views
from cases.case.views import FindingView, PermitAnsweredFor, view
from cases.tasks.views import TaskView
from domain.actors import Role
from domain.commands import CommandState
from domain.reasons import ReasonStanding, Use
from domain.registration import EmploymentKind
from domain.stages import Destination, Stage
from register.views import EmployerSummary, PremisesView


class Page(BaseModel):
    """A page of a list."""

    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


@view
class ObstacleView(FindingView):
    """A finding that an officer would still be asked about before the permit of a destination is asked for."""

    destination: Destination


@view
class PermitView(PermitAnsweredFor):
    """The talent permit of one destination."""


@view
class CaseView(views.CaseView):
    """A case as its reader may see it."""

    permits: tuple[PermitView, ...]
    links: dict[str, str]
    rejected: Annotated[
        dict[str, Any] | None,
        Field(description="Why the last second signature was not given; for staff and auditors."),
    ] = None
    approval_needs_second_signature: Annotated[
        bool | None,
        Field(description="In the answer to a recorded fact: whether it takes two people to approve now."),
    ] = None
    permit_obstacles: Annotated[
        tuple[ObstacleView, ...],
        Field(description="In answers to staff: what will then still stand in the way of each permit."),
    ] = ()
    pending: Annotated[Any, Field(description="True while a stored act waits for the engine; else the proposal.")] = (
        None
    )
    pending_because: Annotated[
        str | None,
        Field(description="With `pending: true`: whether the engine gave no answer (`not_answered`) or `failed`."),
    ] = None
    pending_act: Annotated[str | None, Field(description="What is proposed; for staff and auditors.")] = None
    hold: Annotated[dict[str, Any] | None, Field(description="An officer's hold; for staff and auditors.")] = None
    standing_hold: Annotated[bool | None, Field(description="Held by the employer's standing; for staff.")] = None
    legal_holds: Annotated[tuple[dict[str, Any], ...], Field(description="For staff and auditors.")] = ()
    erased_at: Annotated[datetime | None, Field(description="For staff and auditors.")] = None
    overdue: Annotated[bool | None, Field(description="For staff and auditors.")] = None
    contested: Annotated[bool | None, Field(description="Whether a finding is contested; for staff and auditors.")] = (
        None
    )
    returns: Annotated[int | None, Field(description="How often it was returned; for staff and auditors.")] = None
    settles_at: Annotated[datetime | None, Field(description="When the approval takes effect; for staff.")] = None
    tasks: Annotated[tuple[views.CaseTaskView, ...], Field(description="For staff and auditors.")] = ()
    held_answers: Annotated[tuple[views.HeldAnswerView, ...], Field(description="For staff and auditors.")] = ()


class CasePage(Page):
    """A page of cases."""

    items: list[CaseView]


class PersonView(BaseModel):
    """The fields asked for, in clear."""

    name_zh: str | None = None
    name_en: str | None = None
    identity_number: str | None = None
    permit_card_number: str | None = None
    permit_card_valid_until: date | None = None
    email: str | None = None
    phone: str | None = None
    position: str | None = None
    work_site: str | None = None
    employment_kind: EmploymentKind | None = None
    contract_start: date | None = None
    contract_end: date | None = None
    state_worker: bool | None = None
    consent_letter: dict[str, Any] | None = None


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
