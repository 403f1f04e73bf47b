"""The engine in one process beside real servers, so that every message it sends them can be counted."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import uvicorn
import yaml
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig
from temporalio.testing import TimeSkipper

from api.app import create_app
from api.limiting import Allowance
from api.serving import server_options
from bench.servers import TIME_SKIPPING, Servers, open_servers
from bench.wire import Relay, Tally
from cases.commands.sweeper import keep_sweeping
from cases.deadlines.calendar_loads import load_published
from cases.shared.build import build_context
from cases.shared.context import Context
from domain.actors import PARK, system
from domain.employers import RegisterFile
from domain.messages import ArchiveCount
from programmes import CASE_TYPES, PROGRAMMES
from record.seal.sealer import keep_sealing
from register.employers import load_register
from register.rollout import sweep_standings
from sandbox.stack.directory import Stack
from sandbox.stack.embedded import application_environment, sealer_environment
from sandbox.stack.postgres import OWNER, PostgresServer
from settings import Settings
from store.migrate import upgrade
from temporal.client import data_converter
from temporal.engine import TemporalEngine
from temporal.histories import TemporalHistories
from worker import build_workers, outside
from workflows.archive import SCHEDULE_ID as ARCHIVE_SCHEDULE
from workflows.archive import ensure_archive
from workflows.authority_poll import ensure_authority_poll
from workflows.notification import ensure_notification_workflows

EXAMPLES: Final = Path(__file__).parents[1] / "examples"
_POLLS: Final = frozenset({"PollWorkflowTaskQueue", "PollActivityTaskQueue", "PollNexusTaskQueue"})
# The archive's rounds are started one by one, so that none falls into what is counted for something else.
_NEVER: Final = timedelta(days=100 * 366)
_WITHOUT_LIMIT: Final = Allowance(caller_a_minute=10**9, tenant_a_minute=10**9, at_once=10**6)


@dataclass
class Requests:
    """Requests to Temporal, counted by the client that sends them."""

    buffer: MetricBuffer
    counted: Counter[str] = field(default_factory=Counter)

    def drain(self) -> Counter[str]:
        """Return all requests counted so far, by operation; polls that wait for work are none."""
        for update in self.buffer.retrieve_updates():
            if update.metric.name in ("temporal_request", "temporal_long_request"):
                operation = str(update.attributes.get("operation", "?"))
                if operation not in _POLLS:
                    self.counted[operation] += int(update.value)
        return Counter(self.counted)


@dataclass
class Bench:
    """A running engine: its callers, and what counts what it does."""

    stack: Stack
    postgres: PostgresServer
    context: Context
    client: Client
    http: httpx.AsyncClient
    tally: Tally
    api_requests: Requests
    worker_requests: Requests
    beside: Client
    skipper: TimeSkipper | None
    tokens: dict[str, str] = field(default_factory=dict)

    async def call(self, persona: str, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """Call the API as a persona and return its answer; anything but success is an error."""
        if persona not in self.tokens:
            answer = await self.http.post(self.stack.url("issuer") + "/token", json={"persona": persona})
            self.tokens[persona] = answer.json()["access_token"]
        headers = {"Authorization": f"Bearer {self.tokens[persona]}"}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid4())
        url = self.stack.url("api") + path
        answer = await self.http.request(method, url, json=body, params=query, headers=headers)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    async def sandbox(self, part: str, path: str, body: Any) -> Any:
        """Steer a stand-in."""
        answer = await self.http.post(self.stack.url(part) + path, json=body)
        answer.raise_for_status()
        return answer.json()

    def requests(self) -> Counter[str]:
        """Return the requests to Temporal of API and worker together."""
        return self.api_requests.drain() + self.worker_requests.drain()

    def sql(self, statement: str) -> str:
        """Run a statement beside what is counted."""
        return self.postgres.run_sql(statement, database="hetao")

    async def until(self, reference: str, condition: str, seconds: float = 60.0) -> None:
        """Wait until a condition on the register holds; it is looked at beside what is counted."""
        end = asyncio.get_running_loop().time() + seconds
        query = f"SELECT 1 FROM cases r WHERE r.reference = '{reference}' AND ({condition})"
        while not await asyncio.to_thread(self.sql, query):
            if asyncio.get_running_loop().time() > end:
                raise TimeoutError(f"{reference} did not come to: {condition}")
            await asyncio.sleep(0.1)

    async def fast_forward(self, reference: str, duration: timedelta) -> bool:
        """Let a case live through some time; False when it ended on the way."""
        assert self.skipper is not None
        handle = self.skipper.client.get_workflow_handle(CASE_TYPES.id_of(reference))
        return await self.skipper.fast_forward(handle, duration)

    async def archive_round(self, seconds: float = 60.0) -> str:
        """Let the Schedule of the archive start a round, and return its workflow id when it has ended.

        Creating the Schedule, starting it and waiting go beside what is counted.
        """
        await ensure_archive(self.beside, every=_NEVER)
        schedule = self.beside.get_schedule_handle(ARCHIVE_SCHEDULE)
        before = (await schedule.describe()).info.num_actions
        await schedule.trigger()
        async with asyncio.timeout(seconds):
            while (info := (await schedule.describe()).info).num_actions == before:
                await asyncio.sleep(0.1)
            started = info.recent_actions[-1].action
            assert isinstance(started, ScheduleActionExecutionStartWorkflow)
            await self.beside.get_workflow_handle(started.workflow_id, result_type=ArchiveCount).result()
        return started.workflow_id


@asynccontextmanager
async def open_bench(directory: Path, *, skipping: bool = False) -> AsyncIterator[Bench]:
    """Start servers and stand-ins as processes, API and worker in this one, PostgreSQL behind the counting relay."""
    async with AsyncExitStack() as exits:
        servers = await exits.enter_async_context(
            open_servers(directory, temporal_args=TIME_SKIPPING if skipping else ())
        )
        await asyncio.to_thread(upgrade, servers.postgres.url(role=OWNER))
        relay = await exits.enter_async_context(Relay("127.0.0.1", servers.stack.ports["postgres"]))
        settings = _settings(servers.stack, relay.port)
        bench = await _start_engine(exits, servers, settings, relay.tally, skipping=skipping)
        await servers.wait_for("api", servers.stack.url("api") + "/health/live")
        yield bench


async def _start_engine(
    exits: AsyncExitStack, servers: Servers, settings: Settings, tally: Tally, *, skipping: bool
) -> Bench:
    stack = servers.stack
    contexts = [
        build_context(settings, "api", PROGRAMMES, pool_size=20),
        build_context(settings, "worker", PROGRAMMES, pool_size=20, stands_for=PARK),
    ]
    for context in contexts:
        exits.push_async_callback(context.database.close)
        if context.sealer_database is not None:
            exits.push_async_callback(context.sealer_database.close)
    buffers = [MetricBuffer(200_000) for _ in range(2)]
    clients = [
        await Client.connect(
            stack.temporal_address,
            data_converter=data_converter(contexts[0].keyring),
            runtime=Runtime(telemetry=TelemetryConfig(metrics=buffer)),
        )
        for buffer in buffers
    ]
    register = RegisterFile.model_validate(yaml.safe_load((EXAMPLES / "employers.yaml").read_text("utf-8")))
    await load_register(contexts[1], system("register_load"), register)
    await load_published(contexts[1], system("register_load"))
    skipper = TimeSkipper(clients[0]) if skipping else None
    engine = TemporalEngine(skipper.client if skipper else clients[0], CASE_TYPES)
    histories = TemporalHistories(clients[0])
    app = create_app(settings, context=contexts[0], engine=engine, histories=histories, allowance=_WITHOUT_LIMIT)
    server = uvicorn.Server(
        uvicorn.Config(app, **server_options(settings) | {"host": "127.0.0.1", "port": stack.ports["api"]})
    )
    serving = asyncio.create_task(server.serve())
    exits.push_async_callback(_stop_serving, server, serving)
    world = await exits.enter_async_context(outside(settings))
    for each in build_workers(contexts[1], clients[1], world):
        await exits.enter_async_context(each)
    await ensure_notification_workflows(clients[1])
    await ensure_authority_poll(clients[1])
    swept = TemporalEngine(clients[1], CASE_TYPES)
    standings = partial(sweep_standings, contexts[1], swept)
    sweeping = asyncio.create_task(keep_sweeping(contexts[1], swept, further=(standings,), is_stopping=lambda: False))
    exits.callback(sweeping.cancel)
    sealing = asyncio.create_task(keep_sealing(contexts[1], is_stopping=lambda: False))
    exits.callback(sealing.cancel)
    # Let go before the server does after five seconds, or a request meets a connection that is being closed.
    limits = httpx.Limits(keepalive_expiry=2.0)
    http = await exits.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False, limits=limits))
    requests = [Requests(buffer) for buffer in buffers]
    beside = await Client.connect(stack.temporal_address, data_converter=data_converter(contexts[0].keyring))
    return Bench(
        stack, servers.postgres, contexts[0], clients[0], http, tally, requests[0], requests[1], beside, skipper
    )


def _settings(stack: Stack, port: int) -> Settings:
    """Return the settings of the embedded stack with the database behind the relay."""
    told = application_environment(stack) | sealer_environment(stack)
    for name in ("HETAO_DATABASE_URL", "HETAO_SEALER_DATABASE_URL"):
        parts = urlsplit(told[name])
        credentials = parts.netloc.rsplit("@", 1)[0]
        told[name] = urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))
    told |= {"HETAO_API_METRICS_PORT": "0", "HETAO_WORKER_METRICS_PORT": "0"}
    given: dict[str, Any] = {
        name.removeprefix("HETAO_").lower(): value for name, value in told.items() if name.startswith("HETAO_")
    }
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return Settings(**given)


async def _stop_serving(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving
