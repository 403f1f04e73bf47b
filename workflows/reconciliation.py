"""The Schedule of the nightly look at the record: the archive is whole, and the records of every case agree."""

from datetime import datetime
from typing import Final

from temporalio import workflow
from temporalio.client import Client

with workflow.unsafe.imports_passed_through():
    from activities.reconciliation import ReconciliationSteps
    from domain.messages import (
        RECONCILIATION_WORKFLOW,
        ReconciliationCount,
        ReconciliationRound,
    )
    from domain.spellings import RECONCILIATION_SCHEDULE
    from workflows.schedules import daily, ensure_schedule
    from workflows.timeouts import ARCHIVE_HEARTBEAT, NIGHTLY_TIMEOUT, OUTWARD

SCHEDULE_ID: Final = RECONCILIATION_SCHEDULE
# Half past three in the morning in China, in hours of UTC.
_HOUR, _MINUTE = 19, 30


@workflow.defn(name=RECONCILIATION_WORKFLOW)
class ReconciliationWorkflow:
    """Looks once; the Schedule starts the next one, and never two at a time."""

    @workflow.run
    async def run(self) -> ReconciliationCount:
        """Hold the archive against what Temporal lists, then compare the records of every case."""
        at = workflow.now()
        await workflow.execute_activity_method(
            ReconciliationSteps.sweep_histories,
            _round(at),
            start_to_close_timeout=NIGHTLY_TIMEOUT,
            heartbeat_timeout=ARCHIVE_HEARTBEAT,
            retry_policy=OUTWARD,
            summary="hold the archive against what Temporal lists",
        )
        return await workflow.execute_activity_method(
            ReconciliationSteps.reconcile_cases,
            _round(at),
            start_to_close_timeout=NIGHTLY_TIMEOUT,
            heartbeat_timeout=ARCHIVE_HEARTBEAT,
            retry_policy=OUTWARD,
            summary="compare the records of every case",
        )


def _round(at: datetime) -> ReconciliationRound:
    return ReconciliationRound(at=at, event_id=workflow.info().get_current_history_length())


async def ensure_reconciliation(client: Client) -> None:
    """Create the Schedule where there is none."""
    await ensure_schedule(client, SCHEDULE_ID, RECONCILIATION_WORKFLOW, daily(_HOUR, _MINUTE))
