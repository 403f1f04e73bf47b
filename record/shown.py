"""Views: how they become documents, and how what is written out already is told in the OpenAPI document."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Annotated, Any

from cases.shared.views import Coded

Time = Annotated[str, Coded(datetime)]


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
