"""Sleeping permits: what thousands of cases that only wait cost, and what it takes to wake many of them at once."""

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
from rich.console import Console
from temporalio.client import Client

from bench.compare.driver import run_cases
from bench.compare.sides.base import module
from bench.growth.registers import new_context
from bench.growth.rows import OF_A_CASE, Template, columns
from bench.growth.waking import REMINDER, Stack, measure_reminders, measure_restart
from bench.measure import cpu_ms, rss_mb
from bench.people import numbers
from bench.servers import ROOT, Servers, open_servers
from cases.calls.making import current_course
from domain import spellings
from domain.messages import (
    REGISTRATION_QUEUE,
    CaseInput,
    Course,
)
from programmes import CASE_TYPES
from sandbox.stack.embedded import application_environment
from sandbox.stack.postgres import DATABASE, OWNER, SUPERUSER
from store.keyring import Keyring
from store.migrate import upgrade
from temporal.client import data_converter

PERMITS_OF_A_CASE: Final = 2
_AT_ONCE: Final = 40
_CHUNK: Final = 250
_QUIET_SECONDS: Final = 2.0
_QUIET_PERCENT: Final = 25.0  # of a core, worker and Temporal together: well above what they use when nothing happens
_DUE_WITHIN: Final = timedelta(minutes=1)
_BEFORE_ALL: Final = -2  # comes before every transaction in the order of sealing, and before an empty tree


@dataclass(frozen=True)
class Plan:
    """How many permits are put to sleep, how many more are woken, and how long one looks at idle processes."""

    permits: Sequence[int]
    reminders: int
    idle_seconds: float


SHORT: Final = Plan(permits=(0, 400, 2_000), reminders=100, idle_seconds=15)
FULL: Final = Plan(permits=(0, 2_000, 20_000), reminders=1_000, idle_seconds=60)


