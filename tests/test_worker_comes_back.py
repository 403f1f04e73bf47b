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

from cases.case.file import read_case
from cases.commands import submit as acts
from domain.commands import CommandKind
from domain.decisions import DecisionRequest
from domain.stages import Stage
from programmes import CASE_TYPES
from programmes.talent_permit.registration import accept
from programmes.talent_permit.requests import RegistrationRequest
from sandbox.stack.ports import free_port
from sandbox.stack.temporal_server import binary, environment
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
pytestmark = [pytest.mark.slow]


class _Now(Clock):
    def __call__(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Temporal:
    """A server on one port that keeps nothing on a disk, so that it is lost with all that it knew."""

    port: int
    ui_port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start one that knows nothing, not the namespace either."""
        command = [binary(), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(self.port)]
        command += ["--ui-port", str(self.ui_port), "--log-level", "error"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment())

    def lose(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def make_namespace(self) -> None:
        """Do what an operator does, and nothing else."""
        told = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "RETENTION": "720h",
            "SEARCH_ATTRIBUTES": "",
        }
        done = subprocess.run(["sh", SCRIPT], env=told, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def temporal() -> Iterator[Temporal]:
    """A Temporal of this test's own."""
    server = Temporal(free_port(), free_port())
    try:
        yield server
    finally:
        server.lose()


@contextmanager
def worker_process(port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker with the settings of the environment."""
    command = [sys.executable, "-m", "cli", "worker"]
    told = os.environ | {"HETAO_WORKER_METRICS_PORT": str(port), "HETAO_WORKER_VERSIONS": "true"}
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=told, stdout=said, stderr=said)
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
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", NAMESPACE)
    keyring = Keyring.load(keys)
    temporal.start()
    with worker_process(port, log) as process:
        async with open_context(clean_database, _Now(), keyring) as context:
            await load_samples(context)
            # As the API's client: it connects with its first call, and lives on.
            client: Client = await connect(keyring, lazy=True)
            engine = TemporalEngine(client, CASE_TYPES)

            async def submit(**person: str) -> str:
                request = RegistrationRequest.model_validate(registration_body(**person))
                return (await accept(context, EMPLOYER_A, request, key())).reference

            async def until_stage(reference: str, stage: Stage) -> None:
                async def is_there() -> bool:
                    return (await read_case(context, reference)).stage is stage

                await _until(is_there, stage.value)

            await _until_ready_says(port, "not_polled", "namespace_not_found")
            assert await _waits(log, 1)
            assert not await engine.is_up()
            await asyncio.to_thread(temporal.make_namespace)
            await _until_ready_says(port, "polled", None)
            case = await submit()
            assert await engine.start(case)
            await until_stage(case, Stage.UNDER_REVIEW)

            await asyncio.to_thread(temporal.lose)
            temporal.start()
            await _until_ready_says(port, "not_polled", "namespace_not_found")
            await _until(lambda: _waits(log, 2), "it does not wait")
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
    assert await _waits(log, 2)


async def _waits(log: Path, times: int) -> bool:
    """Whether the log says so often, and no more, that the worker waits for the namespace."""
    lines = map(json.loads, (await asyncio.to_thread(log.read_text)).splitlines())
    return [line["why"] for line in lines if line["event"] == "worker_waits"] == ["namespace_not_found"] * times
