"""The engine where Temporal is absent, silent or refuses, and the sweeper that starts what it could not."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select
from temporalio.client import Client

from cases.commands.sweeper import sweep
from domain.messages import StandingInput
from domain.stages import Stage
from programmes import CASE_TYPES
from programmes.talent_permit.registration import accept
from programmes.talent_permit.requests import RegistrationRequest
from sandbox.stack.doors import Door, Mood, open_door
from store import tables
from temporal import engine as engine_module
from temporal.engine import TemporalEngine, Told
from tests.cases.contexts import EMPLOYER_A, registration_body
from tests.workflows.world import Case, World, new_key, open_world

LIMIT = 1.0
_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AWAY = [Mood.ABSENT, Mood.SILENT, Mood.REFUSING]


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_START_SECONDS", "_DECIDE_SECONDS", "_NUDGE_SECONDS"):
        monkeypatch.setattr(engine_module, name, LIMIT)


@pytest_asyncio.fixture
async def door(temporal_address: str) -> AsyncIterator[Door]:
    async with open_door(temporal_address) as door:
        yield door


@pytest_asyncio.fixture
async def world(clean_database: str, temporal_client: Client) -> AsyncIterator[World]:
    async with open_world(clean_database, temporal_client) as world:
        yield world


async def _engine(door: Door, like: Client) -> TemporalEngine:
    """Return an engine as the API makes it, whose client connects with its first call."""
    converter, namespace = like.data_converter, like.namespace
    return TemporalEngine(
        await Client.connect(door.address, namespace=namespace, data_converter=converter, lazy=True), CASE_TYPES
    )


@pytest.mark.parametrize("mood", AWAY)
async def test_nothing_raises_and_nothing_takes_long_while_temporal_is_away(
    door: Door, temporal_client: Client, mood: Mood
) -> None:
    await door.set(mood)
    engine = await _engine(door, temporal_client)
    reference, command = "HT-0000-0000-0", str(uuid4())
    asked = StandingInput(change_id=str(uuid4()), at=_NOON)
    calls = (
        lambda: engine.start(reference),
        lambda: engine.decide(reference, command),
        lambda: engine.nudge(reference, command),
        lambda: engine.start_standing("emp-a", asked),
        lambda: engine.is_up(),
    )
    for call in calls:
        before = time.monotonic()
        assert not await call()
        assert time.monotonic() - before < LIMIT + 1.5


async def test_refusal_of_the_server_itself_is_an_answer(temporal_address: str, temporal_client: Client) -> None:
    client = await Client.connect(temporal_address, namespace="nowhere", data_converter=temporal_client.data_converter)
    engine = TemporalEngine(client, CASE_TYPES)
    assert not await engine.start("HT-0000-0000-0")
    assert await engine.decide("HT-0000-0000-0", str(uuid4())) is Told.NOT_ANSWERED
    assert not await engine.nudge("HT-0000-0000-0", str(uuid4()))


async def test_client_made_before_temporal_was_there_finds_it_later(door: Door, temporal_client: Client) -> None:
    engine = await _engine(door, temporal_client)
    assert not await engine.is_up()
    await door.set(Mood.OPEN)
    for _ in range(20):
        if await engine.is_up():
            break
    assert await engine.is_up()


@pytest.mark.parametrize("mood", AWAY)
async def test_case_taken_on_without_temporal_gets_exactly_one_workflow_later(
    world: World, door: Door, mood: Mood
) -> None:
    await door.set(mood)
    engine = await _engine(door, world.client)
    request = RegistrationRequest.model_validate(registration_body())
    accepted = await accept(world.context, EMPLOYER_A, request, new_key())
    assert (accepted.reply.progress, accepted.reply.body.stage) == ("stored", "received")
    case = Case(world, accepted.reference)
    world.started.append(case.reference)
    assert not await engine.start(case.reference)
    assert await sweep(world.context, engine, older_than=timedelta(0)) == 0
    assert await case.stage() is Stage.RECEIVED
    await door.set(Mood.OPEN)
    sent = 0
    for _ in range(20):
        sent += await sweep(world.context, engine, older_than=timedelta(0))
        if sent:
            break
    await case.until_stage(Stage.UNDER_REVIEW)
    assert await sweep(world.context, engine, older_than=timedelta(0)) == 0
    # Started again by a caller that did not know: the same workflow, the same run.
    run = (await case.handle.describe()).run_id
    assert await engine.start(case.reference)
    assert (await case.handle.describe()).run_id == run
    assert await _runs(world, case) == [run]
    async with world.context.database.begin() as connection:
        query = select(tables.commands.c.state).where(tables.commands.c.kind == "start")
        assert (await connection.execute(query)).scalars().all() == ["applied"]


async def _runs(world: World, case: Case) -> list[str]:
    query = f"WorkflowId = '{CASE_TYPES.id_of(case.reference)}'"
    return [each.run_id async for each in world.client.list_workflows(query)]


async def test_the_tasks_of_a_case_take_turns_by_its_employer(world: World, temporal_client: Client) -> None:
    request = RegistrationRequest.model_validate(registration_body())
    case = Case(world, (await accept(world.context, EMPLOYER_A, request, new_key())).reference)
    world.started.append(case.reference)
    engine = TemporalEngine(world.client, CASE_TYPES)
    assert await engine.start(case.reference, employer_id="emp-a")
    handle = temporal_client.get_workflow_handle(CASE_TYPES.id_of(case.reference))
    first = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert first.priority.fairness_key == "emp-a"
