"""Rows of tracks: parts of a case with a stage of their own, in a table of its programme."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class TrackRow(TableRow):
    """A track, as far as it is read and written whatever the programme; no stage before it has begun."""

    reference: str
    employer_id: str
    stage: str | None = None
    due_at: datetime | None = None
    due_provisional: bool = False
    pending_act: str | None = None
    # The proposal that waits for a second signature: `by`, `at`, `reasons`, sealed `notes` in hex, and its own values.
    pending: dict[str, Any] | None = None
    rejected: dict[str, Any] | None = None
    updated_at: datetime
