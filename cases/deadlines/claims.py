"""The end of a claim: without an act of its holder a task returns to its queue (R9)."""

from datetime import datetime

from cases.case.file import CaseFile
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from store.rows.work import TaskRow


def set_claim_limit(file: CaseFile, task: TaskRow, at: datetime) -> None:
    """Set the end of a claim: without an act the task returns to the queue."""
    days = file.context.limits.claim_days
    file.set_working_days(DeadlineKind.CLAIM_OVER, day_of(at), days, destination=str(task.task_id))
