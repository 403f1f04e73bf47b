"""What answers about recorded facts look like, for the OpenAPI document."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from domain.actors import Role
from domain.case_facts import ContestState, FactField, FactState


class RecordedFactView(BaseModel):
    """A fact that an officer recorded, without its content."""

    number: int
    field: FactField
    state: FactState
    contest: ContestState | None
    role: Role = Field(description="Role of who saw it.")
    round: int
    at: datetime


class OpenedFactView(RecordedFactView):
    """A fact that an officer recorded, in clear."""

    value: Any
    seen_in: str
    given: Any = Field(description="What had been given of the field when it was recorded.")
    subject: str | None = Field(default=None, description="Who saw it; for staff and auditors.")


class OpenedFacts(BaseModel):
    """All that officers recorded in a case, oldest first."""

    items: list[OpenedFactView]
    next_cursor: None = None


class OwnRecordedFactView(RecordedFactView):
    """A recorded fact as the person reads it."""

    label: str
    state_text: str
    may_contest: bool = Field(description="Whether the person may still say that it is wrong.")


class OwnOpenedFactView(OwnRecordedFactView):
    """A recorded fact with its content, among all that is held about a person."""

    value: Any
    seen_in: str
    given: Any = Field(description="What had been given of the field when it was recorded.")
    purpose: str
    basis: str
    retention: str


class ContestedView(BaseModel):
    """A contest that was taken on."""

    reference: str
    fact: int
    status: str = Field(examples=["received"])
