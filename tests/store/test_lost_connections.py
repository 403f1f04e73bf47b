import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Unavailable
from sandbox.stack.postgres import PostgresServer
from store.database import Database


@pytest.mark.parametrize("opened", [Database.begin, Database.statement])
async def test_connections_that_postgresql_ended_are_replaced(
    database_url: str, postgres: PostgresServer, opened: Callable[..., AbstractAsyncContextManager[AsyncConnection]]
) -> None:
    database = Database(database_url, pool_size=3, application="ended", stands_for="emp-a")

    async def read() -> str:
        async with opened(database, "emp-a") as connection:
            found = await connection.execute(text("SELECT current_setting('hetao.tenant') FROM pg_sleep(0.1)"))
            return str(found.scalar_one())

    await asyncio.gather(*(read() for _ in range(3)))
    postgres.run_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ended%'",
    )
    await asyncio.sleep(0.2)
    assert await asyncio.gather(*(read() for _ in range(3))) == ["emp-a"] * 3
    await database.close()


@pytest.mark.parametrize(
    "broken",
    [
        asyncpg.InternalClientError,
        asyncpg.InterfaceError,
        asyncpg.IdleInTransactionSessionTimeoutError,
        ConnectionResetError,
    ],
)
async def test_a_connection_cut_in_the_middle_is_no_defect(database_url: str, broken: type[Exception]) -> None:
    database = Database(database_url, pool_size=1, application="cut")
    with pytest.raises(Unavailable):
        async with database.begin():
            raise broken("cut")
    await database.close()
