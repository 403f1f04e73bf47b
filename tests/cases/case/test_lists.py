"""A page of cases is walked to by an index that has the programme, however many cases another one has."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from cases.case.reads import list_cases
from domain.actors import Actor
from domain.stages import Stage
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


@contextmanager
def _asked() -> Iterator[list[tuple[str, Any]]]:
    """Keep what is asked of PostgreSQL meanwhile."""
    found: list[tuple[str, Any]] = []

    def keep(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", keep)


@pytest.mark.parametrize("stage", [None, Stage.REFUSED], ids=["all", "by stage"])
@pytest.mark.parametrize("actor", [EMPLOYER_A, OFFICER], ids=["employer", "officer"])
async def test_a_page_of_a_programme_passes_over_no_other_s(park: Park, actor: Actor, stage: Stage | None) -> None:
    with _asked() as found:
        await list_cases(park.context, actor, programme="toy", stage=stage)
    (page,) = [each for each in found if "ORDER BY cases.updated_at" in each[0]]
    async with park.context.database.begin() as connection:
        for way in ("seqscan", "bitmapscan", "sort"):
            await connection.execute(text(f"SET LOCAL enable_{way} = off"))
        plan = "\n".join((await connection.exec_driver_sql(f"EXPLAIN {page[0]}", page[1])).scalars())
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    assert ["programme" in each for each in conditions] == [True], plan
