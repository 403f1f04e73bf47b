"""What Temporal's core counts of a worker, as alerts and dashboard ask for it, and that faults are seen to move it."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sandbox.stack.doors import Door, Mood, open_door
from temporal.exposition import exposition
from temporal.runtime import EngineRuntime, start_runtime
from tests.test_alerts import CORE

_TRY_ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
async def fails() -> None:
    raise ApplicationError("as meant")


@workflow.defn
class WithStep:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(fails, start_to_close_timeout=timedelta(seconds=5), retry_policy=_TRY_ONCE)


@workflow.defn
class WithBug:
    @workflow.run
    async def run(self) -> None:
        raise ValueError("not an error that ends a workflow")


@pytest.fixture(scope="module")
def runtime() -> EngineRuntime:
    return start_runtime(counts=True)


@pytest_asyncio.fixture
async def door(temporal_address: str) -> AsyncIterator[Door]:
    async with open_door(temporal_address) as door:
        await door.set(Mood.OPEN)
        yield door


async def _told(runtime: EngineRuntime) -> str:
    return (await asyncio.to_thread(exposition, runtime.metrics_url)).decode()


async def _until_told(runtime: EngineRuntime, *lines: str) -> str:
    async with asyncio.timeout(20):
        while True:
            told = await _told(runtime)
            if all(re.search(line, told, re.MULTILINE) for line in lines):
                return told
            await asyncio.sleep(0.1)


async def test_a_worker_counts_what_alerts_ask_for_and_faults_move_it(
    door: Door, runtime: EngineRuntime, temporal_client: Client
) -> None:
    client = await Client.connect(door.address, namespace=temporal_client.namespace, runtime=runtime.runtime)
    queue = f"core-{uuid4()}"
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[WithStep, WithBug],
        activities=[fails],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        await client.start_workflow(WithStep.run, id=f"{queue}-step", task_queue=queue)
        bug = await client.start_workflow(WithBug.run, id=f"{queue}-bug", task_queue=queue)
        with pytest.raises(RPCError):
            await client.get_workflow_handle("nowhere").describe()
        told = await _until_told(
            runtime,
            r'^temporal_workflow_task_execution_failed_total\{.*workflow_type="WithBug"\} [1-9]',
            r'^temporal_activity_execution_failed_total\{.*activity_type="fails".*\} [1-9]',
            r'^temporal_worker_task_slots_available\{.*worker_type="ActivityWorker"\} ',
            rf'^temporal_workflow_task_schedule_to_start_latency_seconds_count\{{.*"{queue}"\}} [1-9]',
        )
        assert "temporal_long_request_failure_total" not in told
        # As fine as the threshold of the alert needs.
        for kind in ("workflow_task", "activity"):
            assert re.search(
                rf'^temporal_{kind}_schedule_to_start_latency_seconds_bucket.*le="2.5"', told, re.MULTILINE
            )
        await bug.terminate()
        await door.set(Mood.ABSENT)
        told = await _until_told(runtime, r"^temporal_long_request_failure_total\{.*\} [1-9]")
        await door.set(Mood.OPEN)
    names = set(re.findall(r"^# TYPE (\w+?)(?:_total)? ", told, re.MULTILINE))
    assert names >= CORE
