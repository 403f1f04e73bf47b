"""The audit: the same searches and counts over a ledger of ten thousand rows and over one of ten million.

Both are databases of one PostgreSQL and take their turns one question at a time. Rows come at ten thousand a day, so
that the larger ledger is the longer one, as it would be, and a day is as full in both.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
from rich.console import Console
from rich.table import Table

from bench.growth.registers import new_context
from bench.measure import latencies_ms
from cases.shared.context import Context
from domain.actors import Role
from domain.acts import Act
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.words import PermitAct
from record import review, search
from record.event_views import CountBy
from record.search import Filters, Place
from sandbox.stack.ports import free_port
from sandbox.stack.postgres import OWNER, SUPERUSER, PostgresServer
from store.key_file import generate
from store.keyring import Keyring
from store.migrate import upgrade

SHORT_SIZES: Final = (10_000, 200_000)
FULL_SIZES: Final = (10_000, 10_000_000)
_TIMES: Final = 100
_WARM: Final = 10
_A_DAY: Final = 10_000
_END: Final = datetime(2026, 11, 1, tzinfo=UTC)
_SETTINGS: Final = {"shared_buffers": "2GB", "max_wal_size": "16GB", "maintenance_work_mem": "1GB"}
# Twenty rows a case of four hundred employers and forty officers; one decision in a hundred is a refusal, and one in
# two thousand has the rare reason. Not by the routes of the engine: the hashes are of nothing, and nobody checks them.
_LOAD: Final = """
COPY (
  SELECT 'HT-' || lpad(to_hex(n / 20), 8, '0'), n % 20 + 1, 'emp-' || (n / 20) % 400,
    'HT-' || lpad(to_hex(n / 20), 8, '0'),
    (ARRAY['submitted','started','assessed','claimed','decided','settled','permit_eligible','permit_eligible',
      'call_answered','permit_sent','call_answered','permit_sent','answer_applied','answer_applied','answer_received',
      'answer_applied','answer_received','answer_applied','case_read','reminded'])[n % 20 + 1],
    'https://id.example', CASE WHEN n % 20 IN (3, 4, 18) THEN 'officer-' || (n / 20) % 40
      WHEN n % 20 = 0 THEN 'hr-' || (n / 20) % 400 ELSE 'system:advance' END,
    CASE WHEN n % 20 IN (3, 4, 18) THEN 'officer' WHEN n % 20 = 0 THEN 'employer' ELSE 'system' END,
    '{"stage": "approved", "round": 1}',
    $END$::timestamptz - ($SIZE$ - n) * interval '1 day' / $A_DAY$, 'c' || n / 20, sha256(int8send(n - 1)),
    sha256(int8send(n)), 3, now(), NULL, NULL,
    CASE WHEN n % 20 = 4 THEN CASE WHEN (n / 20) % 100 = 7 THEN 'refuse' ELSE 'approve' END
      WHEN n % 20 = 2 THEN 'clear' WHEN n % 20 IN (12, 13) THEN 'accepted' WHEN n % 20 IN (15, 17) THEN 'issued' END,
    CASE WHEN n % 20 <> 4 THEN '{}' WHEN (n / 20) % 2000 = 107 THEN '{false_statement}'
      WHEN (n / 20) % 100 = 7 THEN '{employment_unproved}' ELSE '{}' END,
    CASE WHEN n % 20 BETWEEN 6 AND 17 THEN CASE WHEN n % 2 = 0 THEN 'HK' ELSE 'MO' END END,
    CASE WHEN n % 20 IN (0, 2, 4, 6, 7) THEN CASE WHEN n < $SIZE$ / 2 THEN '2025-11-05' ELSE '2026-04-01' END END,
    CASE WHEN n % 20 IN (0, 2, 4, 6, 7) THEN sha256('rule'::bytea) END, sha256(int8send(n)), sha256(int8send(n + 1)),
    CASE WHEN n % 20 IN (4) THEN sha256(int8send(n)) END,
    CASE WHEN n % 20 > 1 THEN 'registration/HT-' || lpad(to_hex(n / 20), 8, '0') END,
    CASE WHEN n % 20 > 1 THEN '0198c0de-0000-7000-8000-' || lpad(to_hex(n / 20), 12, '0') END,
    CASE WHEN n % 20 > 1 THEN n % 20 END
  FROM generate_series(0::bigint, $SIZE$ - 1) AS n
) TO $FILE$
"""
_COLUMNS: Final = (
    "chain, seq, employer_id, reference, act, actor_issuer, actor_subject, actor_role, detail, at, correlation_id,"
    " previous, hash, xid, recorded_at, actor_tenant, purpose, outcome, reason_codes, destination, rule_version,"
    " rule_hash, before_hash, after_hash, statement_hash, workflow_id, run_id, event_id"
)
_MARK: Final = """
INSERT INTO ledger_marks (kind, value, at, chain, seq, employer_id)
SELECT 'reason', code, at, chain, seq, employer_id FROM ledger, unnest(reason_codes) AS code
"""


@dataclass(slots=True)
class Log:
    """A ledger with so many rows, and where its middle is."""

    context: Context
    superuser: Any
    size: int
    loaded_in: float = 0.0
    bytes_a_row: float = 0.0
    middle: Place | None = None
    samples: dict[str, list[float]] = field(default_factory=dict)


async def page(log: Log, after: Place | None = None, **asked: Any) -> int:
    """Read one page of a search, and return how many rows it has."""
    async with log.context.database.begin() as connection:
        below = await search.horizon(connection)
        rows, _ = await search.read_page(connection, Filters(**asked), below, after, 50)
    return len(rows)


def _day(**more: Any) -> Filters:
    return Filters(begins=_END - timedelta(days=1), ends=_END, **more)


Ask = Callable[[Log], Awaitable[Any]]
ASKED: Final[dict[str, Ask]] = {
    "newest rows": page,
    "page in the middle": lambda log: page(log, log.middle),
    "by act": lambda log: page(log, act=Act.DECIDED),
    "by actor": lambda log: page(log, subject="officer-7"),
    "by role": lambda log: page(log, role=Role.OFFICER),
    "by employer": lambda log: page(log, employer_id="emp-107"),
    "by outcome": lambda log: page(log, outcome="refuse"),
    "by reason": lambda log: page(log, reason_code="employment_unproved"),
    "by a rare reason": lambda log: page(log, reason_code="false_statement"),
    "by the older rule version": lambda log: page(log, rule_version="2025-11-05"),
    "by destination and act": lambda log: page(log, destination=Destination.MO, act=PermitAct.PERMIT_SENT),
    "by case": lambda log: page(log, case=f"HT-{log.size // 20 - 1:08x}"),
    "by actor and outcome": lambda log: page(log, subject="officer-7", outcome="refuse"),
    "by employer and role that never meet": lambda log: page(log, employer_id="emp-107", role=Role.AUTHORITY),
    "by act and role that never meet": lambda log: page(log, act=Act.DECIDED, role=Role.AUTHORITY),
    "by nothing that is there": lambda log: page(log, outcome="none"),
    "of one day, by act": lambda log: page(log, act=Act.CLAIMED, begins=_END - timedelta(days=1), ends=_END),
    "count of one day by act": lambda log: search.count(log.context, _day(), CountBy.ACT),
    "count of one day by actor, of a role": lambda log: search.count(
        log.context, _day(role=Role.OFFICER), CountBy.ACTOR
    ),
    "count of one day by reason": lambda log: search.count(log.context, _day(), CountBy.REASON),
    "conflicts of one day": lambda log: review.find_conflicts(log.context, _END - timedelta(days=1), _END),
}


@asynccontextmanager
async def open_log(server: PostgresServer, size: int, scratch: Path) -> AsyncIterator[Log]:
    """Fill a ledger with so many rows and open it."""
    name = f"ledger_{size}"
    await asyncio.to_thread(server.create_database, name)
    await asyncio.to_thread(upgrade, server.url(role=OWNER, database=name))
    context = new_context(server.url(database=name), Keyring.parse(generate()))
    superuser = await asyncpg.connect(server.url(role=SUPERUSER, database=name), timeout=60)
    try:
        begun = time.monotonic()
        await _load(superuser, size, scratch / f"{name}.copy")
        log = Log(context, superuser, size, loaded_in=time.monotonic() - begun)
        log.bytes_a_row = await superuser.fetchval("SELECT pg_total_relation_size('ledger')") / size
        half = _END - timedelta(days=size / _A_DAY / 2)
        query = "SELECT at, chain, seq FROM ledger WHERE at >= $1 ORDER BY at, chain, seq LIMIT 1"
        for row in await superuser.fetch(query, half):
            log.middle = (row["at"], row["chain"], row["seq"])
        yield log
    finally:
        await superuser.close()
        await context.database.close()


async def _load(superuser: Any, size: int, file: Path) -> None:
    """Copy the rows in, without the indexes that are made afterwards and the triggers that would look at each."""
    made = [row["indexdef"] for row in await superuser.fetch(_SECONDARY)]
    for row in await superuser.fetch(_SECONDARY):
        await superuser.execute(f"DROP INDEX {row['indexname']}")
    filled = {
        "$END$": f"'{_END.isoformat()}'",
        "$SIZE$": f"{size}::bigint",
        "$A_DAY$": f"{_A_DAY}",
        "$FILE$": f"'{file}'",
    }
    query = _LOAD
    for mark, value in filled.items():
        query = query.replace(mark, value)
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute(query, timeout=3600)
    await superuser.execute(f"COPY ledger ({_COLUMNS}) FROM '{file}'", timeout=3600)
    await asyncio.to_thread(file.unlink)
    await superuser.execute(_MARK, timeout=3600)
    for definition in made:
        await superuser.execute(definition, timeout=3600)
    await superuser.execute("VACUUM (ANALYZE) ledger", timeout=3600)
    await superuser.execute("VACUUM (ANALYZE) ledger_marks", timeout=3600)


_SECONDARY: Final = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'ledger' AND indexname <> 'pk_ledger' ORDER BY 1"
)


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Ask everything of both ledgers in turn, question by question."""
    sizes = FULL_SIZES if full else SHORT_SIZES
    directory.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    scratch = directory / "rows"
    scratch.mkdir()
    scratch.chmod(0o777)
    server = PostgresServer(directory / "postgres", free_port(), _SETTINGS)
    with (directory / "postgres.log").open("wb") as log:
        await asyncio.to_thread(server.start, log)
    try:
        async with AsyncExitStack() as exits:
            logs = {size: await exits.enter_async_context(open_log(server, size, scratch)) for size in sizes}
            for name, ask in ASKED.items():
                await _ask(logs, name, ask)
            found = {str(size): _seen(each) for size, each in logs.items()}
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(directory, ignore_errors=True)
    first, last = (found[str(size)]["latency_ms"] for size in (sizes[0], sizes[-1]))
    ratios = {name: round(last[name]["p95"] / first[name]["p95"], 2) for name in ASKED}
    return {"sizes": found, "settings": _SETTINGS, "p95_ratio": ratios}


async def _ask(logs: dict[int, Log], name: str, ask: Ask) -> None:
    for number in range(_WARM + _TIMES):
        for log in logs.values():
            begun = time.perf_counter()
            await ask(log)
            if number >= _WARM:
                log.samples.setdefault(name, []).append(time.perf_counter() - begun)


def _seen(log: Log) -> dict[str, Any]:
    return {
        "latency_ms": {name: latencies_ms(samples) for name, samples in log.samples.items()},
        "loaded_in_seconds": round(log.loaded_in, 1),
        "bytes_a_row": round(log.bytes_a_row),
    }


def show(console: Console, found: dict[str, Any]) -> None:
    """Print the p95 of each size."""
    table = Table(title="Audit, p95 in ms", title_justify="left")
    table.add_column("question")
    for size in found["sizes"]:
        table.add_column(f"{int(size):,}", justify="right")
    table.add_column("ratio", justify="right")
    for name, ratio in found["p95_ratio"].items():
        p95 = (f"{at['latency_ms'][name]['p95']:g}" for at in found["sizes"].values())
        table.add_row(name, *p95, f"{ratio:g}")
    console.print(table)
