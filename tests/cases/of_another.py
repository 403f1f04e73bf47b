"""A case that is of another programme than it was taken on for, as no act makes one."""

import asyncpg

from tests.cases.driver import Case


async def make_of(programme: str, case: Case, owner_url: str) -> None:
    """Let a case be of a programme, past the trigger that keeps each in its own."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL hetao.tenant = '*'; ALTER TABLE cases DISABLE TRIGGER as_written")
            await connection.execute("UPDATE cases SET programme = $1 WHERE reference = $2", programme, case.reference)
            await connection.execute("ALTER TABLE cases ENABLE TRIGGER as_written")
    finally:
        await connection.close()
