"""What the harness asks of the register is what the register has."""

from datetime import UTC, datetime

from bench.faults.aftermath import DUE, SNAPSHOT
from bench.faults.driver import CASES
from bench.faults.evidence import QUERIES
from bench.faults.register import Register
from bench.faults.run import WAITING


async def test_every_query_fits_the_schema(clean_database: str) -> None:
    register = Register(clean_database)
    try:
        for query in (*QUERIES.values(), *SNAPSHOT.values(), DUE):
            assert await register.rows(query, patience=0) == []
        assert await register.rows(CASES, datetime.min.replace(tzinfo=UTC), patience=0) == []
        assert await register.rows(WAITING, patience=0) == [{"n": 0}]
        assert await register.standing() == {}
    finally:
        await register.close()
