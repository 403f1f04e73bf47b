"""Running a step: a short transaction in this worker first, then as a regular activity; a defect waits for `resume`."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError
from temporalio.exceptions import TimeoutError as TimedOut

with workflow.unsafe.imports_passed_through():
    from activities.cases import CaseSteps
    from domain.messages import CASE_GONE, CommandOutcome, CommandRef, Course, IncidentInput, StepInput
    from workflows.timeouts import LOCAL_STEP_TRIES, LOCALLY, PATIENTLY, STEP_TIMEOUT

_Asked = TypeVar("_Asked", bound=StepInput)
_FAILED: Final = (ActivityError, ApplicationError, TimedOut)


class CaseGoneError(ApplicationError):
    """The register has no such case: it was restored to before it, and nothing is left to be done."""

    def __init__(self) -> None:
        super().__init__(CASE_GONE, type=CASE_GONE, non_retryable=True)


class Steps:
    """Runs the steps of one case and stops before an operator where one fails for a defect."""

    def __init__(self) -> None:
        self._resumes = 0
        self.is_gone = False

    def resume(self) -> None:
        """Go on after an incident."""
        self._resumes += 1

    async def run(self, step: Callable[[CaseSteps, _Asked], Awaitable[Course]], asked: _Asked) -> Course:
        """Run a step on the register: in this worker, and where PostgreSQL stays away as a regular activity."""

        async def attempt(asked: _Asked) -> Course:
            try:
                return await workflow.execute_local_activity_method(
                    step, asked, schedule_to_close_timeout=LOCAL_STEP_TRIES, retry_policy=LOCALLY
                )
            except _FAILED as error:
                if not _is_passing(_cause_of(error)):
                    raise
                return await workflow.execute_activity_method(
                    step, asked, start_to_close_timeout=STEP_TIMEOUT, retry_policy=PATIENTLY
                )

        return await self.guard(step.__name__, asked, attempt)

    async def guard(self, name: str, asked: _Asked, attempt: Callable[[_Asked], Awaitable[Course]]) -> Course:
        """Try until it is through; a defect is put before an operator, and clocks and other cases run on (R31).

        Raises:
            CaseGoneError: when the register has no such case; `is_gone` says so from then on.
        """
        while True:
            try:
                return await attempt(asked)
            except _FAILED as error:
                cause = _cause_of(error)
                if not isinstance(cause, ApplicationError):
                    raise
                await self._stop(name, asked, cause)
                asked = asked.model_copy(
                    update={"at": workflow.now(), "event_id": workflow.info().get_current_history_length()}
                )

    async def outcome_of(self, command: CommandRef) -> CommandOutcome:
        """Return what became of a command that this run did not apply itself."""
        return await workflow.execute_activity_method(
            CaseSteps.find_outcome, command, start_to_close_timeout=STEP_TIMEOUT, retry_policy=PATIENTLY
        )

    async def _stop(self, name: str, asked: StepInput, cause: ApplicationError) -> None:
        seen = self._resumes
        incident = IncidentInput(
            reference=asked.reference,
            at=workflow.now(),
            workflow_run_id=asked.workflow_run_id,
            correlation_id=asked.correlation_id,
            event_id=workflow.info().get_current_history_length(),
            step=name,
            reason=cause.type or "defect",
            place=_place_of(cause),
        )
        opened = await workflow.execute_activity_method(
            CaseSteps.open_incident, incident, start_to_close_timeout=STEP_TIMEOUT, retry_policy=PATIENTLY
        )
        if opened == CASE_GONE:
            self.is_gone = True
            raise CaseGoneError
        await workflow.wait_condition(lambda: self._resumes > seen)


def _cause_of(error: FailureError) -> BaseException | None:
    """Return what failed: a regular activity's error stands inside another, a local one's by itself."""
    return error.cause if isinstance(error, ActivityError) else error


def _place_of(cause: ApplicationError) -> str:
    """Return where in the code a defect was raised; failures of before said nothing of it."""
    return next((each for each in cause.details if isinstance(each, str)), "")


def _is_passing(cause: BaseException | None) -> bool:
    """Whether a local step failed only because what it needs is away."""
    return isinstance(cause, TimedOut) or (isinstance(cause, ApplicationError) and not cause.non_retryable)
