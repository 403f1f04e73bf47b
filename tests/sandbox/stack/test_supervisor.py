import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.stack import supervisor
from sandbox.stack.processes import is_alive
from tests.sandbox.waiting import until

Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started: list[subprocess.Popen[str]] = []

    def start(*children: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.sandbox.fake_stack", str(tmp_path), *children]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _pid(directory: Path, name: str) -> int:
    return int((directory / f"{name}.pid").read_text())


def test_a_dead_child_is_started_again_with_one_line(run: Run, tmp_path: Path) -> None:
    process = run("steady")
    assert _line(process) == "ready"
    first = _pid(tmp_path, "steady")
    os.kill(first, signal.SIGKILL)
    assert _line(process) == "steady ended by SIGKILL: starting it again in 0.1 s"
    until(lambda: _pid(tmp_path, "steady") != first and is_alive(_pid(tmp_path, "steady")))
    assert process.poll() is None


def test_five_deaths_in_a_minute_end_it_loudly_with_the_log(run: Run, tmp_path: Path) -> None:
    process = run("steady", "crasher")
    output, _ = process.communicate(timeout=30)
    lines = [line for line in output.splitlines() if "crasher" in line]
    assert process.returncode == 1
    assert len(lines) == supervisor.DEATHS_ALLOWED
    assert "gave up: crasher ended with exit code 3, 5 times within a minute" in lines[-1]
    assert "the reason" in output
    assert (tmp_path / "logs" / "crasher.log").read_text().splitlines() == ["the reason"] * supervisor.DEATHS_ALLOWED
    assert not is_alive(_pid(tmp_path, "steady"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_children_and_exits_well(run: Run, tmp_path: Path, how: signal.Signals) -> None:
    process = run("steady1", "steady2")
    assert _line(process) == "ready"
    process.send_signal(how)
    assert process.wait(10) == 0
    assert not any(is_alive(_pid(tmp_path, name)) for name in ("steady1", "steady2"))


def test_a_child_that_does_not_stop_is_killed(run: Run, tmp_path: Path) -> None:
    process = run("stubborn")
    assert _line(process) == "ready"
    time.sleep(0.3)
    process.terminate()
    assert process.wait(10) == 0
    assert not is_alive(_pid(tmp_path, "stubborn"))


def test_children_die_with_a_killed_supervisor(run: Run, tmp_path: Path) -> None:
    process = run("steady", "stubborn")
    assert _line(process) == "ready"
    process.kill()
    process.wait()
    for name in ("steady", "stubborn"):
        until(lambda name=name: not is_alive(_pid(tmp_path, name)), 5)  # type: ignore[misc]


def test_a_task_that_fails_is_tried_again_and_then_ends_it(run: Run) -> None:
    process = run("steady", "task-bad")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "ready" not in output
    assert output.count("once more") == supervisor.TASK_ATTEMPTS - 1
    assert "task reason" in output


def test_a_phase_waits_for_the_task_before_it(run: Run, tmp_path: Path) -> None:
    process = run("task-ok", "steady")
    assert _line(process) == "ready"
    assert not is_alive(_pid(tmp_path, "task-ok"))
