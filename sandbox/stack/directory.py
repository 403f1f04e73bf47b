"""What an embedded stack keeps of itself in its directory: ports, secrets, the processes it started, and its lock."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from sandbox.stack.ports import free_port, is_free
from sandbox.stack.processes import is_alive, started_at

# A child whose supervisor was killed may hold its port for a moment.
PORT_SECONDS: Final = 5.0
ORPHAN_SECONDS: Final = 15.0
FOLDERS: Final = ("logs", "postgres", "sandbox", "temporal")
PORTS: Final = (
    "api",
    "api_metrics",
    "worker_metrics",
    "postgres",
    "temporal",
    "temporal_ui",
    "issuer",
    "authority",
    "mail",
    "smtp",
)


class StackError(RuntimeError):
    """The embedded stack cannot run as asked; the message says why and what to do."""


@dataclass
class Stack:
    """One embedded stack; `open_stack` finds or makes it."""

    directory: Path
    ports: dict[str, int]
    secrets: dict[str, str]
    processes: dict[str, list[int]] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        """Where the output of the children lies."""
        return self.directory / "logs"

    def url(self, name: str) -> str:
        """The HTTP address of a part."""
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def temporal_address(self) -> str:
        """Host and port of Temporal."""
        return f"127.0.0.1:{self.ports['temporal']}"

    def record_process(self, name: str, pid: int) -> None:
        """Remember a started process by its id and start time."""
        self.processes[name] = [pid, started_at(pid) or 0]
        self.save()

    def orphan(self, name: str) -> int | None:
        """The process of an earlier run that still lives, known by its start time as well."""
        pid, start = self.processes.get(name, [0, 0])
        return pid if pid and start and is_alive(pid) and started_at(pid) == start else None

    def save(self) -> None:
        """Write the file from which `open_stack` and the other commands read."""
        content = {"ports": self.ports, "secrets": self.secrets, "processes": self.processes}
        write_private(self.directory / "stack.json", content)


def lock(directory: Path) -> IO[str]:
    """Take a directory for one supervisor as long as the returned file is open."""
    # One that was there before may be another's; what we put into it is closed to all others in any case.
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / "lock"
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    path.chmod(0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise StackError(
            f"Another `hetao up` (process {holder}) runs on {directory}: stop it or choose another --data-dir."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def open_stack(
    directory: Path, *, port: int | None, make_keys: Callable[[], Mapping[str, Any]], say: Callable[[str], None]
) -> Stack:
    """Find the stack of a locked directory or make one, with ports that are free now."""
    known = _read(directory)
    stack = Stack(
        directory, dict(known.get("ports", {})), dict(known.get("secrets", {})), dict(known.get("processes", {}))
    )
    _end_orphans(stack)
    if port is not None:
        if not _becomes_free(port):
            raise StackError(f"Port {port} is taken by another program: choose another --port.")
        stack.ports["api"] = port
    for name in PORTS:
        kept = stack.ports.get(name)
        if kept is None or not _becomes_free(kept):
            stack.ports[name] = free_port(frozenset(stack.ports.values()))
        if kept is not None and stack.ports[name] != kept:
            say(f"port {kept} of {name} is taken by another program: {stack.ports[name]} from now on")
    for name, make in SECRETS.items():
        stack.secrets.setdefault(name, make())
    keys = directory / "keys.json"
    known_keys = json.loads(keys.read_text()) if keys.exists() else {}
    # A file of an earlier version lacks the keys that came later; those it has are never touched.
    new_keys = {name: key for name, key in make_keys().items() if name not in known_keys}
    if new_keys:
        write_private(keys, {**known_keys, **new_keys})
    for name in FOLDERS:
        # Those of an earlier version let others search them.
        (directory / name).mkdir(exist_ok=True)
        (directory / name).chmod(0o700)
    stack.save()
    return stack


def running_stack(directory: Path) -> Stack:
    """Read the stack that another process runs."""
    known = _read(directory)
    if not known:
        raise StackError(f"No stack was ever started in {directory}: run `hetao up --data-dir {directory}`.")
    return Stack(directory, known["ports"], known["secrets"], known["processes"])


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file of mode 0600 as a whole."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _end_orphans(stack: Stack) -> None:
    """End what an earlier supervisor left running, known by process id and start time together."""
    left = {name: pid for name in stack.processes if (pid := stack.orphan(name))}
    for name, pid in left.items():
        with contextlib.suppress(ProcessLookupError):
            # PostgreSQL leaves its shared memory tidy when it may end by itself.
            os.kill(pid, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
    end = time.monotonic() + ORPHAN_SECONDS
    while any(is_alive(pid) for pid in left.values()):
        if time.monotonic() > end:
            raise StackError(f"Processes of an earlier run do not end: {left}.")
        time.sleep(0.02)


def _becomes_free(port: int) -> bool:
    end = time.monotonic() + PORT_SECONDS
    while not is_free(port):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _read(directory: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((directory / "stack.json").read_text())
    except FileNotFoundError:
        return {}
    return found


def _token() -> str:
    return secrets.token_urlsafe(24)


def _webhook_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


SECRETS: Final[dict[str, Callable[[], str]]] = {
    "authority_token": _token,
    "callback_secret": _webhook_secret,
    "sms_token": _token,
    "receipts_secret": _webhook_secret,
    "codec_token": _token,
}
