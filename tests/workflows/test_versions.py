"""Two builds of the workers on a real server: a case stays with the one that began its run, and moves with its next."""

import asyncio
import json
import math
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType

import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.common import WorkerDeploymentVersion
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer, Worker
from typer.testing import CliRunner

import cli
import worker
from domain.checkups import Health, Line
from domain.clock import CHINA
from programmes import CASE_TYPES
from store.keyring import Keyring
from temporal import version_watch
from temporal.build_id import STEERING, build_id
from temporal.check import look_at_temporal
from temporal.client import data_converter
from temporal.deployments import Deployment, Deployments, NoWorkersError, Version
from temporal.moving import Adopted, adopt_runs, move_cases
from temporal.version_watch import count_forsaken, keep_watching_versions, look
from tests.cases.contexts import shared_keyring
from tests.conftest import VERSIONED
from tests.test_settings import LEAST
from tests.workflows.histories import runs
from tests.workflows.reach import ROOT, reached
from tests.workflows.world import Case, World, case_worker, open_world

NAME = "hetao-permits"
OLD, NEW = "old", "new"
WAIT = timedelta(seconds=30)
SECOND, THIRD, FOURTH = ("33010619860128072X", "110105199003071239", "110105199103071236")
# What a later release may bring: every step of a case waits for one more timer first.
STEP = "        async with self._lock:\n            self._nudged = False\n"
LATER = STEP + '            await workflow.sleep(timedelta(milliseconds=7), summary="later")\n'


def later_code() -> tuple[type, ...]:
    """Return the workflows of a release whose cases ask for one command more."""
    source = (ROOT / "workflows" / "case.py").read_text(encoding="utf-8")
    assert STEP in source
    module = sys.modules["tests.later_registration"] = ModuleType("tests.later_registration")
    exec(compile(source.replace(STEP, LATER), "later_registration", "exec"), module.__dict__)
    return (*map(module.case_workflow, CASE_TYPES.workflows), *worker.SCHEDULED_WORKFLOWS)


@dataclass
class Park:
    """A world with its old workers, and what steers the versions."""

    world: World
    http: httpx.AsyncClient
    deployments: Deployments

    @asynccontextmanager
    async def later_workers(self) -> AsyncIterator[None]:
        """Run workers of the later release beside the old ones."""
        config = worker.pinned(WorkerDeploymentVersion(NAME, NEW))
        async with case_worker(self.world, self.http, workflows=later_code(), deployment=config):
            yield

    async def version(self, build: str) -> Version:
        """Return what Temporal knows of a version."""
        return {each.build_id: each for each in (await self.deployments.read()).versions}[build]

    async def workers(self, build: str) -> int | None:
        """Return how many workers of a version are there."""
        return (await self.version(build)).workers

    async def unversioned(self) -> int:
        """Return how many open runs are of no version."""
        return (await self.deployments.read()).unversioned

    async def until_runs(self, build: str, count: int) -> Version:
        """Wait until so many runs are open on a version: the list lags behind the runs."""
        await until(lambda: self.deployments.count_runs(build), count)
        return await self.version(build)


