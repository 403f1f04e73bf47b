"""One worker process and two, in turn on one stack: cases a second, processor time, and what PostgreSQL waits for."""

import asyncio
import gc
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import asyncpg
from rich.console import Console

from bench.compare.driver import Outcome, run_cases
from bench.compare.sides.base import Running
from bench.compare.sides.hetao import HetaoSide
from bench.measure import spread
from bench.people import numbers
from sandbox.stack.embedded import application_environment, sealer_environment
from sandbox.stack.ports import free_port

_IN_FLIGHT: Final = 50
_CASES: Final = {True: 200, False: 60}
_ROUNDS: Final = {True: 3, False: 1}
_WARM: Final = 20
_SECOND: Final = "worker 2"
_SETTLE_SECONDS: Final = 2.0
_SAMPLE_SECONDS: Final = 0.05
# Sessions of the engine at work, and what those wait for that do: locks are waited for under `Lock`.
_SESSIONS: Final = """
SELECT coalesce(wait_event_type || '/' || wait_event, 'runs') AS waits, count(*) AS n FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND state = 'active' GROUP BY 1
"""
# Locks that were asked for and not given: which, for what, for how long by now, and behind whom.
_WAITS: Final = """
SELECT l.locktype || coalesce(' ' || c.relname, '') AS lock,
       regexp_replace(a.query, '^BEGIN; SET LOCAL [^;]*; ', '') AS query,
       extract(epoch FROM clock_timestamp() - l.waitstart) * 1000 AS ms, pg_blocking_pids(l.pid) AS behind
FROM pg_locks l JOIN pg_stat_activity a USING (pid) LEFT JOIN pg_class c ON c.oid = l.relation WHERE NOT l.granted
"""
_SHOWN: Final = 60  # characters of a statement


@dataclass(slots=True)
class Waits:
    """What PostgreSQL's sessions were seen to do, look after look."""

    looks: int = 0
    sessions: Counter[str] = field(default_factory=Counter)
    locks: Counter[str] = field(default_factory=Counter)
    longest_ms: float = 0.0
    longest_queue: int = 0

    async def look(self, watch: Any) -> None:
        """Look once."""
        self.looks += 1
        for row in await watch.fetch(_SESSIONS):
            self.sessions[row["waits"]] += row["n"]
        behind: Counter[int] = Counter()
        for row in await watch.fetch(_WAITS):
            self.locks[f"{row['lock']}: {row['query'][:_SHOWN]}"] += 1
            self.longest_ms = max(self.longest_ms, float(row["ms"] or 0))
            behind.update(row["behind"])
        self.longest_queue = max(self.longest_queue, *behind.values(), 0)

    def view(self) -> dict[str, Any]:
        """Return what was seen, the most frequent first."""
        return {
            "looks": self.looks,
            "sessions_at_work_a_look": round(sum(self.sessions.values()) / max(self.looks, 1), 2),
            "share_of_sessions": {
                name: round(count / max(sum(self.sessions.values()), 1), 3)
                for name, count in self.sessions.most_common(8)
            },
            "locks_waited_for": dict(self.locks.most_common(8)),
            "sessions_waiting_for_a_lock_a_look": round(sum(self.locks.values()) / max(self.looks, 1), 4),
            # Steps of one case follow each other, two or three at a time; a row of all cases would hold up dozens.
            "most_sessions_behind_one": self.longest_queue,
            "longest_wait_seen_ms": round(self.longest_ms, 1),
        }


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Carry cases through with one worker and with two, turn by turn."""
    people = numbers(3_000_000)
    turns: dict[str, list[Outcome]] = {"one": [], "two": []}
    seen = {"one": Waits(), "two": Waits()}
    async with HetaoSide().open(directory) as running:
        watch = await asyncpg.connect(running.watch_url)
        try:
            await run_cases(running, people, cases=_WARM, in_flight=10)
            for _ in range(_ROUNDS[full]):
                await _turn("one", running, people, full, watch, turns, seen)
                async with second_worker(running) as pid:
                    both = replace(running, pids=running.pids | {_SECOND: pid})
                    await run_cases(both, people, cases=_WARM, in_flight=10)
                    await _turn("two", both, people, full, watch, turns, seen)
        finally:
            await watch.close()
    shutil.rmtree(directory, ignore_errors=True)
    found = {name: _summary(turns[name], seen[name]) for name in turns}
    ratio = found["two"]["cases_per_second"]["median"] / found["one"]["cases_per_second"]["median"]
    return {"in_flight": _IN_FLIGHT, "cases": _CASES[full], "two_are_times_as_fast": round(ratio, 2), **found}


async def _turn(
    name: str,
    running: Running,
    people: Any,
    full: bool,
    watch: Any,
    turns: dict[str, list[Outcome]],
    seen: dict[str, Waits],
) -> None:
    gc.collect()
    await asyncio.sleep(_SETTLE_SECONDS)
    sampling = asyncio.create_task(_sample(watch, seen[name]))
    try:
        turns[name].append(await run_cases(running, people, cases=_CASES[full], in_flight=_IN_FLIGHT))
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)


async def _sample(watch: Any, waits: Waits) -> None:
    while True:
        await waits.look(watch)
        await asyncio.sleep(_SAMPLE_SECONDS)


@asynccontextmanager
async def second_worker(running: Running) -> AsyncIterator[int]:
    """Run one more worker beside that of the stack, as its own process with the same settings."""
    servers = running.servers
    port = free_port()
    told = application_environment(servers.stack) | sealer_environment(servers.stack)
    environment = told | {"HETAO_WORKER_METRICS_PORT": str(port)}
    servers.start(_SECOND, (sys.executable, "-P", "-m", "cli", "worker"), environment)
    try:
        await servers.wait_for(_SECOND, f"http://127.0.0.1:{port}/metrics")
        yield servers.processes[_SECOND].pid
    finally:
        await asyncio.to_thread(servers.stop)


def _summary(outcomes: list[Outcome], waits: Waits) -> dict[str, Any]:
    parts = outcomes[0].cpu_ms_per_case
    return {
        "cases_per_second": spread(each.cases_per_second for each in outcomes),
        "latency_ms": {
            share: spread(each.latency_ms[share] for each in outcomes)["median"] for share in ("p50", "p95")
        },
        "cpu_ms_a_case": {part: spread(each.cpu_ms_per_case[part] for each in outcomes)["median"] for part in parts},
        "cores_busy": spread(each.cores_busy for each in outcomes),
        "postgresql": waits.view(),
        "runs": [asdict(each) for each in outcomes],
    }


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what was seen."""
    for name in ("one", "two"):
        said = {key: value for key, value in found[name].items() if key != "runs"}
        console.print(f"{name}:", said)
    console.print(f"two are {found['two_are_times_as_fast']:g} times as fast")
