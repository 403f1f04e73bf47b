"""Writes the saved histories and fingerprints; run by hand after a change of workflows, reviewed, never run in CI.

    python -m tests.workflows.save_histories

A history that is committed stays: the cases that run were begun by its code. After a change behind `workflow.patched`
save the new way beside the old one, under a name of its own.
"""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final
from unittest.mock import AsyncMock, patch
from uuid import uuid4

import httpx
from temporalio import activity
from temporalio.client import Client, WorkflowHistory
from temporalio.common import WorkerDeploymentVersion
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Worker

import worker
from cases.commands import submit
from cases.decisions import settling
from cases.shared import lost_cases
from domain.commands import CommandKind
from domain.decisions import DecisionRequest
from domain.errors import Defect, Unavailable
from domain.messages import (
    ARCHIVE_WORKFLOW,
    AUTHORITY_POLL_WORKFLOW,
    NOTICE_QUEUE,
    NOTIFICATION_WORKFLOW,
    RECONCILIATION_WORKFLOW,
    REGISTRATION_QUEUE,
    RETENTION_WORKFLOW,
    SEAL_CHECK_WORKFLOW,
    DeliveryCount,
    DeliveryRound,
)
from domain.stages import Stage
from programmes import CASE_TYPES
from programmes.talent_permit.tables import permit_rows
from programmes.talent_permit.words import PermitCommand
from sandbox.stack.postgres import OWNER, SEALER
from store import case_rows
from store.database import Database
from store.migrate import upgrade
from temporal.deployments import Deployments
from temporal.moving import move_cases
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, registration_body
from tests.rows import Rows
from tests.services import SEALER_URLS, Addresses, Services
from tests.workflows import fingerprints, histories, saved_rooms
from tests.workflows.sandbox import sandboxed
from tests.workflows.signals import signalled
from tests.workflows.world import Case, World, case_worker, new_key, open_world

NAMESPACE: Final = "saved"
DATABASE: Final = "hetao_saved"
HISTORIES: Final = Path(__file__).parents[1] / "histories"
_APPROVE: Final = DecisionRequest.model_validate({"action": "approve", "round": 1})
_LETTER: Final = {"employment": {"consent_letter": {"issuer": "示例局", "number": "1", "date": "2026-02-20"}}}
Scenario = Callable[[World], Awaitable[list[WorkflowHistory]]]


async def _incomplete(world: World) -> Case:
    body = registration_body()
    body["employment"]["state_worker"] = True
    return await world.submit(body=body)


async def issued(world: World) -> list[WorkflowHistory]:
    """A straight approval to two permits, which goes on as new at rest."""
    case = await world.submit()
    await case.approve()
    await case.issue()
    await case.idle()
    return await histories.runs(case)


async def expired(world: World) -> list[WorkflowHistory]:
    """Three years of sleep, reminders and yearly new runs."""
    case = await world.submit()
    await case.approve()
    await case.issue()
    await case.skip(timedelta(days=3 * 365 + 5))
    return (await histories.runs(case))[1:]


async def corrected(world: World) -> list[WorkflowHistory]:
    """A return with its reminders, a correction, a contest, a change, and a withdrawal."""
    case = await _incomplete(world)
    await case.skip(timedelta(days=18))
    await case.ask(EMPLOYER_A, CommandKind.CORRECT, _LETTER)
    await case.until_stage(Stage.UNDER_REVIEW)
    await case.decide("return", "document_unreadable", actor=SUPERVISOR)
    await case.ask(EMPLOYER_A, CommandKind.CONTEST, {"note": "It can be read."})
    await case.ask(EMPLOYER_A, CommandKind.CHANGE, {"language": "en"})
    await case.ask(EMPLOYER_A, CommandKind.WITHDRAW, {})
    await case.ended()
    return await histories.runs(case)


async def lapsed(world: World) -> list[WorkflowHistory]:
    """A correction that never comes."""
    case = await _incomplete(world)
    await case.skip(timedelta(days=30))
    await case.ended()
    return await histories.runs(case)


