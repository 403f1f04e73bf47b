"""The toy's table in the database of this process, for as long as a test lasts."""

from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from tests.programmes.toy import migration


def _run(connection: Connection, change: Callable[[], None]) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        change()


@pytest_asyncio.fixture
async def toy_database(clean_database: str, owner_url: str) -> AsyncIterator[str]:
    """The address of the empty database with what the toy's migration makes, as the application role."""
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run, migration.upgrade)
        yield clean_database
        async with engine.begin() as connection:
            await connection.run_sync(_run, migration.downgrade)
    finally:
        await engine.dispose()
