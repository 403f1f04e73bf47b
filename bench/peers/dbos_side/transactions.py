"""The steps on the register as DBOS's datasource runs them: what they write and their record are one transaction."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from dbos import AsyncSQLAlchemyDatasource
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from bench.sql import Register

Step = Callable[[Register], Coroutine[Any, Any, list[str]]]
POOL_SIZE: Final = 20


class Transactions:
    """Runs steps in transactions of the datasource, each on the connection that has it."""

    def __init__(self, datasource: AsyncSQLAlchemyDatasource, register: Register) -> None:
        self._datasource, self._register = datasource, register

    async def run(self, name: str, step: Step) -> list[str]:
        """Run a step of a workflow and return the notices that it wrote."""
        return await self._datasource.run_tx_step_async(
            {"name": name, "isolation_level": "READ COMMITTED"}, self._within, step
        )

    async def _within(self, step: Step) -> list[str]:
        """Run a step within the transaction; the datasource tries again what it is told as an error of SQLAlchemy."""
        connection = await self._datasource.sql_session().connection()
        raw = await connection.get_raw_connection()
        adapted: Any = raw.dbapi_connection
        driver: Any = raw.driver_connection
        try:
            # SQLAlchemy begins only with its own first statement, which would come after the step's.
            await adapted._start_transaction()
            return await step(self._register.on(driver))
        except Exception as error:
            if not driver.is_closed() and not isinstance(error, asyncpg.TransactionRollbackError):
                raise
            await connection.invalidate()
            raise DBAPIError(None, None, error, connection_invalidated=True) from error


@asynccontextmanager
async def open_transactions(database_url: str, register: Register) -> AsyncIterator[Transactions]:
    """Open the datasource on the register's database, where it keeps its records in a schema of its own."""
    url = make_url(database_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0)
    try:
        yield Transactions(await AsyncSQLAlchemyDatasource.create(database_url, engine=engine), register)
    finally:
        await engine.dispose()