async def refused(world: World) -> list[WorkflowHistory]:
    """A hold and its release, a refusal proposed, not signed, proposed again and signed."""
    case = await world.submit()
    await case.ask(OFFICER, CommandKind.HOLD, {"action": "place", "reason": "legal_question"})
    await case.ask(OFFICER, CommandKind.HOLD, {"action": "release", "reason": "legal_question"})
    await case.decide("refuse", "employer_kind_not_listed")
    await case.confirm("reject", "reason_not_supported")
    await case.decide("refuse", "employer_kind_not_listed")
    await case.confirm("confirm")
    await case.ended()
    return await histories.runs(case)


async def held(world: World) -> list[WorkflowHistory]:
    """A hold of most of a year, within one run: what is longer than a run may last is not asked by a shorter one."""
    case = await world.submit()
    await case.ask(OFFICER, CommandKind.HOLD, {"action": "place", "reason": "legal_question"})
    await case.skip(timedelta(days=310))
    await case.ask(OFFICER, CommandKind.HOLD, {"action": "release", "reason": "legal_question"})
    await case.ask(EMPLOYER_A, CommandKind.WITHDRAW, {})
    await case.ended()
    return await histories.runs(case)


async def revoked(world: World) -> list[WorkflowHistory]:
    """A lost card, a contradicting answer applied by two, a revocation, its reports and the last answers."""
    case = await world.submit()
    await case.approve()
    await case.issue()
    await case.ask(EMPLOYER_A, PermitCommand.CARD_LOST, {"destination": "HK", "lost_on": "2026-03-02"})
    await case.until(lambda file: not file.calls)
    await case.answer("HK", "refused", outcome_id="o-9", reason_code="X1")
    await case.ask(OFFICER, PermitCommand.ENTER_OUTCOME, {"destination": "HK", "outcome_id": "o-9"})
    await case.ask(SUPERVISOR, PermitCommand.PERMIT_CONFIRM, {"destination": "HK", "action": "confirm"})
    await case.ask(OFFICER, PermitCommand.REVOKE, {"reasons": [{"code": "false_statement"}]})
    await case.confirm("confirm")
    await case.until(lambda file: not file.calls)
    await case.answer("MO", "revoked", authority_number="R-1")
    await case.ended()
    return await histories.runs(case)


async def departed(world: World) -> list[WorkflowHistory]:
    """A departure to come, its day, and the answers to its reports."""
    case = await world.submit()
    await case.approve()
    await case.issue()
    await case.ask(EMPLOYER_A, PermitCommand.DEPART, {"last_day": "2026-03-20", "reason": "resigned"})
    await case.skip(timedelta(days=20))
    await case.until(lambda file: file.stage is Stage.ENDED and not file.calls)
    await case.answer("HK", "kept")
    await case.answer("MO", "kept")
    await case.ended()
    return await histories.runs(case)


async def signalled_and_unreached(world: World) -> list[WorkflowHistory]:
    """A signalled decision, an authority that is away past its limit, and an entry that an officer mends."""
    world.authority.away, world.authority.retry_after = True, 6 * 3600
    case = await world.submit()
    await world.engine.signal_decision(case.reference, signalled(case, "approve"))
    await case.until(lambda file: bool(permit_rows(file)))
    await case.skip(timedelta(days=2), settle=False)
    world.authority.away, world.authority.refusing = False, True
    await case.skip(timedelta(hours=7), settle=False)
    await case.until(lambda file: not file.calls)
    world.authority.refusing = False
    for task in (await case.file()).tasks:
        if task.kind == "authority_rejected":
            answer = {"task_id": str(task.task_id), "action": "send_again"}
            await case.ask(OFFICER, CommandKind.ANSWER_TASK, answer)
    await case.until(lambda file: not file.calls)
    await case.idle()
    return await histories.runs(case)


