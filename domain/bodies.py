"""What every body of a request is: frozen, strict, with an example; and one of which at least a part is given."""

from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from domain.fields import refusal


class Body(BaseModel):
    """A request body: frozen, and refused where it has a field that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def example(body: dict[str, JsonValue]) -> ConfigDict:
    """Return the settings of a body whose published schema shows a made-up example."""
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [body]})


class Parts(Body):
    """Parts of a body: at least one, and none given as null unless it may be left out of the whole.

    Attributes:
        beside: the fields that are no part of the whole, and say something of what is given.
    """

    beside: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set - self.beside:
            raise refusal("required", "Give at least one field that changes.")
        return self


class Corrections(Parts):
    """Parts of a form that are given again."""

    beside = frozenset({"round"})

    round: Annotated[
        int | None,
        Field(
            ge=1,
            le=10_000,
            strict=True,
            description="The round that the case is in; required while it is under review.",
        ),
    ] = None
