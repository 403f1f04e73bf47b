"""A change of an employer's standing on its way to its cases, and once to the authority (R20, R21, R27, R28)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.standing import StandingSteps
    from domain.messages import STANDING_WORKFLOW, StandingInput
    from workflows import versions
    from workflows.timeouts import CALL_TIMEOUT, OUTWARD, PATIENTLY, SPREAD_HEARTBEAT, SPREAD_TIMEOUT, STEP_TIMEOUT

# A case that is stuck holds the one report to the authority up for about an hour and no longer.
_MOST_LOOKS: Final = 20
_LONGEST_LOOK: Final = timedelta(minutes=5)
# A step that failed for a defect is tried again after this, when a mended worker may be there.
_AFTER_DEFECT: Final = timedelta(hours=1)

_Answer = TypeVar("_Answer")


@workflow.defn(name=STANDING_WORKFLOW)
class StandingWorkflow:
    """Tells every live case of the employer; once an employer has left the Park, tells the authority of all at once."""

    @workflow.run
    async def run(self, given: StandingInput) -> None:
        """Wait for the day from which the standing holds, spread it, report it, and mark it as spread."""
        plan = await self._step(StandingSteps.plan_standing, given)
        early = plan.begins_at - workflow.now()
        if early > timedelta(0):
            await workflow.sleep(early, summary="standing holds from")
            if versions.is_moving():
                versions.go_on_as_new(given)
        at = workflow.now()
        asked = StandingInput(change_id=given.change_id, at=at)
        await self._step(
            StandingSteps.spread_standing,
            asked,
            within=SPREAD_TIMEOUT,
            heartbeat=SPREAD_HEARTBEAT,
        )
        if plan.leaves_park:
            await self._wait_for_cases(asked)
            await self._step(StandingSteps.report_departed, asked, within=CALL_TIMEOUT, retry=OUTWARD)
        await self._step(StandingSteps.finish_standing, asked)

    async def _wait_for_cases(self, asked: StandingInput) -> None:
        """Let the cases end first, so that no list entry is sent after the report."""
        for look in range(_MOST_LOOKS):
            if not await self._step(StandingSteps.count_waiting_cases, asked):
                return
            await workflow.sleep(min(timedelta(seconds=2**look), _LONGEST_LOOK), summary="cases apply the standing")

    async def _step(
        self,
        step: Callable[[StandingSteps, StandingInput], Awaitable[_Answer]],
        asked: StandingInput,
        *,
        within: timedelta = STEP_TIMEOUT,
        heartbeat: timedelta | None = None,
        retry: RetryPolicy = PATIENTLY,
    ) -> _Answer:
        """Run a step until it is through; one that failed for a defect is tried again later."""
        while True:
            asked = asked.model_copy(update={"event_id": workflow.info().get_current_history_length()})
            try:
                return await workflow.execute_activity_method(
                    step,
                    asked,
                    start_to_close_timeout=within,
                    heartbeat_timeout=heartbeat,
                    retry_policy=retry,
                    summary=step.__name__.replace("_", " "),
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                workflow.logger.error("step failed for a defect", extra={"step": step.__name__})
                await workflow.sleep(_AFTER_DEFECT, summary=f"{step.__name__} failed for a defect")