async def until(look: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Wait until what is looked at is as wanted."""
    async with asyncio.timeout(40):
        found = await look()
        while found != wanted:
            await asyncio.sleep(0.2)
            found = await look()


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_address: str) -> AsyncIterator[Park]:
    """A park whose workers are versioned, the old ones current."""
    # Workers say that they are there more often than the minute of the others.
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
    client = await Client.connect(
        temporal_address, namespace=f"test-{VERSIONED}", data_converter=pydantic_data_converter, runtime=runtime
    )
    deployments = Deployments(client, NAME)
    config = worker.pinned(WorkerDeploymentVersion(NAME, OLD))
    async with open_world(clean_database, client, deployment=config) as world:
        await deployments.make_current(OLD, wait=WAIT)
        async with httpx.AsyncClient(transport=world.authority.transport) as http:
            yield Park(world, http, deployments)


def waiting() -> tuple[float | None, float | None]:
    """Return what the metrics say: builds without workers, and runs that wait for them."""
    builds, runs = (REGISTRY.get_sample_value(f"hetao_{each}_without_workers") for each in ("builds", "runs"))
    return builds, runs


async def build_of(case: Case) -> str:
    """Return the version that the newest run of a case is on."""
    info = (await case.handle.describe()).raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id


async def until_on(case: Case, build: str) -> None:
    """Wait until a case is on a version and at rest there."""
    await until(lambda: build_of(case), build)
    await case.idle()


def builds(history: WorkflowHistory) -> set[str]:
    """Return which versions completed the tasks of a run."""
    done = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    return {e.workflow_task_completed_event_attributes.deployment_version.build_id for e in done}


def is_of_later_code(history: WorkflowHistory) -> bool:
    """Whether the run has the timer that only the later code sets."""
    timers = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    return any(e.timer_started_event_attributes.start_to_fire_timeout.nanos == 7_000_000 for e in timers)


async def replays(history: WorkflowHistory, workflows: Sequence[type]) -> bool:
    """Whether code can go on with a history."""
    replayer = Replayer(
        workflows=workflows,
        data_converter=data_converter(shared_keyring()),
        workflow_runner=worker.workflow_runner(),
    )
    return (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure is None


async def test_a_roll_out_decisions_going_on_as_new_and_the_way_back(park: Park) -> None:
    world, deployments = park.world, park.deployments
    begun, sleeper = await world.submit(), await world.submit(identity_number=SECOND)
    async with park.later_workers():
        await deployments.make_current(NEW, wait=WAIT)
        fresh = await world.submit(identity_number=THIRD)
        assert [await build_of(each) for each in (begun, sleeper, fresh)] == [OLD, OLD, NEW]

        # Each is decided by its own code; the old one then rests, and its next run is of the new code.
        await begun.approve()
        await fresh.approve()
        await until_on(begun, NEW)
        first, *further = await runs(begun)
        assert (builds(first), is_of_later_code(first)) == ({OLD}, False)
        assert builds(further[-1]) == {NEW}
        assert not await replays(first, later_code()), "the later code has to be such as old histories do not fit"
        assert {build for each in await runs(fresh) for build in builds(each)} == {NEW}
        assert is_of_later_code((await runs(fresh))[0])

        # One that sleeps is told.
        assert not (await park.until_runs(OLD, 1)).may_go
        assert (await park.version(NEW)).is_current
        assert await move_cases(deployments, world.client, CASE_TYPES, NEW, pace=100, is_dry=True) == {OLD: 1}
        assert await build_of(sleeper) == OLD
        assert await move_cases(deployments, world.client, CASE_TYPES, NEW, pace=100) == {OLD: 1}
        await until_on(sleeper, NEW)
        assert (await park.until_runs(OLD, 0)).may_go

        # The way back: what is new goes to the old code, and so does whatever is done.
        former = (await deployments.read()).former
        assert former == await park.version(OLD)
        await deployments.make_current(OLD)
        await until_on(await world.submit(identity_number=FOURTH), OLD)
        await sleeper.decide("approve")
        await begun.issue()
        await until_on(sleeper, OLD)
        await until_on(begun, OLD)
        await park.until_runs(NEW, 1)
        assert await move_cases(deployments, world.client, CASE_TYPES, OLD, pace=100) == {NEW: 1}
        await until_on(fresh, OLD)
        for history in [each for case in (begun, fresh, sleeper) for each in await runs(case)]:
            code = later_code() if builds(history) == {NEW} else worker.case_workflows(CASE_TYPES)
            assert await replays(history, code)


async def test_versions_without_workers_are_told_and_get_nothing(
    park: Park, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, deployments = park.world, park.deployments
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", f"test-{VERSIONED}")

    async def doctor() -> Line:
        lines = await look_at_temporal(shared_keyring(), (), (), (), NAME)
        return next(line for line in lines if line.name == "builds of the workers")

    assert (await doctor()).health is Health.OK
    with pytest.raises(NoWorkersError):
        await deployments.make_current("never-there")

    async with park.later_workers():
        await deployments.make_current(NEW, wait=WAIT)
        await until(lambda: park.workers(NEW), 1)
        await world.submit()
        await park.until_runs(NEW, 1)
    await until(lambda: park.workers(NEW), 0)
    assert (await park.version(NEW)).is_forsaken
    await count_forsaken(deployments, OLD)
    assert waiting() == (1, 1)
    seen = await doctor()
    assert (seen.health, seen.says) == (Health.WARN, f"without workers: {NEW} (1 open runs)")
    assert "hetao versions list" in seen.to_do
    with capture_logs() as lines:
        await look(deployments, OLD)
    assert [(line["event"], line.get("runs")) for line in lines] == [
        ("version_not_current", None),
        ("version_without_workers", 1),
    ]
    with capture_logs() as lines:
        await look(deployments, NEW)
    assert lines == []  # a worker of it looks, so that it has one, listed yet or not
    await count_forsaken(deployments, NEW)
    assert waiting() == (0, 0)
    await deployments.make_current(OLD)
    with pytest.raises(NoWorkersError):
        await deployments.make_current(NEW)
    with pytest.raises(NoWorkersError):
        await deployments.ramp(NEW, 10)
    # What is new goes elsewhere; the run waits until its workers are back.
    await count_forsaken(deployments, OLD)
    assert waiting() == (1, 1)
    async with park.later_workers():
        await until(lambda: park.workers(NEW), 1)
        await count_forsaken(deployments, OLD)
        assert waiting() == (0, 0)


async def test_the_first_worker_of_an_installation_makes_its_build_current_and_no_later_one(park: Park) -> None:
    deployments, stopping = Deployments(park.world.client, "elsewhere"), asyncio.Event()

    async def current() -> str | None:
        return (await deployments.read()).current

    async with Worker(
        park.world.client,
        task_queue="elsewhere",
        workflows=worker.NOTICE_WORKFLOWS,
        workflow_runner=worker.workflow_runner(),
        deployment_config=worker.pinned(WorkerDeploymentVersion("elsewhere", "first")),
    ):
        watch = asyncio.create_task(keep_watching_versions(deployments, "first", stopping))
        await until(current, "first")
        stopping.set()
        await watch
        assert not await deployments.take_first("second", wait=WAIT)
    assert await current() == "first"


async def test_workers_that_run_on_make_their_build_current_again_where_temporal_came_back_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for pause in ("_EVERY", "_AGAIN"):
        monkeypatch.setattr(version_watch, pause, timedelta(milliseconds=1))
    taken, stopping = asyncio.Queue[str](), asyncio.Event()

    class Lost(Deployments):
        """Temporal as it is after each look: nobody ever was current."""

        def __init__(self) -> None:
            pass

        async def take_first(self, build_id: str, *, wait: timedelta) -> bool:
            await taken.put(build_id)
            return True

        async def read(self) -> Deployment:
            return Deployment(NAME, OLD, (), 0)

        async def read_forsaken(self) -> tuple[Version, ...]:
            raise OSError

    watch = asyncio.create_task(keep_watching_versions(Lost(), OLD, stopping))
    async with asyncio.timeout(10):
        assert [await taken.get(), await taken.get()] == [OLD, OLD]
    stopping.set()
    await watch
    assert all(told is not None and math.isnan(told) for told in waiting()), "what was known before may hold no more"


async def test_a_run_of_before_there_were_versions_goes_on_with_the_current_one(park: Park) -> None:
    await park.deployments.make_current("")
    async with case_worker(park.world, park.http):
        case = await park.world.submit()
        assert await build_of(case) == ""
        await until(park.unversioned, 1)
        await park.deployments.make_current(OLD)
        await case.approve()
        await until_on(case, OLD)
    first, *_ = await runs(case)
    assert builds(first) == {"", OLD}


async def test_the_commands_do_it_and_say_it(
    park: Park, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keyring, "load", lambda *_, **__: shared_keyring())
    for name, value in (LEAST | {"HETAO_WORKER_BUILD_ID": NEW}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", f"test-{VERSIONED}")

    async def said(*words: str, code: int = 0) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, ["versions", *words])
        assert result.exit_code == code, result.output
        return result.output

    await park.world.submit()
    assert "no workers on all queues" in await said("current", "--wait", "0", code=2)
    async with park.later_workers():
        assert f"goes to {NEW}" in await said("current")
        await park.until_runs(OLD, 1)
        table = await said("list")
        old, new = await park.version(OLD), await park.version(NEW)
        assert old.routed_at == new.routed_at, "the old one has had nothing new since the other is current"
        assert old.created_at is not None
        assert new.created_at is not None
        assert new.routed_at is not None
        assert new.routed_at > new.created_at > old.created_at
        row = re.compile(r"│ (\w+) +│ (\w+) +│ ([-\d :]{16}) │ (\d) +│ (\d) +│ ([-\d :]{16}) │")
        changed, first = (f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}" for at in (new.routed_at, old.created_at))
        assert (OLD, "none", changed, "1", "1", first) in row.findall(table)
        assert {(cells[0], cells[1]) for cells in row.findall(table)} == {(NEW, "current"), (OLD, "none")}
        assert f"{OLD} keeps its workers for 1 runs" in table
        found = {each["build_id"]: each for each in json.loads(await said("list", "--json"))["versions"]}
        assert (found[NEW]["is_current"], found[OLD]["open_runs"], found[OLD]["may_go"]) == (True, 1, False)
        assert f"{OLD}: 1 cases would be told" in await said("move", "--dry-run")
        assert f"{OLD}: 1 cases told to go on with {NEW}" in await said("move", "--pace", "100")
        await park.until_runs(OLD, 0)
        assert f"{OLD} may go" in await said("list")
        refused = await said("adopt", NEW, code=2)
        assert "no build beside a current one" in refused
        assert "nothing was changed by this step" not in refused
        assert f"goes to {OLD}" in await said("back")
        assert "25 % of what is new" in await said("ramp", "25")
        assert (await park.version(NEW)).ramp == 25
        await said("ramp", "0")


async def test_runs_whose_workers_are_lost_go_on_with_code_that_their_histories_fit(park: Park) -> None:
    """A build of the same code is adopted; one of later code is not."""
    world, deployments = park.world, park.deployments
    cases = {}
    for build, code in (("same", worker.case_workflows(CASE_TYPES)), (NEW, later_code())):
        config = worker.pinned(WorkerDeploymentVersion(NAME, build))
        async with case_worker(world, park.http, workflows=code, deployment=config):
            await deployments.make_current(build, wait=WAIT)
            cases[build] = await world.submit(identity_number=SECOND if build == NEW else THIRD)
            await cases[build].idle()
            await park.until_runs(build, 1)
    await deployments.make_current(OLD, wait=WAIT)
    replayer = Replayer(
        workflows=worker.case_workflows(CASE_TYPES),
        data_converter=data_converter(shared_keyring()),
        workflow_runner=worker.workflow_runner(),
    )

    async def adopt(build: str) -> Adopted:
        return await adopt_runs(deployments, world.client, build, OLD, replayer, seconds=20)

    fit, misfit = cases["same"], cases[NEW]
    assert await adopt("same") == Adopted((fit.handle.id,), (), ())
    assert await adopt(NEW) == Adopted((), (), (misfit.handle.id,))
    assert [await build_of(each) for each in (fit, misfit)] == [OLD, NEW]
    info = (await fit.handle.describe()).raw_description.workflow_execution_info.versioning_info
    assert not info.HasField("versioning_override"), "it is bound to its build as any other"
    await fit.approve()


async def test_the_build_id_is_of_all_that_steers_workflows() -> None:
    steering = {path.relative_to(ROOT).as_posix() for name, path in reached().items() if name.startswith("domain.")}
    assert set(STEERING) == steering
    assert re.fullmatch("[0-9a-f]{12}", build_id(CASE_TYPES.workflows))
