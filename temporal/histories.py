"""What Temporal recorded of a run, in clear and in one written form: listed, fetched, and its payloads decoded."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import Unavailable
from temporal.codec import Codec
from temporal.listing import AWAY, pages

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Retry:
    """A step of an open run that failed and is tried again, of which its history says nothing before it is through.

    `failed` tries have ended, the last one with `failure` (in Temporal's JSON, its text encoded) at `failed_at`; the
    next one comes at `next_at`, or is under way where that is None.
    """

    activity_id: str
    failed: int
    failure: Mapping[str, Any] = field(repr=False)
    failed_at: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a workflow, as Temporal lists it; a run that is open has no time of closing."""

    workflow_id: str
    run_id: str
    workflow_type: str
    status: str
    started_at: datetime
    closed_at: datetime | None
    retries: tuple[Retry, ...] = field(default=(), compare=False)

    @property
    def is_closed(self) -> bool:
        """Whether the run will record nothing more."""
        return self.closed_at is not None


@dataclass(frozen=True, slots=True)
class RunHistory:
    """A run with all that Temporal recorded of it, as JSON that a replayer reads."""

    run: Run
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> bytes:
        """The hash by which the ledger knows the history."""
        return hashlib.sha256(self.content).digest()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in their order."""
        return events_of(self.content)


def events_of(content: bytes) -> list[dict[str, Any]]:
    """Return the events of a history in its written form."""
    found: list[dict[str, Any]] = orjson.loads(content).get("events", [])
    return found


class Histories(Protocol):
    """What is asked of Temporal's own record."""

    async def runs_of(self, workflow_id: str) -> list[Run]:
        """Return the runs of a workflow that Temporal still has, the first one first."""
        ...

    async def fetch(self, run: Run) -> RunHistory | None:
        """Return the history of a run, or None where Temporal has it no more."""
        ...


class TemporalHistories:
    """Histories on a Temporal client; each method raises `Unavailable` when Temporal is away."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def closed_since(self, moment: datetime | None) -> AsyncIterator[list[Run]]:
        """Yield the runs closed since a moment, a page at a time; the list lags a little behind the runs."""
        query = 'ExecutionStatus != "Running"'
        if moment is not None:
            query += f' AND CloseTime >= "{moment.astimezone(UTC).isoformat()}"'
        async for page in self._list(query):
            yield page

    async def runs_of(self, workflow_id: str) -> list[Run]:
        """Return the runs of a workflow that Temporal still has, the first one first."""
        found: dict[str, Run] = {}
        if '"' in workflow_id or "\\" in workflow_id:
            raise ValueError("a workflow id of ours has neither quotes nor backslashes")
        async for page in self._list(f'WorkflowId = "{workflow_id}"'):
            found |= {run.run_id: run for run in page}
        newest = await self.find(workflow_id)  # the list may not know it yet, or not that it has closed
        if newest is not None:
            found[newest.run_id] = newest
        return sorted(found.values(), key=lambda run: (run.started_at, run.run_id))

    async def find(self, workflow_id: str, run_id: str | None = None) -> Run | None:
        """Return a run, the newest where none is named, or None where Temporal has it no more."""
        try:
            described = await self._client.get_workflow_handle(workflow_id, run_id=run_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise Unavailable("temporal") from error
        except AWAY as error:
            raise Unavailable("temporal") from error
        return replace(_run(described), retries=tuple(_retries(described.raw_description)))

    async def fetch(self, run: Run) -> RunHistory | None:
        """Return the history of a run, or None where Temporal has it no more.

        Raises:
            KeyUnknown: the key of a payload is not in the keyring, or not yet.
            ValueError: a payload was altered.
        """
        handle = self._client.get_workflow_handle(run.workflow_id, run_id=run.run_id)
        try:
            fetched = await handle.fetch_history()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise Unavailable("temporal") from error
        except AWAY as error:
            raise Unavailable("temporal") from error
        history = History(events=fetched.events)
        self._decode(history)
        return RunHistory(run, orjson.dumps(MessageToDict(history), option=orjson.OPT_SORT_KEYS))

    async def retention(self) -> timedelta:
        """Return for how long Temporal keeps a closed run."""
        asked = DescribeNamespaceRequest(namespace=self._client.namespace)
        try:
            described = await self._client.workflow_service.describe_namespace(asked)
        except AWAY as error:
            raise Unavailable("temporal") from error
        return described.config.workflow_execution_retention_ttl.ToTimedelta()

    async def _list(self, query: str) -> AsyncIterator[list[Run]]:
        async for page in pages(self._client, query, _PAGE):
            yield [_run(each) for each in page]

    def _decode(self, history: History) -> None:
        """Decode the payloads where they stand, since the codec's keys are kept for fourteen months only."""
        codec = self._client.data_converter.payload_codec
        if not isinstance(codec, Codec):
            return
        payloads = list(_payloads(history))
        for payload, opened in zip(payloads, codec.open_all(payloads), strict=True):
            payload.CopyFrom(opened)


def _run(listed: WorkflowExecution) -> Run:
    status = listed.status or WorkflowExecutionStatus.RUNNING
    return Run(
        workflow_id=listed.id,
        run_id=listed.run_id,
        workflow_type=listed.workflow_type,
        status=status.name.lower(),
        started_at=listed.start_time,
        closed_at=listed.close_time,
    )


def _retries(described: DescribeWorkflowExecutionResponse) -> Iterator[Retry]:
    for each in described.pending_activities:
        if each.HasField("last_failure") and each.HasField("last_attempt_complete_time"):
            waits = each.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
            waits = waits and each.HasField("next_attempt_schedule_time")
            yield Retry(
                activity_id=each.activity_id,
                failed=each.attempt - 1,
                failure=MessageToDict(each.last_failure),
                failed_at=each.last_attempt_complete_time.ToDatetime(UTC),
                next_at=each.next_attempt_schedule_time.ToDatetime(UTC) if waits else None,
            )


def _payloads(value: object) -> Iterator[Payload]:
    """Find every payload in a message, however deep."""
    if isinstance(value, Payload):
        yield value
    elif isinstance(value, Message):
        for _, inner in value.ListFields():
            yield from _payloads(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _payloads(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for inner in value:
            yield from _payloads(inner)
