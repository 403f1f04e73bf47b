"""What is asked of rules and of no case: answered by the rules of a day, refused with its field, and kept nowhere."""

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy import func, select
from temporalio.client import Client

from programmes import PROGRAMMES
from store.tables import cases, commands, idempotency
from tests.programmes.park import Park, served
from tests.programmes.toy.programme import TOY
from tests.workflows.world import MONDAY, open_world

BOTH = {**PROGRAMMES, TOY.code: TOY}
ASKED = {"on": "2026-11-30", "toys": 3}


@pytest_asyncio.fixture
async def park(toy_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(toy_database, temporal_client, start=MONDAY, programmes=BOTH) as world,
        served(world, toy_database) as park,
    ):
        yield park


async def test_a_question_is_answered_to_whoever_is_signed_in_and_nothing_of_it_is_kept(park: Park) -> None:
    for who in ("employer-a", "officer-1", "auditor", "operator", "person-1"):
        answer = await park.ask(who, "POST", "/v1/toys/days", ASKED)
        assert answer == {"pack": "2025-01-01", "days": 15, "standing": "unconfirmed"}
    await park.ask("authority", "POST", "/v1/toys/days", ASKED, expects=403)
    early = await park.ask("employer-a", "POST", "/v1/toys/days", ASKED | {"on": "2024-12-31"}, expects=422)
    assert [each["field"] for each in early["errors"]] == ["on"]
    assert "2025-01-01" in str(early)
    for wrong in ({"toys": 0}, {"toys": 101}, {"toys": "3"}):
        refused = await park.ask("employer-a", "POST", "/v1/toys/days", ASKED | wrong, expects=422)
        assert [each["field"] for each in refused["errors"]] == ["toys"]
    async with park.world.context.database.begin() as connection:
        for table in (cases, commands, idempotency):
            assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_questions_have_a_limit_of_their_own(park: Park) -> None:
    caller = park.caller("employer-a")
    (asked,) = TOY.questions
    answers = [await caller.post("/v1/toys/days", ASKED) for _ in range(asked.a_minute + 1)]
    assert [each.status_code for each in answers] == [200] * asked.a_minute + [429]
    assert (await park.ask("employer-b", "POST", "/v1/toys/days", ASKED))["days"] == 15
