"""The activities: one for each step, each a call of the shared register or of the world outside."""

from typing import Any
from uuid import UUID

from temporalio import activity

from bench.peers.common import APPROVED, KIND_OF_OUTCOME, RECEIVED, SUBMITTED, World


class Activities:
    """The steps of a case."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn
    async def assess(self, reference: str) -> list[str]:
        """Apply the rules; return the notices that the intake wrote."""
        await self._world.register.assess(reference)
        return await self._world.register.queued_notices(reference, RECEIVED)

    @activity.defn
    async def record_decision(self, reference: str, command_id: str) -> list[str]:
        """Apply a stored decision; return the notices that it wrote."""
        await self._world.register.record_decision(reference, UUID(command_id))
        return await self._world.register.queued_notices(reference, APPROVED)

    @activity.defn
    async def submit(self, reference: str, destination: str) -> list[str]:
        """Send a list entry and record that it was taken; return the notices of it."""
        await self._world.submit(reference, destination)
        await self._world.register.record_submitted(reference, destination)
        return await self._world.register.queued_notices(reference, SUBMITTED, destination)

    @activity.defn
    async def record_answer(self, reference: str, destination: str, answer: dict[str, Any]) -> list[str]:
        """Record an answer of the authority; return the notices of it."""
        outcome = await self._world.register.record_answer(reference, destination, answer)
        return await self._world.register.queued_notices(reference, KIND_OF_OUTCOME[outcome], destination)

    @activity.defn
    async def deliver_notice(self, notice_id: str) -> None:
        """Send a notice and record that it went out."""
        await self._world.register.send_notice(notice_id)
        await self._world.register.mark_sent(notice_id)

    def all(self) -> list[Any]:
        """Return what the worker registers."""
        return [
            self.assess,
            self.record_decision,
            self.submit,
            self.record_answer,
            self.deliver_notice,
        ]
