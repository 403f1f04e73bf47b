"""One case for its whole life, of whatever programme: assessed, decided, what follows of it carried, until its end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.cases import CaseSteps
    from domain import messages
    from domain.messages import (
        CaseInput,
        CommandOutcome,
        CommandRef,
        Course,
        DecisionSignal,
        SignalledDecision,
        StepInput,
    )
    from domain.stages import Stage
    from workflows import versions
    from workflows.alarm import Alarm
    from workflows.calls import Calls
    from workflows.steps import CaseGoneError, Steps
    from workflows.timeouts import LONGEST_SLEEP
    from workflows.trail import Trail
    from workflows.words import details_of, result_of

# A run that rests goes on as new once it is longer than this, so that a sleeping case is a short history.
_SHORT_HISTORY = 8


class CaseLoop:
    """Waits for what people, the world outside and time bring to one case; each is applied in one transaction.

    The register in PostgreSQL is the truth; the course that each step returns says where the case stands and what
    is waited for next. `case_workflow` makes the workflow of a programme of it.
    """

    @workflow.init
    def __init__(self, given: CaseInput) -> None:
        self._reference = given.reference
        self._course = given.course or Course(stage=Stage.RECEIVED, to_assess=True)
        self._alarm = Alarm()
        self._steps = Steps()
        self._calls = Calls(self._steps)
        self._trail = Trail()
        self._last = ""
        self._nudged = False
        self._signalled: list[DecisionSignal] = []
        self._outcomes: dict[str, CommandOutcome] = {}
        self._lock = asyncio.Lock()
        self._correlation_id = given.correlation_id

    async def carry(self) -> None:
        """Carry the case to its end, or end without it where a restore of the register took it away."""
        self._trail.hear()
        with contextlib.suppress(CaseGoneError):
            await self._carry()
        await self._calls.finish()
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _carry(self) -> None:
        if self._course.to_assess:
            await self._step(CaseSteps.assess, f"assess round {self._course.round}")
        while not self._course.finished and not self._steps.is_gone:
            with self._trail.follow():
                self._calls.make(self._course, self._input(), self._take)
            await self._wait()
            with self._trail.follow():
                await self._take_signalled()
                if self._nudged or self._is_due():
                    await self._step(CaseSteps.advance, self._why())
            if self._may_go_on_as_new():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._nudged and not self._signalled and not self._steps.is_gone:
                    with self._trail.follow():
                        self._go_on_as_new()

    @workflow.update(name=messages.DECIDE_UPDATE)
    async def decide(self, command: CommandRef) -> CommandOutcome:
        """Apply a stored command now, with all that is stored before it, and return what became of it."""
        self._trail.hear(command.correlation_id)
        await self._step(CaseSteps.advance, f"apply what is waited for in {self._course.stage}")
        outcome = self._outcomes.get(command.command_id)
        if outcome is not None:
            return outcome
        return await self._steps.outcome_of(command)

    @workflow.signal(name=messages.COMMAND_SIGNAL)
    def command(self, command: CommandRef) -> None:
        """Hear that something is stored for this case."""
        self._trail.hear(command.correlation_id)
        self._nudged = True
        if command.is_resume:
            self._steps.resume()

    @workflow.signal(name=messages.DECISION_SIGNAL)
    def decision(self, decision: DecisionSignal) -> None:
        """Hear a decision that another system sends for a named officer (R33)."""
        self._trail.hear()
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
        workflow.set_current_details(details_of(self._course, self._last))
        if wake_at <= now:
            return
        # The story of a case reads this one: it stays a code.
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

    def _why(self) -> str:
        """Return what the next step is asked for, in a few words of codes."""
        if self._is_due():
            return f"{self._course.wake_for} is due in {self._course.stage}"
        return f"apply what is stored in {self._course.stage}"

    async def _step(self, step: Callable[[CaseSteps, StepInput], Awaitable[Course]], summary: str) -> None:
        """Run one step of the case, one at a time."""
        async with self._lock:
            self._nudged = False
            self._take(await self._steps.run(step, self._input(), summary))

    def _take(self, course: Course) -> None:
        """Take over a course, unless a newer one arrived first: outward calls end in any order.

        One of a newer epoch is newer whatever its version: the register was restored, and what is due there is due.
        """
        if course.age >= self._course.age:
            self._last = result_of(self._course, course)
            self._course = course
        for outcome in course.outcomes:
            self._outcomes[outcome.command_id] = outcome

    async def _take_signalled(self) -> None:
        while self._signalled:
            decision = self._signalled.pop(0)
            asked = SignalledDecision(**self._input().model_dump(), decision=decision)
            async with self._lock:
                summary = f"take a signalled decision in {self._course.stage}"
                self._take(await self._steps.run(CaseSteps.take_signalled, asked, summary))

    def _input(self) -> StepInput:
        return StepInput(
            reference=self._reference,
            at=workflow.now(),
            workflow_run_id=workflow.info().run_id,
            correlation_id=self._correlation_id,
            call_id=self._trail.call_id,
            event_id=workflow.info().get_current_history_length(),
        )

    def _may_go_on_as_new(self) -> bool:
        """Whether the case may go on in another run: nothing is under way, and it rests or the run is old."""
        if self._course.finished or self._calls.are_running or self._nudged or self._signalled:
            return False
        info = workflow.info()
        rests = self._course.rests and info.get_current_history_length() > _SHORT_HISTORY
        old = workflow.now() - info.start_time >= LONGEST_SLEEP - timedelta(days=1)
        return rests or old or info.is_continue_as_new_suggested() or versions.is_moving()

    def _go_on_as_new(self) -> None:
        course = self._course.model_copy(update={"outcomes": ()})
        versions.go_on_as_new(CaseInput(reference=self._reference, correlation_id=self._correlation_id, course=course))


def case_workflow(name: str) -> type[CaseLoop]:
    """Return the workflow type of a programme by the name that Temporal shows: the loop of a case, and nothing else."""

    class Made(CaseLoop):
        """The loop of the cases of one programme."""

        async def run(self, given: CaseInput) -> None:
            await self.carry()

    # The SDK takes for a workflow what stands at the top of a module: so the type and its `run` are named.
    Made.__name__ = Made.__qualname__ = name
    Made.run.__qualname__ = f"{name}.run"
    workflow.run(Made.run)
    return workflow.defn(name=name)(Made)
