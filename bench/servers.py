"""The servers and stand-ins that a side runs against: those of the embedded stack, with its settings."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from sandbox.stack.directory import Stack, lock, open_stack
from sandbox.stack.embedded import Ours, plan
from sandbox.stack.postgres import SUPERUSER, PostgresServer
from sandbox.stack.processes import child_setup
from sandbox.stack.supervisor import Child
from sandbox.stack.temporal_server import TemporalServer
from store.key_file import generate

ROOT: Final = Path(__file__).parents[1]
# Skipping of time is off by default, and each skipped timer would cost a second (history.timerProcessorMaxTimeShift).
TIME_SKIPPING: Final = (
    *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"),
    *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"'),
)
STAND_INS: Final = {"issuer": "/jwks", "authority": "/sandbox/mood", "mail": "/sandbox/mood"}
_POSTGRES: Final = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
)
_DATABASES: Final = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
_CHANGED: Final = """
SELECT coalesce(d.datname, 'any database'), coalesce(r.rolname, 'any role'), s.setconfig
FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
"""
_SECRET: Final = "--ui-codec-endpoint"
_STOP_SECONDS: Final = 25
_PROBES: Final = 1_800


@dataclass
class Servers:
    """What runs around a side, and the processes that the side adds."""

    stack: Stack
    postgres: PostgresServer
    temporal: TemporalServer | None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def pids(self) -> dict[str, int]:
        """Return the process id of each part."""
        found = {name: process.pid for name, process in self.processes.items()}
        for name, server in (("postgres", self.postgres), ("temporal", self.temporal)):
            if server is not None and server.pid is not None:
                found[name] = server.pid
        return found

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process of the side; its output goes to its log."""
        with (self.stack.logs / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=child_setup(),
            )

    async def wait_for(self, name: str, url: str, *, method: str = "GET") -> None:
        """Wait until a part answers.

        Raises:
            TimeoutError: when it does not; the end of its log goes with it.
        """
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            for _ in range(_PROBES):
                try:
                    if (await http.request(method, url)).status_code < 500:
                        return
                except httpx.HTTPError:
                    pass
                process = self.processes.get(name)
                if process is not None and process.poll() is not None:
                    break
                await asyncio.sleep(0.1)
        log = self.stack.logs / f"{name}.log"
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise TimeoutError(f"{name} does not answer at {url}:\n{tail}")

    def stop(self) -> None:
        """Stop what was started; all of it at once, since each takes a while to end."""
        alive = [process for process in self.processes.values() if process.poll() is None]
        for process in reversed(alive):
            process.send_signal(signal.SIGTERM)
        for process in alive:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@asynccontextmanager
async def open_servers(
    directory: Path, *, temporal: bool = True, temporal_args: Sequence[str] = ()
) -> AsyncIterator[Servers]:
    """Start PostgreSQL, Temporal where it is wanted, and the stand-ins, on disk and with nothing turned off."""
    async with AsyncExitStack() as exits:
        _prepare(directory)
        exits.enter_context(lock(directory))
        stack = open_stack(directory, port=None, make_keys=generate, say=lambda _line: None)
        ports = stack.ports
        postgres = PostgresServer(directory / "postgres", ports["postgres"])
        server = (
            TemporalServer(directory / "temporal", ports["temporal"], ports["temporal_ui"], extra_args=temporal_args)
            if temporal
            else None
        )
        running = Servers(stack, postgres, server)
        for each in (postgres, server):
            if each is not None:
                with (stack.logs / f"{type(each).__name__}.log").open("wb") as log:
                    exits.callback(each.stop)
                    await asyncio.to_thread(each.start, log)
        exits.callback(running.stop)
        for child in plan(stack, Ours(make_keys=generate, commands={}))[0]:
            if isinstance(child, Child) and child.name in STAND_INS:
                running.start(child.name, child.command, child.environment)
        for name, path in STAND_INS.items():
            await running.wait_for(name, stack.url(name) + path)
        yield running


def durability(servers: Servers, pids: Mapping[str, int]) -> dict[str, Any]:
    """Return what the running servers say of their own durability.

    PostgreSQL is asked in each database that the side has made, since a setting may be changed for one database or one
    role of it; `changed for` lists what is.
    """
    ask, asked = servers.postgres.run_sql, "\n".join(f"SHOW {name};" for name in _POSTGRES)
    found: dict[str, Any] = {
        "postgres": {
            "databases": {
                database: dict(zip(_POSTGRES, ask(asked, database=database).splitlines(), strict=True))
                for database in ask(_DATABASES).splitlines()
            },
            "changed for": ask(_CHANGED).splitlines(),
        }
    }
    if servers.temporal is not None:
        file = servers.stack.directory / "temporal" / "temporal.db"
        found["temporal"] = {
            "command": " ".join(_public(part) for part in _arguments(pids["temporal"])),
            "database_file_bytes": file.stat().st_size if file.exists() else None,
            # The file's own mark (SQLite file format, offset 18). How often the server syncs is a pragma of its
            # connections, which cannot be read from outside; the command sets it, for every side the same.
            "journal": {1: "rollback", 2: "write-ahead log"}.get(file.read_bytes()[18], "unknown"),
        }
    return found


def watcher_url(servers: Servers, database: str) -> str:
    """Return the address at which the driver watches the register beside what is measured."""
    return servers.postgres.url(role=SUPERUSER, database=database)


def _prepare(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)


def _arguments(pid: int) -> list[str]:
    """Return the arguments that a process was started with, but for the address that has a secret in it."""
    given = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[1:-1]
    return [part for before, part in zip(["", *given], given, strict=False) if _SECRET not in (before, part)]


def _public(part: str) -> str:
    """Return a part of a command line without the directory that it lies in."""
    return os.path.basename(part) if part.startswith("/") else part
