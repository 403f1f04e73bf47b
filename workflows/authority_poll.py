"""The Schedule that asks the authority for answers: one for all cases, so that no case needs a polling timer."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

with workflow.unsafe.imports_passed_through():
    from activities.authority_calls import AuthorityCalls
    from domain.messages import AUTHORITY_POLL_WORKFLOW, REGISTRATION_QUEUE, PollInput
    from workflows.timeouts import OUTWARD, POLL_TIMEOUT

SCHEDULE_ID: Final = "authority-poll"
EVERY: Final = timedelta(minutes=1)
_HEARTBEAT: Final = timedelta(seconds=60)


@workflow.defn(name=AUTHORITY_POLL_WORKFLOW)
class AuthorityPollWorkflow:
    """Asks once; the Schedule starts the next one, and never two at a time."""

    @workflow.run
    async def run(self) -> int:
        """Take in what the authority answered, and show what it has not answered in time."""
        return await workflow.execute_activity_method(
            AuthorityCalls.ask_authority,
            PollInput(at=workflow.now()),
            start_to_close_timeout=POLL_TIMEOUT,
            schedule_to_close_timeout=POLL_TIMEOUT,
            heartbeat_timeout=_HEARTBEAT,
            retry_policy=OUTWARD,
        )


async def ensure_authority_poll(client: Client, every: timedelta = EVERY) -> None:
    """Create the Schedule where there is none; called at every start of a worker."""
    action = ScheduleActionStartWorkflow(
        AUTHORITY_POLL_WORKFLOW,
        id=SCHEDULE_ID,
        task_queue=REGISTRATION_QUEUE,
        execution_timeout=2 * POLL_TIMEOUT,
    )
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    try:
        await client.create_schedule(SCHEDULE_ID, schedule)
    except ScheduleAlreadyRunningError:
        return
