"""Drafts: what somebody has begun to write and not sent, kept for a time under a key and taken for nothing yet."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, JsonValue

from domain.bodies import Body, example
from domain.fields import Code

KEPT: Final = timedelta(days=30)  # since the last change
LARGEST: Final = 64 * 1024  # bytes of content, as JSON


class DraftKind(StrEnum):
    """What a draft is of; kept with it."""

    FORM = "form"
    DECISION = "decision"


Content = Annotated[
    dict[str, JsonValue],
    Field(description="What is written so far, as the body would be; nothing of it is checked. At most 64 KiB."),
]


class DraftRequest(Body):
    """What was begun."""

    model_config = example({"programme": "talent_permit", "content": {"person": {"name_zh": "曹雪"}}})

    programme: Annotated[Code, Field(description="Whose form it is, or whose case.")]
    kind: Annotated[DraftKind, Field(description="`decision`: the words of a decision, which staff alone keeps.")] = (
        DraftKind.FORM
    )
    reference: Annotated[
        str | None, Field(max_length=40, description="The case, for a decision.", examples=["HT-7K2M-9QXA-J"])
    ] = None
    content: Content


class DraftChange(Body):
    """What takes the place of what was written before."""

    content: Content
