"""Looking at Temporal: namespace, retention, workers, Schedules, what runs once for all, and its clock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    PollActivityTaskQueueRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from domain.checkups import Line, clock_line, fail, ok, warn
from domain.errors import SettingError
from store.keyring import Keyring
from temporal.away import NotConnectedError
from temporal.client import connect
from temporal.deployments import Deployments

_SECONDS: Final = 10.0
_Described = TypeVar("_Described")
_LEAST_RETENTION: Final = timedelta(days=3)
_AWAY: Final = (TemporalError, TimeoutError, RuntimeError, OSError, ValueError)
# The server takes no poll that ends sooner.
_POLL: Final = timedelta(seconds=3)
_POLL_QUEUE: Final = "doctor"
_START: Final = "start a worker: it makes what is missing"


async def look_at_temporal(
    keyring: Keyring,
    queues: Sequence[str],
    schedules: Sequence[str],
    workflows: Sequence[str],
    deployment: str,
    *,
    api_key_file: Path | None = None,
) -> list[Line]:
    """Return how Temporal stands; one that is away is one line."""
    try:
        async with asyncio.timeout(_SECONDS):
            client = await connect(keyring, api_key_file=api_key_file)
    except SettingError as error:
        return [fail("Temporal", str(error), "set it as docs/operations.md says")]
    except NotConnectedError as error:
        return [fail("Temporal", error.away.says, error.away.to_do)]
    except _AWAY:
        return [fail("Temporal", "it does not answer", "start it, or mend TEMPORAL_ADDRESS and its TLS settings")]
    namespace = await _namespace(client)
    if namespace.to_do and "retention" not in namespace.name:
        return [ok("Temporal", "it answers"), namespace]
    parts = await asyncio.gather(
        _workers(client, queues),
        _builds(client, deployment),
        _schedules(client, schedules),
        _running(client, workflows),
        _clock(client),
    )
    return [ok("Temporal", "it answers"), namespace, *parts]


async def _namespace(client: Client) -> Line:
    name = f"namespace {client.namespace}"
    try:
        async with asyncio.timeout(_SECONDS):
            asked = DescribeNamespaceRequest(namespace=client.namespace)
            described = await client.workflow_service.describe_namespace(asked)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return fail(name, "it is not there", "run deploy/temporal/namespace.sh, or mend TEMPORAL_NAMESPACE")
        to_do = "give our API key or client certificate rights on this namespace, or mend TEMPORAL_NAMESPACE"
        return fail(name, f"Temporal refuses ({error.status.name})", to_do)
    except _AWAY:
        return fail(name, "Temporal does not answer", "start it, or mend TEMPORAL_ADDRESS")
    kept = described.config.workflow_execution_retention_ttl.ToTimedelta()
    if kept < _LEAST_RETENTION:
        to_do = "raise it (deploy/temporal/namespace.sh): runs may be gone before they are archived"
        return warn(f"retention of {client.namespace}", f"{kept.days} days", to_do)
    return ok(name, f"closed runs are kept {kept.days} days")


async def _workers(client: Client, queues: Sequence[str]) -> Line:
    empty = []
    for queue in queues:
        asked = DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            async with asyncio.timeout(_SECONDS):
                if not (await client.workflow_service.describe_task_queue(asked)).pollers:
                    empty.append(queue)
        except _AWAY:
            return fail("workers", "Temporal does not say who polls", "try again; look at Temporal's log")
    if empty:
        return fail("workers", f"nobody polls {', '.join(empty)}", "start a worker; its log says what keeps it")
    return ok("workers", f"{', '.join(queues)} are polled")


async def _builds(client: Client, deployment: str) -> Line:
    """Return whether each build that runs or new work wait for has workers; one just started is listed in a minute."""
    try:
        async with asyncio.timeout(_SECONDS):
            forsaken = await Deployments(client, deployment).read_forsaken()
    except _AWAY:
        return fail("builds of the workers", "Temporal does not say", "try again; look at Temporal's log")
    if forsaken is None:
        return ok("builds of the workers", "this Temporal lists no workers, so that nothing can be said")
    if forsaken:
        said = ", ".join(f"{each.build_id} ({each.runs} open runs)" for each in forsaken)
        to_do = "start workers of it, or see `hetao versions list`; one that has just started is counted in a minute"
        return warn("builds of the workers", f"without workers: {said}", to_do)
    return ok("builds of the workers", "none that is waited for is without workers")


async def _schedules(client: Client, schedules: Sequence[str]) -> Line:
    name = "Schedules"
    found = await _described(name, schedules, lambda each: client.get_schedule_handle(each).describe())
    if isinstance(found, Line):
        return found
    missing = [each for each, described in found.items() if described is None]
    if missing:
        return fail(name, f"missing: {', '.join(missing)}", _START)
    paused = [each for each, described in found.items() if described and described.schedule.state.paused]
    if paused:
        to_do = "where that is not meant: `temporal schedule toggle --unpause --schedule-id …`"
        return warn(name, f"paused: {', '.join(paused)}", to_do)
    return ok(name, f"all {len(schedules)} are there")


async def _running(client: Client, workflows: Sequence[str]) -> Line:
    name, runs = "channels", WorkflowExecutionStatus.RUNNING
    found = await _described(name, workflows, lambda each: client.get_workflow_handle(each).describe())
    if isinstance(found, Line):
        return found
    ended = [each for each, described in found.items() if described is None or described.status is not runs]
    if ended:
        return fail(name, f"not running: {', '.join(ended)}", _START)
    return ok(name, f"all {len(workflows)} run")


async def _described(
    name: str, ids: Sequence[str], describe: Callable[[str], Awaitable[_Described]]
) -> dict[str, _Described | None] | Line:
    """Return what Temporal says of each, None of one that it does not have, or the line of why it says nothing."""
    found: dict[str, _Described | None] = {}
    for each in ids:
        try:
            async with asyncio.timeout(_SECONDS):
                found[each] = await describe(each)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                return fail(name, f"Temporal refuses ({error.status.name})", "look at Temporal's log")
            found[each] = None
        except _AWAY:
            return fail(name, "Temporal does not answer", "try again; look at Temporal's log")
    return found


async def _clock(client: Client) -> Line:
    """Return how far Temporal's clock is off: it notes when it was polled, and a poll of ours tells when that was."""
    identity, queue = f"doctor-{uuid4()}", TaskQueue(name=_POLL_QUEUE)
    asked = PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=queue, identity=identity)
    before = datetime.now(UTC)
    polling = asyncio.create_task(client.workflow_service.poll_activity_task_queue(asked, timeout=_POLL))
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                found = await client.workflow_service.describe_task_queue(
                    DescribeTaskQueueRequest(
                        namespace=client.namespace,
                        task_queue=queue,
                        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
                    )
                )
                noted = [each.last_access_time for each in found.pollers if each.identity == identity]
                if noted:
                    after = datetime.now(UTC)
                    theirs = noted[0].ToDatetime(tzinfo=UTC)
                    return clock_line("clock of Temporal", theirs - (before + (after - before) / 2))
                await asyncio.sleep(0.1)
    except _AWAY:
        to_do = "compare the clocks of both hosts yourself"
        return warn("clock of Temporal", "it could not be read", to_do)
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
