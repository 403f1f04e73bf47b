"""What a history says: its events through an allow-list, and the courses by which it bears witness to the ledger."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from domain.clock import CHINA
from temporal.histories import Retry

Event = Mapping[str, Any]


class Kind(StrEnum):
    """What an auditor is shown of a history; every other type of event is left out."""

    RUN_STARTED = "run_started"
    RUN_WENT_ON = "run_went_on"
    RUN_TO_BE_CONTINUED = "run_to_be_continued"
    RUN_COMPLETED = "run_completed"
    RUN_FAILED = "run_failed"
    RUN_TERMINATED = "run_terminated"
    RUN_CANCELLED = "run_cancelled"
    RUN_TIMED_OUT = "run_timed_out"
    MESSAGE_RECEIVED = "message_received"
    DECISION_SIGNALLED = "decision_signalled"
    ACT_ASKED = "act_asked"
    ACT_ANSWERED = "act_answered"
    TIME_CAME = "time_came"
    STEP_DONE = "step_done"
    STEP_FAILED = "step_failed"
    STEP_RETRIED = "step_retried"
    CODE_FAILED = "code_failed"


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing a history tells: when, where in which run, and its facts as codes."""

    at: datetime
    kind: Kind
    run_id: str
    event_id: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Witness:
    """A course in a history: where the case stood after a step, and how far its ledger went."""

    run_id: str
    event_id: int
    course: Mapping[str, Any]

    @property
    def recorded(self) -> tuple[int, str] | None:
        """Number and hash of the ledger row that was the last one then."""
        found = self.course.get("recorded")
        return (int(found[0]), str(found[1])) if found else None


def happened(run_id: str, events: Iterable[Event]) -> list[Happened]:
    """Return what a run's events tell, in their order."""
    known = list(events)
    by_id = {_id(event): event for event in known}
    found = []
    for event in known:
        name, attributes = _content(event)
        read = _ALLOWED.get(name)
        told = read(attributes, by_id, event) if read else None
        if told is not None:
            kind, facts = told
            shown = {key: value for key, value in facts.items() if value is not None}
            found.append(Happened(time_of(event), kind, run_id, _id(event), shown))
    return found


def retried(run_id: str, events: Iterable[Event], retries: Iterable[Retry]) -> list[Happened]:
    """Return the steps of an open run that failed and are tried again, the earliest failure first.

    They stand where the step was asked for. Once it is through, the history itself tells of its tries.
    """
    asked: dict[str, Event] = {}
    for event in events:
        name, attributes = _content(event)
        if name == "ACTIVITY_TASK_SCHEDULED":
            asked[str(attributes.get("activityId"))] = event
    found = []
    for retry in sorted(retries, key=lambda each: each.failed_at):
        scheduled = asked.get(retry.activity_id)
        if scheduled is not None:
            facts = {
                **_step_of(scheduled),
                "attempts": retry.failed,
                "failure": failure_class(retry.failure),
                "next_attempt_at": retry.next_at.astimezone(CHINA).isoformat() if retry.next_at else None,
            }
            shown = {key: value for key, value in facts.items() if value is not None}
            found.append(Happened(retry.failed_at, Kind.STEP_RETRIED, run_id, _id(scheduled), shown))
    return found


def witnesses(run_id: str, events: Iterable[Event]) -> Iterator[Witness]:
    """Return every course that a run's events hold: carried over, of local steps, and of regular ones."""
    for event in events:
        name, attributes = _content(event)
        course: Any = None
        if name == "WORKFLOW_EXECUTION_STARTED":
            given = _payload(attributes.get("input"))
            course = given.get("course") if isinstance(given, dict) else None
        elif name == "MARKER_RECORDED":
            course = _payload(attributes.get("details", {}).get("result"))
        elif name == "ACTIVITY_TASK_COMPLETED":
            course = _payload(attributes.get("result"))
        if isinstance(course, dict) and "stage" in course:
            yield Witness(run_id, _id(event), course)


