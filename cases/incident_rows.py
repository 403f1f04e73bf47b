"""Lines for the operator that a step writes with what it does to a case."""

from datetime import datetime
from uuid import UUID, uuid4

from cases.case_file import CaseFile


def note(file: CaseFile, at: datetime, *, kind: str, step: str, reason: str, incident_id: UUID | None = None) -> UUID:
    """Open an incident on a case and return its id."""
    incident_id = incident_id or uuid4()
    file.add_row(
        "incidents",
        {
            "incident_id": incident_id,
            "reference": file.reference,
            "employer_id": file.employer_id,
            "kind": kind,
            "step": step,
            "reason": reason[:200],
            "state": "open",
            "at": at,
        },
    )
    return incident_id
