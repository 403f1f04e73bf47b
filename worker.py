"""Builds and runs the worker: the workflows and activities of both queues, the sweeper and the rosters."""

import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import httpx
import structlog
import uvloop
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from activities.archive import ArchiveSteps
from activities.authority import AuthorityClient
from activities.authority_calls import AuthorityCalls
from activities.cases import CaseSteps
from activities.deliveries import Deliveries
from activities.mail import MailSender
from activities.reconciliation import ReconciliationSteps
from activities.retention import RetentionSteps
from activities.seal_check import SealSteps
from activities.sms import SmsSender
from activities.stamping import keep_stamping
from activities.standing import StandingSteps
from activities.webhook import WebhookSender
from cases.build import build_context
from cases.context import Context
from cases.epoch_telling import keep_telling_epochs
from cases.pack_shelf import keep_reading_packs
from cases.reviving import keep_reviving
from cases.roster_work import work_rosters
from cases.seal_watch import keep_watching_seal
from cases.sealing import keep_sealing
from cases.sweeping import keep_sweeping
from domain.actors import PARK
from domain.messages import NOTICE_QUEUE, REGISTRATION_QUEUE
from settings import Settings
from temporal.case_workflows import CaseWorkflows
from temporal.client import connect
from temporal.engine import TemporalEngine
from temporal.histories import TemporalHistories
from temporal.telemetry import configure_logging, configure_tracing, serve_metrics
from workflows.archive import ArchiveWorkflow
from workflows.authority_poll import AuthorityPollWorkflow
from workflows.ensured import ensure_all, keep_ensuring
from workflows.notification import NotificationWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.registration import RegistrationWorkflow
from workflows.retention import RetentionWorkflow
from workflows.seal_check import SealCheckWorkflow
from workflows.standing import StandingWorkflow

# Below the time after which an orchestrator kills: a step is one short transaction, a call outward at most 15 s.
GRACE: Final = timedelta(seconds=20)
_CONNECT_AGAIN: Final = 1.0
REGISTRATION_WORKFLOWS: Final[Sequence[type]] = (
    RegistrationWorkflow,
    AuthorityPollWorkflow,
    StandingWorkflow,
    ArchiveWorkflow,
    ReconciliationWorkflow,
    RetentionWorkflow,
    SealCheckWorkflow,
)
NOTICE_WORKFLOWS: Final[Sequence[type]] = (NotificationWorkflow,)
_log = structlog.get_logger(__name__)


def workflow_runner() -> WorkflowRunner:
    """Return what runs workflow code: no sandbox, which costs more than the workflow itself (ADR 0008)."""
    return UnsandboxedWorkflowRunner()


@dataclasses.dataclass(frozen=True, slots=True)
class Outside:
    """The adapters to the world outside."""

    authority: AuthorityClient
    mail: MailSender
    sms: SmsSender
    webhooks: WebhookSender


@asynccontextmanager
async def outside(settings: Settings) -> AsyncIterator[Outside]:
    """Open the adapters and close them in the end."""
    password = settings.smtp_password
    sender = MailSender(
        settings.smtp_host,
        settings.smtp_port,
        settings.mail_from,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        starttls=settings.smtp_starttls,
    )
    async with httpx.AsyncClient() as client, aclosing(sender) as mail:
        webhooks = WebhookSender(settings.webhook_allowed)
        try:
            yield Outside(
                authority=AuthorityClient(settings.authority_url, settings.authority_token.get_secret_value(), client),
                mail=mail,
                sms=SmsSender(settings.sms_url, settings.sms_token.get_secret_value(), client),
                webhooks=webhooks,
            )
        finally:
            await webhooks.close()


def case_activities(context: Context, client: Client, world: Outside) -> list[Any]:
    """Return the activities of the registration queue."""
    steps = CaseSteps(context)
    calls = AuthorityCalls(context, world.authority, TemporalEngine(client))
    standing = StandingSteps(context, world.authority, TemporalEngine(client))
    return [
        steps.assess,
        steps.advance,
        steps.take_signalled,
        steps.find_outcome,
        steps.open_incident,
        calls.tell_authority,
        calls.ask_authority,
        *standing.activities(),
        *ArchiveSteps(context, TemporalHistories(client)).activities(),
        *ReconciliationSteps(context, TemporalHistories(client)).activities(),
        *RetentionSteps(context).activities(),
        *SealSteps(context).activities(),
    ]


def build_workers(context: Context, client: Client, world: Outside) -> tuple[Worker, Worker]:
    """Return the workers of both queues: notices never take a place from cases."""
    deliveries = Deliveries(context, world.mail, world.sms, world.webhooks)
    cases = Worker(
        client,
        task_queue=REGISTRATION_QUEUE,
        workflows=REGISTRATION_WORKFLOWS,
        activities=case_activities(context, client, world),
        workflow_runner=workflow_runner(),
        graceful_shutdown_timeout=GRACE,
        max_concurrent_activities=50,
        max_concurrent_local_activities=20,
    )
    notices = Worker(
        client,
        task_queue=NOTICE_QUEUE,
        workflows=NOTICE_WORKFLOWS,
        activities=[deliveries.deliver],
        workflow_runner=workflow_runner(),
        graceful_shutdown_timeout=GRACE,
        max_concurrent_activities=8,
    )
    return cases, notices


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then let the steps under way end."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    context = build_context(settings, "worker", pool_size=20, stands_for=PARK)
    try:
        client = await _connect(context, stopping)
        if client is None:
            return
        async with AsyncExitStack() as stack:
            world = await stack.enter_async_context(outside(settings))
            for each in build_workers(context, client, world):
                await stack.enter_async_context(each)
            await ensure_all(client)
            engine = TemporalEngine(client)
            background = [
                asyncio.create_task(keep_sweeping(context, engine, is_stopping=stopping.is_set)),
                asyncio.create_task(keep_telling_epochs(context, CaseWorkflows(client), is_stopping=stopping.is_set)),
                asyncio.create_task(keep_ensuring(client, is_stopping=stopping.is_set)),
                asyncio.create_task(keep_reviving(context, engine, is_stopping=stopping.is_set)),
                asyncio.create_task(work_rosters(context, engine)),
                asyncio.create_task(keep_sealing(context, is_stopping=stopping.is_set)),
                asyncio.create_task(keep_watching_seal(context, is_stopping=stopping.is_set)),
                asyncio.create_task(keep_stamping(context, settings.timestamp_url, is_stopping=stopping.is_set)),
                asyncio.create_task(keep_reading_packs(context, stopping)),
            ]
            _log.info("worker_ready")
            serve_metrics(settings.worker_metrics_port, settings.metrics_host)
            await stopping.wait()
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
    finally:
        await context.database.close()
        if context.sealer_database is not None:
            await context.sealer_database.close()


async def _connect(context: Context, stopping: asyncio.Event) -> Client | None:
    """Connect as soon as Temporal is there; None where the worker is to stop before that."""
    while not stopping.is_set():
        try:
            return await connect(context.keyring)
        except (RuntimeError, OSError) as error:
            _log.warning("temporal_away", error=type(error).__name__)
            await asyncio.sleep(_CONNECT_AGAIN)
    return None


def main() -> None:
    """Run the worker with the settings of the environment."""
    settings = Settings()
    if settings.sealer_database_url is None:
        sys.exit("hetao: set HETAO_SEALER_DATABASE_URL: the worker seals, and no other role may (docs/operations.md).")
    configure_logging("worker", settings.log_level)
    configure_tracing("worker", os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
    uvloop.run(run(settings))


if __name__ == "__main__":
    main()
