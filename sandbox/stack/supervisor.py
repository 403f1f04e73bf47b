"""Starts children in the foreground, starts the dead ones again, and takes all of them down with itself."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from sandbox.stack.processes import child_setup

# Five deaths of one child in a minute are no accident (design, section 9).
DEATHS_ALLOWED: Final = 5
DEATHS_WINDOW: Final = 60.0
FIRST_BACKOFF: Final = 0.1
READY_SECONDS: Final = 240.0
PROBE_SECONDS: Final = 0.05
TASK_ATTEMPTS: Final = 3
LOG_BYTES: Final = 20 * 1024 * 1024
LOG_CHECK_SECONDS: Final = 5.0
TAIL_LINES: Final = 15


class GaveUpError(RuntimeError):
    """The stack cannot be kept running."""


async def _is_ready(_pid: int) -> bool:
    return True


@dataclass(frozen=True)
class Child:
    """A process that is kept running: `prepare` goes before each start, `ready` says whether it serves."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    ready: Callable[[int], Awaitable[bool]] = _is_ready
    prepare: Callable[[], None] = lambda: None
    setup: Callable[[], Callable[[], None]] = child_setup
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0


@dataclass(frozen=True)
class Task:
    """A command that runs once to its end."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


Step = Child | Task | Callable[[], None]


class Supervisor:
    """Runs the steps of each phase side by side and phases one after the other, then keeps the children running."""

    def __init__(
        self,
        phases: Sequence[Sequence[Step]],
        logs: Path,
        say: Callable[[str], None],
        record: Callable[[str, int], None] = lambda _name, _pid: None,
        *,
        ready_seconds: float = READY_SECONDS,
    ) -> None:
        self._phases = phases
        self._logs = logs
        self._say = say
        self._record = record
        self._ready_seconds = ready_seconds
        self._stop = asyncio.Event()
        self._failure: str | None = None
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._children: dict[str, Child] = {}

    async def run(self, on_ready: Callable[[], None]) -> int:
        """Run until a signal comes (0) or the stack cannot be kept running (1)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._asked_to_stop)
        watch = asyncio.create_task(self._bound_logs())
        try:
            await self._start_all(on_ready)
            await self._stop.wait()
        except GaveUpError as error:
            self._failure = str(error)
        finally:
            watch.cancel()
            await self._stop_all()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)
        if self._failure:
            self._say(f"gave up: {self._failure}")
        return 1 if self._failure else 0

    async def _start_all(self, on_ready: Callable[[], None]) -> None:
        for phase in self._phases:
            starting = asyncio.create_task(self._take_all(phase))
            stopped = asyncio.create_task(self._stop.wait())
            await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not starting.done():
                starting.cancel()
                await asyncio.wait({starting})
                return
            starting.result()
        on_ready()

    async def _take_all(self, phase: Sequence[Step]) -> None:
        steps = [asyncio.create_task(self._take(step)) for step in phase]
        try:
            await asyncio.gather(*steps)
        finally:
            for step in steps:
                step.cancel()

    async def _take(self, step: Step) -> None:
        if isinstance(step, Child):
            await self._keep(step)
        elif isinstance(step, Task):
            await self._run_task(step)
        else:
            step()

    async def _keep(self, child: Child) -> None:
        """Have a child kept running and return once it is ready for the first time."""
        self._children[child.name] = child
        first_ready = asyncio.Event()
        self._keepers[child.name] = asyncio.create_task(self._keep_running(child, first_ready))
        try:
            async with asyncio.timeout(self._ready_seconds):
                await first_ready.wait()
        except TimeoutError:
            raise GaveUpError(
                f"{child.name} was not ready after {self._ready_seconds:.0f} s{self._tail(child.name)}"
            ) from None

    async def _keep_running(self, child: Child, first_ready: asyncio.Event) -> None:
        deaths: list[float] = []
        while True:
            ended = await self._run_child(child, first_ready)
            if self._stop.is_set():
                return
            now = time.monotonic()
            deaths = [moment for moment in deaths if now - moment < DEATHS_WINDOW] + [now]
            if len(deaths) >= DEATHS_ALLOWED:
                self._fail(f"{child.name} {ended}, {len(deaths)} times within a minute{self._tail(child.name)}")
                return
            backoff = FIRST_BACKOFF * 4 ** (len(deaths) - 1)
            self._say(f"{child.name} {ended}: starting it again in {backoff:.1f} s")
            await asyncio.sleep(backoff)

    async def _run_child(self, child: Child, first_ready: asyncio.Event) -> str:
        """Start a child, wait for its end, and say how it ended."""
        try:
            child.prepare()
            process = await self._start(child.name, child.command, child.environment, child.setup())
        except Exception as error:  # noqa: BLE001  Whatever kept it from starting is counted as a death and said.
            return f"did not start ({error})"
        self._processes[child.name] = process
        probe = asyncio.create_task(self._probe(child, process, first_ready))
        try:
            code = await process.wait()
        finally:
            probe.cancel()
        _kill_group(process.pid)
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    async def _probe(self, child: Child, process: asyncio.subprocess.Process, first_ready: asyncio.Event) -> None:
        while not first_ready.is_set():
            if await child.ready(process.pid):
                first_ready.set()
            await asyncio.sleep(PROBE_SECONDS)

    async def _run_task(self, task: Task) -> None:
        for attempt in range(1, TASK_ATTEMPTS + 1):
            process = await self._start(task.name, task.command, task.environment, child_setup())
            self._processes[task.name] = process
            code = await process.wait()
            if code == 0:
                return
            if attempt < TASK_ATTEMPTS:
                self._say(f"{task.name} failed with exit code {code}: once more")
                await asyncio.sleep(FIRST_BACKOFF * 4**attempt)
        raise GaveUpError(f"{task.name} failed {TASK_ATTEMPTS} times{self._tail(task.name)}")

    async def _start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], setup: Callable[[], None]
    ) -> asyncio.subprocess.Process:
        with self._log(name) as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                preexec_fn=setup,
            )
        self._record(name, process.pid)
        return process

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            # Asked twice: no more patience.
            for process in self._processes.values():
                if process.returncode is None:
                    _kill_group(process.pid)
        self._stop.set()

    def _fail(self, why: str) -> None:
        self._failure = self._failure or why
        self._stop.set()

    async def _stop_all(self) -> None:
        """End the children in the reverse order of their start, tasks and half-started ones included."""
        self._stop.set()
        for name in reversed(list(self._processes)):
            process = self._processes[name]
            child = self._children.get(name)
            await _end(process, child.stop_signal if child else signal.SIGKILL, child.stop_seconds if child else 1.0)
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        # A keeper that was between two starts when the stop came may have started its child once more.
        for process in self._processes.values():
            await _end(process, signal.SIGKILL, 1.0)

    @contextlib.contextmanager
    def _log(self, name: str) -> Iterator[IO[bytes]]:
        path = self._logs / f"{name}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            yield file

    async def _bound_logs(self) -> None:
        """Keep each log and one older part of it, cutting in place because children hold the files open."""
        while True:
            for path in self._logs.glob("*.log"):
                if path.stat().st_size > LOG_BYTES:
                    shutil.copyfile(path, path.with_suffix(".log.1"))
                    os.truncate(path, 0)
            await asyncio.sleep(LOG_CHECK_SECONDS)

    def _tail(self, name: str) -> str:
        if name not in self._processes:
            return ""  # It never ran: what its log says is of an earlier run.
        path = self._logs / f"{name}.log"
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 8192))
                lines = file.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
        except OSError:
            lines = []
        return "; the end of its log:\n  " + "\n  ".join(lines) if lines else "; it wrote no log"


async def _end(process: asyncio.subprocess.Process, how: signal.Signals, seconds: float) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            _kill_group(process.pid)
            await process.wait()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
