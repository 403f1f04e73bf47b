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
    resumed_at: datetime | None = Field(description="When it was closed, by whomever.")
    cause: str = Field(description="Id of what it shares with all that are alike.")
    closed_reason: str | None = Field(description="Why the engine closed it by itself (`state` is `ended`).")
    resume_asked_at: datetime | None = Field(description="When its cause was resumed; the case waits for its turn.")
    still_wrong: str | None = Field(description="Why the case could not go on when its cause was resumed.")


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


class CauseHelp(BaseModel):
    """What the operator is to make of it."""

    says: str = Field(description="What it is, in the caller's language.")
    to_do: str = Field(description="What to do, in the caller's language.")
    by: str = Field(description="By which call or command.")
    anchor: str = Field(description="Its place in docs/operations.md.")


class CauseView(BaseModel):
    """All open incidents that are alike: of one kind, step, reason and place in the code."""

    id: str
    kind: str
    step: str
    reason: str | None = Field(description="The code with which their reasons begin.")
    place: str | None = Field(description="Where in the code they were met, without the line.")
    incidents: int = Field(description="How many are open.")
    cases: int = Field(description="How many cases they are about.")
    times: int = Field(description="How often they were met.")
    resuming: int = Field(description="How many cases wait for their turn to go on.")
    still_wrong: int = Field(description="How many could not go on when the cause was resumed.")
    since: datetime
    last_at: datetime
    first_references: list[str] = Field(description="The first few cases.")
    help: CauseHelp


class CausePage(Page):
    """A page of causes."""

    items: list[CauseView]


class CauseResumed(CauseView):
    """What resuming a cause came to."""

    closed: int = Field(description="How many lines were closed at once.")
