"""What falls of the evidence of a work permit after its approval: assessed again, looked at by staff, told to both."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.client import Client

from cases.case.evidence import proved
from domain.stages import Stage
from record.reconciliation.reconcile import list_differences
from tests.programmes.park import Park, served
from tests.programmes.work_permit.room import REASONS, enter, permit_of, take_on
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import MONDAY, Case, open_world

FALLEN = {"reasons": [{"code": "evidence_revoked"}]}


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park


async def _approved(park: Park, *, settled: bool) -> tuple[Case, str]:
    """Approve a case whose health and degree an officer saw; they stand on its evidence."""
    case, here = await take_on(park)
    for number, value in ((1, {"value": "doctor"}), (2, {})):
        seen = {"result": "proved", "seen_in": "the original", "round": 1, **value}
        await park.ask("supervisor-2", "POST", f"{here}/evidence/{number}/seen", seen)
    decision = {"action": "approve", "round": 1, "reasons": REASONS}
    shown = await park.ask("officer-1", "POST", f"{here}/decision", decision)
    if shown["stage"] == "awaiting_confirmation":
        confirmation = {"action": "confirm", "round": shown["round"]}
        await park.ask("supervisor-1", "POST", f"{here}/confirmation", confirmation)
    if settled:
        await case.skip(case.world.context.limits.settling + timedelta(seconds=5))
        await case.until(lambda file: bool(file.row.settled))
    return case, here


async def _nothing_differs(park: Park) -> None:
    night = await nightly_round(park.world)
    assert ((await list_differences(park.world.context))[0], night.differing, night.unchecked) == ([], 0, 0)


@pytest.mark.parametrize("given", [False, True])
async def test_it_is_assessed_again_and_told_and_the_permit_stands(park: Park, given: bool) -> None:
    case, here = await _approved(park, settled=True)
    if given:
        await enter(park, here)
    before = await case.file()
    health = "work_permit_health_not_proved"
    assert _found(await park.ask("officer-1", "GET", here))[health] == "pass"
    shown = await park.ask("supervisor-2", "POST", f"{here}/evidence/2/fallen", FALLEN)
    assert _found(shown)[health] != "pass"
    assert (await case.notices()).count("work_permit_proof_fell") == 2
    file = await case.file()
    assert (file.stage, permit_of(file).stage) == (Stage.APPROVED, permit_of(before).stage)
    assert proved(file) == {"education": "doctor"}
    assert await case.open_tasks() == {"evidence_fallen"}
    acts = await case.acts()
    assert acts[-2:] == ["evidence_fallen", "assessed"]
    # Another that falls is another notice, and the one task names both.
    await park.ask("supervisor-2", "POST", f"{here}/evidence/1/fallen", FALLEN)
    assert (await case.notices()).count("work_permit_proof_fell") == 4
    (task,) = [each for each in (await case.file()).tasks if each.kind == "evidence_fallen"]
    assert task.detail["evidence"] == [1, 2]
    await _nothing_differs(park)


async def test_it_is_told_before_the_approval_has_settled_and_not_once_the_case_is_over(park: Park) -> None:
    case, here = await _approved(park, settled=False)
    await park.ask("supervisor-2", "POST", f"{here}/evidence/2/fallen", FALLEN)
    assert (await case.notices()).count("work_permit_proof_fell") == 2
    await case.skip(case.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: bool(file.row.settled))
    await enter(park, here, {"outcome": "refused", "paper": "SZ-2"})
    await case.until_stage(Stage.ENDED)
    assessed = (await case.acts()).count("assessed")
    await park.ask("supervisor-2", "POST", f"{here}/evidence/1/fallen", FALLEN)
    assert (await case.notices()).count("work_permit_proof_fell") == 2
    assert (await case.acts()).count("assessed") == assessed
    await _nothing_differs(park)


def _found(shown: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {each["code"]: each["outcome"] for each in shown["findings"]}
