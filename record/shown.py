"""Views: how they become documents, and how what is written out already is told in the OpenAPI document."""

from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Told:
    """Tells a value as one of another type; one of a row that somebody altered need not be, and is shown as it is."""

    kind: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of that type for documents; what Python reads is taken as it is."""
        return core_schema.json_or_python_schema(handler.generate_schema(self.kind), handler(source))


Time = Annotated[str, Told(datetime)]


class Filled:
    """A view that leaves out what does not apply: members that are null, and empty lists."""


def document(view: Any) -> Any:
    """Return a view as JSON shows it: in the order of its members, one that Python cannot name without its `_`."""
    if isinstance(view, list):
        return [document(each) for each in view]
    if not is_dataclass(view) or isinstance(view, type):
        return view
    shown = {each.name.rstrip("_"): document(getattr(view, each.name)) for each in fields(view)}
    if isinstance(view, Filled):
        return {name: value for name, value in shown.items() if value is not None and value != []}
    return shown
