"""The Schedule of the nightly look at the record: the archive is whole, and the records of every case agree."""

from typing import Final

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

with workflow.unsafe.imports_passed_through():
    from activities.reconciliation import ReconciliationSteps
    from domain.messages import (
        RECONCILIATION_WORKFLOW,
        REGISTRATION_QUEUE,
        ReconciliationCount,
        ReconciliationRound,
    )
    from workflows.timeouts import ARCHIVE_HEARTBEAT, NIGHTLY_TIMEOUT, OUTWARD

SCHEDULE_ID: Final = "reconciliation"
# Half past three in the morning in China, in hours of UTC.
_HOUR, _MINUTE = 19, 30


@workflow.defn(name=RECONCILIATION_WORKFLOW)
class ReconciliationWorkflow:
    """Looks once; the Schedule starts the next one, and never two at a time."""

    @workflow.run
    async def run(self) -> ReconciliationCount:
        """Hold the archive against what Temporal lists, then compare the records of every case."""
        asked = ReconciliationRound(at=workflow.now())
        await workflow.execute_activity_method(
            ReconciliationSteps.sweep_histories,
            asked,
            start_to_close_timeout=NIGHTLY_TIMEOUT,
            heartbeat_timeout=ARCHIVE_HEARTBEAT,
            retry_policy=OUTWARD,
        )
        return await workflow.execute_activity_method(
            ReconciliationSteps.reconcile_cases,
            asked,
            start_to_close_timeout=NIGHTLY_TIMEOUT,
            heartbeat_timeout=ARCHIVE_HEARTBEAT,
            retry_policy=OUTWARD,
        )


async def ensure_reconciliation(client: Client) -> None:
    """Create the Schedule where there is none; called at every start of a worker."""
    nightly = ScheduleCalendarSpec(hour=(ScheduleRange(_HOUR),), minute=(ScheduleRange(_MINUTE),))
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(RECONCILIATION_WORKFLOW, id=SCHEDULE_ID, task_queue=REGISTRATION_QUEUE),
        spec=ScheduleSpec(calendars=[nightly]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    try:
        await client.create_schedule(SCHEDULE_ID, schedule)
    except ScheduleAlreadyRunningError:
        return
