"""The engine as the API and the sweeper see it: start, decide, nudge; an absent Temporal is an answer, not an error."""

import asyncio
from typing import Final, Protocol

import structlog
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client, WorkflowUpdateStage
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import TemporalError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain import messages
from domain.messages import CommandRef, DecisionSignal, RegistrationInput, StandingInput, registration_workflow_id

_START_SECONDS: Final = 5.0
_DECIDE_SECONDS: Final = 12.0
_NUDGE_SECONDS: Final = 5.0
# What the client raises when Temporal is refused, silent or absent; RPCError is one of Temporal's.
_AWAY: Final = (TemporalError, TimeoutError, RuntimeError, OSError)
_log = structlog.get_logger(__name__)


class Engine(Protocol):
    """What is asked of the engine; none of these raises when Temporal is away."""

    async def start(self, reference: str, correlation_id: str = "") -> bool:
        """Start the workflow of a case; already started means done. False when Temporal is away."""
        ...

    async def decide(self, reference: str, command_id: str, correlation_id: str = "") -> bool:
        """Have a stored command applied and wait for it. False when Temporal is away or slow."""
        ...

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        """Tell a case of a stored command without waiting. False when Temporal is away."""
        ...

    async def start_standing(self, employer_id: str, standing: StandingInput) -> bool:
        """Start spreading a change of standing over an employer's cases. False when Temporal is away."""
        ...

    async def is_up(self) -> bool:
        """Whether Temporal answers."""
        ...


class TemporalEngine:
    """The engine on a Temporal client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, reference: str, correlation_id: str = "") -> bool:
        """Start the workflow of a case under REJECT_DUPLICATE."""
        try:
            await self._start(reference, correlation_id, WorkflowIDReusePolicy.REJECT_DUPLICATE)
        except _AWAY as error:
            _log.info("temporal_away", step="start", error=type(error).__name__)
            return False
        return True

    async def decide(self, reference: str, command_id: str, correlation_id: str = "") -> bool:
        """Send the update `decide`; the outcome stands with the command afterwards."""
        told = CommandRef(command_id=command_id, correlation_id=correlation_id)
        try:
            async with asyncio.timeout(_DECIDE_SECONDS):
                try:
                    await self._decide(reference, told)
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise
                    await self._start(reference, correlation_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE)
                    await self._decide(reference, told)
        except _AWAY as error:
            _log.info("temporal_away", step="decide", error=type(error).__name__)
            return False
        return True

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        """Send the signal `command`; a case whose workflow has closed is taken up again and reads what is stored."""
        handle = self._client.get_workflow_handle(registration_workflow_id(reference))
        told = CommandRef(command_id=command_id, correlation_id=correlation_id, is_resume=is_resume)
        try:
            async with asyncio.timeout(_NUDGE_SECONDS):
                try:
                    await handle.signal(messages.COMMAND_SIGNAL, told)
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise
                    await self._start(reference, correlation_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE)
        except _AWAY as error:
            _log.info("temporal_away", step="nudge", error=type(error).__name__)
            return False
        return True

    async def signal_decision(self, reference: str, decision: DecisionSignal) -> None:
        """Send a decision as another system does (R33)."""
        handle = self._client.get_workflow_handle(registration_workflow_id(reference))
        await handle.signal(messages.DECISION_SIGNAL, decision)

    async def start_standing(self, employer_id: str, standing: StandingInput) -> bool:
        """Start `standing/{employer}/{change}`."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._client.start_workflow(
                    messages.STANDING_WORKFLOW,
                    standing,
                    id=f"standing/{employer_id}/{standing.change_id}",
                    task_queue=messages.REGISTRATION_QUEUE,
                    # The register says whether it is spread: a run that completed before a restore does not.
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                )
        except WorkflowAlreadyStartedError:
            return True
        except _AWAY as error:
            _log.info("temporal_away", step="start_standing", error=type(error).__name__)
            return False
        return True

    async def is_up(self) -> bool:
        """Ask for the server's version within a second."""
        try:
            async with asyncio.timeout(1.0):
                await self._client.workflow_service.get_system_info(GetSystemInfoRequest())
        except _AWAY:
            return False
        return True

    async def _start(self, reference: str, correlation_id: str, reuse: WorkflowIDReusePolicy) -> None:
        """Start the workflow of a case; one that runs is left to run."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._client.start_workflow(
                    messages.REGISTRATION_WORKFLOW,
                    RegistrationInput(reference=reference, correlation_id=correlation_id),
                    id=registration_workflow_id(reference),
                    task_queue=messages.REGISTRATION_QUEUE,
                    id_reuse_policy=reuse,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                )
        except WorkflowAlreadyStartedError:
            return

    async def _decide(self, reference: str, told: CommandRef) -> None:
        """Send the update under the command's id, so that it is taken once, and wait for it."""
        handle = self._client.get_workflow_handle(registration_workflow_id(reference))
        update = await handle.start_update(
            messages.DECIDE_UPDATE, told, id=told.command_id, wait_for_stage=WorkflowUpdateStage.COMPLETED
        )
        await update.result()
