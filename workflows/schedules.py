"""One Schedule, as the code has it: what is looked after for all cases together and not by each."""

from dataclasses import replace
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.messages import REGISTRATION_QUEUE

# The server's own default, said so that it can be compared.
_CATCH_UP = timedelta(days=365)
_log = structlog.get_logger(__name__)


def each(interval: timedelta) -> ScheduleSpec:
    """Return the times that lie this far apart."""
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=interval)])


def daily(hour: int, minute: int) -> ScheduleSpec:
    """Return one time a day, in UTC."""
    return ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(hour),), minute=(ScheduleRange(minute),))])


async def ensure_schedule(
    client: Client, schedule_id: str, workflow: str, when: ScheduleSpec, *, ends_within: timedelta | None = None
) -> None:
    """Create the Schedule where there is none, and bring it to what the code says where it differs.

    It starts one workflow at a time, named after the Schedule. Made sure of regularly, so that a change of its times,
    of what it starts or of its timeout reaches an installation that runs. Whether it is paused and the note on that are
    the operator's and stay; anything else that was changed by hand is changed back.
    """
    action = ScheduleActionStartWorkflow(
        workflow, id=schedule_id, task_queue=REGISTRATION_QUEUE, execution_timeout=ends_within
    )
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP)
    wanted = Schedule(action=action, spec=when, policy=policy)
    handle = client.get_schedule_handle(schedule_id)
    try:
        found = (await handle.describe()).schedule
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        try:
            await client.create_schedule(schedule_id, wanted)
        except ScheduleAlreadyRunningError:
            return  # another worker made it meanwhile
        _log.info("schedule_created", schedule=schedule_id)
        return
    if _says_the_same(found, wanted):
        return

    def update(given: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(wanted, state=given.description.schedule.state))

    await handle.update(update)
    _log.warning("schedule_changed", schedule=schedule_id)


def _says_the_same(found: Schedule, wanted: Schedule) -> bool:
    """Whether two Schedules do the same at the same times, by all that ours ever say."""
    return (found.spec, found.policy, _action(found)) == (wanted.spec, wanted.policy, _action(wanted))


def _action(schedule: Schedule) -> tuple[object, ...]:
    a = schedule.action
    assert isinstance(a, ScheduleActionStartWorkflow)
    return (
        a.workflow,
        a.id,
        a.task_queue,
        a.execution_timeout,
        a.run_timeout,
        a.task_timeout,
        a.retry_policy,
        len(a.args),
    )
