"""A park in miniature for tests of workflows: real Temporal, real PostgreSQL, real steps, an authority in memory."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
from pydantic import BaseModel
from sqlalchemy import Table, select
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker, WorkerDeploymentConfig

import worker
from activities.mail import MailSender
from activities.sms import SmsSender
from activities.webhook import WebhookSender
from cases.case.file import CaseFile, read_case
from cases.commands import resume as resuming
from cases.commands import submit as acts
from cases.programme import Programme, programme_of
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency, Progress, Reply
from domain.actors import PARK, Actor, Role
from domain.clock import CHINA, day_of
from domain.commands import CommandKind
from domain.decisions import (
    ConfirmationAction,
    ConfirmationRequest,
    DecisionAction,
    DecisionRequest,
    GivenReason,
    PermitConfirmationRequest,
)
from domain.employers import StandingRequest
from domain.messages import REGISTRATION_QUEUE, Course, StandingInput
from domain.stages import Stage
from programmes import PROGRAMMES
from programmes.talent_permit.authority import outcomes
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.tables import PermitRow, destinations_of, permit_rows
from register.standing import confirm_standing, propose_standing
from store import tables
from store.erasure_list import ErasureList
from temporal.client import data_converter, plugins
from temporal.engine import TemporalEngine
from tests.cases.contexts import (
    EMPLOYER_A,
    OFFICER,
    SUPERVISOR,
    SUPERVISOR_2,
    limits,
    load_samples,
    own_limits,
    packs,
    registration_body,
    shared_keyring,
    shown,
)
from tests.cases.taking_on import accept
from tests.pools import POOLS
from tests.services import SEALER_URLS
from tests.workflows.authority import FakeAuthority
from tests.workflows.shifting import ShiftedClock, shifted

MONDAY = datetime(2026, 3, 2, 10, tzinfo=CHINA)
OFFICER_2 = Actor(issuer="test", subject="officer-2", role=Role.OFFICER)
OPERATOR = Actor(issuer="test", subject="operator", role=Role.OPERATOR)
AUTHORITY = Actor(issuer="test", subject="authority", role=Role.AUTHORITY)
SECONDS = 20.0
# With 0 every task replays the whole history, as after a restart (.ci/run): what is kept beside the history shows.
CACHED_WORKFLOWS = int(os.environ.get("HETAO_TEST_CACHED_WORKFLOWS", "1000"))

__all__ = ["EMPLOYER_A", "MONDAY", "OFFICER", "OFFICER_2", "OPERATOR", "SUPERVISOR", "Case", "World", "open_world"]


@dataclass
class World:
    """Everything a test of workflows works with."""

    context: Context
    clock: ShiftedClock
    client: Client
    skipper: TimeSkipper
    engine: TemporalEngine
    authority: FakeAuthority
    started: list[str]

    async def submit(self, *, start: bool = True, body: Mapping[str, Any] | None = None, **person: Any) -> "Case":
        """Take on a registration and start its workflow as the API does."""
        request = RegistrationRequest.model_validate(body or registration_body(**person))
        accepted = await accept(self.context, EMPLOYER_A, request, new_key())
        case = Case(self, accepted.reference)
        self.started.append(case.reference)
        if start:
            assert await self.engine.start(case.reference)
            await case.until(lambda file: file.assessment() is not None)
        return case

    async def employer_leaves(self) -> WorkflowHandle[Any, Any]:
        """Let two supervisors record that the employer left the Park, and start the way of it to its cases."""
        proposed = await self._standing("left_park")
        confirmation = PermitConfirmationRequest.model_validate({"action": "confirm"})
        await confirm_standing(self.context, SUPERVISOR_2, "emp-a", confirmation, new_key())
        return await self._spread(proposed)

    async def employer_is_back(self) -> WorkflowHandle[Any, Any]:
        """Let a supervisor record that the employer is in good standing again, and start the way of it to its cases."""
        return await self._spread(await self._standing("good"))

    async def _standing(self, standing: str) -> str:
        asked = StandingRequest.model_validate({"standing": standing, "valid_from": day_of(self.clock())})
        return str((await propose_standing(self.context, SUPERVISOR, "emp-a", asked, new_key())).body["change_id"])

    async def _spread(self, change_id: str) -> WorkflowHandle[Any, Any]:
        asked = StandingInput(change_id=change_id, at=self.clock() - self.clock.offset)
        assert await self.engine.start_standing("emp-a", asked)
        return self.client.get_workflow_handle(f"standing/emp-a/{change_id}")

    async def rows(self, table: Table, **values: Any) -> list[dict[str, Any]]:
        """Return rows of a table whose columns have these values."""
        query = select(table).where(*(table.c[name] == value for name, value in values.items()))
        async with self.context.database.begin() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]


@dataclass
class Case:
    """One case: what is asked of it, its clock, and where it stands."""

    world: World
    reference: str

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The handle of the workflow, whichever run is the newest."""
        return self.world.client.get_workflow_handle(self.world.context.case_types.id_of(self.reference))

    async def file(self) -> CaseFile:
        """Return the file of the case as it stands."""
        return await read_case(self.world.context, self.reference)

    async def stage(self) -> Stage:
        """Return the stage."""
        return (await self.file()).stage

    async def permit(self, destination: str = "HK") -> PermitRow:
        """Return the row of a permit."""
        return permit_rows(await self.file())[Destination(destination)]

    async def course(self) -> Course:
        """Return what the workflow itself says it waits for."""
        course: Course = await self.handle.query("status", result_type=Course)
        return course

    async def notices(self) -> list[str]:
        """Return the kinds of notices in the order they were written, each once for each occasion."""
        rows = await self.world.rows(tables.notices, reference=self.reference)
        return [row["kind"] for row in sorted(rows, key=lambda row: row["at"])]

    async def acts(self) -> list[str]:
        """Return the acts in the ledger."""
        rows = await self.world.rows(tables.ledger, chain=self.reference)
        return [row["act"] for row in sorted(rows, key=lambda row: row["seq"])]

    async def open_tasks(self) -> set[str]:
        """Return the kinds of open tasks."""
        return {row["kind"] for row in await self.world.rows(tables.tasks, reference=self.reference, state="open")}

    async def until(self, is_so: Callable[[CaseFile], bool], seconds: float = SECONDS) -> CaseFile:
        """Wait until the case is as described."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            file = await self.file()
            if is_so(file):
                return file
            now = asyncio.get_running_loop().time()
            assert now < end, f"{file.stage} {file.own_rows} is not as expected"
            await asyncio.sleep(0.03)

    async def until_stage(self, stage: Stage) -> CaseFile:
        """Wait until the case is in a stage."""
        return await self.until(lambda file: file.stage is stage)

    async def until_permits(self, stage: PermitStage, *destinations: str, seconds: float = SECONDS) -> CaseFile:
        """Wait until the permits are in a stage."""
        wanted = [Destination(each) for each in destinations] or None

        def is_so(file: CaseFile) -> bool:
            named = wanted or list(destinations_of(file))
            return all(each in permit_rows(file) and permit_rows(file)[each].stage == stage for each in named)

        return await self.until(is_so, seconds)

    async def ask(self, actor: Actor, kind: str, body: BaseModel | dict[str, Any]) -> Reply:
        """Ask something of the case as the API does: by update where the caller waits, else by signal."""
        key = new_key()
        asked = await acts.ask(self.world.context, actor, self.reference, kind, body, key)
        if not programme_of(await self.file()).commands[kind].is_awaited(actor.role):
            assert asked.reply is not None
            assert await self.world.engine.nudge(self.reference, str(asked.command_id))
            await self.applied(str(asked.command_id))
            return replace(asked.reply, body=shown(asked.reply.body))
        done = await self.world.engine.decide(self.reference, str(asked.command_id))
        if not done:
            return Reply(Progress.PENDING, {"pending": True})
        reply = await acts.reply(self.world.context, actor, asked, key, is_answered=True)
        return replace(reply, body=shown(reply.body))

    async def applied(self, command_id: str) -> None:
        """Wait until a command is applied."""

        def waits(file: CaseFile) -> bool:
            return any(str(command.command_id) == command_id for command in file.commands)

        await self.until(lambda file: not waits(file))

    async def decide(self, action: str, *reasons: str, actor: Actor = OFFICER, **more: Any) -> Reply:
        """Decide as an officer, in the round that stands."""
        body = DecisionRequest(
            action=DecisionAction(action),
            round=(await self.file()).round,
            reasons=tuple(GivenReason(code=code) for code in reasons),
            **more,
        )
        return await self.ask(actor, CommandKind.DECIDE, body)

    async def confirm(self, action: str, *reasons: str, actor: Actor = OFFICER_2) -> Reply:
        """Give or withhold the second signature."""
        body = ConfirmationRequest(
            action=ConfirmationAction(action),
            round=(await self.file()).round,
            reasons=tuple(GivenReason(code=code) for code in reasons),
        )
        return await self.ask(actor, CommandKind.CONFIRM, body)

    async def approve(self) -> None:
        """Approve a clear case and let the settling time pass, until both list entries are sent."""
        reply = await self.decide("approve")
        assert reply.progress == "applied", reply
        if self.world.context.limits.settling:
            await self.skip(self.world.context.limits.settling + timedelta(seconds=5))
        await self.until_permits(PermitStage.SUBMITTED)

    async def answer(self, destination: str, outcome: str, *, wait: bool = True, **given: Any) -> str:
        """Let the authority answer by callback; return what its callback is told."""
        body = {
            "outcome_id": given.pop("outcome_id", str(uuid4())),
            "case": f"{self.reference}/{destination}",
            "outcome": outcome,
            "occurred_at": given.pop("occurred_at", self.world.clock()),
            **(term(self.world.clock()) if outcome in ("issued", "replaced") else {}),
            **given,
        }
        answer = AuthorityAnswer.model_validate(body)
        received = await outcomes.receive(self.world.context, AUTHORITY, answer)
        if received.command_id is not None:
            assert await self.world.engine.nudge(self.reference, str(received.command_id))
            if wait:
                await self.applied(str(received.command_id))
        return str(received.reply.body["status"])

    async def issue(self) -> None:
        """Let the authority issue both permits."""
        for destination in destinations_of(await self.file()):
            await self.answer(destination, "issued", authority_number=f"C-{destination.value}-1")
        await self.until_permits(PermitStage.ISSUED)

    async def resume(self) -> None:
        """Let an operator resume the case from its incident."""
        (incident,) = await self.world.rows(tables.incidents, reference=self.reference, kind="stuck", state="open")
        _, reference, command_id = await resuming.resume(
            self.world.context, OPERATOR, incident["incident_id"], new_key()
        )
        assert reference == self.reference
        assert await self.world.engine.nudge(self.reference, str(command_id), is_resume=True)

    async def skip(self, duration: timedelta, *, settle: bool = True) -> None:
        """Let time pass, until what it brought is done; without settling while a call is being tried again."""
        if settle:
            await self.idle()
        end = self.world.clock() + duration
        if await self._fast_forward(duration) and settle:
            await self.idle()
        self.world.clock.reach(end)

    async def skip_to(self, moment: datetime) -> None:
        """Let time pass up to a moment."""
        await self.skip(moment - self.world.clock())

    async def skip_to_day(self, day: date, hour: int = 12) -> None:
        """Let time pass up to an hour of a day in China."""
        await self.skip_to(datetime(day.year, day.month, day.day, hour, tzinfo=CHINA))

    async def _fast_forward(self, duration: timedelta) -> bool:
        async with asyncio.timeout(50):
            return await self.world.skipper.fast_forward(self.handle, duration)

    async def idle(self, seconds: float = SECONDS) -> None:
        """Wait until the workflow waits for nothing but time and messages."""
        end = asyncio.get_running_loop().time() + seconds
        quiet = 0
        while quiet < 2:
            assert asyncio.get_running_loop().time() < end, "the workflow does not come to rest"
            described = (await self.handle.describe()).raw_description
            busy = described.HasField("pending_workflow_task") or len(described.pending_activities) > 0
            quiet = 0 if busy else quiet + 1
            await asyncio.sleep(0.02)

    async def until_activity(self, seconds: float = SECONDS) -> None:
        """Wait until a regular activity is under way or waits to be tried again."""
        end = asyncio.get_running_loop().time() + seconds
        while not (await self.handle.describe()).raw_description.pending_activities:
            assert asyncio.get_running_loop().time() < end, "no activity is under way"
            await asyncio.sleep(0.1)

    async def ended(self, seconds: float = SECONDS) -> None:
        """Wait until the workflow has completed, over all its runs."""
        async with asyncio.timeout(seconds):
            await self.handle.result()

    async def end(self, *, cancel: bool = False) -> None:
        """End the workflow as an operator does in Temporal's web UI."""
        await (self.handle.cancel() if cancel else self.handle.terminate("by an operator"))
        async with asyncio.timeout(SECONDS):
            while await self.is_running():  # noqa: ASYNC110 - the server tells nobody when a workflow has closed
                await asyncio.sleep(0.03)

    async def is_running(self) -> bool:
        """Whether the workflow is open."""
        return (await self.handle.describe()).status is WorkflowExecutionStatus.RUNNING


