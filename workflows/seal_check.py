"""The Schedule of the nightly look at the seal: what was sealed is what is kept, up to the roots that were signed."""

from typing import Final

from temporalio import workflow
from temporalio.client import Client

with workflow.unsafe.imports_passed_through():
    from activities.seal_check import SealSteps
    from domain.messages import SEAL_CHECK_WORKFLOW, SealCount, SealRound
    from domain.spellings import SEAL_CHECK_SCHEDULE
    from workflows.schedules import daily, ensure_schedule
    from workflows.timeouts import NIGHTLY_TIMEOUT, OUTWARD, SEAL_HEARTBEAT

SCHEDULE_ID: Final = SEAL_CHECK_SCHEDULE
# Half past one in the morning in China, in hours of UTC: before persons are erased and the records are compared.
_HOUR, _MINUTE = 17, 30


@workflow.defn(name=SEAL_CHECK_WORKFLOW)
class SealCheckWorkflow:
    """Looks once; the Schedule starts the next one, and never two at a time."""

    @workflow.run
    async def run(self) -> SealCount:
        """Check the whole seal."""
        asked = SealRound(at=workflow.now(), event_id=workflow.info().get_current_history_length())
        return await workflow.execute_activity_method(
            SealSteps.check_seal,
            asked,
            start_to_close_timeout=NIGHTLY_TIMEOUT,
            heartbeat_timeout=SEAL_HEARTBEAT,
            retry_policy=OUTWARD,
            summary="check the whole seal",
        )


async def ensure_seal_check(client: Client) -> None:
    """Create the Schedule where there is none."""
    await ensure_schedule(client, SCHEDULE_ID, SEAL_CHECK_WORKFLOW, daily(_HOUR, _MINUTE))
