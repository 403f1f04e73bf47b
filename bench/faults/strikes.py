"""How each fault strikes and how it is mended, and what stood where in that moment."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from signal import SIGCONT, SIGSTOP
from typing import Any, Final

from bench.faults.clocks import set_clock
from bench.faults.disk import NoDiskError
from bench.faults.driver import Drive
from bench.faults.plan import BESIDE, KILLS, OF_AUTHORITY, OF_MAIL, SKEW_SECONDS, Fault, Plan, Strike
from bench.faults.poison import poison_case, send_undecodable
from bench.faults.scene import Scene
from sandbox.doors import Door, Mood
from sandbox.postgres import PostgresError

_SLOW_LINE_SECONDS: Final = 0.15
_SLOW_DISK_WRITES: Final = 12
_FULL_SECONDS: Final = 6.0


@dataclass
class Struck:
    """A fault that struck: when, what stood where in that moment, and how long until all parts answered again."""

    number: int
    fault: Fault
    at: float
    standing: dict[str, dict[str, int]]
    seconds: float = 0.0
    back_after: float | None = None
    note: str = ""
    failure: str = ""
    skipped: bool = False


@dataclass
class Striker:
    """Carries out a plan on a scene."""

    scene: Scene
    drive: Drive
    plan: Plan
    say: Callable[[Struck], None]
    struck: list[Struck] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    _away_until: float = 0.0
    _beside: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Strike one after the other; moods of the authority wait while it is away."""
        waiting: list[Strike] = []
        for strike in self.plan.strikes:
            if strike.fault in OF_AUTHORITY and time.monotonic() < self._away_until:
                waiting.append(strike)
            else:
                await self._strike(strike)
        await asyncio.sleep(max(0.0, self._away_until - time.monotonic()))
        for strike in waiting:
            await self._strike(strike)
        await asyncio.gather(*self._beside)

    async def _strike(self, strike: Strike) -> None:
        await asyncio.sleep(strike.pause)
        if strike.freeze:
            self.scene.send("worker", SIGSTOP)
            await asyncio.sleep(strike.freeze)
        standing = await self.scene.register.standing()
        struck = Struck(strike.number, strike.fault, round(time.monotonic() - self.begun, 1), standing)
        self.struck.append(struck)
        if strike.fault in BESIDE:
            started = asyncio.Event()
            task = asyncio.create_task(self._go_through(strike, struck, started))
            self._beside.add(task)
            begun = asyncio.create_task(started.wait())
            await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
            begun.cancel()
        else:
            await self._go_through(strike, struck, asyncio.Event())

    async def _go_through(self, strike: Strike, struck: Struck, started: asyncio.Event) -> None:
        begun = time.monotonic()
        try:
            async with self._harm(strike, struck):
                if strike.freeze:
                    self.scene.send("worker", SIGCONT)
                started.set()
                if strike.fault not in KILLS:
                    await asyncio.sleep(strike.seconds)
        except NoDiskError as error:
            struck.note, struck.skipped = f"skipped: {error}", True
        except Exception as error:  # noqa: BLE001 - what could not be struck or mended is a finding, and the run goes on
            struck.failure = f"{type(error).__name__} {error}".strip()
        finally:
            if strike.freeze:
                self.scene.send("worker", SIGCONT)
        struck.seconds = round(time.monotonic() - begun, 1)
        try:
            struck.back_after = round(await self.scene.back(), 1)
        except TimeoutError:
            struck.failure = struck.failure or "not all parts answer again"
        self.say(struck)

    def _harm(self, strike: Strike, struck: Struck) -> AbstractAsyncContextManager[None]:
        """Return what does the harm when entered and mends it when left."""
        scene, fault = self.scene, strike.fault
        if fault in KILLS:
            return _once(scene.kill(KILLS[fault]))
        if fault in OF_AUTHORITY:
            return _mood(scene, "authority", OF_AUTHORITY[fault])
        if fault in OF_MAIL:
            return _mood(scene, "mail", OF_MAIL[fault])
        match fault:
            case Fault.AUTHORITY_AWAY:
                self._away_until = time.monotonic() + strike.seconds + 1
                return _mood(scene, "authority", "away")
            case Fault.CASE_POISONED:
                return poison_case(scene, self.drive, strike.number, struck)
            case Fault.WORKFLOW_UNDECODABLE:
                return send_undecodable(scene, self.drive, strike.number, struck)
        return _harm_to_host(scene, strike, struck)


