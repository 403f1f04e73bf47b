"""Fairness: how long one employer waits from its request to the officer's task while much of another's is worked off.

Beside a roster of the other, and behind a backlog that the other left in Temporal's queue while no worker ran.
"""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import httpx
from rich.console import Console

from api.starts import PATIENCE
from bench.compare.sides.base import Running
from bench.compare.sides.hetao import HetaoSide
from bench.load.roster import send_roster
from bench.measure import latencies_ms
from bench.people import numbers, registration

_ROWS: Final = {True: 10_000, False: 2_000}
_CASES: Final = {True: 20, False: 10}  # of each turn
_ROUNDS: Final = {True: 5, False: 2}
_BACKLOG: Final = {True: 400, False: 100}
_BEHIND: Final = 20
_SENT_AT_ONCE: Final = 16
_WARM: Final = 5
_LOOK_SECONDS: Final = 0.02
_LONGEST_SECONDS: Final = 60.0
_BEGUN: Final = 20  # rows of the roster that are registered before it counts as running
_PAUSE_SECONDS: Final = 0.2
_STILL_LOOKS: Final = 8  # in a row with nothing new and nothing left to do, until it counts as quiet
_STOP_SECONDS: Final = 180.0
_START_SECONDS: Final = 120.0
# A worker that has a roster gives it back after twenty rows and takes it up again at once, so that a lease put upon it
# is seldom seen; a status that is no worker's business is seen when it would take the roster up the next time.
_STOP: Final = "UPDATE rosters SET status = 'stopped' WHERE status = 'running'"
_GO_ON: Final = "UPDATE rosters SET status = 'running' WHERE status = 'stopped'"
_TASK: Final = "SELECT EXISTS (SELECT 1 FROM tasks WHERE reference = $1 AND kind = 'review')"
_TASKS: Final = "SELECT reference FROM tasks WHERE kind = 'review' AND reference = ANY($1)"
# A delivery under way is queued and due until it is settled; one that waits for its employer's daily mail is not due.
_LEFT: Final = """
SELECT (SELECT count(*) FROM cases WHERE stage IN ('received', 'assessing')) AS cases_to_assess,
       (SELECT count(*) FROM deliveries WHERE status = 'queued' AND next_attempt <= clock_timestamp()) AS deliveries_due
"""


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Time the requests of employer B beside a roster of employer A and while that stands still, in turn."""
    people = numbers()
    async with HetaoSide().open(directory) as running:
        watch = await asyncpg.connect(running.watch_url)
        try:
            async with httpx.AsyncClient(base_url=running.api, timeout=120, trust_env=False) as http:
                await _ask(http, running, watch, people, _WARM)
                await send_roster(http, running, _ROWS[full])
                await _reach(watch, _BEGUN)
                quiet, beside, rows, seconds = [], [], 0, 0.0
                for _ in range(_ROUNDS[full]):
                    await _stop(watch)
                    quiet += await _ask(http, running, watch, people, _CASES[full])
                    await _go_on(watch)
                    before, begun = await _registered(watch), time.perf_counter()
                    beside += await _ask(http, running, watch, people, _CASES[full])
                    rows += await _registered(watch) - before
                    seconds += time.perf_counter() - begun
        finally:
            await watch.close()
    shutil.rmtree(directory, ignore_errors=True)
    behind = await _behind_a_backlog(directory.with_name(f"{directory.name}-backlog"), _BACKLOG[full], people)
    found = {"quiet": latencies_ms(quiet), "beside_the_roster": latencies_ms(beside)}
    return {
        "roster_rows": _ROWS[full],
        "cases": _CASES[full] * _ROUNDS[full],
        "request_to_task_ms": found,
        "p95_ratio": round(found["beside_the_roster"]["p95"] / found["quiet"]["p95"], 2),
        # Fewer than the roster has, or the last requests met no roster any more.
        "rows_meanwhile": rows,
        "rows_a_second_meanwhile": round(rows / seconds, 1),
        "behind_a_backlog": behind,
    }


async def _behind_a_backlog(directory: Path, cases: int, people: Iterator[int]) -> dict[str, Any]:
    """Time how long each employer's cases take once the worker runs again, where one left far more before the other's.

    The worker stands still while the cases are handed in, so that their workflows wait in Temporal's queue.
    """
    async with HetaoSide().open(directory) as running:
        watch = await asyncpg.connect(running.watch_url)
        try:
            limits = httpx.Limits(max_connections=_SENT_AT_ONCE)
            async with httpx.AsyncClient(base_url=running.api, timeout=120, trust_env=False, limits=limits) as http:
                await _ask(http, running, watch, people, _WARM)
                os.kill(running.pids["worker"], signal.SIGSTOP)
                try:
                    sent = [_hand_in(http, running, "employer-a", people, "SZP-001") for _ in range(cases)]
                    before = await asyncio.gather(*sent)
                    after = [await _hand_in(http, running, "employer-b", people, "SZP-101") for _ in range(_BEHIND)]
                    # What the API has not started by then it leaves to the sweeper, which stands still too.
                    await asyncio.sleep(PATIENCE.total_seconds())
                finally:
                    os.kill(running.pids["worker"], signal.SIGCONT)
                taken = await _until_tasks(watch, [*before, *after])
        finally:
            await watch.close()
    shutil.rmtree(directory, ignore_errors=True)
    return {
        "cases_before": cases,
        "cases_behind": _BEHIND,
        "worker_to_task_ms": {
            "before": latencies_ms([taken[reference] for reference in before]),
            "behind": latencies_ms([taken[reference] for reference in after]),
        },
    }


async def _hand_in(http: httpx.AsyncClient, running: Running, who: str, people: Iterator[int], site: str) -> str:
    headers = running.headers(who) | {"Idempotency-Key": str(uuid4())}
    answer = await http.post("/v1/registrations", json=registration(next(people), work_site=site), headers=headers)
    if not answer.is_success:
        raise RuntimeError(f"{answer.status_code} {answer.text[:300]}")
    return str(answer.json()["reference"])


async def _until_tasks(watch: Any, references: list[str]) -> dict[str, float]:
    begun, taken = time.perf_counter(), dict[str, float]()
    while len(taken) < len(references):
        passed = time.perf_counter() - begun
        if passed > _LONGEST_SECONDS * 3:
            raise TimeoutError(f"{len(references) - len(taken)} cases have no task after {passed:.0f} s.")
        for row in await watch.fetch(_TASKS, [each for each in references if each not in taken]):
            taken[row[0]] = passed
        await asyncio.sleep(_LOOK_SECONDS)
    return taken


async def _ask(http: httpx.AsyncClient, running: Running, watch: Any, people: Iterator[int], cases: int) -> list[float]:
    """Hand in cases one after the other, and return the seconds from each request to its task."""
    taken: list[float] = []
    for _ in range(cases):
        body = registration(next(people), work_site="SZP-101")
        headers = running.headers("employer-b") | {"Idempotency-Key": str(uuid4())}
        begun = time.perf_counter()
        answer = await http.post("/v1/registrations", json=body, headers=headers)
        if not answer.is_success:
            raise RuntimeError(f"{answer.status_code} {answer.text[:300]}")
        reference = answer.json()["reference"]
        while not await watch.fetchval(_TASK, reference):
            if time.perf_counter() - begun > _LONGEST_SECONDS:
                raise TimeoutError(f"{reference} has no task after {_LONGEST_SECONDS:.0f} s.")
            await asyncio.sleep(_LOOK_SECONDS)
        taken.append(time.perf_counter() - begun)
        await asyncio.sleep(_PAUSE_SECONDS)
    return taken


async def _stop(watch: Any) -> None:
    """Keep the roster from being taken up, until it adds no row, no case is to be assessed and no delivery is due."""
    seen, still = -1, 0
    left: dict[str, int] = {}
    end = time.monotonic() + _STOP_SECONDS
    while still < _STILL_LOOKS:
        if time.monotonic() > end:
            raise TimeoutError(f"Not quiet after {_STOP_SECONDS:.0f} s: {seen} registered, {left}.")
        await watch.execute(_STOP)
        await asyncio.sleep(_PAUSE_SECONDS)
        now, left = await _registered(watch), dict(await watch.fetchrow(_LEFT))
        still = still + 1 if now == seen and not any(left.values()) else 0
        seen = now


async def _go_on(watch: Any) -> None:
    """Let the roster be taken up again, and wait until it is."""
    before = await _registered(watch)
    await watch.execute(_GO_ON)
    await _reach(watch, before + _BEGUN)


async def _reach(watch: Any, least: int) -> None:
    """Wait until so many people of the roster's employer are registered."""
    end = time.monotonic() + _START_SECONDS
    while (now := await _registered(watch)) < least:
        if time.monotonic() > end:
            raise TimeoutError(f"The roster stands at {now} registered after {_START_SECONDS:.0f} s.")
        await asyncio.sleep(_PAUSE_SECONDS)


async def _registered(watch: Any) -> int:
    return int(await watch.fetchval("SELECT count(*) FROM cases WHERE employer_id = 'emp-a'"))


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what was seen."""
    for name, seen in found.items():
        console.print(f"{name.replace('_', ' ')}:", seen)


def main() -> None:
    """Measure the short way."""
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "fairness", full=False))
    show(Console(highlight=False), found)


if __name__ == "__main__":
    main()
