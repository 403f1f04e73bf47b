"""The services: a workflow for the case, one for each permit, and a service that delivers the notices of each step."""

from typing import Any
from uuid import UUID

import restate
from restate import RunOptions, WorkflowContext, WorkflowSharedContext

from bench.peers.common import APPROVED, DESTINATIONS, KIND_OF_OUTCOME, RECEIVED, SUBMITTED, World

cases = restate.Workflow("Case")
permits = restate.Workflow("Permit")
notices = restate.Service("Notices")


class Here:
    """The world of this process; steps of Restate are plain functions."""

    world: World


async def assess(reference: str) -> list[str]:
    """Apply the rules; return the notices that the intake wrote."""
    await Here.world.register.assess(reference)
    return await Here.world.register.queued_notices(reference, RECEIVED)


async def record_decision(reference: str, command_id: str) -> list[str]:
    """Apply a stored decision; return the notices that it wrote."""
    await Here.world.register.record_decision(reference, UUID(command_id))
    return await Here.world.register.queued_notices(reference, APPROVED)


async def submit(reference: str, destination: str) -> list[str]:
    """Send a list entry and record that it was taken; return the notices of it."""
    await Here.world.submit(reference, destination)
    await Here.world.register.record_submitted(reference, destination)
    return await Here.world.register.queued_notices(reference, SUBMITTED, destination)


async def record_answer(reference: str, destination: str, answer: dict[str, Any]) -> list[str]:
    """Record an answer of the authority; return the notices of it."""
    outcome = await Here.world.register.record_answer(reference, destination, answer)
    return await Here.world.register.queued_notices(reference, KIND_OF_OUTCOME[outcome], destination)


async def deliver_notice(notice_id: str) -> None:
    """Send a notice and record that it went out."""
    await Here.world.register.send_notice(notice_id)
    await Here.world.register.mark_sent(notice_id)


@notices.handler()
async def deliver(ctx: restate.Context, notice_ids: list[str]) -> None:
    """Deliver the notices of one step."""
    for notice_id in notice_ids:
        await ctx.run_typed(f"deliver {notice_id}", deliver_notice, RunOptions(), notice_id)


@permits.main()
async def carry_permit(ctx: WorkflowContext, asked: list[str]) -> str:
    """Carry one permit from its list entry to its issue."""
    reference, destination = asked
    written = await ctx.run_typed("submit", submit, RunOptions(), reference, destination)
    ctx.service_send(deliver, written)
    for outcome in ("accepted", "issued"):
        answer: dict[str, Any] = await ctx.promise(outcome).value()
        written = await ctx.run_typed(outcome, record_answer, RunOptions(), reference, destination, answer)
        ctx.service_send(deliver, written)
    return "issued"


@permits.handler()
async def answer(ctx: WorkflowSharedContext, given: dict[str, Any]) -> None:
    """Hear an answer of the authority."""
    await ctx.promise(given["outcome"]).resolve(given)


@cases.main()
async def carry_case(ctx: WorkflowContext, reference: str) -> None:
    """Carry one case from its intake to its permits."""
    written = await ctx.run_typed("assess", assess, RunOptions(), reference)
    ctx.service_send(deliver, written)
    command_id: str = await ctx.promise("decision").value()
    written = await ctx.run_typed("record_decision", record_decision, RunOptions(), reference, command_id)
    await ctx.promise("decided").resolve("approved")
    ctx.service_send(deliver, written)
    running = [
        ctx.workflow_call(carry_permit, key=f"{reference}-{destination}", arg=[reference, destination])
        for destination in DESTINATIONS
    ]
    await restate.gather(*running)


@cases.handler()
async def decide(ctx: WorkflowSharedContext, command_id: str) -> str:
    """Take the decision and return when it is recorded."""
    await ctx.promise("decision").resolve(command_id)
    outcome: str = await ctx.promise("decided").value()
    return outcome


app = restate.app([cases, permits, notices])
