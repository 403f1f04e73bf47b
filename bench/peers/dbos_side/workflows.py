"""The workflows: one for the case, one for each permit, and one from a queue for the notices of each step."""

from typing import Any, Final
from uuid import UUID

from dbos import DBOS, SetWorkflowID

from bench.peers.common import APPROVED, DESTINATIONS, KIND_OF_OUTCOME, RECEIVED, SUBMITTED, World

NOTICES: Final = "notices"
_WAIT_SECONDS: Final = 30 * 24 * 3600.0


class Here:
    """The world of this process; steps of DBOS are plain functions."""

    world: World


@DBOS.step(retries_allowed=True, max_attempts=10)
async def assess(reference: str) -> list[str]:
    """Apply the rules; return the notices that the intake wrote."""
    await Here.world.register.assess(reference)
    return await Here.world.register.queued_notices(reference, RECEIVED)


@DBOS.step(retries_allowed=True, max_attempts=10)
async def record_decision(reference: str, command_id: str) -> list[str]:
    """Apply a stored decision; return the notices that it wrote."""
    await Here.world.register.record_decision(reference, UUID(command_id))
    return await Here.world.register.queued_notices(reference, APPROVED)


@DBOS.step(retries_allowed=True, max_attempts=10)
async def submit(reference: str, destination: str) -> list[str]:
    """Send a list entry and record that it was taken; return the notices of it."""
    await Here.world.submit(reference, destination)
    await Here.world.register.record_submitted(reference, destination)
    return await Here.world.register.queued_notices(reference, SUBMITTED, destination)


@DBOS.step(retries_allowed=True, max_attempts=10)
async def record_answer(reference: str, destination: str, answer: dict[str, Any]) -> list[str]:
    """Record an answer of the authority; return the notices of it."""
    outcome = await Here.world.register.record_answer(reference, destination, answer)
    return await Here.world.register.queued_notices(reference, KIND_OF_OUTCOME[outcome], destination)


@DBOS.step(retries_allowed=True, max_attempts=10)
async def deliver_notice(notice_id: str) -> None:
    """Send a notice and record that it went out."""
    await Here.world.register.send_notice(notice_id)
    await Here.world.register.mark_sent(notice_id)


@DBOS.workflow()
async def deliver(notice_ids: list[str]) -> None:
    """Deliver the notices of one step."""
    for notice_id in notice_ids:
        await deliver_notice(notice_id)


@DBOS.workflow()
async def carry_permit(reference: str, destination: str) -> str:
    """Carry one permit from its list entry to its issue."""
    await DBOS.enqueue_workflow_async(NOTICES, deliver, await submit(reference, destination))
    for _ in range(2):
        answer = await DBOS.recv_async("answer", timeout_seconds=_WAIT_SECONDS)
        await DBOS.enqueue_workflow_async(NOTICES, deliver, await record_answer(reference, destination, answer))
    return "issued"


@DBOS.workflow()
async def carry_case(reference: str) -> None:
    """Carry one case from its intake to its permits."""
    await DBOS.enqueue_workflow_async(NOTICES, deliver, await assess(reference))
    command_id = await DBOS.recv_async("decision", timeout_seconds=_WAIT_SECONDS)
    written = await record_decision(reference, command_id)
    await DBOS.set_event_async("decided", "approved")
    await DBOS.enqueue_workflow_async(NOTICES, deliver, written)
    permits = []
    for destination in DESTINATIONS:
        with SetWorkflowID(f"permit/{reference}/{destination}"):
            permits.append(await DBOS.start_workflow_async(carry_permit, reference, destination))
    for permit in permits:
        await permit.get_result()
