"""The worker's queues: those that it is told, and all of them stop side by side, within one grace."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from activities.mail import MailSender
from activities.sms import SmsSender
from activities.webhook import WebhookSender
from domain.messages import NOTICE_QUEUE, QUEUES, REGISTRATION_QUEUE
from temporal.pulse import Polls
from tests.workflows.world import open_world
from worker import Outside, build_workers, side_by_side, workflow_runner

# Longer than a test may take: one worker after the other would let the first one's activity wait for all of it.
_GRACE = timedelta(seconds=60)


class Meeting:
    """Activities that end only once both of their workers are told to stop."""

    def __init__(self) -> None:
        self.begun: set[str] = set()
        self.told: set[str] = set()
        self.both = asyncio.Event()
        self.has_changed = asyncio.Event()

    @activity.defn(name="meet")
    async def meet(self, who: str) -> None:
        """Wait for the other."""
        self.begun.add(who)
        self.has_changed.set()
        await activity.wait_for_worker_shutdown()
        self.told.add(who)
        if len(self.told) == 2:
            self.both.set()
        await self.both.wait()


@workflow.defn(name="Meet")
class MeetWorkflow:
    """Runs the activity on its own queue."""

    @workflow.run
    async def run(self, who: str) -> None:
        """Meet."""
        await workflow.execute_activity("meet", who, start_to_close_timeout=_GRACE)


async def test_both_queues_stop_within_one_grace(temporal_client: Client) -> None:
    meeting = Meeting()
    queues = [f"meet/{uuid4()}" for _ in range(2)]
    workers = [
        Worker(
            temporal_client,
            task_queue=queue,
            workflows=[MeetWorkflow],
            activities=[meeting.meet],
            workflow_runner=workflow_runner(),
            graceful_shutdown_timeout=_GRACE,
        )
        for queue in queues
    ]
    async with asyncio.timeout(20):
        async with side_by_side(workers):
            for queue in queues:
                await temporal_client.start_workflow("Meet", queue, id=queue, task_queue=queue)
            while len(meeting.begun) < 2:
                meeting.has_changed.clear()
                await meeting.has_changed.wait()
    assert meeting.told == set(queues)
    for queue in queues:
        await temporal_client.get_workflow_handle(queue).terminate()


async def test_what_the_body_raises_is_raised_once_both_have_stopped(temporal_client: Client) -> None:
    queue = f"meet/{uuid4()}"
    one = Worker(temporal_client, task_queue=queue, workflows=[MeetWorkflow], workflow_runner=workflow_runner())
    try:
        async with asyncio.timeout(20), side_by_side([one]):
            raise LookupError
    except LookupError:
        assert not one.is_running


@pytest.mark.parametrize(
    ("queues", "wanted"),
    [
        (QUEUES, [REGISTRATION_QUEUE, NOTICE_QUEUE]),
        ((NOTICE_QUEUE,), [NOTICE_QUEUE]),
        ((REGISTRATION_QUEUE,), [REGISTRATION_QUEUE]),
    ],
)
async def test_a_process_serves_the_queues_that_it_is_told_and_says_so_of_those(
    clean_database: str, temporal_client: Client, queues: tuple[str, ...], wanted: list[str]
) -> None:
    async with open_world(clean_database, temporal_client, works=False) as world, httpx.AsyncClient() as http:
        outside = Outside(
            authority=world.authority.client(http),
            mail=MailSender("127.0.0.1", 9, "park@example.com"),
            sms=SmsSender("http://sms.test", "token", http),
            webhooks=WebhookSender(()),
        )
        workers = build_workers(world.context, world.client, outside, queues=queues)
        assert [each.task_queue for each in workers] == wanted
        polls = Polls(world.client, queues, world.client.identity)
        async with side_by_side(workers), asyncio.timeout(20):
            seen: set[str] = set()
            while seen != set(wanted):
                seen |= await polls.look()
                await asyncio.sleep(0.02)
