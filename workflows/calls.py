"""The outward calls of one case: side by side, each retried without end (P4 to P8)."""

import asyncio
from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.authority_calls import AuthorityCalls
    from domain.messages import CallInput, Course, OutwardCall, StepInput
    from workflows.steps import CaseGoneError, Steps
    from workflows.timeouts import CALL_TIMEOUT, OUTWARD

_Take = Callable[[Course], None]


class Calls:
    """Makes each call of a case once, those of its tracks side by side."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def are_running(self) -> bool:
        """Whether a call is under way."""
        return bool(self._running)

    def make(self, course: Course, asked: StepInput, take: _Take) -> None:
        """Begin the calls that are due and not under way; each hands over the course that it leads to."""
        for call in course.calls:
            if call.key not in self._running:
                self._running[call.key] = asyncio.create_task(self._make(call, asked, take))

    async def finish(self) -> None:
        """Let the calls under way end."""
        for task in list(self._running.values()):
            await task

    async def _make(self, call: OutwardCall, asked: StepInput, take: _Take) -> None:
        order = CallInput(
            reference=asked.reference,
            at=asked.at,
            workflow_run_id=asked.workflow_run_id,
            correlation_id=asked.correlation_id,
            call_id=asked.call_id,
            event_id=asked.event_id,
            key=call.key,
        )

        async def attempt(order: CallInput) -> Course:
            return await workflow.execute_activity_method(
                AuthorityCalls.tell_authority,
                order,
                start_to_close_timeout=CALL_TIMEOUT,
                retry_policy=OUTWARD,
                summary=call.key,  # the story of a case reads this one: it stays the key
            )

        try:
            course = await self._steps.guard("tell_authority", order, attempt)
        except CaseGoneError:
            # The run ends by itself: it sees what the steps know of the case.
            return
        finally:
            del self._running[call.key]
        take(course)
