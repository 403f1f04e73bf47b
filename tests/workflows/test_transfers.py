"""A change of employer over two workflows: workers that die in the middle lose nothing and repeat nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import httpx
from sqlalchemy import insert
from temporalio.client import Client

from cases.commands import submit as acts
from domain.clock import day_of
from domain.commands import CommandKind
from domain.stages import Stage
from domain.transfers import DepartureAnswerRequest
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.requests import RegistrationRequest
from store import tables
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, OFFICER, registration_body
from tests.cases.taking_on import accept
from tests.workflows.world import Case, World, case_worker, new_key, open_world


@asynccontextmanager
async def working(world: World) -> AsyncIterator[None]:
    """Let a worker of its own work; what it leaves undone waits for the next one."""
    async with httpx.AsyncClient(transport=world.authority.transport) as http, case_worker(world, http):
        yield


async def heard(case: Case) -> None:
    """Let a case hear of what the other one left it, as the sweeper does."""
    for command in await case.world.rows(tables.commands, reference=case.reference, state="stored"):
        assert await case.world.engine.nudge(case.reference, str(command["command_id"]))
        await case.applied(str(command["command_id"]))


async def agree(old: Case, employer: str) -> None:
    world, file = old.world, await old.file()
    at = world.clock()
    row = {
        "transfer_id": uuid4(), "person_id": file.row.person_id, "programme": "talent_permit",
        "from_reference": old.reference, "to_employer": employer, "state": "agreed", "agreed_at": at,
        "holds_until": at + timedelta(days=40),
    }  # fmt: skip
    async with world.context.database.begin() as connection:
        await connection.execute(insert(tables.transfers).values(row))


async def follow(old: Case) -> Case:
    world = old.world
    body = registration_body()
    body["employment"]["work_site"] = "SZP-101"
    accepted = await accept(world.context, EMPLOYER_B, RegistrationRequest.model_validate(body), new_key())
    new = Case(world, accepted.reference)
    world.started.append(new.reference)
    assert await world.engine.start(new.reference)
    await new.until(lambda file: file.assessment() is not None)
    return new


async def test_workers_that_die_in_the_middle_lose_nothing_and_repeat_nothing(
    clean_database: str, temporal_client: Client
) -> None:
    async with open_world(clean_database, temporal_client, works=False) as world:
        async with working(world):
            old = await world.submit()
            await old.approve()
            await old.issue()
            await agree(old, "emp-b")
            new = await follow(old)
            await new.decide("approve")
        # Nobody works while the one before is asked; then it is, once.
        async with working(world):
            await heard(old)
            today = day_of(world.clock())
            answer = DepartureAnswerRequest.model_validate({"action": "confirm", "last_day": today})
            await old.ask(EMPLOYER_A, CommandKind.ANSWER_DEPARTURE, answer)
            await old.skip(timedelta(days=1))
            await old.until_stage(Stage.ENDED)
        # The one that follows hears of it from the next worker.
        async with working(world):
            await heard(new)
            # Each workflow has a time of its own: this one is a day behind.
            await new.skip(timedelta(days=1) + world.context.limits.settling)
            await new.until(lambda file: file.find_task("permit_move") is not None)
            task = (await new.file()).find_task("permit_move")
            assert task is not None
        body = {"task_id": str(task.task_id), "action": "move"}
        asked = await acts.ask(world.context, OFFICER, new.reference, CommandKind.ANSWER_TASK, body, new_key())
        assert asked.command_id is not None
        async with working(world):
            assert await world.engine.nudge(new.reference, str(asked.command_id))
            await new.until_permits(PermitStage.ISSUED)
            await heard(old)
            await old.ended()
            await new.idle()
        assert {(await old.permit(each)).end_reason for each in ("HK", "MO")} == {"moved_within_park"}
        assert "permit_reported" not in await old.notices()
        told = {key.replace(new.reference, "NEW") for key in world.authority.reports}
        assert told == {"report/NEW/HK/entry_changed/1", "report/NEW/MO/entry_changed/1"}
        assert {each["case"] for each in world.authority.reports.values()} == {
            f"{old.reference}/HK", f"{old.reference}/MO",
        }  # fmt: skip
        assert len(world.authority.calls) == len(set(world.authority.calls)) == 4
        assert [(await new.acts()).count(act) for act in ("transfer_done", "settled", "permit_taken_over")] == [1, 1, 2]
        assert [(await old.acts()).count(act) for act in ("departure_asked", "ended", "permit_moved_away")] == [1, 1, 2]
