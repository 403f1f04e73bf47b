"""Twice what the API can serve, for minutes: what it answers, its memory, and how soon it is well again."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp
from rich.console import Console
from rich.table import Table

from bench.compare.sides.base import Running
from bench.compare.sides.hetao import HetaoSide
from bench.load.client import open_client
from bench.measure import latencies_ms, percentile, rss_mb
from bench.people import numbers, registration

_CALLERS: Final = 100  # as many as need no shedding: with fewer, the engine beside it takes the cores instead
_QUIET_SECONDS: Final = 10.0
_WARM_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 60.0
_PROBE_SECONDS: Final = 0.5
_WELL_SECONDS: Final = 60.0
_SHED: Final = frozenset({429, 503})
_OVER: Final = 2.0  # times what it can serve


@dataclass(slots=True)
class Seen:
    """What came of the calls of one phase."""

    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    taken: list[float] = field(default_factory=list)

    def note(self, answer: aiohttp.ClientResponse, seconds: float) -> None:
        """Count one answer."""
        self.answers[answer.status] += 1
        if answer.status in _SHED:
            self.without_retry_after += "Retry-After" not in answer.headers
        else:
            self.taken.append(seconds)

    @property
    def served(self) -> int:
        """How many calls got what they asked for."""
        return sum(count for status, count in self.answers.items() if status < 300)


@dataclass(slots=True)
class Crowd:
    """Employers who register people and read their lists, three of four calls a registration."""

    http: aiohttp.ClientSession
    headers: dict[str, str]
    people: Iterator[int]
    turn: int = 0

    async def call(self, seen: Seen) -> None:
        """Make one call and note what came of it."""
        self.turn += 1
        begun = time.perf_counter()
        if self.turn % 4:
            headers = self.headers | {"Idempotency-Key": str(uuid4())}
            call = self.http.post("/v1/registrations", json=registration(next(self.people)), headers=headers)
        else:
            call = self.http.get("/v1/registrations?limit=20", headers=self.headers)
        try:
            async with call as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            seen.broken[type(error).__name__] += 1
            return
        seen.note(answer, time.perf_counter() - begun)


@dataclass(frozen=True, slots=True)
class Offered:
    """Calls that were all begun, though not all answered yet."""

    seen: Seen
    a_second: float  # at which calls were begun in fact
    ended: float  # when the last was begun, by the monotonic clock
    outstanding: frozenset[asyncio.Task[None]]


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Find what the API serves, offer twice as much for five minutes (short: half a minute), and watch it."""
    seconds = 300.0 if full else 30.0
    async with (
        HetaoSide().open(directory) as running,
        open_client(running.api, patience=_PATIENCE_SECONDS) as http,
    ):
        crowd = Crowd(http, running.headers("employer-a"), numbers(500_000))
        quiet = await _probe_for(crowd, _QUIET_SECONDS)
        await _serves(crowd, _WARM_SECONDS)
        can = await _serves(crowd, _QUIET_SECONDS)
        memory = [rss_mb({"api": running.pids["api"]})["api"]]
        offered = await _offer(crowd, running, _OVER * can, seconds, memory)
        well_after = await _until_well(crowd, percentile(quiet.taken, 0.95), offered.ended)
        await asyncio.gather(*offered.outstanding)
    seen = offered.seen
    return {
        "serves_a_second": round(can, 1),
        "offered_a_second": round(offered.a_second, 1),
        "seconds": seconds,
        "answers": {str(status): count for status, count in sorted(seen.answers.items())},
        "shed_without_retry_after": seen.without_retry_after,
        "broken_connections": dict(seen.broken),
        "served_ms": latencies_ms(seen.taken),
        "quiet_ms": latencies_ms(quiet.taken),
        "api_rss_mb": {"before": memory[0], "most": max(memory), "last": memory[-1]},
        "well_after_seconds": well_after,
    }


async def _probe_for(crowd: Crowd, seconds: float) -> Seen:
    """Call one at a time with pauses, as on a quiet day."""
    seen, end = Seen(), time.monotonic() + seconds
    while time.monotonic() < end:
        await crowd.call(seen)
        await asyncio.sleep(_PROBE_SECONDS / 5)
    return seen


async def _serves(crowd: Crowd, seconds: float) -> float:
    """Return how many calls a second are served to callers who wait for their answers."""
    seen, end = Seen(), time.monotonic() + seconds

    async def caller() -> None:
        while time.monotonic() < end:
            await crowd.call(seen)

    callers = asyncio.gather(*(caller() for _ in range(_CALLERS)))
    await asyncio.sleep(seconds)
    served = seen.served
    await callers
    return served / seconds


async def _offer(crowd: Crowd, running: Running, rate: float, seconds: float, memory: list[float]) -> Offered:
    """Begin calls at a steady rate, whatever became of those begun before, and look at the API's memory on the way."""
    seen, begun = Seen(), time.monotonic()
    tasks: set[asyncio.Task[None]] = set()
    looked, calls = begun, int(rate * seconds)
    for number in range(calls):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        task = asyncio.create_task(crowd.call(seen))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if time.monotonic() - looked > 1.0:
            looked = time.monotonic()
            memory.append(rss_mb({"api": running.pids["api"]})["api"])
    ended = time.monotonic()
    return Offered(seen, calls / (ended - begun), ended, frozenset(tasks))


async def _until_well(crowd: Crowd, quiet_p95: float, ended: float) -> float | None:
    """Return how long after the crowd ended five calls in a row are served within twice the quiet p95.

    Looks beside the crowd's calls that are still to be answered; None if it takes more than a minute.
    """
    in_row = 0
    while time.monotonic() - ended < _WELL_SECONDS:
        seen = Seen()
        await crowd.call(seen)
        in_row = in_row + 1 if seen.served and seen.taken[0] <= 2 * quiet_p95 else 0
        if in_row == 5:
            return round(time.monotonic() - ended, 1)
        await asyncio.sleep(_PROBE_SECONDS / 5)
    return None


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what was seen."""
    table = Table(title="Twice what the API can serve", title_justify="left", show_header=False)
    for name, value in found.items():
        table.add_row(name.replace("_", " "), str(value))
    console.print(table)
