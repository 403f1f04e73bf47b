"""What the harness asks of the register is what the register has."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import insert

from bench.faults.driver import CASES
from bench.faults.evidence import QUERIES
from bench.faults.register import Register
from bench.faults.run import WAITING
from store.database import Database
from store.tables import data_keys


async def test_every_query_fits_the_schema(clean_database: str) -> None:
    register = Register(clean_database)
    try:
        for query in QUERIES.values():
            assert await register.rows(query, patience=0) == []
        assert await register.rows(CASES, datetime.min.replace(tzinfo=UTC), patience=0) == []
        assert await register.rows(WAITING, patience=0) == [{"n": 0}]
        assert await register.standing() == {}
    finally:
        await register.close()


async def test_a_row_named_by_none_is_counted(clean_database: str) -> None:
    database, register = Database(clean_database, pool_size=1), Register(clean_database)
    try:
        async with database.begin() as connection:
            await connection.execute(insert(data_keys).values(key_id=uuid4(), kek_id="k"))
        found = await register.rows(QUERIES["orphans"], patience=0)
        assert found == [{"what": "data_keys named by none", "rows": 1}]
    finally:
        await register.close()
        await database.close()
