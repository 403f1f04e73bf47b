"""The engine as the API and the sweeper see it: start, decide, nudge; an absent Temporal is an answer, not an error."""

import asyncio
from enum import Enum
from typing import Final, Protocol, TypedDict

import structlog
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
)
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import TemporalError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain import messages
from domain.case_types import CaseTypes
from domain.errors import KeyUnknown
from domain.messages import (
    CaseInput,
    CommandRef,
    DecisionSignal,
    LastRun,
    StandingInput,
)
from domain.parties import looked_up_within
from domain.spellings import STANDING_ID
from temporal.away import explain

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


class Told(Enum):
    """What came of having a stored command applied: whatever it is, the command is stored and will be applied."""

    ANSWERED = "answered"
    # Temporal or the worker is away or slow, or the case waits for an operator.
    NOT_ANSWERED = "not_answered"
    # The workflow was ended while it was asked, or could not say what became of the command.
    FAILED = "failed"

    def __bool__(self) -> bool:
        """Whether its caller was told."""
        return self is Told.ANSWERED


class _Where(TypedDict):
    id: str
    task_queue: str
    static_summary: str


class Engine(Protocol):
    """What is asked of the engine; none of these raises when Temporal is away."""

    async def start(self, reference: str, correlation_id: str = "", *, employer_id: str = "") -> bool:
        """Start the workflow of a case; already started means done. False when Temporal is away.

        Where tasks wait, those of the cases of one employer take turns with those of the others.
        """
        ...

    async def decide(self, reference: str, command_id: str, correlation_id: str = "") -> Told:
        """Have a stored command applied, wait for it, and return whether it was told of that."""
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
    """The engine on a Temporal client, for the cases of these types."""

    def __init__(self, client: Client, case_types: CaseTypes) -> None:
        self._client, self._types = client, case_types
        self._away = ""

    async def start(self, reference: str, correlation_id: str = "", *, employer_id: str = "") -> bool:
        """Start the workflow of a case; a run that completed counts as started, one that was ended does not."""
        try:
            failed_only = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
            await self._start(reference, correlation_id, failed_only, employer_id)
        except _AWAY as error:
            _log.info("temporal_away", step="start", error=type(error).__name__)
            return False
        return True

    async def decide(self, reference: str, command_id: str, correlation_id: str = "") -> Told:
        """Send the update `decide`, starting the workflow where none runs; the outcome stands with the command."""
        told = CommandRef(command_id=command_id, correlation_id=correlation_id)
        try:
            async with asyncio.timeout(_DECIDE_SECONDS):
                # Under the command's id, so that it is taken once.
                await self._client.execute_update_with_start_workflow(
                    messages.DECIDE_UPDATE,
                    told,
                    id=told.command_id,
                    start_workflow_operation=WithStartWorkflowOperation(
                        self._types.of(reference).workflow,
                        CaseInput(reference=reference, correlation_id=correlation_id),
                        **self._where(reference),
                        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    ),
                )
        except KeyUnknown:
            return Told.NOT_ANSWERED  # decided, and answered under a key of the codec that is not here yet
        except WorkflowUpdateFailedError as error:
            # Temporal is there, and so was the workflow: it was ended meanwhile, or its step is broken.
            _log.error("decide_failed", reference=reference, error=type(error.cause).__name__)
            return Told.FAILED
        except _AWAY as error:
            _log.info("temporal_away", step="decide", error=type(error).__name__)
            return Told.NOT_ANSWERED
        return Told.ANSWERED

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        """Send the signal `command`; a case without a workflow that runs is taken up again and reads what is stored."""
        told = CommandRef(command_id=command_id, correlation_id=correlation_id, is_resume=is_resume)
        try:
            async with asyncio.timeout(_NUDGE_SECONDS):
                await self._client.start_workflow(
                    self._types.of(reference).workflow,
                    CaseInput(reference=reference, correlation_id=correlation_id),
                    **self._where(reference),
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    start_signal=messages.COMMAND_SIGNAL,
                    start_signal_args=[told],
                )
        except _AWAY as error:
            _log.info("temporal_away", step="nudge", error=type(error).__name__)
            return False
        return True

    async def signal_decision(self, reference: str, decision: DecisionSignal) -> None:
        """Send a decision as another system does (R33)."""
        handle = self._client.get_workflow_handle(self._types.id_of(reference))
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
                    id=f"{STANDING_ID}{employer_id}/{standing.change_id}",
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
        handle = self._client.get_workflow_handle(self._types.id_of(reference))
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

    async def revive(self, reference: str, employer_id: str) -> bool | None:
        """Start the workflow of a case whatever became of its last run; False where one runs already."""
        try:
            return await self._start(reference, "", WorkflowIDReusePolicy.ALLOW_DUPLICATE, employer_id)
        except _AWAY as error:
            _log.info("temporal_away", step="revive", error=type(error).__name__)
            return None

    async def is_up(self) -> bool:
        """Ask for the namespace within a second: a Temporal that came back without it starts nothing."""
        try:
            async with asyncio.timeout(1.0):
                asked = DescribeNamespaceRequest(namespace=self._client.namespace)
                await self._client.workflow_service.describe_namespace(asked)
        except _AWAY as error:
            self._tell_away(explain(error).code)
            return False
        self._away = ""
        return True

    def _tell_away(self, why: str) -> None:
        """Log why Temporal is away, once for each reason: a balancer asks each second."""
        if why != self._away:
            self._away = why
            _log.warning("temporal_away", step="is_up", error=why)

    async def _start(
        self, reference: str, correlation_id: str, reuse: WorkflowIDReusePolicy, employer_id: str = ""
    ) -> bool:
        """Start the workflow of a case; one that runs is left to run, and False returned."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._client.start_workflow(
                    self._types.of(reference).workflow,
                    CaseInput(reference=reference, correlation_id=correlation_id),
                    **self._where(reference),
                    id_reuse_policy=reuse,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    priority=Priority(fairness_key=looked_up_within(employer_id) or None),
                )
        except WorkflowAlreadyStartedError:
            return False
        return True

    def _where(self, reference: str) -> _Where:
        """Return the workflow of a case, its queue, and what Temporal's lists say of it."""
        of = self._types.of(reference)
        return {
            "id": of.id_of(reference),
            "task_queue": messages.REGISTRATION_QUEUE,
            "static_summary": of.summary_of(reference),
        }


def _is_about_namespace(error: RPCError) -> bool:
    """Whether what was not found is the namespace: a Temporal that is not set up yet is away, and has lost nothing."""
    return any("NamespaceNotFound" in detail.type_url for detail in error.grpc_status.details)