@dataclass
class Dormitory:
    """Puts copies of one resting case to sleep: rows by COPY, workflows started where a case that rests goes on."""

    servers: Servers
    keyring: Keyring
    client: Client
    superuser: Any
    template: Template
    course: Course
    asleep: int = 0
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def fill(self, cases: int, wake_at: Sequence[datetime] = ()) -> dict[str, datetime]:
        """Put further cases to sleep, each with its next reminder at its time where one is given."""
        due: dict[str, datetime] = {}
        for first in range(0, cases, _CHUNK):
            times = [wake_at[number] if wake_at else None for number in range(first, min(first + _CHUNK, cases))]
            references = await self._copy(times)
            pairs = list(zip(references, times, strict=True))
            await asyncio.gather(*(self._start(reference, at) for reference, at in pairs))
            due |= {reference: at for reference, at in pairs if at is not None}
        return due

    async def _copy(self, times: Sequence[datetime | None]) -> list[str]:
        """Copy the rows of the case, and move the earliest reminder of each that is to wake to its time."""
        batch: dict[str, list[dict[str, Any]]] = {}
        references: list[str] = []
        for wake_at in times:
            self.asleep += 1
            rows = self.template.copies(self.keyring, self.asleep, employer_id="emp-a", earlier=timedelta(0))
            references.append(rows["cases"][0]["reference"])
            if wake_at is not None:
                waiting = [row for row in rows["deadlines"] if row["state"] == "waiting" and row["kind"] == REMINDER]
                min(waiting, key=lambda row: row["at"])["at"] = wake_at
            for row in rows["ledger"]:
                row["xid"] = _BEFORE_ALL  # a copy has the hash of its original, which the seal would call altered
            for name, several in rows.items():
                batch.setdefault(name, []).extend(several)
        for name in OF_A_CASE:
            names = columns(name)
            records = [[row[column] for column in names] for row in batch.get(name, [])]
            await self.superuser.copy_records_to_table(name, records=records, columns=names)
        return references

    async def _start(self, reference: str, wake_at: datetime | None) -> None:
        course = self.course
        if wake_at is not None:
            course = course.model_copy(update={"wake_at": wake_at, "wake_for": REMINDER})
        async with self.places:
            await self.client.start_workflow(
                spellings.REGISTRATION_WORKFLOW,
                CaseInput(reference=reference, course=course),
                id=CASE_TYPES.id_of(reference),
                task_queue=REGISTRATION_QUEUE,
            )

    async def until_quiet(self, seconds: float) -> bool:
        """Wait until worker and Temporal have nothing left to do; False when that takes longer."""
        pids = {name: self.servers.pids()[name] for name in ("worker", "temporal")}
        quiet, end = 0, time.monotonic() + seconds
        while quiet < 3:
            if time.monotonic() > end:
                return False
            before = cpu_ms(pids)
            await asyncio.sleep(_QUIET_SECONDS)
            used = sum(cpu_ms(pids).values()) - sum(before.values())
            quiet = quiet + 1 if used / _QUIET_SECONDS / 10 < _QUIET_PERCENT else 0
        return True


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Put cases to sleep, watch them do so, restart everything among them, and wake some."""
    plan = FULL if full else SHORT
    found: dict[str, Any] = {
        "permits": plan.permits[-1],
        "cases": plan.permits[-1] // PERMITS_OF_A_CASE,
    }
    people = numbers()
    async with open_servers(directory) as servers:
        await asyncio.to_thread(upgrade, servers.postgres.url(role=OWNER))
        stack = Stack(servers, application_environment(servers.stack))
        _load_register(stack.environment)
        await stack.start_engine()
        # One real case, with all its notices sent, which now rests.
        await run_cases(await stack.callers(), people, cases=1, in_flight=1)
        async with _open_dormitory(servers) as dormitory:
            found["asleep"] = await _sleep(dormitory, plan)
        found["bytes_a_permit"] = _bytes_a_permit(found["asleep"])
        found["restart"] = await measure_restart(stack, people)
        async with _open_dormitory(servers) as dormitory:
            found["reminders"] = await _wake(dormitory, stack, plan, found["asleep"], people)
    shutil.rmtree(directory, ignore_errors=True)
    return found


@asynccontextmanager
async def _open_dormitory(servers: Servers) -> AsyncIterator[Dormitory]:
    """Connect to the running servers and read the case that is to be copied: the first that came to rest."""
    keyring = Keyring.load(servers.stack.directory / "keys.json")
    client = await Client.connect(servers.stack.temporal_address, data_converter=data_converter(keyring))
    superuser = await asyncpg.connect(servers.postgres.url(role=SUPERUSER, database=DATABASE))
    context = new_context(servers.postgres.url(), keyring)
    try:
        # Copies are as old as the case that they were copied from.
        is_copy = "coalesce(client_reference, '') LIKE 'load-%'"
        asleep = await superuser.fetchval(f"SELECT count(*) FROM cases WHERE {is_copy}")
        original = await superuser.fetchval(
            f"SELECT reference FROM cases WHERE NOT {is_copy} ORDER BY accepted_at LIMIT 1"
        )
        course = (await current_course(context, original)).model_copy(update={"outcomes": ()})
        template = await Template.capture(superuser, keyring, original, whole=True)
        yield Dormitory(servers, keyring, client, superuser, template, course, asleep)
    finally:
        await context.database.close()
        await superuser.close()


async def _sleep(dormitory: Dormitory, plan: Plan) -> dict[str, Any]:
    """Put more and more permits to sleep and look at the idle processes and the disk at each number."""
    found: dict[str, Any] = {}
    for permits in plan.permits:
        cases = permits // PERMITS_OF_A_CASE - dormitory.asleep
        begun = time.monotonic()
        await dormitory.fill(cases)
        is_quiet = await dormitory.until_quiet(60 + cases * 0.5)
        found[str(permits)] = {
            "put_to_sleep_s": round(time.monotonic() - begun, 1),
            "came_to_rest": is_quiet,
            "disk_bytes": _disk(dormitory.servers),
            **await _idle(dormitory.servers, plan.idle_seconds),
        }
    return found


async def _wake(dormitory: Dormitory, stack: Stack, plan: Plan, asleep: dict[str, Any], people: Any) -> dict[str, Any]:
    """Put further cases to sleep whose next reminders fall into one minute, soon after they are asleep."""
    largest = asleep[str(plan.permits[-1])]
    a_case = largest["put_to_sleep_s"] / (plan.permits[-1] / PERMITS_OF_A_CASE)
    # What putting them to sleep will take, twice, so that all are asleep when the first is due.
    first = datetime.now(UTC) + timedelta(seconds=30 + 2 * plan.reminders * a_case)
    times = [first + _DUE_WITHIN * (number / plan.reminders) for number in range(plan.reminders)]
    due = await dormitory.fill(plan.reminders, times)
    were_asleep = await dormitory.until_quiet((first - datetime.now(UTC)).total_seconds())
    found = await measure_reminders(stack, dormitory.superuser, due, people)
    return {"all_asleep_before": were_asleep, **found}


async def _idle(servers: Servers, seconds: float) -> dict[str, Any]:
    """Watch the processor and memory of everything while nothing happens."""
    pids = {name: pid for name, pid in servers.pids().items() if name in ("api", "worker", "temporal", "postgres")}
    before = cpu_ms(pids)
    await asyncio.sleep(seconds)
    after = cpu_ms(pids)
    percent = {name: round((after[name] - before[name]) / seconds / 10, 2) for name in pids}
    return {"idle_seconds": seconds, "idle_percent_of_a_core": percent, "rss_mb": rss_mb(pids)}


def _bytes_a_permit(asleep: dict[str, Any]) -> dict[str, int]:
    """Return what a permit adds to the disk, between the fewest and the most asleep; the two of a case share it."""
    fewest, most = (asleep[key] for key in (next(iter(asleep)), list(asleep)[-1]))
    permits = int(list(asleep)[-1]) - int(next(iter(asleep)))
    return {
        name: round((most["disk_bytes"][name] - fewest["disk_bytes"][name]) / permits) for name in most["disk_bytes"]
    }


def _load_register(environment: dict[str, str]) -> None:
    command = module("cli", "register", "load", str(ROOT / "examples" / "employers.yaml"))
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)


def _disk(servers: Servers) -> dict[str, int]:
    postgres = int(servers.postgres.run_sql(f"SELECT pg_database_size('{DATABASE}')", database="postgres"))
    files = (servers.stack.directory / "temporal").glob("temporal.db*")
    return {"postgres": postgres, "temporal": sum(file.stat().st_size for file in files)}


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what was seen."""
    console.print(f"{found['permits']:,} permits of {found['cases']:,} cases")
    for permits, seen in found["asleep"].items():
        console.print(f"{int(permits):,} asleep:", seen)
    for name in ("bytes_a_permit", "restart", "reminders"):
        console.print(f"{name.replace('_', ' ')}:", found[name])


def main() -> None:
    """Measure the short way."""
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "sleeping", full=False))
    show(Console(highlight=False), found)


if __name__ == "__main__":
    main()
