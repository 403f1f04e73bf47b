"""One case for its whole life: assessed, reviewed, registered, its permits followed, at rest until its end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.cases import CaseSteps
    from domain import messages
    from domain.messages import (
        CommandOutcome,
        CommandRef,
        Course,
        DecisionSignal,
        RegistrationInput,
        SignalledDecision,
        StepInput,
    )
    from domain.stages import Stage
    from workflows.alarm import Alarm
    from workflows.steps import CaseGoneError, Steps
    from workflows.talent_permit import PermitCalls
    from workflows.timeouts import LONGEST_SLEEP

# A run that rests goes on as new once it is longer than this, so that a sleeping case is a short history.
_SHORT_HISTORY = 8


@workflow.defn(name=messages.REGISTRATION_WORKFLOW)
class RegistrationWorkflow:
    """Waits for what people, the authority and time bring to one case, and has each applied in one transaction.

    The register in PostgreSQL is the truth; the course that each step returns says where the case stands and what
    is waited for next.
    """

    @workflow.init
    def __init__(self, given: RegistrationInput) -> None:
        self._reference = given.reference
        self._course = given.course or Course(stage=Stage.RECEIVED, to_assess=True)
        self._alarm = Alarm()
        self._steps = Steps()
        self._calls = PermitCalls(self._steps)
        self._nudged = False
        self._signalled: list[DecisionSignal] = []
        self._outcomes: dict[str, CommandOutcome] = {}
        self._lock = asyncio.Lock()
        self._correlation_id = given.correlation_id

    @workflow.run
    async def run(self, given: RegistrationInput) -> None:
        """Carry the case to its end, or end without it where a restore of the register took it away."""
        with contextlib.suppress(CaseGoneError):
            await self._carry()
        await self._calls.finish()
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _carry(self) -> None:
        if self._course.to_assess:
            await self._step(CaseSteps.assess)
        while not self._course.finished and not self._steps.is_gone:
            self._calls.make(self._course, self._input(), self._take)
            await self._wait()
            await self._take_signalled()
            if self._nudged or self._is_due():
                await self._step(CaseSteps.advance)
            if self._may_go_on_as_new():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._nudged and not self._signalled and not self._steps.is_gone:
                    self._go_on_as_new()

    @workflow.update(name=messages.DECIDE_UPDATE)
    async def decide(self, command: CommandRef) -> CommandOutcome:
        """Apply a stored command now, with all that is stored before it, and return what became of it."""
        await self._step(CaseSteps.advance)
        outcome = self._outcomes.get(command.command_id)
        if outcome is not None:
            return outcome
        return await self._steps.outcome_of(command)

    @workflow.signal(name=messages.COMMAND_SIGNAL)
    def command(self, command: CommandRef) -> None:
        """Hear that something is stored for this case."""
        self._nudged = True
        if command.is_resume:
            self._steps.resume()

    @workflow.signal(name=messages.DECISION_SIGNAL)
    def decision(self, decision: DecisionSignal) -> None:
        """Hear a decision that another system sends for a named officer (R33)."""
        self._signalled.append(decision)

    @workflow.query(name=messages.STATUS_QUERY)
    def status(self) -> Course:
        """Return where the case stands and what it waits for."""
        return self._course

    async def _wait(self) -> None:
        """Wait for a message, an answer to a call, or the time of the earliest deadline."""
        now = workflow.now()
        wake_at = min(self._course.wake_at or now + LONGEST_SLEEP, now + LONGEST_SLEEP)
        seen = self._course
        workflow.set_current_details(_waits_for(self._course))
        if wake_at <= now:
            return
        self._alarm.set(wake_at, self._course.wake_for or "year")
        await workflow.wait_condition(
            lambda: (
                self._nudged
                or bool(self._signalled)
                or self._course is not seen
                or self._alarm.has_rung
                or self._steps.is_gone
            )
        )

    def _is_due(self) -> bool:
        return self._course.wake_at is not None and self._course.wake_at <= workflow.now()

    async def _step(self, step: Callable[[CaseSteps, StepInput], Awaitable[Course]]) -> None:
        """Run one step of the case, one at a time."""
        async with self._lock:
            self._nudged = False
            self._take(await self._steps.run(step, self._input()))

    def _take(self, course: Course) -> None:
        """Take over a course, unless a newer one arrived first: calls to the authority end in any order.

        One of a newer epoch is newer whatever its version: the register was restored, and what is due there is due.
        """
        if course.age >= self._course.age:
            self._course = course
        for outcome in course.outcomes:
            self._outcomes[outcome.command_id] = outcome

    async def _take_signalled(self) -> None:
        while self._signalled:
            decision = self._signalled.pop(0)
            asked = SignalledDecision(**self._input().model_dump(), decision=decision)
            async with self._lock:
                self._take(await self._steps.run(CaseSteps.take_signalled, asked))

    def _input(self) -> StepInput:
        return StepInput(
            reference=self._reference,
            at=workflow.now(),
            workflow_run_id=workflow.info().run_id,
            correlation_id=self._correlation_id,
            event_id=workflow.info().get_current_history_length(),
        )

    def _may_go_on_as_new(self) -> bool:
        """Whether the case rests: approved or ended, nothing to be sent, and more history than a fresh run has."""
        if self._course.finished or self._calls.are_running or self._nudged or self._signalled:
            return False
        info = workflow.info()
        rests = self._course.rests and info.get_current_history_length() > _SHORT_HISTORY
        old = workflow.now() - info.start_time >= LONGEST_SLEEP - timedelta(days=1)
        return rests or old or info.is_continue_as_new_suggested()

    def _go_on_as_new(self) -> None:
        course = self._course.model_copy(update={"outcomes": ()})
        workflow.continue_as_new(
            RegistrationInput(reference=self._reference, correlation_id=self._correlation_id, course=course)
        )


def _waits_for(course: Course) -> str:
    """Return one line for an operator's eye: the stage and what is waited for."""
    until: datetime | None = course.wake_at
    return f"{course.stage}, round {course.round}; next: {course.wake_for or 'nothing'} {until or ''}".strip()
