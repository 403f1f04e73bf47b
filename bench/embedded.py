"""A real embedded stack: started by `hetao up --json`, killed in parts, and read from all sides."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import NullPool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sandbox.stack.directory import Stack, running_stack
from sandbox.stack.processes import child_setup, is_alive

COMMAND: Final = (sys.executable, "-P", "-m", "cli")
STOP_SECONDS: Final = 60.0
BACK_SECONDS: Final = 20.0


class Up:
    """One `hetao up` as its own process, which ends with the one that started it."""

    def __init__(self, directory: Path, command: Sequence[str] = (*COMMAND, "up", "--json")) -> None:
        self.directory = directory
        self._command = [*command, "--data-dir", str(directory)]
        self.ready: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._engine: AsyncEngine | None = None

    def start(self) -> None:
        """Start it and wait for its ready line."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it; from the main thread, since the kernel ends it with the thread that started it."""
        with self.directory.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                preexec_fn=child_setup(death_signal=signal.SIGTERM),
            )

    def wait_ready(self) -> None:
        """Wait for its ready line."""
        assert self._process
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, self.directory.with_suffix(".log").read_text()
        self.ready = json.loads(line)

    @property
    def stack(self) -> Stack:
        """The ports and processes as they are now."""
        return running_stack(self.directory)

    def pid(self, name: str) -> int:
        """The process id of a child, or of `hetao up` itself."""
        if name == "up":
            assert self._process
            return self._process.pid
        return self.stack.processes[name][0]

    def send(self, name: str, what: signal.Signals) -> None:
        """Send a signal to a child or to `hetao up` itself."""
        os.kill(self.pid(name), what)

    def kill(self, name: str) -> None:
        """Kill a part; where it is all of it, start it again on the same directory."""
        before = self.pid(name)
        os.kill(before, signal.SIGKILL)
        if name == "up":
            children = [pid for pid, _ in self.stack.processes.values()]
            self.forget()
            until(lambda: not any(is_alive(pid) for pid in children), "the children end with their parent")
            self.start()
        else:
            until(lambda: self.pid(name) != before and is_alive(self.pid(name)), f"{name} is started again")

    @property
    def is_running(self) -> bool:
        """Whether `hetao up` runs; it gives up where a part cannot be kept running."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> int:
        """End it in good order and return its exit code."""
        assert self._process
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self.forget()

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Read the register as the application role, for the park's tenant, as soon as PostgreSQL is there."""
        url = self.ready["database_url"].replace("postgresql://", "postgresql+asyncpg://")
        if self._engine is None:
            self._engine = create_async_engine(url, poolclass=NullPool)
        end = time.monotonic() + BACK_SECONDS
        while True:
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(text("SELECT set_config('hetao.tenant', '*', true)"))
                    return [dict(row) for row in (await connection.execute(text(query), values)).mappings()]
            except (DBAPIError, OSError):
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.2)

    async def close(self) -> None:
        """Close the connection to the register."""
        if self._engine is not None:
            await self._engine.dispose()

    def aside(self, part: str, method: str, path: str, **content: Any) -> Any:
        """Ask a stand-in."""
        answer = httpx.request(method, self.stack.url(part) + path, timeout=120, trust_env=False, **content)
        assert answer.is_success, answer.text
        return answer.json()

    def mood(self, part: str, name: str, **more: Any) -> None:
        """Change the mood of the authority or of the sinks."""
        self.aside(part, "POST", "/sandbox/mood", json={"mood": name, **more})

    def forget(self) -> None:
        """Let go of a `hetao up` that has ended."""
        assert self._process
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        if self._process.stdout:
            self._process.stdout.close()


def until(fact: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Return once the fact holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.05)
