"""The facts that the rules of a programme look at, each optional and each of one type."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class Facts(BaseModel):
    """What is known of a case on a day, as a programme names it in fields of its own; None is a fact not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ill_typed: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Return the facts of a mapping; those of the wrong type are left out and named, unknown names dropped."""
        kept = {name: value for name, value in given.items() if name in cls.model_fields and name != "ill_typed"}
        earlier = given.get("ill_typed", ())
        ill_typed = {str(name) for name in earlier} if isinstance(earlier, list | tuple) else set()
        while True:
            try:
                return cls(**kept, ill_typed=tuple(sorted(ill_typed)))
            except ValidationError as error:
                wrong = {str(entry["loc"][0]) for entry in error.errors()}
                ill_typed |= wrong
                kept = {name: value for name, value in kept.items() if name not in wrong}

    def is_ill_typed(self, *names: str) -> bool:
        """Whether one of these facts was given in a form that cannot be read."""
        return not set(names).isdisjoint(self.ill_typed)
