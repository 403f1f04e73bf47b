"""The engine as the API and the sweeper see it: start, decide, nudge; an absent Temporal is an answer, not an error."""

import asyncio
from typing import Final, Protocol

import structlog
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateStage
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import TemporalError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain import messages
from domain.messages import (
    CommandRef,
    DecisionSignal,
    LastRun,
    RegistrationInput,
    StandingInput,
    registration_workflow_id,
)

_START_SECONDS: Final = 5.0
_DECIDE_SECONDS: Final = 12.0
_NUDGE_SECONDS: Final = 5.0
# What the client raises when Temporal is refused, silent or absent; RPCError is one of Temporal's.
_AWAY: Final = (TemporalError, TimeoutError, RuntimeError, OSError)
_FOUND: Final = {
    WorkflowExecutionStatus.COMPLETED: LastRun.COMPLETED,
    WorkflowExecutionStatus.FAILED: LastRun.FAILED,
    WorkflowExecutionStatus.CANCELED: LastRun.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: LastRun.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT: LastRun.TIMED_OUT,
}
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

    async def start_standing(self, employer_id: str, standing: StandingInput, *, is_unspread: bool = False) -> bool:
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
        """Start the workflow of a case; a run that completed counts as started, one that was ended does not."""
        try:
            await self._start(reference, correlation_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
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

    async def start_standing(self, employer_id: str, standing: StandingInput, *, is_unspread: bool = False) -> bool:
        """Start `standing/{employer}/{change}`, unless it runs or has completed.

        `is_unspread` says that the register was asked and knows nothing of it: then not even that one completed counts.
        """
        failed_only = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._client.start_workflow(
                    messages.STANDING_WORKFLOW,
                    standing,
                    id=f"standing/{employer_id}/{standing.change_id}",
                    task_queue=messages.REGISTRATION_QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE if is_unspread else failed_only,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                )
        except WorkflowAlreadyStartedError:
            return True
        except _AWAY as error:
            _log.info("temporal_away", step="start_standing", error=type(error).__name__)
            return False
        return True

    async def last_run(self, reference: str) -> LastRun | None:
        """Return what became of the last run of a case's workflow; asking adds nothing to its history."""
        handle = self._client.get_workflow_handle(registration_workflow_id(reference))
        try:
            async with asyncio.timeout(_START_SECONDS):
                described = await handle.describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and not _is_about_namespace(error):
                return LastRun.MISSING
            _log.info("temporal_away", step="last_run", error=type(error).__name__)
            return None
        except _AWAY as error:
            _log.info("temporal_away", step="last_run", error=type(error).__name__)
            return None
        return _FOUND.get(described.status, LastRun.RUNNING) if described.status else LastRun.RUNNING

    async def revive(self, reference: str) -> bool | None:
        """Start the workflow of a case whatever became of its last run; False where one runs already."""
        try:
            return await self._start(reference, "", WorkflowIDReusePolicy.ALLOW_DUPLICATE)
        except _AWAY as error:
            _log.info("temporal_away", step="revive", error=type(error).__name__)
            return None

    async def is_up(self) -> bool:
        """Ask for the server's version within a second."""
        try:
            async with asyncio.timeout(1.0):
                await self._client.workflow_service.get_system_info(GetSystemInfoRequest())
        except _AWAY:
            return False
        return True

    async def _start(self, reference: str, correlation_id: str, reuse: WorkflowIDReusePolicy) -> bool:
        """Start the workflow of a case; one that runs is left to run, and False returned."""
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
            return False
        return True

    async def _decide(self, reference: str, told: CommandRef) -> None:
        """Send the update under the command's id, so that it is taken once, and wait for it."""
        handle = self._client.get_workflow_handle(registration_workflow_id(reference))
        update = await handle.start_update(
            messages.DECIDE_UPDATE, told, id=told.command_id, wait_for_stage=WorkflowUpdateStage.COMPLETED
        )
        await update.result()


def _is_about_namespace(error: RPCError) -> bool:
    """Whether what was not found is the namespace: a Temporal that is not set up yet is away, and has lost nothing."""
    return any("NamespaceNotFound" in detail.type_url for detail in error.grpc_status.details)
