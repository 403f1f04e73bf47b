"""What a worker knows of the case that it works for: on every line of a step and of a workflow, the SDK's own too."""

from collections.abc import Sequence
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from temporalio import activity, workflow
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.client import (
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from domain.case_types import reference_of
from domain.messages import StepInput
from temporal.telemetry import concern_task, remember_run

_tracer = trace.get_tracer("hetao.steps")
# By the first part of the workflow id, of what follows.
_SUMMARIES: Final = {
    "standing": "Change of standing of {0}, told to its cases",
    "notification": "Delivers {0}",
}


class FollowingCases(ClientInterceptor, Interceptor):
    """Lets the lines of a step and of a workflow name the case and the call that began it; a step is a span."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Let each workflow that is started say in Temporal's lists what it is for."""
        return _Summarised(next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Follow the case of a step."""
        return _FollowedStep(next)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,
    ) -> type[WorkflowInboundInterceptor]:
        """Follow the case of a workflow."""
        return _FollowedWorkflow


class _Summarised(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.static_summary = input.static_summary or summary_of(input.id)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,
    ) -> WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        start.static_summary = start.static_summary or summary_of(start.id)
        return await super().start_update_with_start_workflow(input)


class _FollowedStep(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        reference = reference_of(info.workflow_id or "") or ""
        concern_task(reference, _correlation_of(input.args))
        attributes: dict[str, str | int] = {
            "hetao.attempt": info.attempt,
            "temporal.workflow_id": info.workflow_id or "",
            "temporal.run_id": info.workflow_run_id or "",
            "hetao.waited_ms": int((info.started_time - info.current_attempt_scheduled_time).total_seconds() * 1000),
        }
        if reference:
            attributes["hetao.case"] = reference
        with _tracer.start_as_current_span(
            f"step {info.activity_type}", kind=SpanKind.CONSUMER, attributes=attributes, set_status_on_exception=False
        ) as span:
            try:
                return await super().execute_activity(input)
            except ApplicationError as error:
                span.set_attribute("error.type", error.type or "")
                if error.category is not ApplicationErrorCategory.BENIGN:
                    span.set_status(StatusCode.ERROR)
                raise


class _FollowedWorkflow(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        info = workflow.info()
        reference, correlation_id = reference_of(info.workflow_id) or "", _correlation_of(input.args)
        concern_task(reference, correlation_id)
        if reference:
            remember_run(info.run_id, reference, correlation_id)
        return await super().execute_workflow(input)


def summary_of(workflow_id: str) -> str | None:
    """Return what a workflow is for, in codes, by its id; None for those whose id says it all."""
    kind, _, rest = workflow_id.partition("/")
    words = _SUMMARIES.get(kind)
    return words.format(*rest.split("/")) if words is not None and rest else None


def _correlation_of(args: Sequence[Any]) -> str:
    given = args[0] if args else None
    return given.caller if isinstance(given, StepInput) else str(getattr(given, "correlation_id", ""))
