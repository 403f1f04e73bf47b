"""The seal cannot be stalled unseen: who may add to it, what ends by itself, and what an operator is shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from cases.shared.context import Context
from domain.actors import system
from domain.acts import Act
from domain.errors import Defect, Unavailable
from record.seal import check
from record.seal.proofs import signers_of
from record.seal.sealer import PASSED_OVER, seal
from record.seal.watch import watch_seal
from sandbox.stack.postgres import OWNER, SUPERUSER, PostgresServer
from store import tables
from store.database import Database
from store.ledger import Entry, append
from store.seal_delay import read_delay
from tests.cases.contexts import NOON
from tests.cases.driver import Park, china, open_park
from tests.record.seal.sealed import seal_all
from tests.services import SEALER_URLS

_FORGED_LEAF = "INSERT INTO seal_leaves SELECT {size}, 'forged', 1, {xid}, sha256('x')"


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


def _strict(park: Park, seconds: float = 0.0) -> Context:
    return replace(park.context, seal_overdue=timedelta(seconds=seconds))


async def _write(park: Park, chain: str) -> None:
    async with park.context.database.begin() as connection:
        await append(connection, chain, [Entry(act=Act.CASE_READ, actor=system("test"), at=NOON)])


def _as_owner(postgres: PostgresServer, database: str, *statements: str) -> None:
    postgres.run_sql("SET session_replication_role = replica; " + "; ".join(statements), database=database)


async def _open_incidents(park: Park) -> list[tuple[str, str]]:
    rows = await park.rows(tables.incidents, tables.incidents.c.state == "open")
    return sorted((row["kind"], row["reason"]) for row in rows)


async def _until_held_by(park: Park, why: str) -> None:
    """Wait for transactions of other tests, which hold up the seal of the whole server, to end."""
    async with asyncio.timeout(20):
        while True:
            async with park.context.database.begin() as connection:
                delay = await read_delay(connection, PASSED_OVER)
            if delay is not None and delay.why == why:
                return
            await asyncio.sleep(0.02)


def _gauge() -> float | None:
    return REGISTRY.get_sample_value("hetao_seal_oldest_unsealed_seconds")


@asynccontextmanager
async def _idle_transaction(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold a transaction open as whoever turned the server's own limit off would."""
    holder = await asyncpg.connect(url, server_settings={"application_name": "holder"})
    try:
        await holder.execute("SET idle_in_transaction_session_timeout = 0; BEGIN; SELECT pg_current_xact_id()")
        yield holder
    finally:
        await holder.close()


@pytest.mark.parametrize("table", ["seal_leaves", "seal_nodes", "checkpoints"])
async def test_nobody_but_the_sealer_adds_to_the_seal(park: Park, table: str) -> None:
    await _write(park, "chain")
    await seal_all(park.context)
    copied = text(f"INSERT INTO {table} SELECT * FROM {table} WHERE false")
    with pytest.raises(ProgrammingError, match=f"permission denied for table {table}"):
        async with park.context.database.begin() as connection:
            await connection.execute(copied)
    assert park.context.sealer_database is not None
    async with park.context.sealer_database.begin() as connection:
        await connection.execute(copied)


async def test_the_sealer_can_do_nothing_beside_sealing(park: Park) -> None:
    await park.review()
    assert park.context.sealer_database is not None
    for statement in (
        "SELECT FROM persons", "SELECT FROM data_keys", "SELECT FROM cases", "UPDATE cases SET round=2",
        "DELETE FROM ledger", "UPDATE seal_leaves SET xid = 1", "TRUNCATE seal_leaves", "SELECT FROM incidents",
        "INSERT INTO stamps SELECT * FROM stamps", "CREATE TABLE stray (id int)",
    ):  # fmt: skip
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with park.context.sealer_database.begin() as connection:
                await connection.execute(text(statement))


