"""A change that waits for an officer: each field as it is and as it is to be, and what the rules would find of it."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from cases.case.views import OBJECT_OR_NULL, view
from domain.actors import Role
from domain.findings import FindingOutcome


@view
class FieldAskedView:
    """One field: what is known of it, and what it is to be."""

    field: str
    known: Any
    wanted: Any
    asked_by: Role
    asked_at: datetime
    happened_on: Annotated[date | None, Field(description="The day on which it changed, where it was told.")]
    late: Annotated[
        bool, Field(description="Whether it was reported later than the rules of the case ask; an officer judges.")
    ]
    proof: Annotated[
        dict[str, Any] | None, OBJECT_OR_NULL, Field(description="What is said to prove it: kind, issuer, number, day.")
    ]


@view
class RuleWeighedView:
    """A rule that looks at a field of the change: what it finds now, and what it would find."""

    scope: Annotated[str, Field(description="`registration`, or the track.")]
    code: str
    fields: tuple[str, ...]
    now: FindingOutcome | None
    then: FindingOutcome | None


@view
class ChangeAskedForView:
    """A change that waits for an officer."""

    reference: str
    task_id: UUID
    round: int
    due_at: datetime | None
    rule_version: Annotated[str, Field(description="After a decision the rules of today, before it those of the case.")]
    fields: tuple[FieldAskedView, ...]
    rules: tuple[RuleWeighedView, ...]
