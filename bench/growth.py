"""Growth: the same reads and writes on a register of a thousand cases, of a hundred thousand and of a million."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import yaml
from rich.console import Console
from rich.table import Table

from bench.measure import latencies_ms
from bench.people import numbers, registration
from bench.rows import Template, load
from bench.servers import ROOT
from cases import acts, answers, calls, reads, tasks
from cases import registration as intake
from cases.advance import advance
from cases.calendar import load_published
from cases.context import Context
from cases.employers import load_register
from cases.idempotency import Idempotency
from domain.actors import Actor, Role, system
from domain.answers import AuthorityAnswer
from domain.commands import CommandKind
from domain.decisions import DecisionRequest
from domain.employers import RegisterFile
from domain.registration import RegistrationRequest
from domain.tasks import TaskKind
from policy.limits import limits_of
from policy.pack import PackShelf
from policy.packs import load_limits, load_rule_packs
from sandbox.ports import free_port
from sandbox.postgres import OWNER, SUPERUSER, PostgresServer
from store.database import Database
from store.keyring import Keyring, generate
from store.migrate import upgrade

SHORT_SIZES: Final = (1_000, 100_000)
FULL_SIZES: Final = (1_000, 100_000, 1_000_000)
_TIMES: Final = 200
_WARM: Final = 20
_GROWING: Final = (
    "data_keys persons registrations applications assessments permits tasks deadlines commands ledger notices"
    " deliveries idempotency answers calls"
).split()
EMPLOYER: Final = Actor(issuer="bench", subject="hr-a", role=Role.EMPLOYER, employer_id="emp-a", correlation_id="bench")
OFFICER: Final = Actor(issuer="bench", subject="officer-1", role=Role.OFFICER, correlation_id="bench")


def new_context(url: str, keyring: Keyring) -> Context:
    """Return what the verbs of cases work with, on one database."""
    return Context(
        database=Database(url, pool_size=6),
        keyring=keyring,
        packs=PackShelf(load_rule_packs()),
        limits=limits_of(load_limits("embedded")),
        clock=lambda: datetime.now(UTC),
    )


async def prepare(context: Context) -> None:
    """Load the sample employers and the published calendar."""
    content = (ROOT / "examples" / "employers.yaml").read_text("utf-8")
    await load_register(context, system("register_load"), RegisterFile.model_validate(yaml.safe_load(content)))
    await load_published(context, system("register_load"))


async def submit(context: Context, number: int) -> str:
    """Take on one registration."""
    body = registration(number)
    request = RegistrationRequest.model_validate(body)
    name = Idempotency("POST /v1/registrations", str(uuid4()), json.dumps(body).encode())
    reply = await intake.accept(context, EMPLOYER, request, name)
    return str(reply.body["reference"])


async def decide(context: Context, reference: str) -> Any:
    """Ask for an approval and apply it."""
    name = Idempotency("decision", str(uuid4()), reference.encode())
    decision = DecisionRequest.model_validate({"action": "approve", "round": 1})
    asked = await acts.ask(context, OFFICER, reference, CommandKind.DECIDE, decision, name)
    course = await advance(context, reference, context.clock())
    await acts.reply(context, OFFICER, asked, name)
    return course


async def resting_case(context: Context, number: int) -> str:
    """Carry one case to its two issued permits."""
    reference = await submit(context, number)
    await advance(context, reference, context.clock())
    course = await decide(context, reference)
    for call in course.calls:
        await calls.claim(context, reference, call.key, context.clock())
        await calls.record_taken(context, reference, call.key, context.clock())
    today = context.clock().date()
    for destination in ("HK", "MO"):
        for outcome in ("accepted", "issued"):
            terms: dict[str, Any] = {}
            if outcome == "issued":
                end = date(today.year + 3, today.month, min(today.day, 28))
                terms = {"valid_from": today, "valid_until": end, "stay_days": 30, "entries": "multiple"}
            answer = AuthorityAnswer.model_validate(
                {
                    "outcome_id": str(uuid4()),
                    "case": f"{reference}/{destination}",
                    "outcome": outcome,
                    "occurred_at": context.clock(),
                    "authority_number": f"C-{destination}-{number}",
                    **terms,
                }
            )
            await answers.receive(context, system("authority"), answer)
    await advance(context, reference, context.clock())
    return reference


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Measure each size on the same database as it grows."""
    sizes = FULL_SIZES if full else SHORT_SIZES
    directory.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    directory.chmod(0o711)  # noqa: ASYNC240
    server = PostgresServer(directory / "postgres", free_port())
    with (directory / "postgres.log").open("wb") as log:
        await asyncio.to_thread(server.start, log)
    found: dict[str, Any] = {"sizes": {}}
    try:
        await asyncio.to_thread(upgrade, server.url(role=OWNER))
        keyring = Keyring.parse(generate())
        context = new_context(server.url(), keyring)
        superuser = await asyncpg.connect(server.url(role=SUPERUSER))
        try:
            await prepare(context)
            people = numbers()
            resting = await resting_case(context, next(people))
            waiting = await submit(context, next(people))
            await advance(context, waiting, context.clock())
            templates = [await Template.capture(superuser, keyring, each, lean=True) for each in (resting, waiting)]
            loaded = 0
            for size in sizes:
                begun = time.monotonic()
                await load(superuser, keyring, templates[0], templates[1], loaded + 1, size - loaded)
                await superuser.execute("ANALYZE")
                loading = time.monotonic() - begun
                loaded = size
                found["sizes"][str(size)] = await _measure_size(context, superuser, people) | {
                    "loaded_in_seconds": round(loading, 1),
                    "bytes_a_case": round(await superuser.fetchval("SELECT pg_database_size('hetao')") / size),
                }
        finally:
            await superuser.close()
            await context.database.close()
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(directory, ignore_errors=True)
    found["p95_ratio"] = _ratios(found["sizes"], sizes)
    return found


