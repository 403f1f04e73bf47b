"""The notification workflows on a real Temporal: one a channel, started once, never ending."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest_asyncio
from sqlalchemy import select
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker

from domain.acts import Act
from domain.messages import NOTICE_QUEUE, DeliveryCount, DeliveryRound
from domain.notices import Channel
from store.tables import ledger
from tests.activities.test_deliveries import Relay, delivering
from tests.activities.test_mail import running as relay_running
from tests.cases.contexts import Clock, load_samples, open_context
from tests.cases.notices.telling import notify, statuses, take_on
from worker import workflow_runner
from workflows.notification import (
    CHANNELS,
    RUNS_IN_ONE_HISTORY,
    NotificationWorkflow,
    ensure_notification_workflows,
    notification_workflow_id,
)

PATIENCE = 30.0


class Channels:
    """Counts the runs of each channel; one may be down."""

    def __init__(self, down: str = "") -> None:
        self.down = down
        self.runs: Counter[str] = Counter()

    @activity.defn(name="deliver")
    async def deliver(self, asked: DeliveryRound) -> DeliveryCount:
        """Do nothing, or fail."""
        self.runs[asked.channel] += 1
        if asked.channel == self.down:
            raise ConnectionError
        await asyncio.sleep(0 if asked.channel == "mail" else 0.2)
        return DeliveryCount()


@asynccontextmanager
async def working(client: Client, deliver: Callable[..., object]) -> AsyncIterator[None]:
    """Run a worker of the queue of notices."""
    async with Worker(
        client,
        task_queue=NOTICE_QUEUE,
        workflows=[NotificationWorkflow],
        activities=[deliver],
        workflow_runner=workflow_runner(),
        graceful_shutdown_timeout=timedelta(seconds=5),
    ):
        yield


@pytest_asyncio.fixture
async def client(temporal_client: Client) -> AsyncIterator[Client]:
    """A client whose notification workflows end with the test."""
    yield temporal_client
    for channel in CHANNELS:
        await temporal_client.get_workflow_handle(notification_workflow_id(channel)).terminate()


async def _until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110 - what is waited for happens in another task of the worker
            await asyncio.sleep(0.05)


async def test_each_channel_has_one_workflow_however_often_it_is_started(client: Client) -> None:
    await asyncio.gather(*(ensure_notification_workflows(client) for _ in range(3)))
    handles = [client.get_workflow_handle(notification_workflow_id(channel)) for channel in CHANNELS]
    runs = [(await handle.describe()).run_id for handle in handles]
    await ensure_notification_workflows(client)
    assert [(await handle.describe()).run_id for handle in handles] == runs


async def test_a_channel_that_is_down_touches_nothing_else(client: Client) -> None:
    channels = Channels(down="webhook")
    async with working(client, channels.deliver):
        await ensure_notification_workflows(client)
        await _until(lambda: channels.runs["sms"] > 5 and channels.runs["mail"] > 5)
    assert 0 < channels.runs["webhook"] < 5


async def test_it_continues_as_new_before_its_history_grows_long(client: Client) -> None:
    channels = Channels()
    async with working(client, channels.deliver):
        await ensure_notification_workflows(client)
        handle = client.get_workflow_handle(notification_workflow_id(CHANNELS[0]))
        first = (await handle.describe()).run_id
        await _until(lambda: channels.runs["mail"] > RUNS_IN_ONE_HISTORY + 1)
        now = await handle.describe()
    assert now.run_id != first
    history = await client.get_workflow_handle(handle.id, run_id=first).fetch_history()
    assert history.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    replayer = Replayer(
        workflows=[NotificationWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=workflow_runner(),
    )
    await replayer.replay_workflow(history)


async def test_a_notice_goes_out_through_the_workflow(client: Client, clean_database: str) -> None:
    relay = Relay()
    async with open_context(clean_database, Clock()) as context, relay_running(relay) as port:
        await load_samples(context)
        reference = await take_on(context)
        async with delivering(context, relay_port=port) as deliveries, working(client, deliveries.deliver):
            await ensure_notification_workflows(client)
            await notify(context, reference)
            await _until(lambda: bool(relay.mails))
        assert await statuses(context) == {"registration_withdrawn person": "sent"}
        async with context.database.begin() as connection:
            row = (await connection.execute(select(ledger).where(ledger.c.act == Act.NOTICE_SENT.value))).one()
    run = (await client.get_workflow_handle(notification_workflow_id(Channel.MAIL)).describe()).run_id
    assert (row.workflow_id, row.run_id, row.event_id) == ("notification/mail", run, 3)
