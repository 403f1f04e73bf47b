"""What every body of a request is: frozen, strict, with an example; and one of which at least a part is given."""

from typing import Self

from pydantic import BaseModel, ConfigDict, JsonValue, model_validator

from domain.fields import refusal


class Body(BaseModel):
    """A request body: frozen, and refused where it has a field that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def example(body: dict[str, JsonValue]) -> ConfigDict:
    """Return the settings of a body whose published schema shows a made-up example."""
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [body]})


class Parts(Body):
    """Parts of a body: at least one, and none given as null unless it may be left out of the whole."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise refusal("required", "Give at least one field that changes.")
        return self
