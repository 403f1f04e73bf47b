"""Alembic's environment: runs the migrations as the owner, one run at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from domain.spellings import MIGRATION_LOCK
from store.cluster import prepare
from store.tables import metadata

# Two deployments that migrate at once would trip over each other; the second waits for the first.


def _migrate(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    prepare(connection)
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()


async def _run(url: str) -> None:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
    finally:
        await engine.dispose()


asyncio.run(_run(context.config.attributes["url"]))
