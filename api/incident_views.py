"""What operators see of incidents: codes, ids and times, never whom a case is about."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.views import Page

_TIME = Field(description="A time as PostgreSQL writes it, even one that nothing else could read.")


class IncidentView(BaseModel):
    """What waits for an operator."""

    id: str
    kind: str
    step: str
    reason: str
    reference: str | None
    place: str | None = Field(description="Where in the code it was met.")
    correlation_id: str | None = Field(description="The call that met it last; its log lines bear it.")
    times: int = Field(description="How often the same was met while the incident is open.")
    state: str
    at: datetime
    last_at: datetime
    resumed_at: datetime | None


class IncidentPage(Page):
    """A page of incidents."""

    items: list[IncidentView]


class PermitToMend(BaseModel):
    """Where a permit stands."""

    destination: str
    stage: str | None


class CommandToMend(BaseModel):
    """What was asked of the case and is not applied, or of which its workflow may not know."""

    id: str
    kind: str
    state: str
    unanswered: bool
    at: str | None = _TIME


class CallToMend(BaseModel):
    """What the authority has still to be told."""

    what: str
    destination: str | None
    attempt: int
    at: str | None = _TIME


class AnswerToMend(BaseModel):
    """What the authority said and is not applied."""

    destination: str | None
    outcome: str
    state: str
    received_at: str | None = _TIME


class DeadlineToMend(BaseModel):
    """What the case waits for."""

    kind: str
    destination: str | None
    at: str | None = _TIME


class TaskToMend(BaseModel):
    """What somebody has to do."""

    id: str
    kind: str
    queue: str
    destination: str | None
    opened_at: str | None = _TIME


class LastAct(BaseModel):
    """The newest row of the case in the ledger."""

    seq: int
    act: str
    at: str | None = _TIME


class CaseToMend(BaseModel):
    """Where a case stands and what waits."""

    reference: str
    employer_id: str
    workflow_id: str = Field(description="Under which Temporal knows it.")
    stage: str
    round: int
    version: int
    rule_version: str | None
    pending_act: str | None
    due_at: str | None = _TIME
    updated_at: str | None = _TIME
    permits: list[PermitToMend]
    commands: list[CommandToMend]
    calls: list[CallToMend]
    answers: list[AnswerToMend]
    deadlines: list[DeadlineToMend]
    tasks: list[TaskToMend]
    last_act: LastAct | None


class IncidentInFull(IncidentView):
    """An incident with the case that it is about."""

    case: CaseToMend | None
