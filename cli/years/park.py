"""A whole park in one process, whose time is skipped: servers of its own, API, workers and stand-ins on one clock.

What runs by a schedule of its own (polls, archive, reconciliation, retention) is left out: its workflows are none of a
case, so that no time is skipped for them.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn
from sqlalchemy import exists, select
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

import worker
from api.app import create_app
from api.serving import server_options
from cases.commands.sweeper import keep_sweeping
from cases.deadlines.calendar_loads import load_published
from cases.shared.build import build_context, load_files
from cases.shared.context import Context
from cli.edge import log_to_stderr
from cli.years.clock import ParkClock, following
from domain.actors import PARK, system
from domain.commands import CommandState
from domain.employers import RegisterFile
from domain.messages import NOTICE_QUEUE, REGISTRATION_QUEUE, STATUS_QUERY, Course
from programmes import PROGRAMMES
from record.seal.sealer import keep_sealing
from register.employers import load_register
from sandbox.stack.directory import Stack, lock, open_stack
from sandbox.stack.embedded import application_environment, sealer_environment
from sandbox.stack.postgres import OWNER, PostgresServer
from sandbox.stack.temporal_server import TIME_SKIPPING, TemporalServer
from sandbox.standins import authority, issuer, mail
from settings import Settings
from store import key_file
from store.migrate import upgrade
from store.tables import commands
from temporal.client import connect
from temporal.engine import TemporalEngine
from temporal.histories import TemporalHistories
from workflows.notification import ensure_notification_workflows

# The register is older than the park's first day.
_KNOWN_BEFORE: Final = timedelta(days=400)
# Data of a demonstration need not outlive a power cut.
_POSTGRES: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# What is stored for a case bears the park's time, and how long it waits is measured by PostgreSQL's, which is years
# behind: so it is taken at once.
_FURTHER_THAN_EVER: Final = timedelta(days=36_500)
_PAUSE: Final = 0.03
_REST_SECONDS: Final = 30.0
_SKIP_SECONDS: Final = 60.0
# A timer fires when its time is over, not when it is there.
_MARGIN: Final = timedelta(seconds=1)


class NeverAtRestError(RuntimeError):
    """A case goes on and on, or time does not pass."""


@dataclass
class Park:
    """The running park, as who tells its story sees it."""

    stack: Stack
    clock: ParkClock
    context: Context
    client: Client
    skipper: TimeSkipper
    cases: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        """Return the park's time."""
        return self.clock()

    def follow(self, reference: str) -> None:
        """Have time pass for a case too."""
        self.cases.append(reference)

    async def pass_to(self, moment: datetime, at_each_stop: Callable[[], Awaitable[None]]) -> None:
        """Let time pass to a moment, from one deadline of a case to the next, until what they brought is done.

        Args:
            moment: where time stops, in the park's time.
            at_each_stop: waited for at each deadline on the way and in the end: what it brought goes out first.

        Raises:
            NeverAtRestError: a case does not come to rest, or time does not pass.
        """
        while True:
            await self.rest()
            await at_each_stop()
            running = [each for each in map(self._handle, self.cases) if await _is_running(each)]
            now = self.clock()
            wakes = [wake for each in running if (wake := await self._wake_of(each)) is not None and wake > now]
            stop = min([moment, *wakes])
            if stop <= now:
                return
            try:
                async with asyncio.timeout(_SKIP_SECONDS):
                    await asyncio.gather(*(self.skipper.fast_forward(each, stop - now + _MARGIN) for each in running))
            except TimeoutError:
                raise NeverAtRestError(f"Time does not pass to {stop:%Y-%m-%d %H:%M}.") from None
            self.clock.reach(stop)

    async def rest(self) -> None:
        """Wait until no case is at work."""
        end = asyncio.get_running_loop().time() + _REST_SECONDS
        quiet = 0
        while quiet < 2:
            if asyncio.get_running_loop().time() > end:
                raise NeverAtRestError(f"A case is not at rest after {_REST_SECONDS:.0f} s.")
            busy = [await _is_busy(each) for each in map(self._handle, self.cases)]
            busy.append(await self._has_stored())
            quiet = 0 if any(busy) else quiet + 1
            await asyncio.sleep(_PAUSE)

    async def _has_stored(self) -> bool:
        """Whether something is stored for a case that it has not heard of."""
        query = select(exists().where(commands.c.state == CommandState.STORED.value))
        async with self.context.database.statement() as connection:
            return bool((await connection.execute(query)).scalar_one())

    def _handle(self, reference: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.context.case_types.id_of(reference))

    async def _wake_of(self, handle: WorkflowHandle[Any, Any]) -> datetime | None:
        course: Course = await handle.query(STATUS_QUERY, result_type=Course)
        return None if course.wake_at is None else self.clock.shown_by(handle.id, course.wake_at)


