"""Views: what a reader is shown, as dataclasses; their JSON and their schema both come of the class."""

from dataclasses import dataclass
from typing import Any, cast

import orjson
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from cases.shared.json_text import json_text


@dataclass(frozen=True, slots=True)
class Coded:
    """Says of which type the codes of a field are; one that was stored and is not known is shown all the same."""

    kind: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type."""
        return handler.generate_schema(self.kind)


def document(shown: Any) -> dict[str, Any]:
    """Return a view as its JSON says it, so that an answer is the same when it was kept as when it is made."""
    return cast("dict[str, Any]", orjson.loads(json_text(shown)))
