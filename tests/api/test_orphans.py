"""A register that everybody worked on has no orphans, and each kind of orphan is counted."""

from uuid import uuid4

from sqlalchemy import insert, text

from bench.faults.orphans import orphans_query
from store.database import Database
from store.tables import data_keys
from tests.api.conftest import Stage
from tests.api.every_route import walk_all


async def _orphans(database: Database) -> list[tuple[str, int]]:
    async with database.begin() as connection:
        return [(row.what, row.rows) for row in await connection.execute(text(orphans_query()))]


async def test_a_walk_through_every_route_leaves_no_orphan(stage: Stage) -> None:
    await walk_all(stage)
    assert await _orphans(stage.context.database) == []
    async with stage.context.database.begin() as connection:
        await connection.execute(insert(data_keys).values(key_id=uuid4(), kek_id="k"))
    assert await _orphans(stage.context.database) == [("data_keys named by none", 1)]