async def _measure_size(context: Context, superuser: Any, people: Any) -> dict[str, Any]:
    references = [
        row["reference"]
        for row in await superuser.fetch(
            "SELECT reference FROM registrations WHERE employer_id = 'emp-a' ORDER BY md5(reference) LIMIT $1", _TIMES
        )
    ]
    waiting: list[str] = []

    async def intake_and_assess() -> None:
        reference = await submit(context, next(people))
        await advance(context, reference, context.clock())
        waiting.append(reference)

    async def claim() -> None:
        reply = await tasks.claim_next(context, OFFICER, TaskKind.REVIEW, Idempotency("next", str(uuid4()), b"{}"))
        assert reply.status == 200, reply

    async def decision() -> None:
        await decide(context, waiting.pop())

    turn = iter(range(10**9))
    works: dict[str, Callable[[], Awaitable[Any]]] = {
        "one case": lambda: reads.get_case(context, EMPLOYER, references[next(turn) % len(references)]),
        "list, first page": lambda: reads.list_cases(context, EMPLOYER, limit=20),
        "list, by name": lambda: reads.list_cases(context, EMPLOYER, q="无此姓名", limit=20),
        "inbox page": lambda: tasks.list_tasks(context, OFFICER, limit=50),
        "intake": intake_and_assess,
        "task claim": claim,
        "decision": decision,
    }
    seen: dict[str, Any] = {}
    scanned: dict[str, dict[str, int]] = {}
    for name, work in works.items():
        samples = []
        before = await _scans(superuser)
        for number in range(_WARM + _TIMES // (1 if name in ("one case", "inbox page") else 4)):
            begun = time.perf_counter()
            await work()
            if number >= _WARM:
                samples.append(time.perf_counter() - begun)
        seen[name] = latencies_ms(samples)
        after = await _scans(superuser)
        scanned[name] = {table: after[table] - before[table] for table in after if after[table] > before[table]}
    return {"latency_ms": seen, "sequential_scans": {name: scans for name, scans in scanned.items() if scans}}


async def _scans(superuser: Any) -> dict[str, int]:
    """Return how often each growing table was read from end to end, by PostgreSQL's own count."""
    await asyncio.sleep(1.5)  # a backend hands its counters over at most once a second
    await superuser.execute("SELECT pg_stat_clear_snapshot()")
    rows = await superuser.fetch(
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY($1::text[])", _GROWING
    )
    return {row["relname"]: row["seq_scan"] for row in rows}


def _ratios(found: dict[str, Any], sizes: tuple[int, ...]) -> dict[str, float]:
    smallest, largest = found[str(sizes[0])]["latency_ms"], found[str(sizes[-1])]["latency_ms"]
    return {name: round(largest[name]["p95"] / smallest[name]["p95"], 2) for name in smallest}


def show(console: Console, found: dict[str, Any]) -> None:
    """Print the latencies of each size."""
    sizes = list(found["sizes"])
    table = Table(title="p95 in ms as the register grows", title_justify="left")
    for heading in ("", *(f"{int(size):,}" for size in sizes), "ratio"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, ratio in found["p95_ratio"].items():
        table.add_row(name, *(f"{found['sizes'][s]['latency_ms'][name]['p95']:g}" for s in sizes), f"{ratio:g}")
    console.print(table)
    for size in sizes:
        seen = found["sizes"][size]
        console.print(f"{int(size):,}: loaded in {seen['loaded_in_seconds']} s, {seen['bytes_a_case']} bytes a case")
        console.print(f"{int(size):,}: sequential scans of growing tables: {found['sizes'][size]['sequential_scans']}")


def main() -> None:
    """Measure on sizes that are given in thousands."""
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "growth", full=False))
    show(Console(highlight=False), found)


if __name__ == "__main__":
    main()
