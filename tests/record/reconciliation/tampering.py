"""What whoever owns the cluster can do to the records of a case, past triggers and policies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from proof.ledger_rows import row_hash
from sandbox.stack.postgres import SUPERUSER, PostgresServer
from store import tables
from store.rows.base import from_json

Row = dict[str, Any]


@asynccontextmanager
async def open_cluster(postgres: PostgresServer, database: str) -> AsyncIterator[AsyncEngine]:
    """Open a database as whoever owns the cluster."""
    url = postgres.url(role=SUPERUSER, database=database)
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    yield engine
    await engine.dispose()


@asynccontextmanager
async def as_owner(cluster: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Begin a transaction in which no trigger fires and every row is seen."""
    async with cluster.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text("SET LOCAL hetao.tenant = '*'"))
        yield connection


async def rows_of(connection: AsyncConnection, reference: str) -> list[Row]:
    """Return the ledger rows about a case, chain by chain."""
    query = text("SELECT to_jsonb(l) FROM ledger l WHERE reference = :r ORDER BY chain, seq")
    return [from_json(tables.ledger, row) for row in (await connection.execute(query, {"r": reference})).scalars()]


async def forge(connection: AsyncConnection, row: Row) -> None:
    """Write a row with the right hash, as whoever knows this code can."""
    row["hash"] = row_hash(row)
    kept = {name: value for name, value in row.items() if name not in ("xid", "recorded_at")}
    await connection.execute(tables.ledger.insert().values(kept))


async def rewrite(connection: AsyncConnection, chain: str, told: str, **change: Any) -> Row:
    """Change the last row of an act in a chain and write the rest of the chain again after it; return that row."""
    rows = [row for row in await rows_of(connection, chain) if row["chain"] == chain]
    changed = next(row for row in reversed(rows) if row["act"] == told)
    changed.update(change)
    await connection.execute(text("DELETE FROM ledger WHERE chain = :c"), {"c": chain})
    previous = bytes(32)
    for row in rows:
        row["previous"] = previous
        await forge(connection, row)
        previous = row["hash"]
    return changed