def term(issued_at: datetime) -> dict[str, Any]:
    """Return the term of a permit issued at a time: three years, many entries, thirty days each."""
    first = issued_at.astimezone(CHINA).date()
    last = first.replace(year=first.year + 3) - timedelta(days=1)
    return {"valid_from": first, "valid_until": last, "stay_days": 30, "entries": "multiple"}


@asynccontextmanager
async def open_world(
    database_url: str,
    temporal: Client,
    *,
    start: datetime = MONDAY,
    parameters: str = "embedded",
    converter: DataConverter | None = None,
    works: bool = True,
    deployment: WorkerDeploymentConfig | None = None,
    programmes: Mapping[str, Programme] = PROGRAMMES,
    with_samples: bool = True,
) -> AsyncIterator[World]:
    """Open a park on a database and a Temporal, with its worker running, and end what it started in the end.

    One that does not work by itself has the workers that a test starts.
    """
    config = temporal.config()
    config["data_converter"] = converter or data_converter(shared_keyring())
    config["interceptors"], config["plugins"] = [], plugins()
    client = Client(**config)
    clock = ShiftedClock(start)
    authority = FakeAuthority()
    async with (
        POOLS.database(database_url) as database,
        POOLS.database(SEALER_URLS[database_url], stands_for=PARK) as sealer,
    ):
        with TemporaryDirectory() as folder:
            context = Context(
                database=database,
                keyring=shared_keyring(),
                packs=packs(programmes),
                limits=limits(parameters),
                clock=clock,
                programmes=programmes,
                own_limits=own_limits(parameters),
                erasure_list=ErasureList(Path(folder) / "erasures.jsonl", shared_keyring()),
                sealer_database=sealer,
            )
            world = World(
                context, clock, client, TimeSkipper(client), TemporalEngine(client, context.case_types), authority, []
            )
            if with_samples:
                await load_samples(replace(context, clock=lambda: start - timedelta(days=400)))
            async with AsyncExitStack() as stack:
                if works:
                    http = await stack.enter_async_context(httpx.AsyncClient(transport=authority.transport))
                    await stack.enter_async_context(case_worker(world, http, deployment=deployment))
                try:
                    yield world
                finally:
                    for reference in world.started:
                        await _terminate(client, context.case_types.id_of(reference))


def case_worker(
    world: World,
    http: httpx.AsyncClient,
    *,
    workflows: Sequence[type] | None = None,
    deployment: WorkerDeploymentConfig | None = None,
) -> Worker:
    """Return a worker of the park, not running yet; of other workflow code, and of a version, where told."""
    outside = worker.Outside(
        authority=world.authority.client(http),
        mail=MailSender("127.0.0.1", 9, "park@example.com"),
        sms=SmsSender("http://sms.test", "token", http),
        webhooks=WebhookSender(()),
    )
    activities = worker.case_activities(world.context, world.client, outside)
    return Worker(
        world.client,
        task_queue=REGISTRATION_QUEUE,
        workflows=workflows or worker.case_workflows(world.context.case_types),
        activities=shifted(activities, world.clock),
        workflow_runner=worker.workflow_runner(),
        max_cached_workflows=CACHED_WORKFLOWS,
        deployment_config=deployment,
    )


async def _terminate(client: Client, workflow_id: str) -> None:
    try:
        await client.get_workflow_handle(workflow_id).terminate("the test is over")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def new_key() -> Idempotency:
    """Return what names one write."""
    return Idempotency("test", str(uuid4()), b"{}")
