"""The Schedule of retention: what was kept long enough is erased at night, and the list of erasures is looked after."""

from datetime import datetime
from typing import Final

from temporalio import workflow
from temporalio.client import Client

with workflow.unsafe.imports_passed_through():
    from activities.retention import RetentionSteps
    from domain.messages import RETENTION_WORKFLOW, RetentionCount, RetentionRound
    from domain.spellings import RETENTION_SCHEDULE
    from workflows.schedules import daily, ensure_schedule
    from workflows.timeouts import NIGHTLY_TIMEOUT, OUTWARD, RETENTION_HEARTBEAT

SCHEDULE_ID: Final = RETENTION_SCHEDULE
# Half past two in the morning in China, in hours of UTC: before the records are compared.
_HOUR, _MINUTE = 18, 30


@workflow.defn(name=RETENTION_WORKFLOW)
class RetentionWorkflow:
    """Looks once; the Schedule starts the next one, and never two at a time."""

    @workflow.run
    async def run(self) -> RetentionCount:
        """Forget what callers were answered, old rosters, and persons whose time is over."""
        at = workflow.now()
        forgotten = await workflow.execute_activity_method(
            RetentionSteps.forget_old,
            _round(at),
            start_to_close_timeout=NIGHTLY_TIMEOUT,
            heartbeat_timeout=RETENTION_HEARTBEAT,
            retry_policy=OUTWARD,
            summary="forget what callers were answered and old rosters",
        )
        erased = await workflow.execute_activity_method(
            RetentionSteps.erase_due,
            _round(at),
            start_to_close_timeout=NIGHTLY_TIMEOUT,
            heartbeat_timeout=RETENTION_HEARTBEAT,
            retry_policy=OUTWARD,
            summary="erase persons whose time is over",
        )
        return forgotten.model_copy(update={"erased": erased.erased, "kept": erased.kept})


def _round(at: datetime) -> RetentionRound:
    return RetentionRound(at=at, event_id=workflow.info().get_current_history_length())


async def ensure_retention(client: Client) -> None:
    """Create the Schedule where there is none."""
    await ensure_schedule(client, SCHEDULE_ID, RETENTION_WORKFLOW, daily(_HOUR, _MINUTE))
