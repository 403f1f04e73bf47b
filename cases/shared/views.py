"""Views: what a reader is shown, as dataclasses; their JSON and their schema both come of the class."""

from dataclasses import dataclass
from typing import Any, cast

import orjson
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from cases.shared.json_text import json_text


@dataclass(frozen=True, slots=True)
class Coded:
    """Tells a value as one of another type; what is not known to that, stored or altered, is shown as it is."""

    kind: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of that type for documents; what Python reads is taken as it is."""
        return core_schema.json_or_python_schema(handler.generate_schema(self.kind), handler(source))


def document(shown: Any) -> dict[str, Any]:
    """Return a view as its JSON says it, so that an answer is the same when it was kept as when it is made."""
    return cast("dict[str, Any]", orjson.loads(json_text(shown)))