def commands_named(events: Iterable[Event]) -> dict[str, int]:
    """Return the ids of the commands of which a run was told, each with the event that told it first."""
    found: dict[str, int] = {}
    for event in events:
        name, attributes = _content(event)
        told: Any = None
        if name == "WORKFLOW_EXECUTION_SIGNALED":
            told = _payload(attributes.get("input"))
        elif name == "WORKFLOW_EXECUTION_UPDATE_ACCEPTED":
            told = _payload(attributes.get("acceptedRequest", {}).get("input", {}).get("args"))
        if isinstance(told, dict) and "command_id" in told:
            found.setdefault(str(told["command_id"]), _id(event))
    return found


_Told = tuple[Kind, dict[str, Any]] | None
_Read = Callable[[Event, Mapping[int, Event], Event], _Told]


def _started(attributes: Event, _: Mapping[int, Event], __: Event) -> _Told:
    continued = attributes.get("continuedExecutionRunId")
    return (Kind.RUN_WENT_ON, {"from_run": continued}) if continued else (Kind.RUN_STARTED, {})


def _continued(attributes: Event, _: Mapping[int, Event], __: Event) -> _Told:
    return Kind.RUN_TO_BE_CONTINUED, {"as_run": attributes.get("newExecutionRunId")}


def _ended(kind: Kind) -> _Read:
    def read(attributes: Event, _: Mapping[int, Event], __: Event) -> _Told:
        failure = attributes.get("failure")
        return kind, {"failure": failure_class(failure) if failure else None}

    return read


def _signalled(attributes: Event, _: Mapping[int, Event], __: Event) -> _Told:
    told = _payload(attributes.get("input"))
    given = told if isinstance(told, dict) else {}
    if attributes.get("signalName") == "decision":
        facts = {"message_id": given.get("message_id"), "action": given.get("action"), "round": given.get("round")}
        return Kind.DECISION_SIGNALLED, facts
    return Kind.MESSAGE_RECEIVED, {"command_id": given.get("command_id")}


def _asked(attributes: Event, _: Mapping[int, Event], __: Event) -> _Told:
    told = _payload(attributes.get("acceptedRequest", {}).get("input", {}).get("args"))
    return Kind.ACT_ASKED, {"command_id": told.get("command_id") if isinstance(told, dict) else None}


def _answered(attributes: Event, _: Mapping[int, Event], __: Event) -> _Told:
    outcome = attributes.get("outcome", {})
    told = _payload(outcome.get("success"))
    given = told if isinstance(told, dict) else {}
    failure = outcome.get("failure")
    facts = {name: given.get(name) for name in ("command_id", "state", "code")}
    return Kind.ACT_ANSWERED, facts | {"failure": failure_class(failure) if failure else None}


def _fired(attributes: Event, by_id: Mapping[int, Event], event: Event) -> _Told:
    started = by_id.get(int(attributes.get("startedEventId", 0)))
    if started is None:
        return Kind.TIME_CAME, {}
    name = _payload({"payloads": [started.get("userMetadata", {}).get("summary", {})]})
    waited = (time_of(event) - time_of(started)).total_seconds()
    return Kind.TIME_CAME, {"for": name, "waited_seconds": round(waited)}


def _local(attributes: Event, _: Mapping[int, Event], __: Event) -> _Told:
    """A local step is told by the ledger rows it wrote, and here only where it had to be tried again or failed."""
    details = attributes.get("details", {})
    data = _payload(details.get("data"))
    if attributes.get("markerName") != "core_local_activity" or not isinstance(data, dict):
        return None
    failure, attempts = attributes.get("failure"), int(data.get("attempt", 1))
    facts = {"step": data.get("activity_type"), "attempts": attempts}
    if failure:
        return Kind.STEP_FAILED, facts | {"failure": failure_class(failure)}
    return (Kind.STEP_DONE, facts) if attempts > 1 else None


