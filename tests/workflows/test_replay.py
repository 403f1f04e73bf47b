"""Saved histories replay, and no change of what a workflow asks of the engine goes unseen."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, WorkflowRunner

import worker
from activities.archive import ArchiveSteps
from activities.authority_calls import AuthorityCalls
from activities.cases import CaseSteps
from activities.reconciliation import ReconciliationSteps
from activities.retention import RetentionSteps
from activities.seal_check import SealSteps
from activities.standing import StandingSteps
from cli.years.clock import Activity
from programmes import CASE_TYPES
from tests.workflows.case_types import OF_CASES
from tests.workflows.fingerprints import FINGERPRINTS, MESSAGES, fingerprints
from tests.workflows.patches import complaints, in_code, listed, marked
from tests.workflows.reach import WORKFLOWS
from tests.workflows.sandbox import sandboxed
from tests.workflows.save_histories import HISTORIES, SCENARIOS
from tests.workflows.world import World
from workflows.case import CaseLoop

ALL_WORKFLOWS = (*worker.case_workflows(CASE_TYPES), *worker.NOTICE_WORKFLOWS)
OWNERS = (
    CaseSteps,
    AuthorityCalls,
    StandingSteps,
    ArchiveSteps,
    ReconciliationSteps,
    RetentionSteps,
    SealSteps,
)
CHANGED = (
    "What {name} asks of the engine may have changed. Cases that run replay their histories: put a change of commands "
    "behind workflow.patched and save a history of the new way with `python -m tests.workflows.save_histories`; what "
    "changes no command of any history needs `python -m tests.workflows.fingerprints` alone (docs/operations.md)."
)


def _saved() -> list[Path]:
    return sorted(HISTORIES.glob("*.json"))


def _history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))


def _replayer(runner: WorkflowRunner, workflows: Sequence[type] = ALL_WORKFLOWS) -> Replayer:
    return Replayer(workflows=workflows, data_converter=pydantic_data_converter, workflow_runner=runner)


def _kinds(path: Path) -> set[str]:
    events = json.loads(path.read_text(encoding="utf-8"))["events"]
    return {event["eventType"].removeprefix("EVENT_TYPE_") for event in events}


@pytest.mark.parametrize("path", _saved(), ids=lambda path: path.stem)
async def test_saved_history_replays(path: Path) -> None:
    await _replayer(worker.workflow_runner()).replay_workflow(_history(path))


async def test_saved_histories_replay_in_the_sandbox() -> None:
    async def histories() -> AsyncIterator[WorkflowHistory]:
        for path in _saved():
            yield _history(path)

    workflows = (*OF_CASES, *worker.SCHEDULED_WORKFLOWS, *worker.NOTICE_WORKFLOWS)
    async with _replayer(sandboxed(), workflows).workflow_replay_iterator(histories()) as replays:
        failed = [each.history.workflow_id async for each in replays if each.replay_failure is not None]
    assert not failed


async def test_history_of_other_code_does_not_replay(tmp_path: Path) -> None:
    # A list entry more than the code asks for.
    document = json.loads((HISTORIES / "issued-1.json").read_text(encoding="utf-8"))
    scheduled = next(e for e in document["events"] if e["eventType"] == "EVENT_TYPE_TIMER_STARTED")
    scheduled["eventType"] = "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"
    scheduled["activityTaskScheduledEventAttributes"] = {"activityId": "9", "activityType": {"name": "tell_authority"}}
    del scheduled["timerStartedEventAttributes"]
    with pytest.raises(workflow.NondeterminismError):
        await _replayer(worker.workflow_runner()).replay_workflow(
            WorkflowHistory.from_json("other", json.dumps(document))
        )


def test_every_kind_of_command_is_in_a_saved_history() -> None:
    wanted = {
        "ACTIVITY_TASK_SCHEDULED",
        "MARKER_RECORDED",
        "TIMER_STARTED",
        "TIMER_CANCELED",
        "TIMER_FIRED",
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "WORKFLOW_EXECUTION_COMPLETED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
    }
    assert wanted <= set().union(*(_kinds(path) for path in _saved()))


def test_every_workflow_has_a_saved_history() -> None:
    started = set()
    for path in _saved():
        first = json.loads(path.read_text(encoding="utf-8"))["events"][0]
        started.add(first["workflowExecutionStartedEventAttributes"]["workflowType"]["name"])
    registered = {workflow._Definition.must_from_class(each).name for each in ALL_WORKFLOWS}
    assert registered == started


def test_every_scenario_has_a_saved_history() -> None:
    assert {path.stem.rpartition("-")[0] for path in _saved()} == set(SCENARIOS)


def test_every_patch_is_listed_and_goes_out_in_three_steps() -> None:
    ids = {name for path in _saved() for name in marked(json.loads(path.read_text(encoding="utf-8")))}
    listed_ = listed()
    assert not complaints(listed_, in_code(WORKFLOWS.glob("*.py")), ids)
    assert ids == {name for name, days in listed_.items() if not days["out"]}


@pytest.mark.parametrize(
    ("days", "in_it", "said"),
    [
        (None, {"p": "patched"}, "not listed"),
        (("2026-01-01", None, None), {}, "listed as patched and is out"),
        (("2026-01-01", None, "2026-02-01"), {}, "skipped a step"),
        (("2026-01-01", "2026-02-01", None), {"p": "patched"}, "listed as deprecated and is patched"),
        (("2026-01-01", "2026-02-01", "2027-02-01"), {}, "runs were left"),
        (("2026-01-01", "2026-02-01", "2027-05-01"), {"p": "deprecated"}, "listed as out and is deprecated"),
        (("2026-03-01", "2026-02-01", None), {"p": "deprecated"}, "skipped a step"),
    ],
)
def test_a_patch_that_skips_a_step_is_found(
    days: tuple[str | None, ...] | None, in_it: dict[str, str], said: str
) -> None:
    known = {} if days is None else {"p": dict(zip(("patched", "deprecated", "out"), days, strict=True))}
    assert any(said in complaint for complaint in complaints(known, in_it, ()))


def test_a_patch_that_took_its_steps_is_well(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("if workflow.patched('a'):\n    workflow.deprecate_patch('b')\n")
    days = [("2026-01-01", None, None), ("2026-01-01", "2026-02-01", None), ("2026-01-01", "2026-02-01", "2027-05-01")]
    steps = ("patched", "deprecated", "out")
    known = {name: dict(zip(steps, each, strict=True)) for name, each in zip("abc", days, strict=True)}
    assert not complaints(known, in_code([code]), "ab")


def test_saved_histories_name_no_machine() -> None:
    identities: set[str] = set()
    for path in _saved():
        identities |= set(re.findall(r'"identity": "([^"]*)"', path.read_text(encoding="utf-8")))
    assert identities <= {"saved", "temporal-system", "history-service", ""}, identities


@pytest.mark.parametrize("name", sorted(fingerprints()))
def test_fingerprint_is_the_committed_one(name: str) -> None:
    committed = json.loads(FINGERPRINTS.read_text(encoding="utf-8"))
    assert fingerprints()[name] == committed.get(name), CHANGED.format(name=name)


def test_every_workflow_has_a_fingerprint() -> None:
    committed = {name.partition(":")[2] for name in json.loads(FINGERPRINTS.read_text(encoding="utf-8"))}
    made = {CaseLoop.__name__, *(each.__name__ for each in (*worker.SCHEDULED_WORKFLOWS, *worker.NOTICE_WORKFLOWS))}
    assert made <= committed
    assert {"timeouts.py", "case.py", "notification.py", MESSAGES} <= set(fingerprints())
    assert set(fingerprints()) == set(json.loads(FINGERPRINTS.read_text(encoding="utf-8")))


async def test_every_activity_that_workflows_name_is_registered(world: World) -> None:
    registered = {_name(each) for each in _registered(world)} | {"deliver"}
    named = {"deliver"}
    for path in WORKFLOWS.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        for owner in OWNERS:
            for method in re.findall(rf"\b{owner.__name__}\.(\w+)", source):
                named.add(_name(getattr(owner, method)))
    assert named == registered


def _registered(world: World) -> list[Any]:
    outside: Any = type("Nowhere", (), {"authority": None})()
    return worker.case_activities(world.context, world.client, outside)


def _name(each: Activity) -> str:
    return str(activity._Definition.must_from_callable(each).name)