async def stuck(world: World) -> list[WorkflowHistory]:
    """A defect, its incident, and the way on."""
    case = await world.submit()
    asked = await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, _APPROVE, new_key())
    with patch.object(settling, "settle", side_effect=Defect("does_not_add_up")):
        await world.engine.nudge(case.reference, str(asked.command_id))
        await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
    await case.resume()
    await case.until(lambda file: bool(permit_rows(file)) and not file.calls)
    await case.idle()
    return await histories.runs(case)


async def gone(world: World) -> list[WorkflowHistory]:
    """A case that a restore of the register took away."""
    case = await world.submit()
    with (
        patch.object(case_rows, "load", new=AsyncMock(return_value=None)),
        patch.object(lost_cases, "note_gone", new=AsyncMock(return_value=True)),
    ):
        await world.engine.nudge(case.reference, str(uuid4()))
        await case.ended()
    return await histories.runs(case)


async def outage(world: World) -> list[WorkflowHistory]:
    """PostgreSQL away for longer than a local activity tries."""
    case = await world.submit()
    asked = await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, _APPROVE, new_key())
    with patch.object(Database, "begin", side_effect=Unavailable("database")):
        await world.engine.nudge(case.reference, str(asked.command_id))
        await case.until_activity(30)
    await case.until(lambda file: bool(permit_rows(file)) and not file.calls, 40)
    await case.idle()
    return await histories.runs(case)


async def poll(world: World) -> list[WorkflowHistory]:
    """The authority asked once."""
    handle = await world.client.start_workflow(AUTHORITY_POLL_WORKFLOW, id="poll", task_queue=REGISTRATION_QUEUE)
    await handle.result()
    return [await handle.fetch_history()]


async def archive(world: World) -> list[WorkflowHistory]:
    """One round of the archive."""
    handle = await world.client.start_workflow(ARCHIVE_WORKFLOW, id="archive", task_queue=REGISTRATION_QUEUE)
    await handle.result()
    return [await handle.fetch_history()]


async def reconciliation(world: World) -> list[WorkflowHistory]:
    """One nightly look at the record."""
    handle = await world.client.start_workflow(
        RECONCILIATION_WORKFLOW, id="reconciliation", task_queue=REGISTRATION_QUEUE
    )
    await handle.result()
    return [await handle.fetch_history()]


async def retention(world: World) -> list[WorkflowHistory]:
    """One nightly round of retention."""
    handle = await world.client.start_workflow(RETENTION_WORKFLOW, id="retention", task_queue=REGISTRATION_QUEUE)
    await handle.result()
    return [await handle.fetch_history()]


async def seal_check(world: World) -> list[WorkflowHistory]:
    """One nightly look at the seal."""
    handle = await world.client.start_workflow(SEAL_CHECK_WORKFLOW, id="seal-check", task_queue=REGISTRATION_QUEUE)
    await handle.result()
    return [await handle.fetch_history()]


async def standing(world: World) -> list[WorkflowHistory]:
    """An employer that leaves the Park: its own history and the one of its case."""
    case = await world.submit()
    await case.approve()
    await case.issue()
    handle = await world.employer_leaves()
    await handle.result()
    await case.until_stage(Stage.ENDED)
    await case.idle()
    return [await handle.fetch_history(), *(await histories.runs(case))[1:]]


async def moved(world: World) -> list[WorkflowHistory]:
    """A case that sleeps while other workers become current, and goes on as new with them once it is woken."""
    deployments = Deployments(world.client, "saved")
    async with httpx.AsyncClient(transport=world.authority.transport) as http, AsyncExitStack() as stack:
        for build in ("first", "second"):
            version = worker.pinned(WorkerDeploymentVersion("saved", build))
            await stack.enter_async_context(case_worker(world, http, deployment=version))
            await deployments.make_current(build, wait=timedelta(seconds=30))
            if build == "first":
                case = await world.submit()
                await case.idle()
        await _until_runs(deployments, "first", 1)
        await move_cases(deployments, world.client, CASE_TYPES, "second", pace=100)
        await _until_runs(deployments, "first", 0)
        await case.idle()
        found = await histories.runs(case)
        await deployments.make_current("")
    return found


