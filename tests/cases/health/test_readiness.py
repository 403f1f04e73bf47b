"""Whether the register serves: it is read and written, and has the schema of this code."""

from collections.abc import AsyncIterator

import pytest_asyncio
from alembic.script import ScriptDirectory

from cases.health.readiness import Readiness, Register
from cases.shared.context import Context
from sandbox.stack.postgres import PostgresServer
from store.database import Database
from store.migrate import configuration
from store.schema_version import is_older, own_version
from tests.cases.contexts import Clock, open_context


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        yield context


async def test_a_register_that_is_read_and_written_is_up(context: Context) -> None:
    assert await Readiness(context).look() is Register.UP


async def test_a_register_that_takes_no_write_is_told_and_is_no_outage(
    context: Context, postgres: PostgresServer, database_name: str
) -> None:
    url = context.database.engine.url.render_as_string(hide_password=False).replace("+asyncpg", "")
    postgres.run_sql(f"ALTER DATABASE {database_name} SET default_transaction_read_only = on")
    # A pool of its own: the setting is of new connections.
    standby = Database(url)
    object.__setattr__(context, "database", standby)
    try:
        readiness = Readiness(context)
        assert [await readiness.look() for _ in range(2)] == [Register.READ_ONLY] * 2
    finally:
        await standby.close()
        postgres.run_sql(f"ALTER DATABASE {database_name} RESET default_transaction_read_only")


async def test_a_register_whose_schema_lacks_a_migration_is_old(
    context: Context, postgres: PostgresServer, database_name: str
) -> None:
    readiness = Readiness(context)
    for version, expected in (("0001", Register.OLD), ("9999", Register.UP), (own_version(), Register.UP)):
        postgres.run_sql(f"UPDATE alembic_version SET version_num = '{version}'", database=database_name)
        assert await readiness.look() is expected


async def test_a_register_without_tables_is_old_and_one_that_is_not_there_is_away(
    context: Context, postgres: PostgresServer, empty_database: str
) -> None:
    for url, expected in (
        (postgres.url(database=empty_database), Register.OLD),
        ("postgresql://hetao_app:x@127.0.0.1:1/hetao", Register.AWAY),
    ):
        database = Database(url)
        object.__setattr__(context, "database", database)
        assert await Readiness(context).look() is expected
        await database.close()


def test_the_newest_migration_is_the_version_of_this_code() -> None:
    script = ScriptDirectory.from_config(configuration("postgresql://nobody@127.0.0.1/none"))
    assert script.get_heads() == [own_version()]
    assert is_older(None)
