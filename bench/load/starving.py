"""Starving: what a silent authority, whose calls take every place of a worker for activities, leaves to all else."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import httpx
from rich.console import Console
from temporalio.client import Client

from bench.compare.sides.base import Running
from bench.compare.sides.hetao import HetaoSide
from bench.measure import latencies_ms
from bench.people import numbers, registration
from workflows.archive import SCHEDULE_ID

# Each makes two calls; a worker has fifty places for activities (`worker._case_worker`).
_APPROVED: Final = {True: 60, False: 40}
_ASKED: Final = {True: 20, False: 8}
_PLACES: Final = 50
_FILL_SECONDS: Final = 40.0
_LONGEST_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.05
_TASK: Final = "SELECT EXISTS (SELECT 1 FROM tasks WHERE reference = $1 AND kind = 'review')"
_TASKS: Final = "SELECT count(*) FROM tasks WHERE kind = 'review' AND reference = ANY($1)"


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Time cases, decisions and a round of the archive with a quiet worker, and with one whose places are all taken."""
    people = numbers(4_000_000)
    async with HetaoSide().open(directory) as running:
        watch = await asyncpg.connect(running.watch_url)
        client = await Client.connect(running.servers.stack.temporal_address)
        try:
            async with httpx.AsyncClient(base_url=running.api, timeout=120, trust_env=False) as http:
                await _ask(http, running, watch, people, 2)
                quiet = await _all(http, running, watch, client, people, _ASKED[full])
                waiting = [await _hand_in(http, running, people) for _ in range(_APPROVED[full])]
                await _until(lambda: watch.fetchval(_TASKS, waiting), len(waiting))
                # It takes connections and never answers, as a host behind a firewall does: each call lasts 15 s.
                os.kill(running.pids["authority"], signal.SIGSTOP)
                for reference in waiting:
                    await _approve(http, running, reference)
                taken = await _until_taken(http, running)
                starved = await _all(http, running, watch, client, people, _ASKED[full])
                taken = max(taken, await _used(http, running))
        finally:
            os.kill(running.pids["authority"], signal.SIGCONT)
            await watch.close()
    shutil.rmtree(directory, ignore_errors=True)
    return {"calls_held": 2 * _APPROVED[full], "places_taken": taken, "quiet": quiet, "starved": starved}


async def _all(
    http: httpx.AsyncClient, running: Running, watch: Any, client: Client, people: Iterator[int], count: int
) -> dict[str, Any]:
    tasks, decisions = await _ask(http, running, watch, people, count)
    return {
        "request_to_task_ms": latencies_ms(tasks),
        "decision_ms": latencies_ms(decisions),
        "archive_waits_ms": round(await _archive_waits(client) * 1000, 1),
    }


async def _ask(
    http: httpx.AsyncClient, running: Running, watch: Any, people: Iterator[int], count: int
) -> tuple[list[float], list[float]]:
    """Return the seconds from each request to its task, and those in which each decision was answered."""
    tasks, decisions = [], []
    for _ in range(count):
        begun = time.perf_counter()
        reference = await _hand_in(http, running, people)
        await _until(lambda reference=reference: watch.fetchval(_TASK, reference), True)
        tasks.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        await _approve(http, running, reference)
        decisions.append(time.perf_counter() - begun)
    return tasks, decisions


async def _archive_waits(client: Client) -> float:
    """Start a round of the archive, a regular activity of the same queue, and return how long it waited for a place."""
    handle = client.get_schedule_handle(SCHEDULE_ID)
    before = len((await handle.describe()).info.recent_actions)
    await handle.trigger()

    async def run() -> Any:
        actions = (await handle.describe()).info.recent_actions
        return actions[-1].action if len(actions) != before else None

    action = await _until(run)
    history = client.get_workflow_handle(action.workflow_id, run_id=action.first_execution_run_id)
    asked: datetime | None = None
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < end:
        async for event in history.fetch_history_events():
            if event.HasField("activity_task_scheduled_event_attributes"):
                asked = event.event_time.ToDatetime()
            if event.HasField("activity_task_started_event_attributes") and asked is not None:
                return (event.event_time.ToDatetime() - asked).total_seconds()
        await asyncio.sleep(_LOOK_SECONDS)
    return _LONGEST_SECONDS


async def _until(look: Any, wanted: Any = None) -> Any:
    """Look until what is wanted is seen, or anything at all where nothing is named."""
    end = time.monotonic() + _LONGEST_SECONDS
    while True:
        seen = await look()
        if seen == wanted if wanted is not None else seen:
            return seen
        if time.monotonic() > end:
            raise TimeoutError(f"{seen} and not {wanted} after {_LONGEST_SECONDS:.0f} s.")
        await asyncio.sleep(_LOOK_SECONDS)


async def _hand_in(http: httpx.AsyncClient, running: Running, people: Iterator[int]) -> str:
    answer = await _post(http, "/v1/registrations", registration(next(people)), running.headers("employer-a"))
    return str(answer["reference"])


async def _approve(http: httpx.AsyncClient, running: Running, reference: str) -> None:
    path = f"/v1/registrations/{reference}/decision"
    await _post(http, path, {"action": "approve", "round": 1}, running.headers("officer-1"))


async def _post(http: httpx.AsyncClient, path: str, body: Any, headers: dict[str, str]) -> Any:
    answer = await http.post(path, json=body, headers=headers | {"Idempotency-Key": str(uuid4())})
    if not answer.is_success:
        raise RuntimeError(f"{answer.status_code} {answer.text[:300]}")
    return answer.json()


async def _until_taken(http: httpx.AsyncClient, running: Running) -> int:
    """Wait until the places are taken, as far as the calls go, and return how many are."""
    end, most = time.monotonic() + _FILL_SECONDS, 0
    while most < _PLACES and time.monotonic() < end:
        most = max(most, await _used(http, running))
        await asyncio.sleep(_LOOK_SECONDS)
    return most


async def _used(http: httpx.AsyncClient, running: Running) -> int:
    """Return how many places for activities of the registration queue the worker says are taken."""
    text = (await http.get(running.servers.stack.url("worker_metrics") + "/metrics")).raise_for_status().text
    taken = 0.0
    for line in text.splitlines():
        is_used = line.startswith("temporal_worker_task_slots_used{")
        if is_used and 'task_queue="registration"' in line and 'worker_type="ActivityWorker"' in line:
            taken = max(taken, float(line.rpartition(" ")[2]))
    return int(taken)


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what was seen."""
    for name, seen in found.items():
        console.print(f"{name.replace('_', ' ')}:", seen)


def main() -> None:
    """Measure the short way."""
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "starving", full="--full" in sys.argv))
    show(Console(highlight=False), found)


if __name__ == "__main__":
    main()
