"""Facts that an officer saw and records beside what was given: in which words, and their states."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.bodies import Body, example
from domain.decisions import Round
from domain.field_errors import field_errors
from domain.fields import Label, Note
from domain.forms import Form


class FactState(StrEnum):
    """Whether a recorded fact stands, another was recorded since, or an officer took it back when it was contested."""

    STANDS = "stands"
    REPLACED = "replaced"
    SET_ASIDE = "set_aside"


class ContestState(StrEnum):
    """Whether a contest of a fact waits for an officer, or was answered."""

    OPEN = "open"
    ANSWERED = "answered"


def contest_of(number: int) -> str:
    """Return what a person's contest of a fact is about, as it is kept among what persons object to."""
    return f"fact/{number}"


class FactAsked(Body):
    """A fact that an officer saw: the field, its value, and where it was seen; null says that there is none.

    A programme's own names the form that the field is of, by which the value is read.
    """

    form: ClassVar[type[Form] | None] = None

    field: Label
    value: JsonValue = Field(description="As the field takes it in a registration; null for an optional one.")
    seen_in: Note
    round: Round

    @field_validator("value")
    @classmethod
    def _of_the_field(cls, value: JsonValue, info: ValidationInfo) -> JsonValue:
        field = info.data.get("field")
        if field is None or cls.form is None:
            return value  # the field itself is refused, or the value was read when it was asked
        try:
            read: JsonValue = cls.form.plain_field(field, value)
        except ValidationError as error:
            wrong = field_errors(error)[0]
            raise PydanticCustomError(wrong.code, wrong.message) from None
        return read


class FactContest(Body):
    """Why a recorded fact is thought wrong."""

    model_config = example({"note": "The card was renewed in May; the day on the new one is another."})

    note: Note


class OwnFactContest(Body):
    """A person contests a fact that was recorded in a case of their own, by the number of the fact."""

    model_config = example({"reference": "HT-7K2M-9QXA-3", "fact": 1, "text": "That was my old card."})

    reference: Label
    fact: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    text: Note


def short_of(path: str) -> str:
    """Return the name of a field within its part."""
    return path.partition(".")[2]
