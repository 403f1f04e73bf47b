"""Sleeping permits: what thousands of cases that only wait cost, and what it takes to wake many of them at once."""

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from rich.console import Console
from temporalio.client import Client

from bench.driver import run_cases
from bench.growth import new_context, resting_case
from bench.measure import cpu_ms, rss_mb
from bench.people import numbers
from bench.rows import OF_A_CASE, Template, columns
from bench.servers import ROOT, Servers, open_servers
from bench.sides.base import Running, module
from cases.calls import current_course
from domain.messages import REGISTRATION_QUEUE, REGISTRATION_WORKFLOW, RegistrationInput, registration_workflow_id
from sandbox.embedded import application_environment
from sandbox.postgres import DATABASE, OWNER, SUPERUSER
from store.keyring import Keyring
from store.migrate import upgrade
from temporal.client import data_converter

_AT_ONCE: Final = 40
_CHUNK: Final = 500
_LONGEST_SECONDS: Final = 240.0
_QUIET_MS: Final = 400.0  # in two seconds, of worker and Temporal together
_REMINDER: Final = "permit_expiring"


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Put cases to sleep, watch them do so, restart the worker among them, and wake some."""
    count, due, idle_seconds = (20_000, 1_000, 60) if full else (1_000, 100, 15)
    async with open_servers(directory) as servers:
        await asyncio.to_thread(upgrade, servers.postgres.url(role=OWNER))
        keyring = Keyring.load(directory / "keys.json")
        client = await Client.connect(servers.stack.temporal_address, data_converter=data_converter(keyring))
        environment = application_environment(servers.stack)
        _load_register(environment)
        superuser = await asyncpg.connect(servers.postgres.url(role=SUPERUSER, database=DATABASE))
        try:
            people = numbers()
            empty = _disk(servers)
            begun = time.monotonic()
            wake_at = await _put_to_sleep(servers, keyring, client, superuser, people, count, due)
            found: dict[str, Any] = {
                "permits": 2 * count,
                "cases": count,
                "started_in_s": round(time.monotonic() - begun),
            }
            servers.start("worker", module("cli", "worker"), environment)
            await servers.wait_for("worker", servers.stack.url("worker_metrics") + "/metrics")
            await _asleep(servers)
            found["bytes_a_case"] = {name: round(size / count) for name, size in _grown(empty, _disk(servers)).items()}
            found["idle"] = await _idle(servers, idle_seconds)
            found["restart"] = await _restart(servers, environment, people)
            found["reminders"] = await _reminders(superuser, wake_at, due)
            found["after"] = {"worker_rss_mb": rss_mb({"worker": servers.pids()["worker"]})["worker"]}
        finally:
            await superuser.close()
    shutil.rmtree(directory, ignore_errors=True)
    return found


async def _put_to_sleep(
    servers: Servers, keyring: Keyring, client: Client, superuser: Any, people: Iterator[int], count: int, due: int
) -> datetime:
    """Copy a resting case so many times, and start each one's workflow where a case that rests goes on."""
    context = new_context(servers.postgres.url(), keyring)
    try:
        original = await resting_case(context, next(people))
        course = (await current_course(context, original)).model_copy(update={"outcomes": ()})
    finally:
        await context.database.close()
    template = await Template.capture(superuser, keyring, original, lean=True)
    # Late enough that all are asleep by then; those due have their next reminder at one time.
    wake_at = datetime.now(UTC) + timedelta(seconds=60 + count * 0.02 + 60)
    places = asyncio.Semaphore(_AT_ONCE)

    async def start(reference: str, wakes: bool) -> None:
        async with places:
            given = course.model_copy(update={"wake_at": wake_at, "wake_for": _REMINDER}) if wakes else course
            await client.start_workflow(
                REGISTRATION_WORKFLOW,
                RegistrationInput(reference=reference, course=given),
                id=registration_workflow_id(reference),
                task_queue=REGISTRATION_QUEUE,
            )

    for first in range(0, count, _CHUNK):
        references = await _copy(superuser, keyring, template, first, min(_CHUNK, count - first), due, wake_at)
        await asyncio.gather(*(start(each, first + place < due) for place, each in enumerate(references)))
    return wake_at


async def _copy(
    superuser: Any, keyring: Keyring, template: Template, first: int, count: int, due: int, wake_at: datetime
) -> list[str]:
    """Copy the rows of the case, and move the earliest waiting deadline of those that are to wake."""
    batch: dict[str, list[dict[str, Any]]] = {}
    references: list[str] = []
    for number in range(first, first + count):
        rows = template.copies(keyring, number + 1, employer_id="emp-a", earlier=timedelta(0))
        references.append(rows["registrations"][0]["reference"])
        if number < due:
            waiting = [row for row in rows["deadlines"] if row["state"] == "waiting" and row["kind"] == _REMINDER]
            min(waiting, key=lambda row: row["at"])["at"] = wake_at
        for name, several in rows.items():
            batch.setdefault(name, []).extend(several)
    for name in OF_A_CASE:
        names = columns(name)
        records = [[row[column] for column in names] for row in batch.get(name, [])]
        await superuser.copy_records_to_table(name, records=records, columns=names)
    return references