def _harm_to_host(scene: Scene, strike: Strike, struck: Struck) -> AbstractAsyncContextManager[None]:
    """Return the harm done to a line, a disk or a clock."""
    match strike.fault:
        case Fault.DATABASE_SLOW:
            return _slow(scene.database)
        case Fault.TEMPORAL_SLOW:
            return _slow(scene.temporal)
        case Fault.DATABASE_SILENT:
            return _silent(scene.database)
        case Fault.TEMPORAL_SILENT:
            return _silent(scene.temporal)
        case Fault.DATABASE_CUT:
            return _once(scene.database.set(Mood.OPEN))
        case Fault.DISK_SLOW:
            return _slow_disk(scene)
        case Fault.DISK_FULL:
            return _full_disk(scene, struck)
    part = "worker" if strike.fault is Fault.WORKER_CLOCK else "api"
    return _clock(scene, part, SKEW_SECONDS if strike.number % 2 else -SKEW_SECONDS, struck)


@asynccontextmanager
async def _once(doing: Awaitable[Any]) -> AsyncIterator[None]:
    await doing
    yield


@asynccontextmanager
async def _mood(scene: Scene, part: str, mood: str) -> AsyncIterator[None]:
    await scene.mood(part, mood)
    try:
        yield
    finally:
        await scene.mood(part, "normal")


@asynccontextmanager
async def _slow(door: Door) -> AsyncIterator[None]:
    door.slow_down(_SLOW_LINE_SECONDS)
    try:
        yield
    finally:
        door.slow_down(0.0)


@asynccontextmanager
async def _silent(door: Door) -> AsyncIterator[None]:
    door.stop_passing()
    try:
        yield
    finally:
        door.go_on_passing()


@asynccontextmanager
async def _slow_disk(scene: Scene) -> AsyncIterator[None]:
    """Let PostgreSQL write a dozen times a second."""
    if scene.disk is None:
        raise NoDiskError(scene.why_no_disk)
    scene.disk.slow_down(_SLOW_DISK_WRITES, scene.processes_of_postgres())
    try:
        yield
    finally:
        scene.disk.speed_up()


@asynccontextmanager
async def _full_disk(scene: Scene, struck: Struck) -> AsyncIterator[None]:
    if scene.disk is None:
        raise NoDiskError(scene.why_no_disk)
    said, restarts = _no_space_left(scene), scene.restarts["postgres"]
    taken = await asyncio.to_thread(scene.disk.fill)
    try:
        yield
        # A segment of the log holds the writes of a hundred cases; ended early, the next one is missed at once.
        for _ in range(2):
            with contextlib.suppress(PostgresError, subprocess.TimeoutExpired):
                await asyncio.to_thread(scene.postgres.run_sql, "SELECT pg_switch_wal()")
        await asyncio.sleep(_FULL_SECONDS)
    finally:
        scene.disk.empty()
        struck.note = (
            f"{taken // 1024 // 1024} MB taken; {_no_space_left(scene) - said} times no space left in PostgreSQL's log;"
            f" started again {scene.restarts['postgres'] - restarts} times"
        )


def _no_space_left(scene: Scene) -> int:
    return (scene.stack.logs / "postgres.log").read_text(errors="replace").count("No space left on device")


@asynccontextmanager
async def _clock(scene: Scene, part: str, seconds: float, struck: Struck) -> AsyncIterator[None]:
    """Have a part live on a host whose clock is off: it is started there, and later here again."""
    file = scene.directory / f"{part}.clock"
    set_clock(file, seconds)
    await scene.kill(part)
    struck.note = f"{seconds:+.0f} s"
    try:
        yield
    finally:
        set_clock(file, 0)
        await scene.kill(part)
