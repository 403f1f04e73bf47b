"""The workflows: one for the case, a child for each permit, a child for each notice."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from bench.peers.plain_temporal.activities import Activities

STEP = timedelta(seconds=30)
QUEUE = "plain"


async def tell(notices: list[str]) -> None:
    """Deliver the notices of a step, each by a child workflow of its own."""
    await asyncio.gather(
        *(
            workflow.execute_child_workflow(NoticeWorkflow.run, notice_id, id=f"notice/{notice_id}")
            for notice_id in notices
        )
    )


@workflow.defn
class NoticeWorkflow:
    """Delivers one notice."""

    @workflow.run
    async def run(self, notice_id: str) -> None:
        await workflow.execute_activity_method(Activities.deliver_notice, notice_id, start_to_close_timeout=STEP)


@workflow.defn
class PermitWorkflow:
    """Carries one permit from its list entry to its issue."""

    def __init__(self) -> None:
        self._answers: list[dict[str, Any]] = []

    @workflow.run
    async def run(self, reference: str, destination: str) -> str:
        written = await workflow.execute_activity_method(
            Activities.submit, args=[reference, destination], start_to_close_timeout=STEP
        )
        telling = [asyncio.create_task(tell(written))]
        for _ in range(2):
            await workflow.wait_condition(lambda: bool(self._answers))
            answer = self._answers.pop(0)
            written = await workflow.execute_activity_method(
                Activities.record_answer, args=[reference, destination, answer], start_to_close_timeout=STEP
            )
            telling.append(asyncio.create_task(tell(written)))
        await asyncio.gather(*telling)
        return "issued"

    @workflow.signal
    def answer(self, answer: dict[str, Any]) -> None:
        """Hear an answer of the authority."""
        if answer not in self._answers:
            self._answers.append(answer)


@workflow.defn
class CaseWorkflow:
    """Carries one case from its intake to its permits."""

    def __init__(self) -> None:
        self._command_id: str | None = None
        self._decided = False

    @workflow.run
    async def run(self, reference: str) -> None:
        written = await workflow.execute_activity_method(Activities.assess, reference, start_to_close_timeout=STEP)
        telling = [asyncio.create_task(tell(written))]
        await workflow.wait_condition(lambda: self._command_id is not None)
        written = await workflow.execute_activity_method(
            Activities.record_decision, args=[reference, self._command_id or ""], start_to_close_timeout=STEP
        )
        self._decided = True
        telling.append(asyncio.create_task(tell(written)))
        await asyncio.gather(
            *(
                workflow.execute_child_workflow(
                    PermitWorkflow.run, args=[reference, destination], id=f"permit/{reference}/{destination}"
                )
                for destination in ("HK", "MO")
            )
        )
        await asyncio.gather(*telling)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def decide(self, command_id: str) -> str:
        """Take the decision and return when it is recorded."""
        self._command_id = command_id
        await workflow.wait_condition(lambda: self._decided)
        return "approved"