async def _asleep(servers: Servers) -> None:
    """Wait until worker and Temporal have nothing left to do."""
    pids = {name: servers.pids()[name] for name in ("worker", "temporal")}
    quiet, end = 0, time.monotonic() + _LONGEST_SECONDS
    while quiet < 3 and time.monotonic() < end:
        before = cpu_ms(pids)
        await asyncio.sleep(2)
        used = sum(cpu_ms(pids).values()) - sum(before.values())
        quiet = quiet + 1 if used < _QUIET_MS else 0


async def _idle(servers: Servers, seconds: float) -> dict[str, Any]:
    """Watch the processor and memory of everything while nothing happens."""
    pids = {name: pid for name, pid in servers.pids().items() if name in ("worker", "temporal", "postgres")}
    before = cpu_ms(pids)
    await asyncio.sleep(seconds)
    after = cpu_ms(pids)
    percent = {name: round((after[name] - before[name]) / seconds / 10, 2) for name in pids}
    return {"seconds": seconds, "cpu_percent_of_a_core": percent, "rss_mb": rss_mb(pids)}


async def _restart(servers: Servers, environment: dict[str, str], people: Iterator[int]) -> dict[str, float]:
    """End the worker, start it again, and time it until it has carried a first new case through."""
    servers.start("api", module("cli", "api"), environment)
    await servers.wait_for("api", servers.stack.url("api") + "/health/live")
    running = await _running(servers)
    await run_cases(running, people, cases=1, in_flight=1)
    warm = await run_cases(running, people, cases=1, in_flight=1)
    worker = servers.processes.pop("worker")
    worker.kill()
    await asyncio.to_thread(worker.wait)
    begun = time.monotonic()
    servers.start("worker", module("cli", "worker"), environment)
    await servers.wait_for("worker", servers.stack.url("worker_metrics") + "/metrics")
    ready = time.monotonic() - begun
    await run_cases(running, people, cases=1, in_flight=1)
    return {
        "ready_s": round(ready, 2),
        "first_case_done_s": round(time.monotonic() - begun, 2),
        "a_case_before_s": round(warm.seconds, 2),
    }


async def _running(servers: Servers) -> Running:
    async with httpx.AsyncClient(trust_env=False) as http:
        tokens = {}
        for persona in ("employer-a", "officer-1"):
            answer = await http.post(servers.stack.url("issuer") + "/token", json={"persona": persona})
            tokens[persona] = answer.json()["access_token"]
    watch = servers.postgres.url(role=SUPERUSER, database=DATABASE)
    return Running(servers.stack.url("api"), watch, servers, servers.pids(), tokens)


async def _reminders(superuser: Any, wake_at: datetime, due: int) -> dict[str, Any]:
    """Wait for the reminders of the cases that wake at one time, and time the last of them."""
    query = "SELECT count(DISTINCT reference) FROM notices WHERE kind = 'permit_expiring'"
    seen = 0
    late = wake_at + timedelta(minutes=5)
    while seen < due and datetime.now(UTC) < late:
        await asyncio.sleep(0.5)
        seen = await superuser.fetchval(query)
    written = datetime.now(UTC)
    return {"due": due, "written": seen, "last_written_s_after_due": round((written - wake_at).total_seconds(), 1)}


def _load_register(environment: dict[str, str]) -> None:
    command = module("cli", "register", "load", str(ROOT / "examples" / "employers.yaml"))
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)


def _disk(servers: Servers) -> dict[str, int]:
    postgres = int(servers.postgres.run_sql(f"SELECT pg_database_size('{DATABASE}')", database="postgres"))
    files = (servers.stack.directory / "temporal").glob("temporal.db*")
    return {"postgres": postgres, "temporal": sum(file.stat().st_size for file in files)}


def _grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after}


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what was seen."""
    console.print(f"{found['permits']:,} permits of {found['cases']:,} cases, started in {found['started_in_s']} s")
    for name in ("bytes_a_case", "idle", "restart", "reminders", "after"):
        console.print(f"{name.replace('_', ' ')}:", found[name])


def main() -> None:
    """Measure the short way."""
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "sleeping", full=False))
    show(Console(highlight=False), found)


if __name__ == "__main__":
    main()
