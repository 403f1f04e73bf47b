"""How each fault strikes and how it is mended, whether it took effect, and what stood where in that moment."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from signal import SIGCONT, SIGSTOP
from typing import Final

from bench.faults.clocks import set_clock
from bench.faults.disk import NoDiskError
from bench.faults.driver import Drive
from bench.faults.effects import answer_seconds, is_cut, lines_off, shown, write_seconds
from bench.faults.people import plain_person
from bench.faults.plan import BESIDE, KILLS, OF_AUTHORITY, OF_MAIL, SKEW_SECONDS, Fault, Plan, Strike
from bench.faults.poison import poison_case, send_undecodable
from bench.faults.scene import Scene
from sandbox.stack.doors import Door, Mood
from sandbox.stack.postgres import PostgresError

_SLOW_LINE_SECONDS: Final = 0.15
_TRIES: Final = 3  # of an answer through a quiet door, on a machine that is busy
_SLOW_DISK_WRITES: Final = 12
_FULL_SECONDS: Final = 6.0
# A mood that nothing met is given a case of its own, and so long for that to come to it.
_MEETS_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.5
_FIRST_NUMBER: Final = 800_000
# So long a part on a wrong clock may take to write a line, after its time is over.
_SPEAKS_SECONDS: Final = 60.0
# How many times as long as before eight commits must take on a slow disk.
_SLOWER: Final = 2.0


@dataclass
class Struck:
    """A fault that struck: when, what stood where, how long until all parts answered again, and what was seen of it."""

    number: int
    fault: Fault
    at: float
    standing: dict[str, dict[str, int]]
    seconds: float = 0.0
    back_after: float | None = None
    note: str = ""
    failure: str = ""
    skipped: bool = False
    took_effect: bool = False

    def saw(self, note: str, *, took_effect: bool) -> None:
        """Note what was seen of the fault."""
        self.note, self.took_effect = note, took_effect


@dataclass
class Striker:
    """Carries out a plan on a scene."""

    scene: Scene
    drive: Drive
    plan: Plan
    say: Callable[[Struck], None]
    struck: list[Struck] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    _away: asyncio.Task[None] | None = None
    _beside: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Strike one after the other, and let the drive go on until that is over."""
        self.drive.is_struck = True
        try:
            await self._all()
        finally:
            self.drive.is_struck = False

    async def _all(self) -> None:
        """Strike one after the other; moods of the authority wait while it is away."""
        waiting: list[Strike] = []
        for strike in self.plan.strikes:
            if strike.fault in OF_AUTHORITY and self._away is not None and not self._away.done():
                waiting.append(strike)
            else:
                await self._strike(strike)
        if self._away is not None:
            await asyncio.wait({self._away})
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
            if strike.fault is Fault.AUTHORITY_AWAY:
                self._away = task
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
            return _kill(scene, KILLS[fault], struck)
        if fault in OF_AUTHORITY:
            return self._mood("authority", OF_AUTHORITY[fault], struck)
        if fault in OF_MAIL:
            return self._mood("mail", OF_MAIL[fault], struck)
        match fault:
            case Fault.AUTHORITY_AWAY:
                return self._mood("authority", "away", struck)
            case Fault.CASE_POISONED:
                return poison_case(scene, self.drive, strike.number, struck)
            case Fault.WORKFLOW_UNDECODABLE:
                return send_undecodable(scene, self.drive, strike.number, struck)
        return _harm_to_host(scene, strike, struck)

    @asynccontextmanager
    async def _mood(self, part: str, mood: str, struck: Struck) -> AsyncIterator[None]:
        """Put a stand-in into a mood until the time is over and something has met it."""
        scene = self.scene
        before = await _met(scene, part, mood)
        await scene.mood(part, mood)
        try:
            yield
            if await _met(scene, part, mood) == before:
                await self._bring_one(part, mood, struck.number, before)
        finally:
            await scene.mood(part, "normal")
            met = await _met(scene, part, mood) - before
            struck.saw(f"met {met} times", took_effect=met > 0)

    async def _bring_one(self, part: str, mood: str, number: int, before: int) -> None:
        """Take on one case more, and wait until something has met a mood that nothing met so far."""
        person = plain_person(_FIRST_NUMBER + number, f"faults-brought-{number}")
        end = time.monotonic() + _MEETS_SECONDS
        async with asyncio.TaskGroup() as group:
            group.create_task(self.drive.register_person(person))
            while await _met(self.scene, part, mood) == before and time.monotonic() < end:
                await asyncio.sleep(_LOOK_SECONDS)


def without_effect(struck: Iterable[Struck]) -> list[Fault]:
    """Return the faults that struck, and were never seen to take effect."""
    seen: dict[Fault, bool] = {}
    for each in struck:
        if not each.skipped:
            seen[each.fault] = seen.get(each.fault, False) or each.took_effect
    return sorted(fault for fault, took_effect in seen.items() if not took_effect)


