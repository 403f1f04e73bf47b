"""Many callers at once, and Temporal away in each of its ways."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import func, select
from temporalio.client import Client

from programmes import CASE_TYPES
from store.tables import cases
from temporal.engine import TemporalEngine
from tests.api.conftest import Stage
from tests.api.walk import Walk
from tests.cases.contexts import registration_body


async def test_one_live_registration_wins_a_race_of_two_employers(stage: Stage) -> None:
    callers = [stage.as_("employer-a"), stage.as_("employer-b")]

    answers = await asyncio.gather(
        *(callers[number % 2].post("/v1/registrations", registration_body()) for number in range(50))
    )
    await stage.settle()

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[202] == 1
    assert set(statuses) <= {202, 409, 429}
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {problem["code"] for problem in refused} == {"live_registration_exists"}
    winner = next(at for at, answer in enumerate(answers) if answer.status_code == 202) % 2
    others = [answer.text for at, answer in enumerate(answers) if at % 2 != winner]
    assert not any("emp-" in text or "HT-" in text for text in others)
    async with stage.context.database.begin() as connection:
        assert (await connection.execute(select(func.count()).select_from(cases))).scalar_one() == 1


async def test_two_officers_never_claim_the_same_task(stage: Stage) -> None:
    walk = Walk(stage)
    for _ in range(4):
        await walk.register()

    names = ["officer-1", "officer-2", "supervisor", "supervisor-2"]
    answers = await asyncio.gather(*(stage.as_(name).post("/v1/tasks/next", {}) for name in names))

    claimed = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    assert len(claimed) == len(set(claimed)) == 4


async def test_of_a_withdrawal_and_a_decision_at_once_one_stands(stage: Stage) -> None:
    reference = await Walk(stage).register()
    path = f"/v1/registrations/{reference}"

    decision, withdrawal = await asyncio.gather(
        stage.as_("officer-1").post(f"{path}/decision", {"action": "approve", "round": 1}),
        stage.as_("employer-a").post(f"{path}/withdrawal", {}),
    )
    await stage.settle()

    stage_now = (await stage.as_("officer-1").get(path)).json()["stage"]
    assert stage_now in ("approved", "withdrawn")
    assert (decision.status_code == 200) is (stage_now == "approved")
    assert withdrawal.status_code in (202, 409)


@pytest.fixture
def refusing_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest_asyncio.fixture
async def silent_port() -> AsyncIterator[int]:
    """A port that takes connections and says nothing."""

    async def wait(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize("kind", ["refused", "silent"])
async def test_a_submission_is_answered_at_once_without_temporal(
    stage: Stage, kind: str, refusing_port: int, silent_port: int
) -> None:
    port = refusing_port if kind == "refused" else silent_port
    client = await Client.connect(f"127.0.0.1:{port}", lazy=True)
    stage.app.state.wiring.engine = TemporalEngine(client, CASE_TYPES)

    began = time.perf_counter()
    answer = await stage.as_("employer-a").post("/v1/registrations", registration_body())
    ready = await stage.nobody.send("GET", "/health/ready")
    seconds = time.perf_counter() - began

    assert (answer.status_code, answer.json()["stage"]) == (202, "received")
    assert (ready.status_code, ready.json()["temporal"]) == (200, "away")
    assert seconds < 3
    await stage.settle()
