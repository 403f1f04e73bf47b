"""Builds and runs the worker: the workflows and activities of both queues, the sweeper and the rosters."""

import asyncio
import dataclasses
import signal
import sys
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final

import httpx
import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig, WorkflowRunner

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
from cases.commands.resume import keep_resuming
from cases.commands.reviving import keep_reviving
from cases.commands.sweeper import keep_sweeping
from cases.health.gauges import keep_reading_gauges
from cases.health.process_metrics import tell_process
from cases.health.readiness import write_mark
from cases.keys.register import KeyHolder, keep_announcing
from cases.keys.rewrapping import keep_wrapping
from cases.keys.start import key_holder
from cases.shared.build import build_context
from cases.shared.context import Context
from cases.shared.pack_shelf import keep_reading_packs
from domain.actors import PARK
from domain.case_types import CaseTypes
from domain.errors import Unavailable
from domain.messages import NOTICE_QUEUE, QUEUES, REGISTRATION_QUEUE
from domain.service_keys import KeysRefusedError
from programmes import CASE_TYPES, PROGRAMMES
from record.restores.telling import keep_telling_epochs
from record.seal.sealer import keep_sealing
from record.seal.watch import keep_watching_seal
from register.rollout import sweep_standings
from register.rosters.work import work_rosters
from settings import Settings
from temporal.api_key import keep_reading_api_key
from temporal.build_id import build_id
from temporal.case_workflows import CaseWorkflows
from temporal.client import connect, connect_config
from temporal.deployments import Deployments
from temporal.ending import FAILED, bound_end, end_now
from temporal.engine import TemporalEngine
from temporal.events import first_of
from temporal.exposition import serve_metrics
from temporal.histories import TemporalHistories
from temporal.latest_engine import LatestEngine
from temporal.pulse import Polls, Pulse, keep_looking, keep_pulse
from temporal.recording import configure_tracing
from temporal.runtime import start_runtime
from temporal.serving import WorkersFailedError, keep_serving
from temporal.telemetry import configure_logging
from temporal.version_watch import keep_watching_versions
from workflows.archive import ArchiveWorkflow
from workflows.authority_poll import AuthorityPollWorkflow
from workflows.case import case_workflow
from workflows.ensured import keep_ensuring
from workflows.notification import NotificationWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.retention import RetentionWorkflow
from workflows.seal_check import SealCheckWorkflow
from workflows.standing import StandingWorkflow

# Below the time after which an orchestrator kills: a step is one short transaction, a call outward at most 15 s.
GRACE: Final = timedelta(seconds=20)
# What comes after the steps: closing what is open, and what the SDK tells the server.
_CLOSING: Final = timedelta(seconds=15)
_ANNOUNCE_AGAIN: Final = 1.0
# Beside those of cases.
SCHEDULED_WORKFLOWS: Final[Sequence[type]] = (
    AuthorityPollWorkflow,
    StandingWorkflow,
    ArchiveWorkflow,
    ReconciliationWorkflow,
    RetentionWorkflow,
    SealCheckWorkflow,
)
NOTICE_WORKFLOWS: Final[Sequence[type]] = (NotificationWorkflow,)
PINNED: Final = VersioningBehavior.PINNED
_log = structlog.get_logger(__name__)


def case_workflows(case_types: CaseTypes) -> list[type]:
    """Return the workflows of the queue of cases: one for each type of case, and those of the Schedules."""
    return [*map(case_workflow, case_types.workflows), *SCHEDULED_WORKFLOWS]


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
                authority=AuthorityClient(
                    settings.authority_url,
                    settings.authority_token.get_secret_value(),
                    client,
                    tells_trace=settings.authority_traces,
                ),
                mail=mail,
                sms=SmsSender(settings.sms_url, settings.sms_token.get_secret_value(), client),
                webhooks=webhooks,
            )
        finally:
            await webhooks.close()


def case_activities(context: Context, client: Client, world: Outside) -> list[Any]:
    """Return the activities of the registration queue."""
    steps = CaseSteps(context)
    calls = AuthorityCalls(context, world.authority, TemporalEngine(client, context.case_types))
    standing = StandingSteps(context, world.authority, TemporalEngine(client, context.case_types))
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


def version_of(settings: Settings) -> WorkerDeploymentVersion:
    """Return which version of the workers this one is: the hash of its workflows, unless told otherwise."""
    return WorkerDeploymentVersion(
        settings.worker_deployment, settings.worker_build_id or build_id(CASE_TYPES.workflows)
    )


