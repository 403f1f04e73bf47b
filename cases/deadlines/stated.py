"""The days that a notice of a case states: until when the park, the employer or a second signature is waited for."""

from datetime import datetime
from typing import Any

from cases.case.file import CaseFile
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.errors import need


def park_due(file: CaseFile) -> dict[str, Any]:
    """Return the park's due date as a notice states it."""
    due = file.row.due_at
    return {"due_on": day_of(due) if due else None, "due_provisional": file.row.due_provisional}


def case_due(file: CaseFile) -> dict[str, Any]:
    """Return the due date of a case for which one runs."""
    return {"due_on": day_of(need(file.row.due_at, "due_at")), "due_provisional": file.row.due_provisional}


def signature_due(file: CaseFile) -> dict[str, Any]:
    """Return until when a second signature is expected: within the park's limit, or by its own where none runs."""
    if file.row.clock == "running":
        return park_due(file)
    row = file.deadlines.get((DeadlineKind.SIGNATURE_EXPECTED.value, "", 0))
    return {"due_on": day_of(row.at), "due_provisional": row.provisional} if row else {"due_on": None}


def within_decision_days(file: CaseFile, at: datetime) -> datetime:
    """Return the time by which staff answers what it is asked of a case that no park's limit runs for."""
    return file.calendar.deadline(day_of(at), file.context.limits.park_decision_days).at
