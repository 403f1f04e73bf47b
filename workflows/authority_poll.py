"""The Schedule that asks the authority for answers: one for all cases, so that no case needs a polling timer."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.client import Client

with workflow.unsafe.imports_passed_through():
    from activities.authority_calls import AuthorityCalls
    from domain.messages import AUTHORITY_POLL_WORKFLOW, PollInput
    from domain.spellings import AUTHORITY_POLL_SCHEDULE
    from workflows.schedules import each, ensure_schedule
    from workflows.timeouts import OUTWARD, POLL_TIMEOUT

SCHEDULE_ID: Final = AUTHORITY_POLL_SCHEDULE
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
            PollInput(at=workflow.now(), event_id=workflow.info().get_current_history_length()),
            start_to_close_timeout=POLL_TIMEOUT,
            schedule_to_close_timeout=POLL_TIMEOUT,
            heartbeat_timeout=_HEARTBEAT,
            retry_policy=OUTWARD,
            summary="ask the authority for its answers",
        )


async def ensure_authority_poll(client: Client, every: timedelta = EVERY) -> None:
    """Create the Schedule where there is none."""
    await ensure_schedule(client, SCHEDULE_ID, AUTHORITY_POLL_WORKFLOW, each(every), ends_within=2 * POLL_TIMEOUT)