def pinned(version: WorkerDeploymentVersion) -> WorkerDeploymentConfig:
    """Return what binds runs to the version that began them; each goes on as new onto the one that is current then."""
    return WorkerDeploymentConfig(version, use_worker_versioning=True, default_versioning_behavior=PINNED)


def build_workers(
    context: Context,
    client: Client,
    world: Outside,
    deployment: WorkerDeploymentConfig | None = None,
    queues: Collection[str] = QUEUES,
) -> tuple[Worker, ...]:
    """Return a worker for each of the queues: notices never take a place from cases."""
    build = {REGISTRATION_QUEUE: _case_worker, NOTICE_QUEUE: _notice_worker}
    return tuple(build[queue](context, client, world, deployment) for queue in QUEUES if queue in queues)


def _case_worker(context: Context, client: Client, world: Outside, deployment: WorkerDeploymentConfig | None) -> Worker:
    return Worker(
        client,
        task_queue=REGISTRATION_QUEUE,
        workflows=case_workflows(context.case_types),
        activities=case_activities(context, client, world),
        workflow_runner=workflow_runner(),
        deployment_config=deployment,
        graceful_shutdown_timeout=GRACE,
        max_concurrent_activities=50,
        max_concurrent_local_activities=20,
    )


def _notice_worker(
    context: Context, client: Client, world: Outside, deployment: WorkerDeploymentConfig | None
) -> Worker:
    deliveries = Deliveries(context, world.mail, world.sms, world.webhooks)
    return Worker(
        client,
        task_queue=NOTICE_QUEUE,
        workflows=NOTICE_WORKFLOWS,
        activities=[deliveries.deliver],
        workflow_runner=workflow_runner(),
        deployment_config=deployment,
        graceful_shutdown_timeout=GRACE,
        max_concurrent_activities=8,
    )


@asynccontextmanager
async def side_by_side(workers: Sequence[Worker]) -> AsyncIterator[asyncio.Event]:
    """Run workers, and let them stop at the same time, so that all of it takes one `GRACE` and not one for each.

    What is yielded is set as soon as one of them ended by itself; what ended it is raised once all have stopped.

    Raises:
        TimeoutError: they do not stop.
    """
    ended = asyncio.Event()
    running = [asyncio.create_task(each.run()) for each in workers]
    for task in running:
        task.add_done_callback(lambda _: ended.set())
    try:
        yield ended
    finally:
        async with asyncio.timeout((GRACE + _CLOSING).total_seconds()):
            await asyncio.gather(*(each.shutdown() for each in workers))
            done = await asyncio.gather(*running, return_exceptions=True)
    for error in done:
        if error is not None:
            raise error


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then let the steps under way end; the end of the process is bounded from then on.

    Raises:
        WorkersFailedError: the workers ended by something that waiting does not mend.
        KeyFileError: when the key file cannot be used.
        KeysRefusedError: when this process must not work with the keys that it holds.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    context = build_context(settings, "worker", PROGRAMMES, pool_size=20, stands_for=PARK)
    holder = key_holder(context, settings, "worker")
    announcing: asyncio.Task[KeysRefusedError | None] | None = None
    runtime = start_runtime(counts=bool(settings.worker_metrics_port))
    latest = LatestEngine()
    pulse = Pulse(queues=tuple(queue for queue in QUEUES if queue in settings.worker_queues))
    try:
        serve_metrics(
            settings.worker_metrics_port, settings.metrics_host, core_url=runtime.metrics_url, beside=pulse.answers()
        )
        tell_process(context)
        beats = keep_pulse(pulse, lambda: write_mark(context), is_stopping=stopping.is_set)
        async with beside([beats, _bound(stopping)]):
            await _announce(holder, stopping)
            announcing = asyncio.create_task(keep_announcing(holder, stopping, is_announced=True))
            announcing.add_done_callback(lambda _: stopping.set())
            async with outside(settings) as world, beside(_alone(context, settings, latest, stopping)):
                await keep_serving(
                    lambda: connect(
                        context.keyring, api_key_file=settings.temporal_api_key_file, runtime=runtime.runtime
                    ),
                    lambda client: _serve(context, settings, client, world, pulse, latest, stopping),
                    stopping,
                    told=pulse.tell,
                )
    finally:
        stopping.set()
        bound_end(_CLOSING)
        refused = None if announcing is None else await announcing
        await context.database.close()
        if context.sealer_database is not None:
            await context.sealer_database.close()
    if refused is not None:
        raise refused


