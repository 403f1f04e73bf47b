"""What answers look like, for the OpenAPI document; the verbs in `cases` make them."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from api.fact_views import RecordedFactView
from cases.tasks.views import TaskView
from domain.actors import Role
from domain.commands import CommandKind, CommandState
from domain.findings import Audience, FindingOutcome
from domain.reasons import ReasonStanding, Use
from domain.registration import EmploymentKind
from domain.stages import AssessmentOutcome, Destination, DueKind, Holder, PermitStage, Stage
from register.views import EmployerSummary, PremisesView


class Page(BaseModel):
    """A page of a list."""

    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class FindingView(BaseModel):
    """What one rule found."""

    code: str
    outcome: FindingOutcome
    message: str = Field(description="In the caller's language.")
    source: str
    audience: Audience
    fields: list[str]
    parameters: list[dict[str, Any]] = Field(description="Values of the rule pack used, each with its reference.")


class OpenPointView(BaseModel):
    """One thing that the employer is asked to mend."""

    code: str = Field(description="A reason of use R, or the code of a finding.")
    message: str = Field(description="In the caller's language.")
    field: str | None = Field(description="The path of the field, the first where there are several.")
    fields: list[str]
    note: str | None = Field(description="What the officer wrote for the employer.")


class PendingChangeView(BaseModel):
    """What the employer asked to have changed and an officer has yet to take or decline."""

    fields: list[str]
    asked_at: datetime
    due_at: datetime | None


class ObstacleView(FindingView):
    """A finding that an officer would still be asked about before the permit of a destination is asked for."""

    destination: Destination


class PermitView(BaseModel):
    """The talent permit of one destination."""

    destination: Destination
    stage: PermitStage | None
    authority_number: str | None
    valid_from: date | None
    valid_until: date | None
    stay_days: int | None
    entries: str | None
    in_force: bool
    sent_at: datetime | None
    accepted_on: date | None
    due_at: datetime | None
    reported_at: datetime | None
    card_lost_on: date | None
    end_reason: str | None
    pending_act: str | None = Field(default=None, description="For staff and auditors.")
    rejected: dict[str, Any] | None = Field(
        default=None, description="Why the last second signature was not given; for staff and auditors."
    )
    earlier: list[dict[str, Any]] = Field(default=[], description="Numbers and dates before a replacement.")
    findings: list[FindingView] = Field(default=[], description="For staff and auditors.")
    authority_reason: dict[str, Any] | None = Field(default=None, description="For staff and auditors.")


class MaskedPerson(BaseModel):
    """The person as every role sees them; the names are whole to the employer that gave them."""

    name_zh: str | None = Field(examples=["曹○○"], description="Masked to staff and auditors.")
    name_en: str | None = Field(examples=["C○○ C○○"], description="Masked to staff and auditors.")
    identity_number: str | None = Field(
        examples=["4403**********123X"], description="Null where what was given cannot be opened."
    )
    language: str | None
    erased: bool = Field(description="Whether what was given of the person was erased.")


class CaseView(BaseModel):
    """A case as its reader may see it."""

    reference: str = Field(examples=["HT-7K2M-9QXA-3"])
    client_reference: str | None
    employer_id: str
    workflow_id: str
    stage: Stage
    round: int
    destinations: list[Destination]
    policy_version: str
    assessment: AssessmentOutcome | None
    findings: list[FindingView]
    pending_change: PendingChangeView | None
    open_points: list[OpenPointView] = Field(description="What the employer is asked to mend, until it answers.")
    accepted_at: datetime
    due_at: datetime | None
    due_kind: DueKind | None
    due_provisional: bool
    clock: str | None
    holder: Holder
    registration_number: str | None = Field(examples=["HR-2026-000123-P"])
    end_reason: str | None
    ended_on: date | None
    in_force: bool
    updated_at: datetime
    person: MaskedPerson
    recorded_facts: list[RecordedFactView] = Field(
        default=[], description="What officers saw, beside what was given; in clear at its own address."
    )
    permits: list[PermitView]
    links: dict[str, str]
    rejected: dict[str, Any] | None = Field(
        default=None, description="Why the last second signature was not given; for staff and auditors."
    )
    approval_needs_second_signature: bool | None = Field(
        default=None, description="In the answer to a recorded fact: whether it takes two people to approve now."
    )
    permit_obstacles: list[ObstacleView] = Field(
        default=[], description="In answers to staff: what will then still stand in the way of each permit."
    )
    pending: Any = Field(default=None, description="True while a stored act waits for the engine; else the proposal.")


class CasePage(Page):
    """A page of cases."""

    items: list[CaseView]


class CheckView(BaseModel):
    """What the rules would find today."""

    outcome: AssessmentOutcome
    findings: list[FindingView]


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


class AnswerView(BaseModel):
    """What became of an answer."""

    status: str = Field(examples=["recorded"], description="`recorded`, `already_recorded` or `held`.")


class ReceiptView(BaseModel):
    """What became of a receipt."""

    status: str = Field(examples=["recorded"])


class LiveView(BaseModel):
    """The process answers."""

    status: str = Field(examples=["alive"])


class ReadyView(BaseModel):
    """What the process reaches."""

    status: str = Field(description="`ready`, or `degraded` while Temporal is away or PostgreSQL takes no write.")
    postgresql: str = Field(description="`up`, or `read_only`: a full disk or a standby; readings go on.")
    temporal: str = Field(description="`up` or `away`.")
