"""Temporal's own pages read in words: summaries of steps, timers and runs, and the current details; codes alone."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import UserMetadata, WorkflowMetadata
from temporalio.client import WorkflowHandle

from cases.decisions import settling
from domain.stages import Stage
from programmes.talent_permit.permit_stages import PermitStage
from temporal.following import summary_of
from temporal.histories import TemporalHistories
from tests.workflows.histories import events
from tests.workflows.world import Case, World


async def _details(handle: WorkflowHandle[Any, Any]) -> str:
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def _words(world: World, metadata: UserMetadata) -> str:
    """Return a summary as the UI shows it, through the codec."""
    payloads: list[Payload] = [metadata.summary]
    (said,) = await world.client.data_converter.decode(payloads)
    return str(said)


async def _summaries(case: Case) -> dict[str, set[str]]:
    """Return the summaries of a case's events by what they stand at."""
    found: dict[str, set[str]] = {"started": set(), "step": set(), "activity": set(), "timer": set()}
    for event in await events(case):
        kind = _kind(event)
        if kind is not None and event.user_metadata.HasField("summary"):
            found[kind].add(await _words(case.world, event.user_metadata))
    return found


def _kind(event: HistoryEvent) -> str | None:
    return {
        "workflow_execution_started_event_attributes": "started",
        "marker_recorded_event_attributes": "step",
        "activity_task_scheduled_event_attributes": "activity",
        "timer_started_event_attributes": "timer",
    }.get(str(event.WhichOneof("attributes")))


async def test_what_is_asked_of_each_step_is_said_beside_it(world: World) -> None:
    case = await world.submit()
    await case.skip(timedelta(days=7))
    await case.approve()
    await case.issue()
    await case.until(lambda file: file.course().rests)
    await case.idle()
    said = await _summaries(case)
    assert said["started"] == {f"Case {case.reference}: registration and permits"}
    assert said["step"] >= {
        "assess round 1",
        "apply what is waited for in under_review",
        "review_reminder is due in under_review",
        "apply what is stored in approved",
    }
    assert said["activity"] == {f"permit/{case.reference}"}
    assert said["timer"] >= {"review_reminder", "contract_reminder"}


async def test_a_case_is_found_by_its_reference_in_whatever_run_it_is(world: World) -> None:
    case = await world.submit()
    await case.approve()
    await case.issue()
    await case.until(lambda file: file.course().rests)
    await case.idle()
    runs = await TemporalHistories(world.client).runs_of(f"registration/{case.reference}")
    assert len(runs) > 1
    for operator in ("=", "STARTS_WITH"):
        query = f"WorkflowId {operator} 'registration/{case.reference}'"
        listed = [each.run_id async for each in world.client.list_workflows(query)]
        assert sorted(listed) == sorted(run.run_id for run in runs)


async def test_the_details_say_stage_last_result_and_next_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await world.submit()
    await case.until_stage(Stage.UNDER_REVIEW)
    await case.idle()
    stage, last, wait = (await _details(case.handle)).splitlines()
    assert stage == "**under_review**, round 1"
    assert last == "- last: received to under_review; commands applied"
    assert wait.startswith("- next: wait for ")

    async def broken(*_: object) -> None:
        raise RuntimeError("anybody's name")

    monkeypatch.setattr("temporal.engine._DECIDE_SECONDS", 1.0)
    whole = settling.settle
    monkeypatch.setattr(settling, "settle", broken)
    await case.decide("approve")
    await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
    await case.idle()
    assert await _details(case.handle) == "**stopped** at advance: RuntimeError\n- next: an operator's resume"
    monkeypatch.setattr(settling, "settle", whole)
    await case.resume()
    await case.skip(world.context.limits.settling + timedelta(seconds=5))
    await case.until_permits(PermitStage.SUBMITTED)
    await case.idle()
    assert "**approved**, round 1" in await _details(case.handle)


def test_runs_say_in_lists_what_they_are_for() -> None:
    assert summary_of("standing/emp-a/6d9c") == "Change of standing of emp-a, told to its cases"
    assert summary_of("notification/mail") == "Delivers mail"
    assert summary_of("archive-workflow-2026-03-02T10:00:00Z") is None
