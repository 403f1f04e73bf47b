"""The migrations and the tables that the code describes are one schema."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from store.migrate import upgrade
from store.tables import TENANT_TABLES, metadata


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrated_database_is_the_described_one(owner_url: str) -> None:
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


def test_migrating_again_changes_nothing(owner_url: str) -> None:
    upgrade(owner_url)


async def test_every_tenant_table_is_under_forced_row_level_security(owner_url: str) -> None:
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    query = text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind = 'r'")
    async with engine.connect() as connection:
        secured = set((await connection.execute(query)).scalars())
    await engine.dispose()
    assert secured == set(TENANT_TABLES) - {"roster_intake"}
