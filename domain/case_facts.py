"""Facts that an officer saw and records beside what was given: of which fields, in which words, and their states."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, JsonValue, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.decisions import Round
from domain.field_errors import field_errors
from domain.fields import Label, Note
from domain.registration import Body, CorrectionRequest, example


class FactField(StrEnum):
    """A field of which a fact can be recorded: never who the person is, nor how they and their employer are reached."""

    PERMIT_CARD_NUMBER = "person.permit_card_number"
    PERMIT_CARD_VALID_UNTIL = "person.permit_card_valid_until"
    POSITION = "employment.position"
    WORK_SITE = "employment.work_site"
    EMPLOYMENT_KIND = "employment.employment_kind"
    CONTRACT_START = "employment.contract_start"
    CONTRACT_END = "employment.contract_end"
    STATE_WORKER = "employment.state_worker"
    CONSENT_LETTER = "employment.consent_letter"

    @property
    def part(self) -> str:
        """The part of a registration that the field is in."""
        return self.value.partition(".")[0]

    @property
    def short(self) -> str:
        """The name of the field within its part."""
        return self.value.partition(".")[2]


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


def parts_of(field: FactField, value: object) -> CorrectionRequest:
    """Return a value of a field as a part of a registration.

    Raises:
        pydantic.ValidationError: it is no value of the field.
    """
    return CorrectionRequest.model_validate({field.part: {field.short: value}})


def read_value(field: FactField, value: object) -> Any:
    """Return a value of a field with the type and in the form that the field has."""
    return getattr(getattr(parts_of(field, value), field.part), field.short)


class FactRequest(Body):
    """A fact that an officer saw: the field, its value, and where it was seen; null says that there is none."""

    model_config = example(
        {
            "field": "person.permit_card_valid_until",
            "value": "2036-05-31",
            "seen_in": "The card itself, shown at the counter.",
            "round": 1,
        }
    )

    field: FactField
    value: JsonValue = Field(description="As the field takes it in a registration; null for an optional one.")
    seen_in: Note
    round: Round

    @field_validator("value")
    @classmethod
    def _of_the_field(cls, value: JsonValue, info: ValidationInfo) -> JsonValue:
        field = info.data.get("field")
        if field is None:
            return value  # the field itself is refused
        try:
            parts = parts_of(field, value)
        except ValidationError as error:
            wrong = field_errors(error)[0]
            raise PydanticCustomError(wrong.code, wrong.message) from None
        read: JsonValue = parts.model_dump(mode="json")[field.part][field.short]
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