async def test_an_open_transaction_that_holds_up_the_seal_is_shown_with_who_holds_it(
    park: Park, clean_database: str, postgres: PostgresServer, database_name: str
) -> None:
    await seal_all(park.context)
    async with _idle_transaction(clean_database) as holder:
        pid = holder.get_server_pid()
        await _write(park, "access/held")
        assert await seal(park.context) == 0
        assert await watch_seal(_strict(park, 60)) is None
        assert _gauge() > 0  # type: ignore[operator]
        assert await _open_incidents(park) == []
        why = f"transaction_open: process {pid} of hetao_app holder"
        await _until_held_by(park, why)
        for _ in range(2):  # one incident, however often it is looked
            await watch_seal(_strict(park))
        assert await _open_incidents(park) == [("seal_overdue", f"{why}: row 1 of access/held")]
        # What nobody could find was the row that its owner took away meanwhile; that there was a gap is on record.
        _as_owner(postgres, database_name, "DELETE FROM ledger WHERE chain = 'access/held'")
    await seal_all(park.context)
    shown = await park.rows(tables.ledger, tables.ledger.c.act == Act.INCIDENT_OPENED.value)
    detail = {"kind": "seal_overdue", "chain": "access/held", "seq": 1, "why": "transaction_open"}
    assert [row["detail"] for row in shown] == [detail]
    assert await watch_seal(_strict(park)) is None
    assert _gauge() == 0


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (_FORGED_LEAF.format(size="{size}", xid=9_000_000_000_000), "leaves_unsigned"),
        (_FORGED_LEAF.format(size="{size}", xid=1), "leaves_unsigned"),
        (_FORGED_LEAF.format(size=10**12, xid=1), "leaves_unsigned"),
        ("INSERT INTO checkpoints SELECT 1000000, root, note, at FROM checkpoints LIMIT 1", "not_sealed"),
        (
            _FORGED_LEAF.format(size="{size}", xid=9_000_000_000_000)
            + "; INSERT INTO checkpoints SELECT {size} + 1, root, note, at FROM checkpoints LIMIT 1",
            "seal_of_another_cluster",
        ),
    ],
    ids=["huge xid", "another leaf", "far away", "checkpoint alone", "leaf and checkpoint"],
)
async def test_what_is_forged_into_the_seal_stops_it_in_the_open(
    park: Park, postgres: PostgresServer, database_name: str, forged: str, why: str
) -> None:
    await seal_all(park.context)
    size = len(await park.rows(tables.seal_leaves))
    _as_owner(postgres, database_name, forged.replace("{size}", str(size)))
    await _write(park, "after")
    (sealed,) = await asyncio.gather(seal(park.context), return_exceptions=True)
    assert sealed == 0 or isinstance(sealed, Defect)
    await _until_held_by(park, why)
    await watch_seal(_strict(park))
    assert [kind for kind, _ in await _open_incidents(park)] == ["seal_overdue"]
    progress, differences = check.Progress(), []
    signers = signers_of(park.context.log_origin, park.context.keyring)
    while not progress.is_whole:
        differences += await check.check_next(park.context.database, signers, progress)
    assert differences  # and the night names the place


async def test_an_incident_closed_too_early_comes_again_the_next_day(park: Park, clean_database: str) -> None:
    await seal_all(park.context)
    async with _idle_transaction(clean_database):
        await _write(park, "held")
        await watch_seal(_strict(park))
        async with park.context.database.begin() as connection:
            await connection.execute(tables.incidents.update().values(state="resumed"))
        await watch_seal(_strict(park))
        assert await _open_incidents(park) == []
        park.clock.at += timedelta(days=1)
        await watch_seal(_strict(park))
        assert len(await _open_incidents(park)) == 1


@pytest.mark.parametrize(
    "column",
    [
        "xid = 9000000000000",
        "xid = xid - 1",
        "recorded_at = recorded_at + '1 day'",
        "recorded_at = now() - '1s'::interval",
    ],
)
async def test_a_row_of_the_ledger_names_its_own_transaction_and_time(park: Park, column: str) -> None:
    """A row with a transaction to come would never be sealed, and one in the past would be passed over."""
    await _write(park, "chain")
    name, value = column.split(" = ", 1)
    given = "l.chain || '/2', l.seq, " + ", ".join(
        value.replace(name, f"l.{name}") if each == name else f"l.{each}" for each in _FURTHER
    )
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with park.context.database.begin() as connection:
            await connection.execute(
                text(f"INSERT INTO ledger (chain, seq, {', '.join(_FURTHER)}) SELECT {given} FROM ledger l LIMIT 1")
            )


_FURTHER = [c.name for c in tables.ledger.c if c.name not in ("chain", "seq")]


@pytest.mark.parametrize("role", ["application", "sealer", "owner"])
async def test_the_server_ends_idle_transactions_of_every_role(
    clean_database: str, postgres: PostgresServer, database_name: str, role: str
) -> None:
    urls = {
        "application": clean_database,
        "sealer": SEALER_URLS[clean_database],
        "owner": postgres.url(role=OWNER, database=database_name),
    }
    connection = await asyncpg.connect(urls[role])
    assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"
    await connection.close()


async def test_a_transaction_that_the_server_ended_is_tried_again_and_not_taken_for_a_defect(
    clean_database: str, postgres: PostgresServer, database_name: str
) -> None:
    superuser = await asyncpg.connect(postgres.url(role=SUPERUSER, database=database_name))
    await superuser.execute(f"ALTER DATABASE {database_name} SET idle_in_transaction_session_timeout = '50ms'")
    database = Database(clean_database, pool_size=1)
    try:
        for wait in (0.5, 0.0):  # the next one gets a connection that lives
            outcome: Any = None
            try:
                async with database.begin() as connection:
                    await connection.execute(text("SELECT pg_current_xact_id()"))
                    await asyncio.sleep(wait)
                    outcome = (await connection.execute(text("SELECT 1"))).scalar_one()
            except Unavailable as error:
                outcome = error.reason
            assert outcome == ("database" if wait else 1)
    finally:
        await superuser.execute(f"ALTER DATABASE {database_name} SET idle_in_transaction_session_timeout = '60s'")
        await superuser.close()
        await database.close()
