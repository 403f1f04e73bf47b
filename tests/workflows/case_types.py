"""The workflow type of a programme's cases at the top of a module, where the SDK's sandbox looks for it by its name."""

from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.spellings import REGISTRATION_WORKFLOW
# The loop itself is loaded anew within the sandbox, as a workflow's own module is.
with workflow.unsafe.sandbox_import_notification_policy(workflow.SandboxImportNotificationPolicy.SILENT):
    from workflows.case import CaseLoop, case_workflow

Registration: Final[type[CaseLoop]] = case_workflow(REGISTRATION_WORKFLOW)
Registration.__module__ = __name__
