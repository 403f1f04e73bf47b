"""The Schedule that archives histories: one for all workflows, so that no case pays for its own archiving."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.client import Client

with workflow.unsafe.imports_passed_through():
    from activities.archive import ArchiveSteps
    from domain.messages import ARCHIVE_WORKFLOW, ArchiveCount, ArchiveRound
    from domain.spellings import ARCHIVE_SCHEDULE
    from workflows.schedules import each, ensure_schedule
    from workflows.timeouts import ARCHIVE_HEARTBEAT, ARCHIVE_TIMEOUT, OUTWARD

SCHEDULE_ID: Final = ARCHIVE_SCHEDULE
# A closed run stays with Temporal for weeks; minutes later it is soon enough, and idle rounds stay few.
EVERY: Final = timedelta(minutes=10)


@workflow.defn(name=ARCHIVE_WORKFLOW)
class ArchiveWorkflow:
    """Archives once; the Schedule starts the next one, and never two at a time."""

    @workflow.run
    async def run(self) -> ArchiveCount:
        """Copy what closed since the last round; the next round copies this one."""
        return await workflow.execute_activity_method(
            ArchiveSteps.archive_histories,
            ArchiveRound(at=workflow.now(), event_id=workflow.info().get_current_history_length()),
            start_to_close_timeout=ARCHIVE_TIMEOUT,
            heartbeat_timeout=ARCHIVE_HEARTBEAT,
            retry_policy=OUTWARD,
            summary="archive what closed since the last round",
        )


async def ensure_archive(client: Client, every: timedelta = EVERY) -> None:
    """Create the Schedule where there is none."""
    await ensure_schedule(client, SCHEDULE_ID, ARCHIVE_WORKFLOW, each(every))
