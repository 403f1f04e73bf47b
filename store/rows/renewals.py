"""Rows of `store.tables.renewals`."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import Table

from domain.signatures import RenewalSignature
from store.rows.base import TableRow
from store.tables.renewals import renewals


@dataclass(slots=True, kw_only=True)
class RenewalRow(TableRow):
    """One renewal of a case."""

    TABLE: ClassVar[Table] = renewals
    reference: str
    number: int
    employer_id: str
    stage: str
    # The last day, in ISO form, of each track that runs out, by its key.
    ends: dict[str, str]
    asked_at: datetime
    # The fields that change, by path or as the command names them.
    fields: list[str] = field(default_factory=list)
    changes: bytes | None = None
    assessment: str
    policy_version: str
    policy_hash: str
    due_at: datetime | None = None
    due_provisional: bool = False
    overdue: bool = False
    # How often it was sent back; the working days that the park had used before its limit last started, and the day 0
    # from which it runs. Empty until then: the limit runs from the day of the request.
    returned_times: int | None = None
    limit_used: int | None = None
    limit_since: date | None = None
    decided_on: date | None = None
    # Who decided, with the codes of the reasons and, sealed and in hex, their notes.
    decided_by: RenewalSignature | None = None
    settles_at: datetime | None = None
    settled: bool = False
    # The day on which a renewal ended that was withdrawn, or whose case ended.
    ended_on: date | None = None
