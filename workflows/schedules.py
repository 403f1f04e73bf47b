"""One Schedule, made once: what is looked after for all cases together and not by each."""

from datetime import timedelta

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
)

from domain.messages import REGISTRATION_QUEUE


def each(interval: timedelta) -> ScheduleSpec:
    """Return the times that lie this far apart."""
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=interval)])


def daily(hour: int, minute: int) -> ScheduleSpec:
    """Return one time a day, in UTC."""
    return ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(hour),), minute=(ScheduleRange(minute),))])


async def ensure_schedule(
    client: Client, schedule_id: str, workflow: str, when: ScheduleSpec, *, ends_within: timedelta | None = None
) -> None:
    """Create the Schedule where there is none; it starts one workflow at a time, named after the Schedule.

    Called at every start of a worker; a Schedule that is there stays as an operator may have changed it.
    """
    action = ScheduleActionStartWorkflow(
        workflow, id=schedule_id, task_queue=REGISTRATION_QUEUE, execution_timeout=ends_within
    )
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP)
    try:
        await client.create_schedule(schedule_id, Schedule(action=action, spec=when, policy=policy))
    except ScheduleAlreadyRunningError:
        return
