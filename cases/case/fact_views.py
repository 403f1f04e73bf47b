"""What a person is told of the contest of a recorded fact."""

from pydantic import BaseModel, Field


class ContestedView(BaseModel):
    """A contest that was taken on."""

    reference: str
    fact: int
    status: str = Field(examples=["received"])
