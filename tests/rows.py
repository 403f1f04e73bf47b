"""All rows of a test process's database: removed before a test, and put back where many tests begin with the same."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import URL

from sandbox.stack.postgres import SUPERUSER, PostgresServer

# Bytes of a table from which on it is cut, lest what was deleted be read past again and again.
GROWN = 64 * 1024
# A snapshot from before all tests lets the place of no deleted row be used again: rows come in the order in which they
# were written, as they do in a table that was cut.
_HOLD = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT 1"
# Of all tables but those that migrations alone fill.
_TABLES = """
    SELECT format('%I', relname) AS name,
           (SELECT string_agg(format('%I', attname), ', ') FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
    FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    AND relname NOT IN ('alembic_version', 'declared_parts')
    ORDER BY relname
"""
_SEQUENCES = """
    SELECT format('%I', sequencename) AS name, start_value AS first, last_value AS last
    FROM pg_sequences WHERE schemaname = 'public'
"""


class Rows:
    """The rows of one database, over one connection that is kept from test to test.

    The triggers of the ledger, which refuse such acts to all others, are passed over. Rows are deleted and tables not
    cut: that costs a twentieth, and leaves what PostgreSQL knows of statements as it is.
    """

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", columns: dict[str, str]) -> None:
        self.loop = asyncio.get_running_loop()
        self._connection = connection
        self._columns = columns
        self._asked: Counter[Hashable] = Counter()
        self._kept: dict[Hashable, str] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, postgres: PostgresServer, database: str) -> AsyncIterator["Rows"]:
        """Connect to a database at the newest schema."""
        address = postgres.url(role=SUPERUSER, database=database)
        connection, holder = await asyncpg.connect(address), await asyncpg.connect(address)
        try:
            await holder.execute(f"SET idle_in_transaction_session_timeout = 0; {_HOLD}")
            await connection.execute("SET session_replication_role = replica; SET lock_timeout = '10s'")
            columns = {row["name"]: row["columns"] for row in await connection.fetch(_TABLES)}
            # One that was left with a transaction open is found here, as it waits for it.
            body = [f"LOCK TABLE {', '.join(columns)} IN ACCESS EXCLUSIVE MODE;"]
            # Tests read the ledger in the order in which it was written, which only a table that was cut has for sure.
            body.append("TRUNCATE ledger CASCADE;")
            for table in columns:
                body.append(f"IF pg_relation_size('{table}') > {GROWN} THEN TRUNCATE {table} CASCADE;")
                body.append(f"ELSE DELETE FROM {table}; END IF;")
            sequences = await connection.fetch(_SEQUENCES)
            body += [f"PERFORM setval('{each['name']}', {each['first']}, false);" for each in sequences]
            await connection.execute(_function("empty", "void", body))
            yield cls(connection, columns)
        finally:
            await holder.close()
            await connection.close()

    async def empty(self) -> None:
        """Remove all rows and begin the numbers of identities anew."""
        await self._connection.execute("SELECT pg_temp.empty()")

    async def put_back(self, name: Hashable) -> bool:
        """Put back the rows kept under a name, where there are some and their tables are empty."""
        kept = self._kept.get(name)
        return kept is not None and bool(await self._connection.fetchval(f"SELECT pg_temp.{kept}()"))

    async def keep(self, name: Hashable) -> None:
        """Keep the rows that are there now, to be put back; from the second time on that they are asked for."""
        self._asked[name] += 1
        if self._asked[name] < 2 or name in self._kept:
            return
        kept = f"kept_{len(self._kept)}"
        filled = [each for each in self._columns if await self._connection.fetchval(f"SELECT EXISTS (TABLE {each})")]
        body = [f"IF EXISTS (TABLE {table}) THEN RETURN false; END IF;" for table in filled]
        for table in filled:
            columns, copy = self._columns[table], f"{kept}_{table}"
            await self._connection.execute(f"CREATE TEMP TABLE {copy} AS SELECT {columns} FROM {table}")
            body.append(f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {copy};")
        moved = [each for each in await self._connection.fetch(_SEQUENCES) if each["last"] is not None]
        body += [f"PERFORM setval('{each['name']}', {each['last']});" for each in moved]
        await self._connection.execute(_function(kept, "boolean", [*body, "RETURN true;"]))
        self._kept[name] = kept

    async def back_up(self) -> None:
        """Keep all rows and numbers as they are now, as a backup of the database does."""
        body = []
        for table, columns in self._columns.items():
            await self._connection.execute(f"DROP TABLE IF EXISTS backup_{table}")
            await self._connection.execute(f"CREATE TEMP TABLE backup_{table} AS SELECT {columns} FROM {table}")
            body.append(f"DELETE FROM {table};")
            body.append(
                f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM backup_{table};"
            )
        for each in await self._connection.fetch(_SEQUENCES):
            is_called = str(each["last"] is not None).lower()
            body.append(f"PERFORM setval('{each['name']}', {each['last'] or each['first']}, {is_called});")
        await self._connection.execute("DROP FUNCTION IF EXISTS pg_temp.restore()")
        await self._connection.execute(_function("restore", "void", body))

    async def restore(self) -> None:
        """Bring the rows and numbers of the backup back; whatever was written since is gone."""
        await self._connection.execute("SELECT pg_temp.restore()")


def _function(name: str, returns: str, body: list[str]) -> str:
    # A column may bear the name of a variable that PL/pgSQL has by itself, such as `found`.
    lines = f"#variable_conflict use_column\nBEGIN {' '.join(body)} END"
    return f"CREATE FUNCTION pg_temp.{name}() RETURNS {returns} LANGUAGE plpgsql AS $$\n{lines} $$"


def rows_of(url: URL) -> Rows | None:
    """Return the rows of a database by the address that the application has it under, in the loop they are open in."""
    rows = ROWS.get(url.set(drivername="postgresql").render_as_string(hide_password=False))
    return rows if rows and rows.loop is asyncio.get_running_loop() else None


ROWS: dict[str, Rows] = {}
