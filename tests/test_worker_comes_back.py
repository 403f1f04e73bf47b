"""A worker of production whose Temporal is lost and comes back empty: it waits, says so, and goes on by itself."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from temporalio.client import Client

from cases import acts
from cases.case_file import read_case
from cases.registration import accept
from domain.commands import CommandKind
from domain.decisions import DecisionRequest
from domain.registration import RegistrationRequest
from domain.stages import Stage
from sandbox.ports import free_port
from sandbox.temporal_server import TemporalServer
from store.keyring import Keyring
from temporal.client import connect
from temporal.engine import TemporalEngine, Told
from tests.cases.contexts import EMPLOYER_A, OFFICER, Clock, key, load_samples, open_context, registration_body
from tests.e2e.people import identity_number
from tests.installation import tell_settings
from tests.services import SEALER_URLS
from tests.test_namespace_script import SCRIPT

NAMESPACE = "just-made"
SECONDS = 60.0
# A server that skips time serves tests of workflows; what is looked at here is how a usual one goes and comes.
_QUICK = ("--headless",)
pytestmark = [pytest.mark.slow]


class _Now(Clock):
    def __call__(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Temporal:
    """A server on one port that can be lost with all that it knew."""

    directory: Path
    server: TemporalServer
    times: int = 0

    def start_empty(self) -> None:
        """Start one that knows nothing, not the namespace either."""
        self.server.stop()
        self.times += 1
        self.server.directory = self.directory / str(self.times)
        self.server.start()

    def make_namespace(self) -> None:
        """Do what an operator does, and nothing else."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TEMPORAL_ADDRESS": self.server.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "RETENTION": "720h",
            "SEARCH_ATTRIBUTES": "",
        }
        done = subprocess.run(["sh", SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def temporal(tmp_path: Path) -> Iterator[Temporal]:
    """A Temporal of this test's own."""
    server = TemporalServer(tmp_path, free_port(), free_port(), extra_args=_QUICK)
    try:
        yield Temporal(tmp_path, server)
    finally:
        server.stop()


@contextmanager
def worker_process(port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker with the settings of the environment."""
    command = [sys.executable, "-m", "cli", "worker"]
    environment = os.environ | {"HETAO_WORKER_METRICS_PORT": str(port), "HETAO_WORKER_VERSIONS": "true"}
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _ready(port: int) -> tuple[str, str | None]:
    """Return what a worker says of Temporal, and why."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            told = json.loads(answer.read())
    except HTTPError as error:
        with error:
            told = json.loads(error.read())
    except (URLError, OSError):
        return "nothing", None
    return told["temporal"], told.get("temporal_why")


async def _until(is_so: Callable[[], Awaitable[bool]], what: str) -> None:
    end = asyncio.get_running_loop().time() + SECONDS
    while not await is_so():
        assert asyncio.get_running_loop().time() < end, what
        await asyncio.sleep(0.1)


async def _until_ready_says(port: int, *wanted: str | None) -> None:
    async def says() -> bool:
        return await asyncio.to_thread(_ready, port) == wanted

    await _until(says, f"{_ready(port)} is not {wanted}")


async def test_a_worker_waits_for_the_namespace_and_goes_on_on_a_temporal_that_came_back_empty(
    clean_database: str, temporal: Temporal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, log, port = tmp_path / "keys.json", tmp_path / "worker.log", free_port()
    tell_settings(monkeypatch, clean_database, keys)
    monkeypatch.setenv("HETAO_SEALER_DATABASE_URL", SEALER_URLS[clean_database])
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.server.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", NAMESPACE)
    keyring = Keyring.load(keys)
    await asyncio.to_thread(temporal.start_empty)
    with worker_process(port, log) as process:
        async with open_context(clean_database, _Now(), keyring) as context:
            await load_samples(context)
            # As the API's client: it connects with its first call, and lives on.
            client: Client = await connect(keyring, lazy=True)
            engine = TemporalEngine(client)

            async def submit(**person: str) -> str:
                request = RegistrationRequest.model_validate(registration_body(**person))
                reference: str = (await accept(context, EMPLOYER_A, request, key())).body["reference"]
                return reference

            async def until_stage(reference: str, stage: Stage) -> None:
                async def is_there() -> bool:
                    return (await read_case(context, reference)).stage is stage

                await _until(is_there, stage.value)

            await _until_ready_says(port, "not_polled", "namespace_not_found")
            assert not await engine.is_up()
            await asyncio.to_thread(temporal.make_namespace)
            await _until_ready_says(port, "polled", None)
            case = await submit()
            assert await engine.start(case)
            await until_stage(case, Stage.UNDER_REVIEW)

            await asyncio.to_thread(temporal.server.stop)
            await asyncio.to_thread(temporal.start_empty)
            await _until_ready_says(port, "not_polled", "namespace_not_found")
            later = await submit(identity_number=identity_number(7))
            assert not await engine.start(later)
            await asyncio.to_thread(temporal.make_namespace)
            await _until_ready_says(port, "polled", None)
            await _until(lambda: engine.start(later), "started")
            await until_stage(later, Stage.UNDER_REVIEW)
            approve = DecisionRequest.model_validate({"action": "approve", "round": 1})
            asked = await acts.ask(context, OFFICER, case, CommandKind.DECIDE, approve, key())
            assert await engine.decide(case, str(asked.command_id)) is Told.ANSWERED
            assert (await read_case(context, case)).stage is Stage.APPROVED
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0
    waits = [line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "worker_waits"]
    assert [line["why"] for line in waits] == ["namespace_not_found"] * 2
