"""Growth: the same reads and writes on registers of a thousand cases, of a hundred thousand and of a million.

All three are databases of one PostgreSQL and take their turns one call at a time, so that whatever else the machine
does meets each of them alike.
"""

import asyncio
import json
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import yaml
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from stdnum.cn.uscc import calc_check_digit

from bench.growth.copies import SMALL, Stencil, load
from bench.measure import latencies_ms
from bench.people import numbers, registration
from bench.servers import ROOT
from cases.calls import making
from cases.case import reads
from cases.commands import intake
from cases.commands import submit as acts
from cases.commands.advance import advance
from cases.deadlines.calendar_loads import load_published
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency
from cases.tasks import inbox
from domain.actors import PARK, Actor, Role, system
from domain.commands import CommandKind
from domain.decisions import DecisionRequest
from domain.employers import RegisterFile
from domain.stages import Stage
from domain.task_lists import TaskChoice
from domain.tasks import TaskKind
from policy.limits import limits_of
from policy.pack import PackShelves
from policy.packs import load_limits, load_rule_packs
from programmes import PROGRAMMES
from programmes.talent_permit.authority import outcomes
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.limits import RULES
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.talent_permit.requests import RegistrationRequest
from register.employers import load_register
from sandbox.stack.ports import free_port
from sandbox.stack.postgres import OWNER, SEALER, SUPERUSER, PostgresServer
from store.database import Database
from store.key_file import generate
from store.keyring import Keyring
from store.migrate import upgrade

SHORT_SIZES: Final = (1_000, 100_000)
FULL_SIZES: Final = (1_000, 100_000, 1_000_000)
_TIMES: Final = 100
_WARM: Final = 10
_SETTINGS: Final = {"shared_buffers": "2GB", "max_wal_size": "16GB", "maintenance_work_mem": "512MB"}
GROWING: Final = (
    "data_keys persons cases talent_permits applications assessments permits tasks deadlines commands ledger notices"
    " deliveries receipts idempotency answers calls"
).split()
EMPLOYER: Final = Actor(issuer="bench", subject="hr-a", role=Role.EMPLOYER, employer_id="emp-a", correlation_id="bench")
SMALL_EMPLOYER: Final = EMPLOYER.model_copy(update={"subject": "hr-c", "employer_id": SMALL})
OFFICER: Final = Actor(issuer="bench", subject="officer-1", role=Role.OFFICER, correlation_id="bench")

SUPERVISOR: Final = OFFICER.model_copy(update={"subject": "supervisor", "role": Role.SUPERVISOR})