async def _met(scene: Scene, part: str, mood: str) -> int:
    moods = await scene.aside(part, "GET", "/sandbox/mood")
    return int(moods["met"].get(mood, 0))


def _harm_to_host(scene: Scene, strike: Strike, struck: Struck) -> AbstractAsyncContextManager[None]:
    """Return the harm done to a line, a disk or a clock."""
    match strike.fault:
        case Fault.DATABASE_SLOW:
            return _slow(scene, scene.database, struck)
        case Fault.TEMPORAL_SLOW:
            return _slow(scene, scene.temporal, struck)
        case Fault.DATABASE_SILENT:
            return _silent(scene, scene.database, struck)
        case Fault.TEMPORAL_SILENT:
            return _silent(scene, scene.temporal, struck)
        case Fault.DATABASE_CUT:
            return _cut(scene.database, struck)
        case Fault.DISK_SLOW:
            return _slow_disk(scene, struck)
        case Fault.DISK_FULL:
            return _full_disk(scene, struck)
    part = "worker" if strike.fault is Fault.WORKER_CLOCK else "api"
    return _clock(scene, part, SKEW_SECONDS if strike.number % 2 else -SKEW_SECONDS, struck)


@asynccontextmanager
async def _kill(scene: Scene, part: str, struck: Struck) -> AsyncIterator[None]:
    """Kill a part; the scene waits until another process has taken its place."""
    await scene.kill(part)
    struck.saw("another process", took_effect=True)
    yield


@asynccontextmanager
async def _cut(door: Door, struck: Struck) -> AsyncIterator[None]:
    """Cut all connections, one of our own among them, and take new ones."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    try:
        await door.set(Mood.OPEN)
        cut = await is_cut(reader)
    finally:
        writer.close()
    struck.saw(f"our own connection was {'' if cut else 'not '}cut", took_effect=cut)
    yield


@asynccontextmanager
async def _slow(scene: Scene, door: Door, struck: Struck) -> AsyncIterator[None]:
    tried = [await answer_seconds(scene, door) for _ in range(_TRIES)]
    before = min((each for each in tried if each is not None), default=None)
    door.slow_down(_SLOW_LINE_SECONDS)
    try:
        during = await answer_seconds(scene, door)
        # Temporal speaks first, so that its first word is slow one way alone.
        is_slow = before is not None and during is not None and during - before >= _SLOW_LINE_SECONDS / 2
        struck.saw(f"first word after {shown(during)}, before after {shown(before)}", took_effect=is_slow)
        yield
    finally:
        door.slow_down(0.0)


@asynccontextmanager
async def _silent(scene: Scene, door: Door, struck: Struck) -> AsyncIterator[None]:
    before = await answer_seconds(scene, door)
    door.stop_passing()
    try:
        during = await answer_seconds(scene, door)
        is_silent = before is not None and during is None
        struck.saw(f"first word: {shown(during)}, before: {shown(before)}", took_effect=is_silent)
        yield
    finally:
        door.go_on_passing()


@asynccontextmanager
async def _slow_disk(scene: Scene, struck: Struck) -> AsyncIterator[None]:
    """Let PostgreSQL write a dozen times a second."""
    if scene.disk is None:
        raise NoDiskError(scene.why_no_disk)
    before = await write_seconds(scene)
    scene.disk.slow_down(_SLOW_DISK_WRITES, scene.processes_of_postgres())
    try:
        during = await write_seconds(scene)
        struck.saw(
            f"eight commits in {during * 1000:.0f} ms, before in {before * 1000:.0f} ms",
            took_effect=during >= _SLOWER * before,
        )
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
        missed = _no_space_left(scene) - said
        struck.saw(
            f"{taken // 1024 // 1024} MB taken; {missed} times no space left in PostgreSQL's log;"
            f" started again {scene.restarts['postgres'] - restarts} times",
            took_effect=missed > 0,
        )


def _no_space_left(scene: Scene) -> int:
    return (scene.stack.logs / "postgres.log").read_text(errors="replace").count("No space left on device")


@asynccontextmanager
async def _clock(scene: Scene, part: str, seconds: float, struck: Struck) -> AsyncIterator[None]:
    """Have a part live on a host whose clock is off: it is started there, and later here again."""
    file, log = scene.directory / f"{part}.clock", scene.stack.logs / f"{part}.log"
    set_clock(file, seconds)
    await scene.kill(part)
    begun, written = datetime.now(UTC), log.stat().st_size
    try:
        yield
        end = time.monotonic() + _SPEAKS_SECONDS
        while not (off := lines_off(log.read_bytes()[written:], begun, datetime.now(UTC), seconds)):
            if time.monotonic() > end:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        struck.saw(f"{seconds:+.0f} s: {off} lines of its log at that time", took_effect=off > 0)
    finally:
        set_clock(file, 0)
        await scene.kill(part)
