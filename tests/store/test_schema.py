"""The migrations and the tables that the code describes are one schema."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from cli.docs import all_columns
from domain.data_map_fences import OPEN, PARK, PARTS, PARTS_OF_EMPLOYERS, SHARED, by_employer
from domain.errors import Unavailable
from programmes import PROGRAMMES, own_tables
from store.database import Database
from store.migrate import upgrade
from store.tables import metadata, tenant_tables


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrated_database_is_the_described_one(owner_url: str) -> None:
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


def test_migrating_again_changes_nothing(owner_url: str) -> None:
    upgrade(owner_url)


async def test_every_table_is_under_forced_row_level_security_or_says_why_not(owner_url: str) -> None:
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    query = text(
        "SELECT relname, relrowsecurity AND relforcerowsecurity AS is_secured FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
    )
    async with engine.connect() as connection:
        found = {row.relname: row.is_secured for row in await connection.execute(query)}
    await engine.dispose()
    assert {name for name, is_secured in found.items() if is_secured} == {*tenant_tables(), *PARK, *SHARED}
    assert {name for name, is_secured in found.items() if not is_secured} == set(OPEN)
    assert set(by_employer(all_columns())) == set(tenant_tables())
    assert all(why.strip() for why in (SHARED | OPEN).values())


_OF_BEFORE = (
    "SELECT r.*, r.destinations FROM registrations r WHERE r.reference = 'HT-0' FOR UPDATE OF r",
    "INSERT INTO registrations (reference, destinations) SELECT 'HT-0', '{HK}'",
    "UPDATE registrations SET version = version + 1 WHERE reference = 'HT-0'",
)


@pytest.mark.parametrize("statement", _OF_BEFORE)
async def test_code_of_before_waits_as_for_a_database_that_is_away(clean_database: str, statement: str) -> None:
    database = Database(clean_database, pool_size=1)
    with pytest.raises(Unavailable):
        async with database.begin() as connection:
            await connection.execute(text(statement))
    await database.close()


async def test_what_a_programme_declares_of_parts_is_what_the_policies_read(owner_url: str) -> None:
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT * FROM declared_parts"))).mappings().all()
        policies = await connection.execute(text("SELECT tablename, policyname FROM pg_policies"))
        looking = {row.tablename for row in policies if row.policyname == "parts"}
    await engine.dispose()
    own = {table.name for _, table in own_tables()}
    stored = {(row["programme"], row["part"], row["kind"]): row for row in found}
    declared = {(each.code, part.part, part.kind): part for each in PROGRAMMES.values() for part in each.parts}
    assert set(stored) == set(declared)
    for name, part in declared.items():
        assert set(stored[name]["tables"]) == part.sees
        assert set(stored[name]["commands"]) == set(part.asks)
        assert part.sees <= PARTS | PARTS_OF_EMPLOYERS | own
    assert looking == PARTS | PARTS_OF_EMPLOYERS | own
