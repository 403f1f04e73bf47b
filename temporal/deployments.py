"""The versions of the workers as Temporal keeps them: which one is current, which still has runs, which has workers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.deployment.v1 import WorkerDeploymentInfo
from temporalio.api.enums.v1 import RoutingConfigUpdateState, WorkerStatus
from temporalio.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeWorkerDeploymentRequest,
    ListWorkersRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.messages import REGISTRATION_QUEUE
from temporal.listing import of_types

# Workers say every minute that they are there.
_WORKER_SILENT: Final = timedelta(minutes=3)
_AGAIN_SECONDS: Final = 0.5
_PAGE: Final = 200
_SPREAD_SECONDS: Final = 10.0
# Not there yet: the first poll of a version, or the poll of one of its queues, is on its way.
_TOO_EARLY: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)

_Summary = WorkerDeploymentInfo.WorkerDeploymentVersionSummary


class NoWorkersError(Exception):
    """No worker of the version polls all queues that are needed, so nothing is sent there."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version: its build id, its share of new work in percent, its open runs and the workers that serve it.

    `workers` is None where the server does not list workers. `created_at` is when its first worker came, `routed_at`
    since when its share of new work is what it is; None where it never had any.
    """

    build_id: str
    is_current: bool
    ramp: float
    runs: int
    workers: int | None
    created_at: datetime | None
    routed_at: datetime | None
    last_current_at: datetime | None

    @property
    def may_go(self) -> bool:
        """Whether nothing needs its workers any more."""
        return not self.is_current and not self.ramp and not self.runs

    @property
    def is_forsaken(self) -> bool:
        """Whether runs wait for workers that are not there."""
        return self.workers == 0 and (self.runs > 0 or self.is_current or self.ramp > 0)


@dataclass(frozen=True, slots=True)
class Deployment:
    """All versions, the newest first; `unversioned` counts open runs that no version has taken on."""

    name: str
    current: str | None
    versions: tuple[Version, ...]
    unversioned: int

    @property
    def former(self) -> Version | None:
        """The version that was current last before the one that is."""
        past = [each for each in self.versions if not each.is_current and each.last_current_at is not None]
        return max(past, key=lambda each: each.last_current_at or datetime.min.replace(tzinfo=UTC), default=None)


class Deployments:
    """One deployment on a Temporal client; methods raise `RPCError` where Temporal is away or refuses."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name

    async def read(self) -> Deployment:
        """Return what is known; without a version where no worker of any ever came."""
        info = await self._info()
        if info is None:
            return Deployment(self._name, None, (), await self._count(f"{_OPEN} AND {_UNVERSIONED}"))
        current = info.routing_config.current_deployment_version.build_id or None
        workers = await self._workers()
        newest_first = sorted(info.version_summaries, key=lambda each: each.create_time.ToNanoseconds(), reverse=True)
        versions = [await self._version(info, each, workers) for each in newest_first]
        unversioned = await self._count(f"{_OPEN} AND {_UNVERSIONED}")
        return Deployment(self._name, current, tuple(versions), unversioned)

    async def read_forsaken(self) -> tuple[Version, ...] | None:
        """Return the versions that are waited for and have no workers; None where the server lists no workers.

        Runs are counted of versions without workers alone, so that it may be asked often.
        """
        workers, info = await self._workers(), await self._info()
        if workers is None:
            return None
        if info is None:
            return ()
        silent = [each for each in info.version_summaries if not workers[each.deployment_version.build_id]]
        versions = [await self._version(info, each, workers) for each in silent]
        return tuple(each for each in versions if each.is_forsaken)

    async def _version(self, info: WorkerDeploymentInfo, summary: _Summary, workers: Counter[str] | None) -> Version:
        routing, build_id = info.routing_config, summary.deployment_version.build_id
        is_ramping = build_id == routing.ramping_deployment_version.build_id
        return Version(
            build_id=build_id,
            is_current=build_id == routing.current_deployment_version.build_id,
            ramp=routing.ramping_version_percentage if is_ramping else 0.0,
            runs=await self.count_runs(build_id),
            workers=None if workers is None else workers[build_id],
            created_at=_time(summary.create_time),
            routed_at=_time(summary.routing_update_time),
            last_current_at=_time(summary.last_current_time),
        )

    async def make_current(
        self, build_id: str, *, wait: timedelta = timedelta(0), is_known_there: bool = False
    ) -> None:
        """Send all that is new to a version, as soon as its workers are there; the empty name is those of no version.

        A worker that says so of itself need not wait until Temporal lists it, which may take a minute.

        Raises:
            NoWorkersError: they were not, for as long as was waited.
        """
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self._client.namespace, deployment_name=self._name, build_id=build_id, identity=_IDENTITY
        )
        end = asyncio.get_running_loop().time() + wait.total_seconds()
        while True:
            try:
                if not is_known_there:
                    await self._need_workers(build_id)
                await self._client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError as error:
                if error.status not in _TOO_EARLY:
                    raise
                if asyncio.get_running_loop().time() >= end:
                    raise NoWorkersError(build_id) from error
            except NoWorkersError:
                if asyncio.get_running_loop().time() >= end:
                    raise
            else:
                break
            await asyncio.sleep(_AGAIN_SECONDS)
        await self._let_spread()

    async def take_first(self, build_id: str, *, wait: timedelta) -> bool:
        """Make a worker's own version current where none ever was: an installation begins. Returns whether it was."""
        info = await self._info()
        known = () if info is None else info.version_summaries
        if any(each.HasField("last_current_time") for each in known):
            return False
        await self.make_current(build_id, wait=wait, is_known_there=True)
        return True

    async def ramp(self, build_id: str, percent: float) -> None:
        """Send a share of what is new to a version; 0 takes it back.

        Raises:
            NoWorkersError: the version has no workers.
        """
        request = SetWorkerDeploymentRampingVersionRequest(
            namespace=self._client.namespace,
            deployment_name=self._name,
            build_id=build_id if percent else "",
            percentage=percent,
            identity=_IDENTITY,
        )
        if percent:
            await self._need_workers(build_id)
        try:
            await self._client.workflow_service.set_worker_deployment_ramping_version(request)
        except RPCError as error:
            if error.status not in _TOO_EARLY:
                raise
            raise NoWorkersError(build_id) from error

    async def count_runs(self, build_id: str) -> int:
        """Return how many runs are open on a version; the list lags a little behind the runs."""
        return await self._count(f"{_OPEN} AND {self._on(build_id)}")

    async def elsewhere(self, current: str, workflows: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
        """Yield workflow and build id of the open runs of these types that are on another version than this one."""
        deployment = await self.read()
        for each in deployment.versions:
            if each.build_id != current and each.runs:
                for workflow_id, _ in await self.runs(each.build_id, workflows):
                    yield workflow_id, each.build_id

    async def runs(self, build_id: str, workflows: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return workflow and run id of the open runs of a version, those of some types where told.

        They are listed whole before anything is done with the first: a list that is read while it changes skips some.
        """
        query = f"{_OPEN} AND {self._on(build_id)}"
        if workflows:
            query += f" AND {of_types(workflows)}"
        return [(run.id, run.run_id) async for run in self._client.list_workflows(query, page_size=_PAGE)]

    async def handed_over(self) -> list[str]:
        """Return the workflows with an open run that goes on with whichever version is current."""
        query = f'{_OPEN} AND TemporalWorkflowVersioningBehavior = "AutoUpgrade"'
        return [run.id async for run in self._client.list_workflows(query, page_size=_PAGE)]

    async def build_of(self, workflow_id: str) -> str:
        """Return the version whose workers did the last task of a workflow; empty where it was none."""
        described = await self._client.get_workflow_handle(workflow_id).describe()
        return described.raw_description.workflow_execution_info.versioning_info.deployment_version.build_id

    async def hand_over(self, workflow_id: str, run_id: str) -> None:
        """Let one run go on with whichever version is current, from its next task and until it is bound again."""
        run = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        await self._override(run, VersioningOverride(auto_upgrade=True))

    async def bind(self, workflow_id: str) -> None:
        """Bind the newest run of a workflow to the version whose workers did its last task."""
        await self._override(WorkflowExecution(workflow_id=workflow_id), None)

    async def _override(self, run: WorkflowExecution, override: VersioningOverride | None) -> None:
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._client.namespace,
            workflow_execution=run,
            workflow_execution_options=WorkflowExecutionOptions(versioning_override=override),
            update_mask=FieldMask(paths=["versioning_override"]),
            identity=_IDENTITY,
        )
        await self._client.workflow_service.update_workflow_execution_options(request)

    async def _info(self) -> WorkerDeploymentInfo | None:
        request = DescribeWorkerDeploymentRequest(namespace=self._client.namespace, deployment_name=self._name)
        try:
            # A server answers so many questions about one deployment a second: past them it is asked again.
            answer = await self._client.workflow_service.describe_worker_deployment(request, retry=True)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return answer.worker_deployment_info

    async def _let_spread(self) -> None:
        """Wait until every task queue knows: before that a case that is woken would see nothing new and sleep again."""
        under_way = RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS
        try:
            async with asyncio.timeout(_SPREAD_SECONDS):
                info = await self._info()
                while info is not None and info.routing_config_update_state == under_way:
                    await asyncio.sleep(_AGAIN_SECONDS / 5)
                    info = await self._info()
        except TimeoutError:
            return

    async def _need_workers(self, build_id: str) -> None:
        """Refuse a version whose workers went: the server takes any that was ever polled for."""
        workers = await self._workers()
        if build_id and workers is not None and not workers[build_id]:
            raise NoWorkersError(build_id)

    async def _workers(self) -> Counter[str] | None:
        """Return how many workers of each version said in time that they run; None where the server keeps no list."""
        asked = DescribeNamespaceRequest(namespace=self._client.namespace)
        namespace = await self._client.workflow_service.describe_namespace(asked)
        if not namespace.namespace_info.capabilities.worker_heartbeats:
            return None
        found: Counter[str] = Counter()
        since = datetime.now(UTC) - _WORKER_SILENT
        token = b""
        while True:
            request = ListWorkersRequest(namespace=self._client.namespace, page_size=_PAGE, next_page_token=token)
            answer = await self._client.workflow_service.list_workers(request)
            for each in (info.worker_heartbeat for info in answer.workers_info):
                is_ours = each.deployment_version.deployment_name == self._name
                is_there = each.status == WorkerStatus.WORKER_STATUS_RUNNING and each.task_queue == REGISTRATION_QUEUE
                if is_ours and is_there and each.heartbeat_time.ToDatetime(UTC) >= since:
                    found[each.deployment_version.build_id] += 1
            token = answer.next_page_token
            if not token:
                return found

    async def _count(self, query: str) -> int:
        return (await self._client.count_workflows(query)).count

    def _on(self, build_id: str) -> str:
        return f'TemporalWorkerDeploymentVersion = "{self._name}:{build_id}"'


_IDENTITY: Final = "hetao versions"
_OPEN: Final = 'ExecutionStatus = "Running"'
_UNVERSIONED: Final = "TemporalWorkerDeploymentVersion IS NULL"


def _time(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(UTC) if stamp.seconds else None
