"""The stack under attack, with all that reaches into it: doors, the disk, signals, the stand-ins, the register."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from bench.embedded import Up
from bench.faults.calls import Calls
from bench.faults.disk import Disk, NoDiskError, open_disk
from bench.faults.driver import PERSONAS
from bench.faults.register import Register
from bench.measure import family
from sandbox.stack.directory import Stack, lock, open_stack, running_stack
from sandbox.stack.doors import Door, Mood, open_door
from sandbox.stack.postgres import DATABASE, SUPERUSER, PostgresServer
from sandbox.stack.processes import is_alive
from store.key_file import generate

BACK_SECONDS: Final = 240.0
_LOOK_SECONDS: Final = 0.2
# The supervisor gives up after five deaths of a part in a minute, so that a plan leaves it room.
_KILLS_A_MINUTE: Final = 2
_PROBES: Final = {
    "api": "/health/ready",
    "worker_metrics": "/metrics",
    "authority": "/sandbox/mood",
    "mail": "/sandbox/mood",
}


@dataclass
class Scene:
    """One stack and the ways into it."""

    directory: Path
    up: Up
    database: Door
    temporal: Door
    disk: Disk | None
    why_no_disk: str
    http: httpx.AsyncClient
    register: Register
    calls: Calls
    postgres: PostgresServer
    restarts: Counter[str] = field(default_factory=Counter)
    gave_up: list[str] = field(default_factory=list)
    _kills: list[tuple[float, str]] = field(default_factory=list)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def stack(self) -> Stack:
        """The ports and processes as they are now."""
        return running_stack(self.directory)

    def pid(self, part: str) -> int:
        """The process id of a part; `up` is the supervisor."""
        return self.up.pid(part)

    def send(self, part: str, what: signal.Signals) -> None:
        """Send a signal to a part, if it lives."""
        with suppress(ProcessLookupError):
            os.kill(self.pid(part), what)

    async def kill(self, part: str) -> None:
        """Kill a part with `kill -9` and wait until its process has been started again."""
        while sum(name == part and time.monotonic() - at < 60 for at, name in self._kills) >= _KILLS_A_MINUTE:
            await asyncio.sleep(1)
        self._kills.append((time.monotonic(), part))
        before = self.pid(part)
        if part == "up":
            async with self._starting:
                os.kill(before, signal.SIGKILL)
                await self._start_again()
            return
        with suppress(ProcessLookupError):
            os.kill(before, signal.SIGKILL)
        await _until(lambda: self.pid(part) != before and is_alive(self.pid(part)), f"{part} is started again")

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Have the machine go away, all parts at once, and start the stack again on what is there when left."""
        async with self._starting:
            children = [pid for pid, _ in self.stack.processes.values()]
            os.kill(self.up.pid("up"), signal.SIGKILL)
            await asyncio.to_thread(self.up.forget)
            await _until(lambda: not any(is_alive(pid) for pid in children), "the children end with their parent")
            yield
            self.up.launch()
            await asyncio.to_thread(self.up.wait_ready)

    async def back(self) -> float:
        """Wait until all parts answer again, and return how long that took.

        Raises:
            TimeoutError: when one does not.
        """
        begun = time.monotonic()
        async with asyncio.timeout(BACK_SECONDS):
            while not await self._answers():
                await asyncio.sleep(_LOOK_SECONDS)
        return time.monotonic() - begun

    async def mood(self, part: str, mood: str, **more: Any) -> None:
        """Change the mood of a stand-in, as soon as it is there."""
        await self.aside(part, "POST", "/sandbox/mood", json={"mood": mood, **more})

    async def aside(self, part: str, method: str, path: str, **content: Any) -> Any:
        """Ask a stand-in, as soon as it is there."""
        async with asyncio.timeout(BACK_SECONDS):
            while True:
                with suppress(httpx.TransportError):
                    answer = await self.http.request(method, self.stack.url(part) + path, timeout=60, **content)
                    answer.raise_for_status()
                    return answer.json()
                await asyncio.sleep(_LOOK_SECONDS)

    def processes_of_postgres(self) -> set[int]:
        """The processes of PostgreSQL."""
        return family(self.pid("postgres"))

    async def watch(self) -> None:
        """Count parts that are started again, and start the stack again where its supervisor has given up."""
        seen: dict[str, int] = {}
        while True:
            processes: Mapping[str, list[int]] = self.stack.processes
            for name, (pid, _) in processes.items():
                if name in seen and seen[name] != pid:
                    self.restarts[name] += 1
                seen[name] = pid
            if not self._starting.locked() and not self.up.is_running:
                async with self._starting:
                    said = self.directory.with_suffix(".log").read_text().splitlines()
                    self.gave_up += [line for line in said if "gave up" in line][-1:]
                    await self._start_again()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _start_again(self) -> None:
        children = [pid for pid, _ in self.stack.processes.values()]
        await asyncio.to_thread(self.up.forget)
        await _until(lambda: not any(is_alive(pid) for pid in children), "the children end with their parent")
        self.up.launch()
        await asyncio.to_thread(self.up.wait_ready)

    async def _answers(self) -> bool:
        stack = self.stack
        try:
            answers = await asyncio.gather(
                *(self.http.get(stack.url(part) + path, timeout=5) for part, path in _PROBES.items())
            )
        except httpx.TransportError:
            return False
        return all(answer.is_success for answer in answers)


@asynccontextmanager
async def open_scene(directory: Path, *, own_disk: bool = True) -> AsyncIterator[Scene]:
    """Start the stack, with a disk of its own for PostgreSQL where one is wanted and this machine lets us have it."""
    async with AsyncExitStack() as exits:
        with lock(directory):
            ports = open_stack(directory, port=None, make_keys=generate, say=lambda _line: None).ports
        disk, why_no_disk = None, ""
        try:
            if own_disk:
                disk = exits.enter_context(open_disk(directory / "postgres"))
        except NoDiskError as error:
            why_no_disk = str(error)
        database = await exits.enter_async_context(open_door(f"127.0.0.1:{ports['postgres']}"))
        temporal = await exits.enter_async_context(open_door(f"127.0.0.1:{ports['temporal']}"))
        for door in (database, temporal):
            await door.set(Mood.OPEN)
        told = ["--database-port", str(database.port), "--temporal-port", str(temporal.port)]
        up = Up(directory, (sys.executable, "-P", "-m", "bench.faults.up", *told))
        http = await exits.enter_async_context(httpx.AsyncClient(trust_env=False))
        up.launch()
        exits.push_async_callback(asyncio.to_thread, up.stop)
        await asyncio.to_thread(up.wait_ready)
        postgres = PostgresServer(directory / "postgres", ports["postgres"])
        register = Register(postgres.url(role=SUPERUSER, database=DATABASE))
        exits.push_async_callback(register.close)
        calls = Calls(http, running_stack(directory))
        await calls.sign_in(PERSONAS)
        scene = Scene(directory, up, database, temporal, disk, why_no_disk, http, register, calls, postgres)
        watching = asyncio.create_task(scene.watch())
        exits.push_async_callback(_end, watching)
        yield scene


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _until(fact: Any, what: str) -> None:
    end = time.monotonic() + BACK_SECONDS
    while not fact():
        if time.monotonic() > end:
            raise TimeoutError(f"not in {BACK_SECONDS:.0f} s: {what}")
        await asyncio.sleep(0.05)
