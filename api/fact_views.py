"""What answers about recorded facts look like, for the OpenAPI document."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from cases.case.views import OpenedFactForStaff, RecordedFactView, view


@view
class OpenedFactView(OpenedFactForStaff):
    """A fact that an officer recorded, in clear."""


class OpenedFacts(BaseModel):
    """All that officers recorded in a case, oldest first."""

    items: list[OpenedFactView]
    next_cursor: None = None


@view
class OwnRecordedFactView(RecordedFactView):
    """A recorded fact as the person reads it."""

    label: str
    state_text: str
    may_contest: Annotated[bool, Field(description="Whether the person may still say that it is wrong.")]


@view
class OwnOpenedFactView(OwnRecordedFactView):
    """A recorded fact with its content, among all that is held about a person."""

    value: Any
    value_text: Annotated[str | None, Field(description="The value in words.")]
    seen_in: str
    given: Annotated[Any, Field(description="What had been given of the field when it was recorded.")]
    purpose: str
    basis: str
    retention: str
