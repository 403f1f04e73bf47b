"""The workflow types of the programmes at the top of a module, where the SDK's sandbox looks for them by name."""

from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from programmes import CASE_TYPES
# The loop itself is loaded anew within the sandbox, as a workflow's own module is.
with workflow.unsafe.sandbox_import_notification_policy(workflow.SandboxImportNotificationPolicy.SILENT):
    from workflows.case import CaseLoop, case_workflow

OF_CASES: Final[tuple[type[CaseLoop], ...]] = tuple(case_workflow(name) for name in CASE_TYPES.workflows)
for _each in OF_CASES:
    _each.__module__ = __name__
    globals()[_each.__name__] = _each
