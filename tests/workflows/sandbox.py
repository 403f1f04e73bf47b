"""The SDK's sandbox, in which tests run the workflows that the worker runs without one (ADR 0008)."""

import dataclasses

from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions


def sandboxed() -> SandboxedWorkflowRunner:
    """Return the sandbox; a module that is passed through without being meant to be is an error at start."""
    policy = workflow.SandboxImportNotificationPolicy
    return SandboxedWorkflowRunner(
        restrictions=dataclasses.replace(
            SandboxRestrictions.default,
            import_notification_policy=policy.WARN_ON_DYNAMIC_IMPORT | policy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH,
        )
    )
