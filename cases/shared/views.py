"""Views: what a reader is shown, as classes with named fields; their JSON and their schema both come of the class."""

import inspect
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast, dataclass_transform

import orjson
from pydantic import ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from cases.shared.json_text import json_text

_Kind = TypeVar("_Kind", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def view(kind: _Kind) -> _Kind:
    """Make a class a view: frozen, its fields given by name; the schema says what its docstring says."""
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(kind)
    # Pydantic leaves the docstring of such a class out, since it takes it for the signature that is made for it.
    made.__pydantic_config__ = ConfigDict(json_schema_extra={"description": inspect.cleandoc(kind.__doc__ or "")})
    return cast("_Kind", made)


@dataclass(frozen=True, slots=True)
class Coded:
    """Says of which kind the codes of a field are; one that was stored and is not known is shown all the same."""

    kind: type[StrEnum]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the kind."""
        return handler.generate_schema(self.kind)


def document(shown: Any) -> dict[str, Any]:
    """Return a view as its JSON says it, so that an answer is the same when it was kept as when it is made."""
    return cast("dict[str, Any]", orjson.loads(json_text(shown)))
