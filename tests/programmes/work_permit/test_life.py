"""A work permit from the call of an employer to its end, by the real application, with time skipped."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from temporalio.client import Client

from domain.errors import need
from domain.stages import Stage
from programmes.work_permit.tables import residence, work_permit
from tests.programmes.park import Park, served
from tests.programmes.work_permit.forms import PAPER
from tests.programmes.work_permit.room import approved, enter
from tests.workflows.world import MONDAY, open_world


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park


async def test_a_case_runs_from_intake_to_a_permit_that_expires(park: Park) -> None:
    case, here = await approved(park)
    assert case.handle.id == f"work-permit/{case.reference}"
    shown = await park.ask("employer-a", "GET", here)
    assert (shown["work_permit"]["stage"], shown["residence_permit"]["stage"]) == ("awaited", "entry_awaited")
    shown = await enter(park, here)
    assert (shown["work_permit"]["stage"], shown["work_permit"]["number"]) == ("issued", PAPER["number"])
    await park.ask("employer-a", "POST", f"{here}/entry", {"entered_on": "2026-03-01"}, expects=202)
    file = await case.until(lambda file: need(residence(file), "residence").entered_on is not None)
    assert (
        str(need(residence(file), "residence").due_at) == "2026-04-01 00:00:00+08:00"
    )  # the thirtieth day is the last
    await case.skip(timedelta(days=900))
    file = await case.until(lambda file: file.stage is Stage.ENDED)
    assert (need(work_permit(file), "permit").stage, file.row.end_reason) == ("expired", "work_permit_expired")
    assert str(file.row.ended_on) == "2027-12-31"
    acts = await case.acts()
    assert acts.count("work_permit_window_opened") == 1
    assert acts.count("reminded") >= 2
    await case.ended()
