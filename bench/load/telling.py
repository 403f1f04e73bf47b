"""Telling: whether the time of a dry run tells an employer who is registered elsewhere."""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import httpx
from rich.console import Console

from bench.compare.sides.base import Running
from bench.compare.sides.hetao import HetaoSide
from bench.measure import latencies_ms
from bench.people import registration

_PEOPLE: Final = 20  # registered by employer A, and as many that nobody knows
_CHECKS: Final = {True: 4_000, False: 1_000}  # of each
_WARM: Final = 50
_SEED: Final = 15
_GOAL: Final = 0.55
_LONGEST_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.2
_QUIET_SECONDS: Final = 3.0
_ASSESSED: Final = "SELECT count(*) FROM tasks WHERE kind = 'review'"


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Time dry runs of employer B, of people whom employer A has registered and of others, in an order of chance."""
    async with (
        HetaoSide().open(directory) as running,
        httpx.AsyncClient(base_url=running.api, timeout=60, trust_env=False) as http,
    ):
        known = await _register(http, running)
        unknown = [number + _PEOPLE for number in known]
        numbers = {"known_elsewhere": known, "unknown": unknown}
        await _check_all(http, running, numbers, _WARM)
        taken = await _check_all(http, running, numbers, _CHECKS[full])
    shutil.rmtree(directory, ignore_errors=True)
    auc = area_under_curve(taken["known_elsewhere"], taken["unknown"])
    return {
        "checks_of_each": _CHECKS[full],
        "check_ms": {name: latencies_ms(seconds) for name, seconds in taken.items()},
        "auc": round(auc, 3),
        # A guess by the time, the better way round: 0.5 is a coin.
        "told": round(max(auc, 1 - auc), 3),
        "goal": _GOAL,
    }


def area_under_curve(known: Sequence[float], unknown: Sequence[float]) -> float:
    """Return how often a sample of the first is longer than one of the second, equal ones counting half."""
    ordered = sorted([(value, True) for value in known] + [(value, False) for value in unknown])
    ranks, start = 0.0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        ranks += (start + 1 + end) / 2 * sum(is_known for _, is_known in ordered[start:end])
        start = end
    pairs = len(known) * len(unknown)
    return (ranks - len(known) * (len(known) + 1) / 2) / pairs


async def _register(http: httpx.AsyncClient, running: Running) -> list[int]:
    """Register people of employer A, wait until their cases rest, and return their numbers."""
    people = list(range(1, _PEOPLE + 1))
    for number in people:
        headers = running.headers("employer-a") | {"Idempotency-Key": str(uuid4())}
        answer = await http.post("/v1/registrations", json=registration(number), headers=headers)
        if not answer.is_success:
            raise RuntimeError(f"{answer.status_code} {answer.text[:300]}")
    watch = await asyncpg.connect(running.watch_url)
    try:
        end = time.monotonic() + _LONGEST_SECONDS
        while await watch.fetchval(_ASSESSED) < len(people):
            if time.monotonic() > end:
                raise TimeoutError(f"Not all cases have a task after {_LONGEST_SECONDS:.0f} s.")
            await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        await watch.close()
    await asyncio.sleep(_QUIET_SECONDS)
    return people


async def _check_all(
    http: httpx.AsyncClient, running: Running, numbers: dict[str, list[int]], checks: int
) -> dict[str, list[float]]:
    """Check people one after the other and return the seconds of each dry run by what the person is."""
    chance = random.Random(_SEED)
    order = [name for name in numbers for _ in range(checks)]
    chance.shuffle(order)
    taken: dict[str, list[float]] = {name: [] for name in numbers}
    headers = running.headers("employer-b")
    for name in order:
        body = registration(chance.choice(numbers[name]), work_site="SZP-101")
        begun = time.perf_counter()
        answer = await http.post("/v1/registrations/check", json=body, headers=headers)
        seconds = time.perf_counter() - begun
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            await asyncio.sleep(float(answer.headers["Retry-After"]))
            continue
        if not answer.is_success:
            raise RuntimeError(f"{answer.status_code} {answer.text[:300]}")
        taken[name].append(seconds)
    return taken


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what was seen."""
    for name, seen in found.items():
        console.print(f"{name.replace('_', ' ')}:", seen)


def main() -> None:
    """Measure the short way."""
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "telling", full=False))
    show(Console(highlight=False), found)


if __name__ == "__main__":
    main()
