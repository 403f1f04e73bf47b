import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.stack import directory as stack_module
from sandbox.stack.directory import Stack, StackError, lock, open_stack, running_stack
from sandbox.stack.ports import FIRST, LAST, free_port, is_free
from sandbox.stack.processes import is_alive, started_at
from tests.sandbox.waiting import until


def _open(directory: Path, port: int | None = None) -> Stack:
    return open_stack(directory, port=port, make_keys=lambda: {"kek": 1}, say=lambda _: None)


def test_a_directory_has_one_supervisor(tmp_path: Path) -> None:
    with lock(tmp_path), pytest.raises(StackError, match=f"process {os.getpid()}"):
        lock(tmp_path)
    lock(tmp_path).close()


def test_ports_and_secrets_are_kept_and_private(tmp_path: Path) -> None:
    first = _open(tmp_path)
    assert len(set(first.ports.values())) == len(first.ports)
    assert all(FIRST <= port <= LAST for port in first.ports.values())
    second = _open(tmp_path)
    assert (first.ports, first.secrets) == (second.ports, second.secrets)
    for name in ("stack.json", "keys.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_keys_are_made_once(tmp_path: Path) -> None:
    _open(tmp_path)
    open_stack(tmp_path, port=None, make_keys=lambda: {"kek": 2}, say=lambda _: None)
    assert json.loads((tmp_path / "keys.json").read_text()) == {"kek": 1}


def test_keys_of_a_later_version_are_added_beside_those_there(tmp_path: Path) -> None:
    _open(tmp_path)
    open_stack(tmp_path, port=None, make_keys=lambda: {"kek": 2, "archive": 3}, say=lambda _: None)
    assert json.loads((tmp_path / "keys.json").read_text()) == {"kek": 1, "archive": 3}


def test_a_port_taken_by_another_program_is_replaced_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_module, "PORT_SECONDS", 0.1)
    first = _open(tmp_path)
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.ports["mail"]))
        taken.listen()
        second = open_stack(tmp_path, port=None, make_keys=dict, say=said.append)
    assert second.ports["mail"] != first.ports["mail"]
    assert len(said) == 1


def test_a_port_asked_for_is_used_and_kept_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_module, "PORT_SECONDS", 0.1)
    port = free_port()
    _open(tmp_path, port)
    assert _open(tmp_path).ports["api"] == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not is_free(taken.getsockname()[1])
        with pytest.raises(StackError, match="choose another --port"):
            _open(tmp_path, taken.getsockname()[1])


def test_only_a_process_that_is_really_ours_is_ended(tmp_path: Path) -> None:
    stack = _open(tmp_path)
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command) as ours, subprocess.Popen(command) as stranger:
        stack.record_process("authority", ours.pid)
        stack.processes["mail"] = [stranger.pid, (started_at(stranger.pid) or 0) - 1]
        stack.save()
        _open(tmp_path)
        until(lambda: ours.poll() == -signal.SIGKILL)
        assert is_alive(stranger.pid)
        stranger.kill()


def test_a_directory_without_a_stack_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="hetao up --data-dir"):
        running_stack(tmp_path)
