"""No read and no write of a case looks through a table that grows, by PostgreSQL's own count of the rows it read."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bench.growth import WORKS, Register, open_register, tuples_read
from sandbox.postgres import PostgresServer

_CASES = 3_000
_WAITING_IN = 4
# Far more than a page with all its parts needs, and far fewer than a scan of a table or a sort of the inbox reads.
_MOST_ROWS = 450


@pytest_asyncio.fixture
async def register(postgres: PostgresServer, empty_database: str) -> AsyncIterator[Register]:
    """A register of some thousand cases, many of them waiting for an officer."""
    async with open_register(postgres, empty_database, _CASES, waiting_in=_WAITING_IN) as register:
        yield register


async def test_what_is_read_does_not_grow_with_the_register(register: Register) -> None:
    scanned, read = {}, {}
    for name, work in WORKS.items():
        before = await tuples_read(register)
        await work(register)
        for table, (scans, rows) in (await tuples_read(register)).items():
            if scans > before[table][0]:
                scanned[name, table] = scans - before[table][0]
            if rows - before[table][1] > _MOST_ROWS:
                read[name, table] = rows - before[table][1]
    assert scanned == {}
    assert read == {}
