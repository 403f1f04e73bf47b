"""The story of a case and the comparison of its records, on real histories."""

from cases.reconciliation import reconcile_case
from cases.story import tell_story
from domain.actors import Actor, Role
from temporal.histories import TemporalHistories
from tests.workflows.test_archive import archive_round, closed_run
from tests.workflows.world import World

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR, correlation_id="audit")


async def test_the_story_is_the_same_from_the_live_service_and_from_the_archive(world: World) -> None:
    case = await closed_run(world)
    histories = TemporalHistories(world.client)
    live, _ = await tell_story(world.context, histories, AUDITOR, case.reference, limit=1000)
    before, found = await reconcile_case(world.context, histories, case.reference)
    assert (found, [run.archived for run in before.record.runs]) == ([], [None, None])

    await archive_round(world)

    archived, _ = await tell_story(world.context, histories, AUDITOR, case.reference, limit=1000)
    after, found = await reconcile_case(world.context, histories, case.reference)
    assert (found, [run.archived is not None for run in after.record.runs]) == ([], [True, False])
    assert archived == live
    assert live["complete"]
    assert [run["status"] for run in live["runs"]] == ["continued_as_new", "running"]
    told = [(item["source"], item["what"]) for item in live["items"]]
    assert ("history", "act_asked") in told
    assert ("history", "run_to_be_continued") in told
    assert [what for source, what in told if source == "ledger"][:3] == ["submitted", "started", "assessed"]
