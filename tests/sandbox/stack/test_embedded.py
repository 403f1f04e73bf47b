import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from sandbox.stack.directory import StackError, open_stack, running_stack
from sandbox.stack.embedded import Ours, addresses, application_environment, servers_alone
from sandbox.stack.processes import is_alive
from sandbox.stack.supervisor import Child
from sandbox.standins import control
from settings import Settings
from tests.sandbox.waiting import until

READY = {"event", "api", "console", "temporal_ui", "temporal_address", "database_url", "mail"}
# The stack without API and worker, which have their own tests.
PROGRAM = """
import json, sys
from pathlib import Path
from sandbox.stack.embedded import Ours, up
sys.exit(up(Path(sys.argv[1]), port=None, ours=Ours(make_keys=dict, commands={}),
            say=lambda line: print(line, file=sys.stderr), on_ready=lambda found: print(json.dumps(found), flush=True)))
"""


class Up:
    """The embedded stack without API and worker, as its own process."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(directory)], stdout=subprocess.PIPE)

    def ready(self) -> dict[str, str]:
        assert self.process.stdout
        found: dict[str, str] = json.loads(self.process.stdout.readline())
        return found

    def end(self, how: signal.Signals) -> int:
        assert self.process.stdout
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def directory_of_stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


async def test_a_second_run_goes_on_after_a_kill_of_everything(directory_of_stack: Path) -> None:
    first = Up(directory_of_stack)
    ready = first.ready()
    assert set(ready) == READY
    async with httpx.AsyncClient(trust_env=False) as http:
        assert {(await http.get(ready[name])).status_code for name in ("temporal_ui", "mail")} == {200}
    client = await Client.connect(ready["temporal_address"])
    await client.start_workflow("Nobody", id="in-flight", task_queue="none")
    assert control.token(directory_of_stack, "officer-1").count(".") == 2
    processes = running_stack(directory_of_stack).processes
    for pid in [first.process.pid, *(pid for pid, _ in processes.values())]:
        os.kill(pid, signal.SIGKILL)
    first.end(signal.SIGKILL)
    until(lambda: not any(is_alive(pid) for pid, _ in processes.values()))
    second = Up(directory_of_stack)
    assert second.ready() == ready
    again = await Client.connect(ready["temporal_address"])
    assert (await again.get_workflow_handle("in-flight").describe()).close_time is None
    assert control.read_books(directory_of_stack, None)["entries"] == []
    assert second.end(signal.SIGTERM) == 0
    with pytest.raises(StackError, match="does not answer"):
        control.token(directory_of_stack, "officer-1")


async def test_children_end_with_a_killed_supervisor(directory_of_stack: Path) -> None:
    run = Up(directory_of_stack)
    run.ready()
    processes = running_stack(directory_of_stack).processes
    run.end(signal.SIGKILL)
    until(lambda: not any(is_alive(pid) for pid, _ in processes.values()), 10)


def test_the_settings_handed_to_our_processes_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HETAO_DATABASE_URL", "postgresql://elsewhere/hetao")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "elsewhere:7233")
    stack = open_stack(tmp_path, port=None, make_keys=dict, say=lambda _: None)
    told = application_environment(stack)
    for name in [name for name in os.environ if name.startswith("HETAO_")]:
        monkeypatch.delenv(name)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.env, settings.parameters, settings.owner_database_url) == ("embedded", "embedded", None)
    assert "elsewhere" not in str(told)
    assert settings.database_url == addresses(stack, Ours(make_keys=dict, commands={}))["database_url"]


@pytest.mark.parametrize("arguments", [["up"], ["token", "officer-1"], ["sandbox", "books"]], ids=" ".join)
def test_commands_of_the_sandbox_refuse_production(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", *arguments, "--data-dir", str(tmp_path / "stack")]
    done = subprocess.run(command, env=os.environ | {"HETAO_ENV": "production"}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "HETAO_ENV=production" in done.stderr
    assert not (tmp_path / "stack").exists()


@pytest.mark.parametrize("name", ["issuer", "authority", "mail"])
def test_stand_ins_refuse_production(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"sandbox.standins.{name}", "--dir", str(tmp_path / "books"), "--port", "1"]
    done = subprocess.run(command, env=os.environ | {"HETAO_ENV": "production"}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "HETAO_ENV=production" in done.stderr


def test_a_command_without_a_stack_says_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", "token", "officer-1", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("hetao: No stack was ever started")


def test_the_servers_start_alone_for_what_follows_a_restore(tmp_path: Path) -> None:
    stack = open_stack(tmp_path, port=None, make_keys=dict, say=lambda _line: None)
    ours = Ours(make_keys=dict, commands={"api": ["api"], "worker": ["worker"]}, tasks=[("migrate", ["migrate"])])
    [children, roles] = servers_alone(stack, ours)
    assert [each.name for each in children if isinstance(each, Child)] == ["postgres", "temporal"]
    assert len(roles) == 1
