"""Starts that were stored and never sent: employers take turns, in what is leased and in its order."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from bench.people import identity_number
from cases.context import Context
from cases.sweeping import sweep
from domain.messages import StandingInput
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, Clock, load_samples, open_context
from tests.cases.notices import take_on


class Engine:
    """Keeps the order in which cases are started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def start(self, reference: str, _correlation_id: str = "") -> bool:
        self.started.append(reference)
        return True

    async def nudge(self, *_: object, is_resume: bool = False) -> bool:
        return not is_resume

    async def start_standing(self, _employer_id: str, _standing: StandingInput) -> bool:
        return True


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


async def test_a_case_stored_after_anothers_many_is_started_among_the_first(context: Context) -> None:
    employers = [EMPLOYER_A] * 6 + [EMPLOYER_B] * 2
    employer_of: dict[str, str | None] = {}
    for number, actor in enumerate(employers):
        person = {"identity_number": identity_number(number), "permit_card_number": f"C{20_000_000 + number}"}
        employer_of[await take_on(context, actor, **person)] = actor.employer_id
    engine = Engine()
    assert await sweep(context, engine, older_than=timedelta(0)) == len(employers)
    assert [employer_of[each] for each in engine.started] == ["emp-a", "emp-b"] * 2 + ["emp-a"] * 4
