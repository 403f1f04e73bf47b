"""A change of standing on a real Temporal and a real database, from the proposal to the authority's book."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx
import pytest_asyncio
from sqlalchemy import insert, select, update
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkipper
from temporalio.worker import Replayer, Worker

from activities.authority import AuthorityClient
from activities.standing import StandingSteps
from cases.commands.advance import advance
from cases.shared.context import Context
from domain.clock import CHINA
from domain.decisions import PermitConfirmationRequest
from domain.employers import StandingRequest
from domain.messages import REGISTRATION_QUEUE, STANDING_WORKFLOW, DecisionSignal, StandingInput
from domain.stages import Standing
from programmes.talent_permit.registration import accept
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.tables import permits
from register.rollout import find_unspread
from register.standing import confirm_standing, propose_standing
from store.tables import calls, cases, commands, employer_standings, incidents, ledger
from temporal.engine import Told
from tests.cases.contexts import (
    EMPLOYER_A,
    SUPERVISOR,
    SUPERVISOR_2,
    Clock,
    key,
    load_samples,
    open_context,
    registration_body,
)
from tests.workflows.sandbox import sandboxed
from worker import workflow_runner
from workflows.standing import StandingWorkflow

NUMBERS = ("44030419900307123X", "33010619860128072X")


class Applying:
    """An engine whose cases apply what they are told at once, unless it is away."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.away = False
        self.told: list[str] = []

    async def start(self, reference: str, correlation_id: str = "", *, employer_id: str = "") -> bool:
        return not self.away

    async def decide(self, reference: str, command_id: str, correlation_id: str = "") -> Told:
        return Told.ANSWERED if not self.away else Told.NOT_ANSWERED

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        self.told.append(reference)
        if not self.away:
            await advance(self.context, reference, self.context.clock())
        return not self.away

    async def signal_decision(self, reference: str, decision: DecisionSignal) -> None:
        raise NotImplementedError

    async def start_standing(self, employer_id: str, standing: StandingInput, *, is_unspread: bool = False) -> bool:
        return not self.away

    async def is_up(self) -> bool:
        return not self.away


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    # The time of a step is the workflow's, so that the cases have to begin at the server's.
    async with open_context(clean_database, Clock(datetime.now(CHINA))) as context:
        await load_samples(context)
        yield context


@asynccontextmanager
async def _working(
    context: Context, client: Client, answer: Callable[[httpx.Request], httpx.Response]
) -> AsyncIterator[Applying]:
    engine = Applying(context)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as outside:
        steps = StandingSteps(context, AuthorityClient("https://authority.example", "token", outside), engine)
        async with Worker(
            client,
            task_queue=REGISTRATION_QUEUE,
            workflows=[StandingWorkflow],
            activities=steps.activities(),
            workflow_runner=workflow_runner(),
            graceful_shutdown_timeout=timedelta(seconds=5),
        ):
            yield engine


async def _cases(context: Context) -> list[str]:
    references = []
    for number in NUMBERS:
        request = RegistrationRequest.model_validate(registration_body(identity_number=number))
        reference = (await accept(context, EMPLOYER_A, request, key())).reference
        await advance(context, reference, context.clock())
        references.append(reference)
    return sorted(references)


async def _approve(context: Context, references: list[str]) -> None:
    """Let one permit be issued and one be with the authority."""
    async with context.database.begin() as connection:
        stages = zip(references, ("issued", "submitted"), strict=True)
        rows = [
            {"reference": r, "destination": "HK", "employer_id": "emp-a", "stage": s, "updated_at": context.clock()}
            for r, s in stages
        ]
        await connection.execute(insert(permits).values(rows))
        await connection.execute(update(cases).values(stage="approved", settled=True))


async def _propose(context: Context, standing: Standing, *, days: int = 0) -> StandingInput:
    day = context.clock().date() + timedelta(days=days)
    request = StandingRequest(standing=standing, valid_from=day)
    reply = await propose_standing(context, SUPERVISOR, "emp-a", request, key())
    if standing is Standing.LEFT_PARK:
        confirmed = PermitConfirmationRequest.model_validate({"action": "confirm"})
        await confirm_standing(context, SUPERVISOR_2, "emp-a", confirmed, key())
    return StandingInput(change_id=reply.body["change_id"], at=context.clock())


async def _run(client: Client, asked: StandingInput) -> None:
    workflow_id = f"standing/emp-a/{asked.change_id}"
    await client.execute_workflow(STANDING_WORKFLOW, asked, id=workflow_id, task_queue=REGISTRATION_QUEUE)
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    replayer = Replayer(
        workflows=[StandingWorkflow], data_converter=pydantic_data_converter, workflow_runner=sandboxed()
    )
    await replayer.replay_workflow(history)


