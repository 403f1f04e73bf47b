"""The story of a case and the comparison of its records, on real histories."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from domain.actors import Actor, Role
from programmes.talent_permit.permit_stages import PermitStage
from record.reconciliation.reconcile import reconcile_case
from temporal.histories import TemporalHistories
from tests.record.telling import story_of
from tests.workflows.test_archive import archive_round, closed_run
from tests.workflows.world import World

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR, correlation_id="audit")


async def test_a_step_that_is_tried_again_is_in_the_story_before_it_is_through(world: World) -> None:
    world.authority.away, world.authority.retry_after = True, 3600
    case = await world.submit()
    await case.decide("approve")
    await case.until_permits(PermitStage.ELIGIBLE)

    async def told(what: str) -> list[Any]:
        histories = TemporalHistories(world.client)
        story, _ = await story_of(world.context, histories, AUDITOR, case.reference, limit=1000)
        return [item for item in story["items"] if item["what"] == what]

    async with asyncio.timeout(20):
        while not (items := await told("step_retried")):  # noqa: ASYNC110 - what is waited for happens in Temporal
            await asyncio.sleep(0.1)
    (item,) = items
    assert item["detail"].pop("next_attempt_at").endswith("+08:00")
    assert item["detail"] == {
        "step": "tell_authority",
        "key": f"permit/{case.reference}",
        "attempts": 1,
        "failure": "unavailable",
    }
    assert item["says"] == "A step failed and is being tried again; it is not through yet."

    world.authority.away = False
    await case.skip(timedelta(hours=2), settle=False)
    await case.until_permits(PermitStage.SUBMITTED)
    await case.idle()
    assert await told("step_retried") == []
    (done,) = [each for each in await told("step_done") if each["detail"]["step"] == "tell_authority"]
    assert (done["detail"]["attempts"], done["detail"]["earlier_failure"]) == (2, "unavailable")
    assert done["place"]["event_id"] > item["place"]["event_id"]


async def test_the_story_is_the_same_from_the_live_service_and_from_the_archive(world: World) -> None:
    case = await closed_run(world)
    histories = TemporalHistories(world.client)
    live, _ = await story_of(world.context, histories, AUDITOR, case.reference, limit=1000)
    before, found = await reconcile_case(world.context, histories, case.reference)
    assert (found, [run.archived for run in before.record.runs]) == ([], [None, None])

    await archive_round(world)

    archived, _ = await story_of(world.context, histories, AUDITOR, case.reference, limit=1000)
    after, found = await reconcile_case(world.context, histories, case.reference)
    assert (found, [run.archived is not None for run in after.record.runs]) == ([], [True, False])
    assert archived == live
    assert live["complete"]
    assert [run["status"] for run in live["runs"]] == ["continued_as_new", "running"]
    told = [(item["source"], item["what"]) for item in live["items"]]
    assert ("history", "act_asked") in told
    assert ("history", "run_to_be_continued") in told
    assert [what for source, what in told if source == "ledger"][:3] == ["submitted", "started", "assessed"]


async def test_as_of_a_time_a_run_that_closed_later_is_open_and_its_history_shorter(world: World) -> None:
    case = await closed_run(world)
    await archive_round(world)
    histories = TemporalHistories(world.client)

    async def told(at: datetime | None) -> dict[str, Any]:
        story, _ = await story_of(world.context, histories, AUDITOR, case.reference, as_of=at, limit=1000)
        return story

    now = await told(None)
    first, second = now["runs"]
    closed = datetime.fromisoformat(first["closed_at"])
    then = await told(closed - timedelta(microseconds=1))
    (run,) = then["runs"]
    assert (run["run_id"], run["status"], run["closed_at"], run["sha256"]) == (first["run_id"], "running", None, None)
    assert 0 < run["events"] < first["events"]
    assert "run_to_be_continued" not in {item["what"] for item in then["items"]}
    assert "history_archived" not in str(then)
    begun = await told(datetime.fromisoformat(second["started_at"]))
    assert begun["runs"][0] == first
    assert begun["runs"][1]["events"] < second["events"]
    assert begun["runs"][1]["run_id"] == second["run_id"]