def new_context(url: str, keyring: Keyring) -> Context:
    """Return what the verbs of cases work with, on one database."""
    return Context(
        database=Database(url, pool_size=6),
        keyring=keyring,
        packs=PackShelves(load_rule_packs(RULES)),
        limits=limits_of(load_limits("embedded")),
        own_limits={code: each.limits.read(load_limits("embedded")) for code, each in PROGRAMMES.items()},
        clock=lambda: datetime.now(UTC),
        programmes=PROGRAMMES,
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
    return (await intake.accept(context, TALENT_PERMIT, EMPLOYER, request, name)).reference


async def decide(context: Context, reference: str) -> Any:
    """Ask for an approval and apply it."""
    name = Idempotency("decision", str(uuid4()), reference.encode())
    decision = DecisionRequest.model_validate({"action": "approve", "round": 1})
    asked = await acts.ask(context, OFFICER, reference, CommandKind.DECIDE, decision, name)
    course = await advance(context, reference, context.clock())
    await acts.reply(context, OFFICER, asked, name, is_answered=True)
    return course


async def resting_case(context: Context, number: int) -> str:
    """Carry one case to its two issued permits."""
    reference = await submit(context, number)
    await advance(context, reference, context.clock())
    course = await decide(context, reference)
    for call in course.calls:
        orders = await making.find_orders(context, reference, call.key, context.clock())
        await making.record(context, reference, {order.key: None for order in orders}, context.clock())
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
            await outcomes.receive(context, system("authority"), answer)
    await advance(context, reference, context.clock())
    return reference


@dataclass(slots=True)
class Register:
    """A database with so many cases, and what calls on it need to know."""

    context: Context
    superuser: Any
    people: Iterator[int]
    references: list[str]
    middle: tuple[datetime, str]
    middle_of_inbox: tuple[bool, datetime, datetime, str]
    loaded_in: float = 0.0
    taken_on: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    samples: dict[str, list[float]] = field(default_factory=dict)

    async def intake(self) -> None:
        """Take on a registration."""
        self.taken_on.append(await submit(self.context, next(self.people)))

    async def assess(self) -> None:
        """Assess one that was taken on."""
        self.waiting.append(self.taken_on.pop())
        await advance(self.context, self.waiting[-1], self.context.clock())

    async def claim(self) -> None:
        """Claim the most urgent task."""
        name = Idempotency("next", str(uuid4()), b"{}")
        reply = await inbox.claim_next(self.context, OFFICER, TaskKind.REVIEW, name)
        assert reply.progress == "applied", reply

    async def decide(self) -> None:
        """Approve a case."""
        await decide(self.context, self.waiting.pop())


# As the API asks it.
_list = partial(reads.list_cases, programme=TALENT_PERMIT.code)
Work = Callable[[Register], Awaitable[Any]]
# Reads of one page, of the sort that is told apart by how much has to be passed over to find it; and writes, of which
# one needs what the one before it made.
_CHANGES, _OF_SMALL, _OWN = TaskChoice(kind=TaskKind.CHANGE), TaskChoice(employer_id=SMALL), TaskChoice(holder="me")
WORKS: Final[dict[str, Work]] = {
    "one case": lambda r: reads.get_case(r.context, EMPLOYER, secrets.choice(r.references)),
    "list, first page": lambda r: _list(r.context, EMPLOYER, limit=20),
    "list, page in the middle": lambda r: _list(r.context, EMPLOYER, after=r.middle, limit=20),
    "list, by name or last four": lambda r: _list(r.context, EMPLOYER, q="无此姓名", limit=20),
    "list, by client reference": lambda r: _list(r.context, EMPLOYER, client_reference="load-000000500", limit=20),
    "list, by a rare stage": lambda r: _list(r.context, EMPLOYER, stage=Stage.AWAITING_CONFIRMATION),
    "list, under review": lambda r: _list(r.context, EMPLOYER, stage=Stage.UNDER_REVIEW, limit=20),
    "list, waiting for the employer": lambda r: _list(r.context, EMPLOYER, needs="employer", limit=20),
    "list, changes of the last minute": lambda r: _list(
        r.context, EMPLOYER, updated_after=r.context.clock() - timedelta(minutes=1), limit=20
    ),
    "list of a small employer": lambda r: _list(r.context, SMALL_EMPLOYER, limit=20),
    "list of staff, by a rare stage": lambda r: _list(r.context, OFFICER, stage=Stage.REFUSED, limit=20),
    "inbox page": lambda r: inbox.list_tasks(r.context, OFFICER, limit=50),
    "inbox, page in the middle": lambda r: inbox.list_tasks(r.context, OFFICER, after=r.middle_of_inbox, limit=50),
    "inbox of a supervisor": lambda r: inbox.list_tasks(r.context, SUPERVISOR, limit=50),
    "inbox, by a rare kind": lambda r: inbox.list_tasks(r.context, OFFICER, _CHANGES, limit=50),
    "inbox, of a small employer": lambda r: inbox.list_tasks(r.context, OFFICER, _OF_SMALL, limit=50),
    "inbox, own tasks": lambda r: inbox.list_tasks(r.context, OFFICER, _OWN, limit=50),
    "intake": Register.intake,
    "assessment": Register.assess,
    "task claim": Register.claim,
    "decision": Register.decide,
}


@asynccontextmanager
async def open_register(
    server: PostgresServer, name: str, size: int, *, waiting_in: int = 20
) -> AsyncIterator[Register]:
    """Fill a database with so many cases and open it."""
    await asyncio.to_thread(server.create_database, name)
    await asyncio.to_thread(upgrade, server.url(role=OWNER, database=name))
    keyring = Keyring.parse(generate())
    sealer = Database(server.url(role=SEALER, database=name), pool_size=1, stands_for=PARK)
    context = replace(new_context(server.url(database=name), keyring), sealer_database=sealer)
    superuser = await asyncpg.connect(server.url(role=SUPERUSER, database=name))
    try:
        await prepare(context)
        await _add_small_employer(context)
        people = numbers()
        resting = await resting_case(context, next(people))
        waiting = await submit(context, next(people))
        await advance(context, waiting, context.clock())
        stencils = (
            await Stencil.capture(superuser, keyring, resting),
            await Stencil.capture(superuser, keyring, waiting),
        )
        begun = time.monotonic()
        await load(superuser, keyring, stencils, size, waiting_in=waiting_in)
        await superuser.execute("VACUUM (ANALYZE)")
        register = await _look_around(context, superuser, people)
        register.loaded_in = time.monotonic() - begun
        yield register
    finally:
        await superuser.close()
        await context.database.close()
        await sealer.close()


async def _look_around(context: Context, superuser: Any, people: Iterator[int]) -> Register:
    """Choose the cases to read and the places in the middle of long lists."""
    chosen = "SELECT reference FROM cases WHERE employer_id = 'emp-a' ORDER BY md5(reference) LIMIT $1"
    half = "OFFSET (SELECT count(*) / 2 FROM {0} WHERE {1}) LIMIT 1"
    case = await superuser.fetchrow(
        "SELECT updated_at, reference FROM cases WHERE employer_id = 'emp-a' ORDER BY 1, 2 "
        + half.format("cases", "employer_id = 'emp-a'")
    )
    task = await superuser.fetchrow(
        "SELECT overdue, due_at, opened_at, task_id FROM tasks WHERE state = 'open' ORDER BY NOT overdue, 2, 3, 4 "
        + half.format("tasks", "state = 'open'")
    )
    return Register(
        context,
        superuser,
        people,
        references=[row["reference"] for row in await superuser.fetch(chosen, _TIMES)],
        middle=(case["updated_at"], case["reference"]),
        middle_of_inbox=(task["overdue"], task["due_at"], task["opened_at"], str(task["task_id"])),
    )


async def _add_small_employer(context: Context) -> None:
    """Record an employer that has three cases, whatever the others have."""
    content = yaml.safe_load((ROOT / "examples" / "employers.yaml").read_text("utf-8"))
    code = content["employers"][0]["uscc"][:16] + "0"
    small = content["employers"][0] | {"employer_id": SMALL, "uscc": code + calc_check_digit(code)}
    content["employers"].append(small)
    await load_register(context, system("register_load"), RegisterFile.model_validate(content))


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Measure all sizes in turn, call by call."""
    sizes = FULL_SIZES if full else SHORT_SIZES
    directory.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    server = PostgresServer(directory / "postgres", free_port(), _SETTINGS)
    with (directory / "postgres.log").open("wb") as log:
        await asyncio.to_thread(server.start, log)
    try:
        async with AsyncExitStack() as exits:
            registers = {
                size: await exits.enter_async_context(open_register(server, f"register_{size}", size)) for size in sizes
            }
            scanned = await _take_turns(registers)
            found = {str(size): await _seen(register, size, scanned[size]) for size, register in registers.items()}
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(directory, ignore_errors=True)
    return {"sizes": found, "settings": _SETTINGS, "p95_ratio": _ratios(found, sizes)}


async def _take_turns(registers: dict[int, Register]) -> dict[int, dict[str, dict[str, int]]]:
    """Do every kind of work so many times on each register, and return the sequential scans that each kind made."""
    scanned: dict[int, dict[str, dict[str, int]]] = {size: {} for size in registers}
    for name, work in WORKS.items():
        before = {size: await tuples_read(register) for size, register in registers.items()}
        for number in range(_WARM + _TIMES):
            for register in registers.values():
                begun = time.perf_counter()
                await work(register)
                if number >= _WARM:
                    register.samples.setdefault(name, []).append(time.perf_counter() - begun)
        for size, register in registers.items():
            after = await tuples_read(register)
            scans = {table: counts[0] - before[size][table][0] for table, counts in after.items()}
            if any(scans.values()):
                scanned[size][name] = {table: count for table, count in scans.items() if count}
    return scanned


async def _seen(register: Register, size: int, scanned: dict[str, dict[str, int]]) -> dict[str, Any]:
    return {
        "latency_ms": {name: latencies_ms(samples) for name, samples in register.samples.items()},
        "sequential_scans": scanned,
        "loaded_in_seconds": round(register.loaded_in, 1),
        "bytes_a_case": round(await register.superuser.fetchval("SELECT pg_database_size(current_database())") / size),
    }


async def tuples_read(register: Register) -> dict[str, tuple[int, int]]:
    """Return of each growing table how often it was read from end to end, and how many rows were read, so far."""
    await register.superuser.execute("SELECT pg_stat_force_next_flush()")  # its own earlier looking around
    async with register.context.database.begin() as connection:  # the one connection that all of it uses
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
    await register.superuser.execute("SELECT pg_stat_clear_snapshot()")
    rows = await register.superuser.fetch(
        "SELECT relname, seq_scan, seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_user_tables"
        " WHERE relname = ANY($1::text[])",
        GROWING,
    )
    return {row["relname"]: (row["seq_scan"], row["rows"]) for row in rows}


def _ratios(found: dict[str, Any], sizes: tuple[int, ...]) -> dict[str, float]:
    smallest, largest = (found[str(size)]["latency_ms"] for size in (sizes[0], sizes[-1]))
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
