"""A worker that is killed and started again amid a renewal or an objection: nothing is lost or twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest_asyncio
from temporalio.client import Client

from cases.case.renewals import newest_of
from cases.commands import submit as acts
from domain.actors import Actor
from domain.clock import day_of
from domain.commands import CommandKind
from domain.objections import ObjectionState
from domain.renewals import RenewalStage
from domain.stages import Stage
from programmes.talent_permit.permit_stages import PermitStage
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, SUPERVISOR_2, registration_body
from tests.workflows.world import MONDAY, OFFICER_2, Case, World, case_worker, new_key, open_world, term

SETTLED = timedelta(minutes=11)


@pytest_asyncio.fixture
async def world(clean_database: str, temporal_client: Client) -> AsyncIterator[World]:
    """A park without a worker: each test has one for as long as it says."""
    async with open_world(clean_database, temporal_client, start=MONDAY, parameters="default", works=False) as world:
        yield world


@asynccontextmanager
async def working(world: World) -> AsyncIterator[None]:
    """Let a worker run, and stop it; another knows nothing of what it kept in memory."""
    async with httpx.AsyncClient(transport=world.authority.transport) as http, case_worker(world, http):
        yield


async def _asked(case: Case, actor: Actor, kind: str, body: dict[str, Any], *, times: int = 1) -> None:
    """Ask something while nobody works, tell the workflow of it so often, and have a worker do it."""
    asked = await acts.ask(case.world.context, actor, case.reference, kind, body, new_key())
    command = str(asked.command_id)
    waits = asked.reply is None
    if not waits:
        for _ in range(times):
            assert await case.world.engine.nudge(case.reference, command)
    told = [asyncio.create_task(case.world.engine.decide(case.reference, command)) for _ in range(times * waits)]
    await asyncio.sleep(0.2)
    assert any(str(each.command_id) == command for each in (await case.file()).commands)
    async with working(case.world):
        assert all(await asyncio.gather(*told))
        await case.applied(command)


async def _slept(case: Case, duration: timedelta) -> None:
    """Let time pass up to a moment before what is due, and over it by another worker."""
    async with working(case.world):
        await case.skip(duration - timedelta(minutes=2), settle=False)
    async with working(case.world):
        await case.skip(timedelta(minutes=2), settle=False)


async def _issued(world: World) -> Case:
    """Return a case whose permit runs out soon, at rest."""
    async with working(world):
        case = await world.submit(body={**registration_body(), "destinations": ["HK"]})
        await case.approve()
        today = day_of(world.clock())
        days = {**term(world.clock()), "valid_until": today + timedelta(days=80)}
        await case.answer("HK", "issued", authority_number="C-HK-1", **days)
        await case.until_permits(PermitStage.ISSUED, "HK")
        await case.idle()
    return case


async def _renewal(case: Case) -> str:
    row = newest_of(await case.file())
    assert row is not None
    return row.stage


async def _round(case: Case) -> dict[str, Any]:
    return {"action": "confirm", "round": (await case.file()).round}


async def test_a_renewal_outlives_its_workers_and_sends_one_entry(world: World) -> None:
    case = await _issued(world)
    await _asked(case, EMPLOYER_A, CommandKind.RENEW, {}, times=2)
    assert await _renewal(case) == RenewalStage.UNDER_REVIEW
    await _asked(case, OFFICER, CommandKind.DECIDE_RENEWAL, {"action": "grant", "renewal": 1}, times=2)
    assert await _renewal(case) == RenewalStage.GRANTED
    world.authority.away = True
    await _slept(case, SETTLED)
    world.authority.away, world.authority.lose_answers = False, 1
    for _ in range(3):  # the answer of the first is lost, and its worker with it
        async with working(world):
            await case.skip(timedelta(hours=1), settle=False)
    async with working(world):
        await case.until(lambda file: not file.calls)
    key = f"permit/{case.reference}/HK/term/2"
    assert list(world.authority.entries_of(case.reference)).count(key) == 1
    assert len(list(world.authority.entries_of(case.reference))) == 2
    told = await case.acts()
    assert [told.count(each) for each in ("renewal_asked", "renewal_granted", "renewal_settled")] == [1, 1, 1]
    assert (await case.notices()).count("renewal_granted") == 2


async def test_a_refusal_cools_off_and_is_objected_to_over_workers_that_die(world: World) -> None:
    case = await _issued(world)
    await _asked(case, EMPLOYER_A, CommandKind.RENEW, {})
    reasons = [{"code": "employment_unproved"}]
    refuse = {"action": "refuse", "renewal": 1, "reasons": reasons}
    await _asked(case, OFFICER, CommandKind.DECIDE_RENEWAL, refuse, times=2)
    await _asked(case, OFFICER_2, CommandKind.CONFIRM, await _round(case), times=2)
    assert "renewal_refused" not in await case.notices()
    await _slept(case, SETTLED)
    async with working(world):
        await case.until(lambda file: (row := newest_of(file)) is not None and row.settled)
    assert (await case.notices()).count("renewal_refused") == 2
    objection = {"against": "renewal_refusal", "grounds": "It was proved in May."}
    await _asked(case, EMPLOYER_A, CommandKind.OBJECT, objection, times=2)
    (kept,) = (await case.file()).row.objections or []
    uphold = {"objection": kept["id"], "action": "uphold", "reasons": [{"code": "new_proof"}]}
    await _asked(case, SUPERVISOR, CommandKind.DECIDE_OBJECTION, uphold, times=2)
    await _asked(case, SUPERVISOR_2, CommandKind.CONFIRM, await _round(case), times=2)
    assert await _renewal(case) == RenewalStage.UNDER_REVIEW
    (kept,) = (await case.file()).row.objections or []
    assert kept["state"] == ObjectionState.UPHELD
    await _asked(case, OFFICER, CommandKind.DECIDE_RENEWAL, {"action": "grant", "renewal": 1}, times=2)
    await _slept(case, SETTLED)
    async with working(world):
        await case.until(lambda file: not file.calls)
    entries = sorted(world.authority.entries_of(case.reference))
    assert entries == [f"permit/{case.reference}/HK", f"permit/{case.reference}/HK/term/2"]
    told = await case.acts()
    assert [told.count(each) for each in ("objection_received", "set_aside", "renewal_settled")] == [1, 1, 2]
    assert (await case.file()).stage is Stage.APPROVED


async def test_a_refusal_that_cools_off_takes_effect_once_whoever_worked_on_it(world: World) -> None:
    async with working(world):
        case = await world.submit(body={**registration_body(), "destinations": ["HK"]})
    refuse = {"action": "refuse", "round": 1, "reasons": [{"code": "employment_unproved"}]}
    await _asked(case, OFFICER, CommandKind.DECIDE, refuse, times=2)
    await _asked(case, OFFICER_2, CommandKind.CONFIRM, await _round(case), times=2)
    assert (await case.stage(), "registration_refused" in await case.notices()) == (Stage.AWAITING_CONFIRMATION, False)
    await _slept(case, SETTLED)
    async with working(world):
        await case.until_stage(Stage.REFUSED)
        await case.ended()
    told = await case.acts()
    assert [told.count(each) for each in ("confirmed", "settled")] == [1, 1]
    assert (await case.notices()).count("registration_refused") == 2