def _taken(_: httpx.Request) -> httpx.Response:
    return httpx.Response(202, json={})


async def test_a_suspension_holds_every_case_and_a_reinstatement_releases_it(
    context: Context, temporal_client: Client
) -> None:
    references = await _cases(context)
    async with _working(context, temporal_client, _taken) as engine:
        await _run(temporal_client, await _propose(context, Standing.SUSPENDED))
        assert sorted(engine.told) == references
        assert await _holds(context) == [True, True]
        assert await find_unspread(context, context.clock()) == []
        await _run(temporal_client, await _propose(context, Standing.GOOD))
        assert await _holds(context) == [False, False]


async def test_what_the_engine_did_not_hear_stays_stored_for_the_sweeper(
    context: Context, temporal_client: Client
) -> None:
    await _cases(context)
    async with _working(context, temporal_client, _taken) as engine:
        engine.away = True
        await _run(temporal_client, await _propose(context, Standing.SUSPENDED))
    async with context.database.begin() as connection:
        states = (
            (await connection.execute(select(commands.c.state).where(commands.c.kind == "standing"))).scalars().all()
        )
    assert states == ["stored", "stored"]


async def test_the_authority_is_told_once_in_one_report_though_it_was_away(
    context: Context, temporal_client: Client
) -> None:
    references = await _cases(context)
    await _approve(context, references)
    seen: list[tuple[str, dict[str, object]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["idempotency-key"], json.loads(request.content)))
        return httpx.Response(503 if len(seen) < 3 else 202, json={})

    asked = await _propose(context, Standing.LEFT_PARK)
    async with _working(context, temporal_client, answer):
        await _run(temporal_client, asked)
    report = {
        "what": "employer_left_park",
        "on": context.clock().date().isoformat(),
        "cases": [f"{reference}/HK" for reference in references],
    }
    assert seen == [(f"report/employer/emp-a/{asked.change_id}", report)] * 3
    async with context.database.begin() as connection:
        rows = (await connection.execute(select(cases.c.stage, cases.c.end_reason))).all()
        states = (await connection.execute(select(calls.c.state))).scalars().all()
        reported = (await connection.execute(select(permits.c.reported_at))).scalars().all()
        of_calls = select(ledger).where(ledger.c.chain.startswith("call/")).order_by(ledger.c.recorded_at)
        told = (await connection.execute(of_calls)).all()
    assert [tuple(row) for row in rows] == [("ended", "employer_left_park")] * 2
    assert states == ["done"]
    assert None not in reported
    assert [row.outcome for row in told] == ["no_answer", "no_answer", "taken"]
    assert {row.workflow_id for row in told} == {f"standing/emp-a/{asked.change_id}"}
    assert all(row.run_id and row.event_id for row in told)


async def test_a_report_that_the_authority_cannot_read_is_put_before_the_operator(
    context: Context, temporal_client: Client
) -> None:
    await _approve(context, await _cases(context))
    asked = await _propose(context, Standing.LEFT_PARK)
    async with _working(context, temporal_client, lambda _: httpx.Response(422, json={})):
        await _run(temporal_client, asked)
    async with context.database.begin() as connection:
        row = (await connection.execute(select(incidents))).one()
        spread = (await connection.execute(select(employer_standings.c.spread))).scalars().all()
    assert (row.kind, row.employer_id, row.reason) == ("report_rejected", "emp-a", "authority_422")
    assert spread == [True]


async def test_a_standing_of_a_later_day_is_spread_on_that_day(context: Context, temporal_env: TimeSkipper) -> None:
    await _cases(context)
    clock = context.clock
    assert isinstance(clock, Clock)
    async with _working(context, temporal_env.client, _taken) as engine:
        asked = await _propose(context, Standing.SUSPENDED, days=3)
        handle = await temporal_env.client.start_workflow(
            STANDING_WORKFLOW, asked, id=f"standing/emp-a/{asked.change_id}", task_queue=REGISTRATION_QUEUE
        )
        async with asyncio.timeout(60):
            await handle.result()
        assert len(engine.told) == 2
    async with context.database.begin() as connection:
        at = (await connection.execute(select(commands.c.at).where(commands.c.kind == "standing"))).scalars().first()
    assert at is not None
    assert at - clock.at > timedelta(days=2)


async def _holds(context: Context) -> list[bool]:
    async with context.database.begin() as connection:
        return list((await connection.execute(select(cases.c.standing_hold))).scalars())
