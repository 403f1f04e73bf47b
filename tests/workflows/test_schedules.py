"""What runs once for all is made sure of: Schedules follow the code, and channels come back."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow
from temporalio.service import RPCError

from domain.messages import REGISTRATION_QUEUE
from workflows import archive, authority_poll, reconciliation, retention, seal_check
from workflows.ensured import ensure_all
from workflows.notification import CHANNELS, notification_workflow_id
from workflows.schedules import each, ensure_schedule

_IDS = [module.SCHEDULE_ID for module in (archive, authority_poll, reconciliation, retention, seal_check)]


@pytest_asyncio.fixture
async def client(temporal_client: Client) -> AsyncIterator[Client]:
    """A client whose Schedules and channels end with the test."""
    yield temporal_client
    for schedule_id in (*_IDS, "changing"):
        try:
            await temporal_client.get_schedule_handle(schedule_id).delete()
        except RPCError:
            continue
    for channel in CHANNELS:
        try:
            await temporal_client.get_workflow_handle(notification_workflow_id(channel)).terminate()
        except RPCError:
            continue


async def _ensure(client: Client, every: timedelta, ends_within: timedelta | None = None) -> Schedule:
    await ensure_schedule(client, "changing", "Changing", each(every), ends_within=ends_within)
    return (await client.get_schedule_handle("changing").describe()).schedule


async def test_a_changed_schedule_reaches_an_installation_that_runs_and_stays_paused(client: Client) -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    made = await _ensure(client, hour)
    assert [each.every for each in made.spec.intervals] == [hour]
    handle = client.get_schedule_handle("changing")
    await handle.pause(note="until Monday")
    changed = await _ensure(client, day, ends_within=hour)
    assert [each.every for each in changed.spec.intervals] == [day]
    assert isinstance(changed.action, ScheduleActionStartWorkflow)
    assert (changed.action.task_queue, changed.action.execution_timeout) == (REGISTRATION_QUEUE, hour)
    assert (changed.state.paused, changed.state.note) == (True, "until Monday")
    updated = (await handle.describe()).info.last_updated_at
    await _ensure(client, day, ends_within=hour)
    assert (await handle.describe()).info.last_updated_at == updated  # the same is not written again


async def test_what_was_taken_away_in_temporal_is_there_again(client: Client) -> None:
    await ensure_all(client)
    ended = client.get_workflow_handle(notification_workflow_id(CHANNELS[0]))
    await ended.terminate()
    await client.get_schedule_handle(archive.SCHEDULE_ID).delete()
    await ensure_all(client)
    assert (await ended.describe()).status is not None
    assert (await ended.describe()).close_time is None
    for schedule_id in _IDS:
        assert not (await client.get_schedule_handle(schedule_id).describe()).schedule.state.paused