def _step(kind: Kind) -> _Read:
    def read(attributes: Event, by_id: Mapping[int, Event], event: Event) -> _Told:
        scheduled = by_id.get(int(attributes.get("scheduledEventId", 0)), {})
        started = by_id.get(int(attributes.get("startedEventId", 0)), {})
        begun = _content(started)[1]
        earlier, failure = begun.get("lastFailure"), attributes.get("failure")
        facts = {
            **_step_of(scheduled),
            "attempts": int(begun.get("attempt", 1)),
            "earlier_failure": failure_class(earlier) if earlier else None,
            "failure": failure_class(failure) if failure else None,
            "took_seconds": round((time_of(event) - time_of(scheduled)).total_seconds(), 3) if scheduled else None,
        }
        return kind, facts

    return read


def _step_of(scheduled: Event) -> dict[str, Any]:
    """Return the name of a step, and of a call to the authority the key, which is its summary; others have words."""
    name = _content(scheduled)[1].get("activityType", {}).get("name")
    summary = _payload({"payloads": [scheduled.get("userMetadata", {}).get("summary", {})]})
    return {"step": name, "key": summary if name == "tell_authority" else None}


def _code(attributes: Event, _: Mapping[int, Event], __: Event) -> _Told:
    return Kind.CODE_FAILED, {"failure": failure_class(attributes.get("failure") or {})}


# The allow-list: what is not named here is not shown.
_ALLOWED: Final[dict[str, _Read]] = {
    "WORKFLOW_EXECUTION_STARTED": _started,
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": _continued,
    "WORKFLOW_EXECUTION_COMPLETED": _ended(Kind.RUN_COMPLETED),
    "WORKFLOW_EXECUTION_FAILED": _ended(Kind.RUN_FAILED),
    "WORKFLOW_EXECUTION_TERMINATED": _ended(Kind.RUN_TERMINATED),
    "WORKFLOW_EXECUTION_CANCELED": _ended(Kind.RUN_CANCELLED),
    "WORKFLOW_EXECUTION_TIMED_OUT": _ended(Kind.RUN_TIMED_OUT),
    "WORKFLOW_EXECUTION_SIGNALED": _signalled,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": _asked,
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": _answered,
    "TIMER_FIRED": _fired,
    "MARKER_RECORDED": _local,
    "ACTIVITY_TASK_COMPLETED": _step(Kind.STEP_DONE),
    "ACTIVITY_TASK_FAILED": _step(Kind.STEP_FAILED),
    "ACTIVITY_TASK_TIMED_OUT": _step(Kind.STEP_FAILED),
    "WORKFLOW_TASK_FAILED": _code,
}


def failure_class(failure: Event) -> str:
    """Return the class of a failure, never its text."""
    while failure.get("cause"):
        failure = failure["cause"]
    application = failure.get("applicationFailureInfo")
    if application is not None:
        return str(application.get("type") or "unknown")
    if "timeoutFailureInfo" in failure:
        kind = str(failure["timeoutFailureInfo"].get("timeoutType", "")).removeprefix("TIMEOUT_TYPE_").lower()
        return f"timeout_{kind}" if kind else "timeout"
    return next((name.removesuffix("FailureInfo") for name in failure if name.endswith("FailureInfo")), "unknown")


def _content(event: Event) -> tuple[str, Event]:
    name = str(event.get("eventType", "")).removeprefix("EVENT_TYPE_")
    return name, next((value for key, value in event.items() if key.endswith("Attributes")), {})


def _payload(payloads: Any) -> Any:
    """Return the first payload of several, or None where there is none that is JSON."""
    found = (payloads or {}).get("payloads") or []
    data = found[0].get("data") if found and isinstance(found[0], dict) else None
    if data is None:
        return None
    try:
        return json.loads(base64.b64decode(data))
    except ValueError:
        return None


def _id(event: Event) -> int:
    return int(event.get("eventId", 0))


def time_of(event: Event) -> datetime:
    """Return when an event was recorded."""
    # Temporal writes nanoseconds, Python reads microseconds.
    text = str(event["eventTime"]).removesuffix("Z")
    whole, _, fraction = text.partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00")