async def _until_runs(deployments: Deployments, build: str, count: int) -> None:
    """Wait until so many runs are open on a version: the list lags behind the runs."""
    async with asyncio.timeout(20):
        found = await deployments.count_runs(build)
        while found != count:
            await asyncio.sleep(0.1)
            found = await deployments.count_runs(build)


async def notification(world: World) -> list[WorkflowHistory]:
    """Two rounds of a channel, and a third under way."""
    rounds, third = 0, asyncio.Event()

    @activity.defn(name="deliver")
    async def deliver(_: DeliveryRound) -> DeliveryCount:
        nonlocal rounds
        rounds += 1
        if rounds > 2:
            third.set()
            await asyncio.sleep(60)
        return DeliveryCount()

    async with Worker(
        world.client,
        task_queue=NOTICE_QUEUE,
        workflows=worker.NOTICE_WORKFLOWS,
        activities=[deliver],
        workflow_runner=sandboxed(),
    ):
        handle = await world.client.start_workflow(
            NOTIFICATION_WORKFLOW, DeliveryRound(channel="mail"), id="notification/mail", task_queue=NOTICE_QUEUE
        )
        await third.wait()
        history = await handle.fetch_history()
        await handle.terminate()
    return [history]


def _of_any_world(scenario: Scenario) -> saved_rooms.Scenario:
    return lambda world, _database_url: scenario(world)


_OF_WORLDS: Final[dict[str, Scenario]] = {
    "issued": issued,
    "expired": expired,
    "corrected": corrected,
    "lapsed": lapsed,
    "refused": refused,
    "held": held,
    "revoked": revoked,
    "departed": departed,
    "unreached": signalled_and_unreached,
    "stuck": stuck,
    "gone": gone,
    "outage": outage,
    "poll": poll,
    "archive": archive,
    "reconciliation": reconciliation,
    "retention": retention,
    "seal_check": seal_check,
    "standing": standing,
    "moved": moved,
    "notification": notification,
}
SCENARIOS: Final[dict[str, saved_rooms.Scenario]] = {
    **{name: _of_any_world(scenario) for name, scenario in _OF_WORLDS.items()},
    **saved_rooms.SCENARIOS,
}


async def save(addresses: Addresses) -> None:
    """Run every scenario that has no history yet and write what it left."""
    # Workers say every second that they are there, not every minute: a version without any is refused.
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
    client = await Client.connect(
        addresses.temporal,
        namespace=NAMESPACE,
        data_converter=pydantic_data_converter,
        identity="saved",
        runtime=runtime,
    )
    HISTORIES.mkdir(exist_ok=True)
    for name, scenario in SCENARIOS.items():
        if any(HISTORIES.glob(f"{name}-*.json")):
            continue
        url = addresses.postgres.url(database=DATABASE)
        SEALER_URLS[url] = addresses.postgres.url(role=SEALER, database=DATABASE)
        async with Rows.open(addresses.postgres, DATABASE) as rows:
            await rows.empty()
        async with open_world(url, client, converter=pydantic_data_converter) as world:
            for number, history in enumerate(await scenario(world, url), start=1):
                (HISTORIES / f"{name}-{number}.json").write_text(_text(history), encoding="utf-8")


def _text(history: WorkflowHistory) -> str:
    """Return a history to be reviewed like code, without the name of the machine and the folder it ran in."""
    text = json.dumps(json.loads(history.to_json()), indent=1, ensure_ascii=False)
    return re.sub(rf"\d+@{re.escape(socket.gethostname())}", "saved", text).replace(f"{Path.cwd()}/", "") + "\n"


def main() -> None:
    """Save on servers of its own."""
    services = Services(namespaces=(NAMESPACE,))
    addresses = services.start()
    try:
        addresses.postgres.create_database(DATABASE)
        upgrade(addresses.postgres.url(role=OWNER, database=DATABASE))
        asyncio.run(save(addresses))
    finally:
        services.stop()
    fingerprints.write()


if __name__ == "__main__":
    main()
