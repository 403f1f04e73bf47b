"""Starts that were stored and never sent: employers in turn, one after the other, until Temporal is away, and once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from bench.people import identity_number
from cases.commands.sweeper import sweep
from cases.shared import pace
from cases.shared.context import Context
from domain.actors import Actor
from store.tables import commands
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, Clock, load_samples, open_context
from tests.cases.notices.telling import take_on

_NO_TIME = timedelta(0)


class Engine:
    """Keeps the order in which cases are started, and how many were at once."""

    def __init__(self, *, away_after: int = 1000) -> None:
        self.started: list[str] = []
        self.refused: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self._away_after = away_after

    async def start(self, reference: str, _correlation_id: str = "", *, employer_id: str = "") -> bool:
        if len(self.started) >= self._away_after:
            self.refused.append(reference)
            return False
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        self.started.append(reference)
        return True

    async def nudge(self, *_: object, is_resume: bool = False) -> bool:
        return not is_resume


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


async def _take_on(context: Context, number: int, actor: Actor = EMPLOYER_A) -> str:
    person = {"identity_number": identity_number(number), "permit_card_number": f"C{20_000_000 + number}"}
    return await take_on(context, actor, **person)


async def test_a_case_stored_after_anothers_many_is_started_among_the_first(context: Context) -> None:
    employers = [EMPLOYER_A] * 6 + [EMPLOYER_B] * 2
    employer_of: dict[str, str | None] = {}
    for number, actor in enumerate(employers):
        employer_of[await _take_on(context, number, actor)] = actor.employer_id
    engine = Engine()
    assert await sweep(context, engine, older_than=_NO_TIME) == len(employers)
    assert [employer_of[each] for each in engine.started] == ["emp-a", "emp-b"] * 2 + ["emp-a"] * 4


async def test_starts_one_after_the_other_and_rests_after_each(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    rested_after: list[int] = []

    async def rest(_begun: float) -> None:
        rested_after.append(len(engine.started))

    monkeypatch.setattr(pace, "rest", rest)
    for number in range(3):
        await _take_on(context, number)
    await sweep(context, engine, older_than=_NO_TIME)
    assert engine.most_at_once == 1
    assert rested_after == [1, 2, 3]


async def test_what_is_started_is_not_started_again_though_its_workflow_has_not_begun(context: Context) -> None:
    reference = await _take_on(context, 0)
    engine = Engine()
    assert await sweep(context, engine, older_than=_NO_TIME) == 1
    async with context.database.begin() as connection:
        assert (await connection.execute(select(commands.c.state))).scalars().all() == ["stored"]
    assert await sweep(context, engine, older_than=_NO_TIME) == 0
    assert engine.started == [reference]


async def test_what_a_temporal_took_that_is_lost_is_started_again_after_an_hour(context: Context) -> None:
    reference = await _take_on(context, 0)
    engine = Engine()
    await sweep(context, engine, older_than=_NO_TIME)
    async with context.database.begin() as connection:
        taken = commands.c.start_taken_at
        await connection.execute(update(commands).values(start_taken_at=taken - timedelta(minutes=59)))
    assert await sweep(context, engine, older_than=_NO_TIME) == 0
    async with context.database.begin() as connection:
        await connection.execute(update(commands).values(start_taken_at=taken - timedelta(minutes=2)))
    assert await sweep(context, engine, older_than=_NO_TIME) == 1
    assert engine.started == [reference] * 2


async def test_asks_a_temporal_that_is_away_once_a_round_and_starts_the_rest_later(context: Context) -> None:
    references = [await _take_on(context, number) for number in range(4)]
    engine = Engine(away_after=1)
    assert await sweep(context, engine, older_than=_NO_TIME) == 1
    assert len(engine.refused) == 1
    again = Engine()
    assert await sweep(context, again, older_than=_NO_TIME) == 3
    assert sorted(engine.started + again.started) == sorted(references)
