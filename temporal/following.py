"""What a worker knows of the case that it works for: on every line of a step and of a workflow, the SDK's own too."""

from typing import Any

import temporalio.client
from temporalio import activity, workflow
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from domain.messages import reference_of
from temporal.telemetry import concern_task, remember_run


class FollowingCases(temporalio.client.Interceptor, Interceptor):
    """Lets the lines of a step and of a workflow name the case and the call that began it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Follow the case of a step."""
        return _FollowedStep(next)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,
    ) -> type[WorkflowInboundInterceptor]:
        """Follow the case of a workflow."""
        return _FollowedWorkflow


class _FollowedStep(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        reference = reference_of(activity.info().workflow_id or "")
        concern_task(reference or "", _correlation_of(input.args))
        return await super().execute_activity(input)


class _FollowedWorkflow(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        info = workflow.info()
        reference, correlation_id = reference_of(info.workflow_id) or "", _correlation_of(input.args)
        concern_task(reference, correlation_id)
        if reference:
            remember_run(info.run_id, reference, correlation_id)
        return await super().execute_workflow(input)


def _correlation_of(args: Any) -> str:
    return str(getattr(args[0], "correlation_id", "")) if args else ""
