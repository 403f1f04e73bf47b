"""What operators are shown of incidents: codes, ids and times, never whom a case is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from domain.case_types import CaseTypes
from domain.clock import to_the_second
from domain.errors import need
from domain.languages import Language
from store.incident_rows import CauseLine, IncidentRead
from texts.incidents import incident_help

_TIME: Final = Field(description="A time as PostgreSQL writes it, even one that nothing else could read.")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """What waits for an operator."""

    id: str
    kind: str
    reference: str | None
    step: str
    reason: str
    place: Annotated[str | None, Field(description="Where in the code it was met.")]
    correlation_id: Annotated[str | None, Field(description="The call that met it last; its log lines bear it.")]
    times: Annotated[int, Field(description="How often the same was met while the incident is open.")]
    state: str
    at: datetime
    last_at: datetime
    resumed_at: Annotated[datetime | None, Field(description="When it was closed, by whomever.")]
    cause: Annotated[str, Field(description="Id of what it shares with all that are alike.")]
    closed_reason: Annotated[str | None, Field(description="Why the engine closed it by itself (`state` is `ended`).")]
    resume_asked_at: Annotated[
        datetime | None, Field(description="When its cause was resumed; the case waits for its turn.")
    ]
    still_wrong: Annotated[str | None, Field(description="Why the case could not go on when its cause was resumed.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitToMend:
    """Where a permit stands."""

    destination: str
    stage: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandToMend:
    """What was asked of the case and is not applied, or of which its workflow may not know."""

    id: str
    kind: str
    state: str
    unanswered: bool
    at: Annotated[str | None, _TIME]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallToMend:
    """What the authority has still to be told."""

    what: str
    destination: str | None
    attempt: int
    at: Annotated[str | None, _TIME]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerToMend:
    """What the authority said and is not applied."""

    destination: str | None
    outcome: str
    state: str
    received_at: Annotated[str | None, _TIME]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineToMend:
    """What the case waits for."""

    kind: str
    destination: str | None
    at: Annotated[str | None, _TIME]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskToMend:
    """What somebody has to do."""

    id: str
    kind: str
    queue: str
    destination: str | None
    opened_at: Annotated[str | None, _TIME]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAct:
    """The newest row of the case in the ledger."""

    seq: int
    act: str
    at: Annotated[str | None, _TIME]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseToMend:
    """Where a case stands and what waits."""

    reference: str
    employer_id: str
    workflow_id: Annotated[str, Field(description="Under which Temporal knows it.")]
    stage: str
    round: int
    version: int
    rule_version: str | None
    pending_act: str | None
    due_at: Annotated[str | None, _TIME]
    updated_at: Annotated[str | None, _TIME]
    permits: list[PermitToMend]
    commands: list[CommandToMend]
    calls: list[CallToMend]
    answers: list[AnswerToMend]
    deadlines: list[DeadlineToMend]
    tasks: list[TaskToMend]
    last_act: LastAct | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentInFull(IncidentView):
    """An incident with the case that it is about."""

    case: CaseToMend | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseHelp:
    """What the operator is to make of it."""

    says: Annotated[str, Field(description="What it is, in the caller's language.")]
    to_do: Annotated[str, Field(description="What to do, in the caller's language.")]
    by: Annotated[str, Field(description="By which call or command.")]
    anchor: Annotated[str, Field(description="Its place in docs/operations.md.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseView:
    """All open incidents that are alike: of one kind, step, reason and place in the code."""

    id: str
    kind: str
    step: str
    reason: Annotated[str | None, Field(description="The code with which their reasons begin.")]
    place: Annotated[str | None, Field(description="Where in the code they were met, without the line.")]
    incidents: Annotated[int, Field(description="How many are open.")]
    cases: Annotated[int, Field(description="How many cases they are about.")]
    times: Annotated[int, Field(description="How often they were met.")]
    resuming: Annotated[int, Field(description="How many cases wait for their turn to go on.")]
    still_wrong: Annotated[int, Field(description="How many could not go on when the cause was resumed.")]
    since: datetime
    last_at: datetime
    first_references: Annotated[list[str], Field(description="The first few cases.")]
    help: CauseHelp


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseResumed(CauseView):
    """What resuming a cause came to."""

    closed: Annotated[int, Field(description="How many lines were closed at once.")]


# Parts of a case that are rows of their own, by the member that shows them.
_LISTS: Final[dict[str, Callable[..., object]]] = {
    "permits": PermitToMend,
    "commands": CommandToMend,
    "calls": CallToMend,
    "answers": AnswerToMend,
    "deadlines": DeadlineToMend,
    "tasks": TaskToMend,
}
_ONES: Final[dict[str, Callable[..., object]]] = {"last_act": LastAct}


def incident_view(row: IncidentRead) -> IncidentView:
    """Return an incident as an operator sees it: codes, never personal data."""
    return IncidentView(**_fields(row))


def incident_in_full(row: IncidentRead, case: Mapping[str, Any] | None, case_types: CaseTypes) -> IncidentInFull:
    """Return an incident with its case, whose columns PostgreSQL gave as JSON, by the names of the views."""
    return IncidentInFull(
        **_fields(row), case=None if case is None else _case(need(row.reference, "reference"), case, case_types)
    )


def _fields(row: IncidentRead) -> dict[str, Any]:
    return {
        "id": str(row.incident_id),
        "kind": row.kind,
        "reference": row.reference,
        "step": row.step,
        "reason": row.reason,
        "place": row.place or None,
        "correlation_id": row.correlation_id,
        "times": row.times,
        "state": row.state,
        "at": to_the_second(row.at),
        "last_at": to_the_second(row.last_at or row.at),
        "resumed_at": to_the_second(row.resumed_at),
        "cause": str(row.cause_id),
        "closed_reason": row.closed_reason,
        "resume_asked_at": to_the_second(row.resume_asked_at),
        "still_wrong": row.still_wrong,
    }


def _case(reference: str, case: Mapping[str, Any], case_types: CaseTypes) -> CaseToMend:
    lists = {name: [kind(**each) for each in case[name]] for name, kind in _LISTS.items()}
    ones = {name: kind(**case[name]) for name, kind in _ONES.items() if case[name] is not None}
    return CaseToMend(**{**case, **lists, **ones}, workflow_id=case_types.id_of(reference))


def cause_view(line: CauseLine, language: Language) -> CauseView:
    """Return a cause as an operator sees it: codes, counts, times, and what to do."""
    return CauseView(**_of_cause(line, language))


def cause_resumed(line: CauseLine, language: Language, *, closed: int) -> CauseResumed:
    """Return a cause whose cases go on, with how many of its lines were closed at once."""
    return CauseResumed(**_of_cause(line, language), closed=closed)


def _of_cause(line: CauseLine, language: Language) -> dict[str, Any]:
    return {
        "id": str(line.cause_id),
        "kind": line.kind,
        "step": line.step,
        "reason": line.reason or None,
        "place": line.place or None,
        "incidents": line.incidents,
        "cases": line.cases,
        "times": int(line.times),
        "resuming": line.resuming,
        "still_wrong": line.still_wrong,
        "since": to_the_second(line.since),
        "last_at": to_the_second(line.last_at),
        "first_references": line.first_references or [],
        "help": CauseHelp(**incident_help(line.kind, language)),
    }
