"""The tables of the tests' programmes in the database of this process, for as long as a test lasts."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest_asyncio
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from tests.programmes.badge import migration as badge
from tests.programmes.toy import migration as toy


def _run(connection: Connection, change: Callable[[], None]) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        change()


@asynccontextmanager
async def _migrated(owner_url: str, upgrade: Callable[[], None], downgrade: Callable[[], None]) -> AsyncIterator[None]:
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run, upgrade)
        yield
        async with engine.begin() as connection:
            await connection.run_sync(_run, downgrade)
    finally:
        await engine.dispose()


@pytest_asyncio.fixture
async def toy_database(clean_database: str, owner_url: str) -> AsyncIterator[str]:
    """The address of the empty database with what the toy's migration makes, as the application role."""
    async with _migrated(owner_url, toy.upgrade, toy.downgrade):
        yield clean_database


@pytest_asyncio.fixture
async def badge_database(clean_database: str, owner_url: str) -> AsyncIterator[str]:
    """The same with what the badge's migration makes."""
    async with _migrated(owner_url, badge.upgrade, badge.downgrade):
        yield clean_database


@pytest_asyncio.fixture
async def toys_and_badges_database(toy_database: str, owner_url: str) -> AsyncIterator[str]:
    """The same with what both make."""
    async with _migrated(owner_url, badge.upgrade, badge.downgrade):
        yield toy_database