async def _bound(stopping: asyncio.Event) -> None:
    await stopping.wait()
    bound_end(GRACE + _CLOSING)


def _alone(
    context: Context, settings: Settings, latest: LatestEngine, stopping: asyncio.Event
) -> list[Coroutine[Any, Any, None]]:
    """Return what goes on whether or not Temporal is there: most of it beside the queue of cases alone."""
    everywhere = [
        keep_reading_packs(context, stopping),
        keep_reading_gauges(context, is_stopping=stopping.is_set),
    ]
    if REGISTRATION_QUEUE not in settings.worker_queues:
        return everywhere
    return [
        *everywhere,
        work_rosters(context, latest),
        keep_sealing(context, is_stopping=stopping.is_set),
        keep_watching_seal(context, is_stopping=stopping.is_set),
        keep_stamping(context, settings.timestamp_url, is_stopping=stopping.is_set),
        keep_wrapping(context, is_stopping=stopping.is_set),
    ]


async def _serve(
    context: Context,
    settings: Settings,
    client: Client,
    world: Outside,
    pulse: Pulse,
    latest: LatestEngine,
    stopping: asyncio.Event,
) -> None:
    """Work on one connection until it is lost or told to stop; what ended a worker is raised once all is done."""
    version = version_of(settings)
    deployment = pinned(version) if settings.are_workers_versioned else None
    latest.engine = engine = TemporalEngine(client, context.case_types)
    polls = Polls(client, pulse.queues, client.identity)
    lost, ensure, look = asyncio.Event(), asyncio.Event(), asyncio.Event()
    background = [
        keep_looking(pulse, polls, lost, back=(ensure, look), is_stopping=stopping.is_set),
        keep_reading_api_key(client, settings.temporal_api_key_file, stopping),
        keep_ensuring(client, back=ensure, is_stopping=stopping.is_set),
    ]
    if REGISTRATION_QUEUE in pulse.queues:
        background += [
            keep_sweeping(
                context, engine, further=(partial(sweep_standings, context, engine),), is_stopping=stopping.is_set
            ),
            keep_resuming(context, engine, is_stopping=stopping.is_set),
            keep_telling_epochs(context, CaseWorkflows(client, context.case_types), is_stopping=stopping.is_set),
            keep_reviving(context, engine, is_stopping=stopping.is_set),
        ]
    if deployment is not None:
        deployments = Deployments(client, version.deployment_name)
        background.append(keep_watching_versions(deployments, version.build_id, stopping, back=look))
    workers = build_workers(context, client, world, deployment, pulse.queues)
    async with side_by_side(workers) as ended, beside(background):
        is_versioned = deployment is not None
        _log.info("worker_ready", build_id=version.build_id, is_versioned=is_versioned, queues=pulse.queues)
        await first_of(stopping, ended, lost)


@asynccontextmanager
async def beside(background: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Have these run for as long as the body does."""
    tasks = [asyncio.create_task(each) for each in background]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _announce(holder: KeyHolder, stopping: asyncio.Event) -> None:
    """Say which keys this process holds, as soon as PostgreSQL is there and has the schema of this code.

    Raises:
        KeysRefusedError: when the process must not work with them.
    """
    while not stopping.is_set():
        try:
            await holder.announce()
        except Unavailable as error:
            _log.warning("keys_not_announced", reason=error.reason)
            await asyncio.sleep(_ANNOUNCE_AGAIN)
        else:
            return


def main(queues: Sequence[str] = ()) -> None:
    """Run the worker with the settings of the environment, on these queues where some are named, and end with it.

    Raises:
        ValidationError: where a setting makes no sense, or a queue is none of ours.
    """
    told: dict[str, Any] = {"worker_queues": list(queues)} if queues else {}
    settings = Settings(**told)
    if settings.sealer_database_url is None and REGISTRATION_QUEUE in settings.worker_queues:
        sys.exit("hetao: set HETAO_SEALER_DATABASE_URL: the worker seals, and no other role may (docs/operations.md).")
    configure_logging("worker", settings.log_level)
    configure_tracing("worker")
    connect_config(settings.temporal_api_key_file)  # said before anything outside is waited for
    try:
        uvloop.run(run(settings))
    except WorkersFailedError as error:
        _log.critical("worker_failed", why=str(error), exc_info=True)
        end_now(FAILED)
    end_now(0)


if __name__ == "__main__":
    main()
