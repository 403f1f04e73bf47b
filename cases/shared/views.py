"""Views: what a reader is shown, as dataclasses; their JSON and their schema both come of the class."""

from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Annotated, Any

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


# A time that is written out already.
Time = Annotated[str, Coded(datetime)]


class Filled:
    """A view that leaves out what does not apply: members that are null, and empty lists."""


def document(shown: Any) -> Any:
    """Return a view as its JSON says it, so that an answer is the same when it was kept as when it is made.

    Members come in the order of the class, one that Python cannot name without its `_`.
    """
    if shown is None or type(shown) in (str, int, bool):
        return shown
    if isinstance(shown, list | tuple):
        return [document(each) for each in shown]
    if isinstance(shown, dict):
        return {name: document(each) for name, each in shown.items()}
    if not is_dataclass(shown) or isinstance(shown, type):
        return orjson.loads(json_text(shown))
    members = {each.name.rstrip("_"): document(getattr(shown, each.name)) for each in fields(shown)}
    if isinstance(shown, Filled):
        return {name: value for name, value in members.items() if value is not None and value != []}
    return members
