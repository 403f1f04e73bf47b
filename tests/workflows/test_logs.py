"""The lines of API and worker follow a case: JSON, with its reference and the call's id, and nothing of anybody."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import structlog
from temporalio.runtime import Runtime, TelemetryConfig

from cases.decisions import settling
from domain.stages import Stage
from programmes.talent_permit.permit_stages import PermitStage
from temporal.runtime import FORWARDED
from temporal.telemetry import concerning, correlated
from tests.cases.contexts import registration_body
from tests.json_logs import logging_as_json
from tests.workflows.fronted import fronted
from tests.workflows.test_privacy import MARKS, PERSON
from tests.workflows.world import Case, World
from workflows.case import CaseLoop

# Lines of a process as such.
_OF_PROCESS = frozenset({"worker_ready"})


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that the process logs, as its own configuration writes it."""
    lines = io.StringIO()
    with logging_as_json("worker", "INFO") as handlers:
        for handler in handlers:
            handler.setStream(lines)
        yield lines


def _lines(logged: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert lines
    assert not [mark for mark in MARKS if mark in json.dumps(lines, ensure_ascii=False)]
    return lines


async def test_every_line_of_a_case_names_it_and_the_call(world: World, logged: io.StringIO) -> None:
    async with fronted(world) as caller:
        answer = await caller("employer-a").post("/v1/registrations", registration_body(**PERSON))
        case = Case(world, answer.json()["reference"])
        world.started.append(case.reference)
        await case.until_stage(Stage.UNDER_REVIEW)
        path = f"/v1/registrations/{case.reference}/decision"
        assert (await caller("officer-1").post(path, {"action": "approve", "round": 1})).status_code == 200
        await case.skip(world.context.limits.settling + timedelta(seconds=5))
        await case.until_permits(PermitStage.SUBMITTED)
        assert (await caller("officer-1").get(f"/v1/registrations/{case.reference.lower()}")).status_code == 200
    lines = [line for line in _lines(logged) if line["event"] not in _OF_PROCESS]
    assert {line["route"] for line in lines if line["event"] == "request"} == {
        "/v1/registrations", "/v1/registrations/{reference}/decision", "/v1/registrations/{reference}",
    }  # fmt: skip
    assert {line.get("reference") for line in lines} == {case.reference}
    assert all(line.get("correlation_id") for line in lines)


async def test_lines_of_a_defect_name_the_case_those_of_the_library_too(
    world: World, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def quoting(*_: object) -> None:
        raise RuntimeError(f"cannot settle {PERSON['name_zh']} {PERSON['identity_number']}")

    monkeypatch.setattr("temporal.engine._DECIDE_SECONDS", 1.0)
    async with fronted(world) as caller:
        answer = await caller("employer-a").post("/v1/registrations", registration_body(**PERSON))
        case = Case(world, answer.json()["reference"])
        world.started.append(case.reference)
        await case.until_stage(Stage.UNDER_REVIEW)
        monkeypatch.setattr(settling, "settle", quoting)
        path = f"/v1/registrations/{case.reference}/decision"
        note = {"action": "approve", "round": 1, "note": "標記便箋"}
        assert (await caller("officer-1").post(path, note)).status_code == 202
        await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
        monkeypatch.setattr("cases.case.reads.get_case", quoting)
        assert (await caller("officer-1").get(f"/v1/registrations/{case.reference}")).status_code == 500
    lines = _lines(logged)
    assert {"defect", "unexpected_error", "temporal_away", "Completing activity as failed"} <= {
        line["event"] for line in lines
    }
    assert {line.get("reference") for line in lines} == {case.reference}
    assert all(line.get("correlation_id") for line in lines)
    failed = next(line for line in lines if line["event"] == "Completing activity as failed")
    assert failed["logger"] == "temporalio.activity"
    assert failed["activity_type"] == "advance"
    assert failed["workflow_id"] == f"registration/{case.reference}"
    assert failed["error"] == ["temporalio.exceptions.ApplicationError", "builtins.RuntimeError"]
    # Those of the step are of the call that asked for it, and not of the one that began the case.
    (decided,) = [line["correlation_id"] for line in lines if line.get("route", "").endswith("/decision")]
    assert failed["correlation_id"] == decided


async def test_a_workflow_task_that_fails_is_told_with_its_case(
    world: World, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await world.submit()

    def failing(_self: object) -> str:
        raise KeyError(PERSON["name_zh"])

    with monkeypatch.context() as broken:
        broken.setattr(CaseLoop, "_why", failing)
        await world.engine.nudge(case.reference, str(uuid4()))
        async with asyncio.timeout(10):
            while "ailed activation" not in logged.getvalue():  # noqa: ASYNC110 - another thread writes it
                await asyncio.sleep(0.02)
    failed = [line for line in _lines(logged) if "ailed activation" in line["event"]]
    assert {line["reference"] for line in failed} == {case.reference}


async def test_a_line_of_a_library_is_its_first_and_not_long(logged: io.StringIO) -> None:
    logging.getLogger("some.library").error("Task exception was never retrieved\nfuture: <%s>", PERSON["name_zh"])
    logging.getLogger("some.library").error("x" * 2000)
    first, second = _lines(logged)
    assert first["event"] == "Task exception was never retrieved"
    assert len(second["event"]) == 300


async def test_what_is_done_inside_adds_to_what_holds_outside(logged: io.StringIO) -> None:
    log = structlog.get_logger("test")
    with correlated("call-1"):
        with concerning("HT-1"):
            log.info("inside")
        log.info("outside")
        with concerning("HT-2", "call-2"):
            log.info("other", reference="HT-3")
    inside, outside, other = _lines(logged)
    assert (inside["correlation_id"], inside["reference"]) == ("call-1", "HT-1")
    assert (outside["correlation_id"], "reference" in outside) == ("call-1", False)
    assert (other["correlation_id"], other["reference"]) == ("call-2", "HT-3")


async def test_lines_of_temporals_core_are_ours(logged: io.StringIO) -> None:
    telling = Runtime(telemetry=TelemetryConfig(logging=replace(FORWARDED, filter="info")))
    telling._core_runtime.write_test_info_log("the core speaks", PERSON["phone"])
    async with asyncio.timeout(10):
        while not logged.getvalue():  # noqa: ASYNC110 - another thread writes it
            await asyncio.sleep(0.02)
    (line,) = _lines(logged)
    assert (line["event"], line["level"]) == ("the core speaks", "info")
    assert line["logger"].startswith("temporalio-sdk_core::")


async def test_a_line_of_the_core_that_names_a_workflow_names_the_case(logged: io.StringIO) -> None:
    core = SimpleNamespace(
        target="temporalio_client::retry",
        message="gRPC call retried",
        level=logging.WARNING,
        time=1.0,
        fields={"workflow_id": "registration/HT-0000-0000-E", "run_id": "r1", "said": PERSON["phone"]},
    )
    assert FORWARDED.forwarding is not None
    FORWARDED.forwarding._on_logs([core])
    (line,) = _lines(logged)
    assert (line["reference"], line["run_id"]) == ("HT-0000-0000-E", "r1")
