"""A form with parts that were given anew, as it has to hold together."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from domain.errors import Refused
from domain.field_errors import field_errors
from domain.forms import Form


def parts_of(form: type[Form], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields, by their names within the parts of a form, as these parts."""
    parts: dict[str, Any] = {}
    for name, value in fields.items():
        part, _, within = _path(form, name).partition(".")
        if within:
            parts.setdefault(part, {})[within] = value
        else:
            parts[part] = value
    return parts


def value_of(form: Form, field: str) -> Any:
    """Return what a form says of a field, by its name within the parts, as JSON."""
    part, _, within = _path(type(form), field).partition(".")
    said = form.model_dump(mode="json")[part]
    return said[within] if within else said


def with_fields(form: Form, fields: Mapping[str, Any]) -> Form:
    """Return a form with other values of some fields, by their names within its parts.

    Raises:
        Refused: `invalid` where the whole does not hold together, or a field that it needs was removed.
    """
    try:
        return form.with_parts(parts_of(type(form), fields))
    except ValidationError as error:
        raise Refused("invalid", "The form would not hold together.", field_errors(error)) from error


def _path(form: type[Form], name: str) -> str:
    path = form.find_path(name)
    if path is None:
        raise KeyError(name)
    return path