def run(
    directory: Path, register: RegisterFile, start: datetime, tell: Callable[[Park], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Run a park in a directory from a day on, and return what the story that is told in it returns."""
    with ExitStack() as stack:
        stack.enter_context(lock(directory))
        own = open_stack(directory, port=None, make_keys=key_file.generate, say=lambda _: None)
        stack.enter_context(_logged(own.logs / "park.log"))
        postgres = stack.enter_context(_servers(own))
        upgrade(postgres.url(role=OWNER))
        stack.enter_context(_told(application_environment(own) | sealer_environment(own)))
        return asyncio.run(_tell(own, Settings(), register, ParkClock(start), tell))


async def _tell(
    own: Stack,
    settings: Settings,
    register: RegisterFile,
    clock: ParkClock,
    tell: Callable[[Park], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    async with _open(own, settings, register, clock) as park:
        return await tell(park)


@contextmanager
def _servers(own: Stack) -> Iterator[PostgresServer]:
    postgres = PostgresServer(own.directory / "postgres", own.ports["postgres"], _POSTGRES)
    temporal = TemporalServer(
        own.directory / "temporal",
        own.ports["temporal"],
        own.ports["temporal_ui"],
        extra_args=("--headless", *TIME_SKIPPING),
    )
    with ExitStack() as stack:
        for server in (postgres, temporal):
            log = stack.enter_context((own.logs / f"{server.directory.name}.log").open("wb"))
            stack.callback(server.stop)
            server.start(log)
        yield postgres


@contextmanager
def _told(environment: dict[str, str]) -> Iterator[None]:
    """Have this process know its park as the processes of a stack know theirs."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(("HETAO_", "TEMPORAL_"))]:
        del os.environ[name]
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Have what API and workers log go into a file."""
    with path.open("w") as file:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(default=str),
            ],
            logger_factory=lambda *_: structlog.PrintLogger(file),
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            cache_logger_on_first_use=False,
        )
        handler = logging.StreamHandler(file)
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)
            log_to_stderr()


@asynccontextmanager
async def _open(own: Stack, settings: Settings, register: RegisterFile, clock: ParkClock) -> AsyncIterator[Park]:
    files = load_files(settings, PROGRAMMES)
    async with AsyncExitStack() as stack:
        contexts = []
        for application, stands_for in (("api", None), ("worker", PARK)):
            context = build_context(settings, application, PROGRAMMES, files=files, clock=clock, stands_for=stands_for)
            stack.push_async_callback(context.database.close)
            if context.sealer_database is not None:
                stack.push_async_callback(context.sealer_database.close)
            contexts.append(context)
        told, at_work = contexts
        start = clock()
        before = replace(told, clock=lambda: start - _KNOWN_BEFORE)
        await load_register(before, system("register_load"), register)
        await load_published(before, system("register_load"))
        client = await connect(told.keyring)
        engine = TemporalEngine(client, told.case_types)
        for port, app in _applications(own, settings, told, client, clock).items():
            await stack.enter_async_context(_served(app, settings, port))
        world = await stack.enter_async_context(worker.outside(settings))
        workers = [_case_worker(at_work, client, world, clock)]
        workers += worker.build_workers(at_work, client, world, queues=[NOTICE_QUEUE])
        await stack.enter_async_context(
            worker.beside(
                [
                    keep_sweeping(at_work, engine, older_than=-_FURTHER_THAN_EVER, is_stopping=lambda: False),
                    keep_sealing(at_work, is_stopping=lambda: False),
                ]
            )
        )
        await stack.enter_async_context(worker.side_by_side(workers))
        await ensure_notification_workflows(client)
        yield Park(own, clock, at_work, client, TimeSkipper(client))


def _applications(own: Stack, settings: Settings, context: Context, client: Client, clock: ParkClock) -> dict[int, Any]:
    """Return what is served, by port: the stand-ins of the embedded stack, and the API."""
    books, secrets = own.directory / "sandbox", own.secrets
    ports = own.ports
    api = create_app(
        settings,
        context=context,
        engine=TemporalEngine(client, context.case_types),
        histories=TemporalHistories(client),
    )
    return {
        ports["issuer"]: issuer.create_app(books, ports["issuer"], lambda: clock().timestamp()),
        ports["mail"]: mail.create_app(
            books,
            smtp_port=ports["smtp"],
            sms_token=secrets["sms_token"],
            receipts_url=f"{own.url('api')}/v1/receipts",
            receipts_secret=secrets["receipts_secret"],
            clock=clock,
        ),
        ports["authority"]: authority.create_app(
            books,
            token=secrets["authority_token"],
            callback_url=f"{own.url('api')}/v1/authority/outcomes",
            callback_secret=secrets["callback_secret"],
            clock=clock,
        ),
        ports["api"]: api,
    }


def _case_worker(context: Context, client: Client, world: worker.Outside, clock: ParkClock) -> Worker:
    return Worker(
        client,
        task_queue=REGISTRATION_QUEUE,
        workflows=worker.case_workflows(context.case_types),
        activities=following(worker.case_activities(context, client, world), clock),
        workflow_runner=worker.workflow_runner(),
        graceful_shutdown_timeout=timedelta(seconds=1),
    )


class _Server(uvicorn.Server):
    """One of several servers of a process: signals are the process's own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@asynccontextmanager
async def _served(app: Any, settings: Settings, port: int) -> AsyncIterator[None]:
    options = server_options(settings) | {"port": port, "timeout_graceful_shutdown": 1}
    server = _Server(uvicorn.Config(app, **options))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if serving.done():
                serving.result()
                raise NeverAtRestError(f"Nothing is served on port {port}.")
            await asyncio.sleep(_PAUSE)
        yield
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def _is_running(handle: WorkflowHandle[Any, Any]) -> bool:
    return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def _is_busy(handle: WorkflowHandle[Any, Any]) -> bool:
    described = (await handle.describe()).raw_description
    return described.HasField("pending_workflow_task") or len(described.pending_activities) > 0
