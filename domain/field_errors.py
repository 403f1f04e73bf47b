"""Field errors of a request body: the published codes, and the way from a validation error to them."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, Protocol

from domain.errors import FieldError


class FieldCode(StrEnum):
    """What is wrong with one field (states.md, section 1, "Problem codes")."""

    REQUIRED = "required"
    UNKNOWN_FIELD = "unknown_field"
    WRONG_TYPE = "wrong_type"
    TOO_LONG = "too_long"
    BAD_CHARACTERS = "bad_characters"
    CHECK_DIGIT = "check_digit"
    IMPOSSIBLE_DATE = "impossible_date"
    DATE_ORDER = "date_order"
    UNKNOWN_VALUE = "unknown_value"
    BAD_PHONE = "bad_phone"
    BAD_EMAIL = "bad_email"


MESSAGES: Final[dict[FieldCode, str]] = {
    FieldCode.REQUIRED: "The field is required.",
    FieldCode.UNKNOWN_FIELD: "The field is not known here; remove it.",
    FieldCode.WRONG_TYPE: "The value has the wrong type.",
    FieldCode.TOO_LONG: "The value is too long.",
    FieldCode.BAD_CHARACTERS: "The value has characters that are not allowed.",
    FieldCode.CHECK_DIGIT: "The check digit does not agree.",
    FieldCode.IMPOSSIBLE_DATE: "The date does not exist.",
    FieldCode.DATE_ORDER: "The dates are in the wrong order.",
    FieldCode.UNKNOWN_VALUE: "The value is not one of those allowed.",
    FieldCode.BAD_PHONE: "The phone number is not valid.",
    FieldCode.BAD_EMAIL: "The mail address is not valid.",
}
# pydantic's own error types; what is not here and not a code of ours has the wrong type.
_TYPES: Final[dict[str, FieldCode]] = {
    "missing": FieldCode.REQUIRED,
    "string_too_short": FieldCode.REQUIRED,
    "too_short": FieldCode.REQUIRED,
    "extra_forbidden": FieldCode.UNKNOWN_FIELD,
    "string_too_long": FieldCode.TOO_LONG,
    "too_long": FieldCode.TOO_LONG,
    "bytes_too_long": FieldCode.TOO_LONG,
    "string_unicode": FieldCode.BAD_CHARACTERS,
    "string_not_ascii": FieldCode.BAD_CHARACTERS,
    "string_pattern_mismatch": FieldCode.BAD_CHARACTERS,
    "enum": FieldCode.UNKNOWN_VALUE,
    "literal_error": FieldCode.UNKNOWN_VALUE,
    "union_tag_invalid": FieldCode.UNKNOWN_VALUE,
    "union_tag_not_found": FieldCode.REQUIRED,
    "greater_than": FieldCode.UNKNOWN_VALUE,
    "greater_than_equal": FieldCode.UNKNOWN_VALUE,
    "less_than": FieldCode.UNKNOWN_VALUE,
    "less_than_equal": FieldCode.UNKNOWN_VALUE,
    "date_from_datetime_parsing": FieldCode.IMPOSSIBLE_DATE,
    "datetime_from_date_parsing": FieldCode.IMPOSSIBLE_DATE,
    "date_parsing": FieldCode.IMPOSSIBLE_DATE,
    "datetime_parsing": FieldCode.IMPOSSIBLE_DATE,
    "timezone_aware": FieldCode.IMPOSSIBLE_DATE,
}
_OWN: Final = frozenset(FieldCode)
_OF_FEW: Final = frozenset({"enum", "literal_error"})
_PLAIN_NAME: Final = re.compile(r"[a-z][a-z_]{0,63}")
MOST: Final = 100  # no answer lists more than so many errors


class HasErrors(Protocol):
    """A validation error of pydantic or FastAPI."""

    def errors(self) -> Iterable[Mapping[str, Any]]:
        """Return one entry for each error."""
        ...


def field_errors(error: HasErrors, *, within: str = "") -> list[FieldError]:
    """Return what is wrong, field by field.

    Args:
        error: a validation error of pydantic, or FastAPI's, which puts the part of the request first.
        within: the part of the request to leave out of the paths, such as `body`.
    """
    entries = list(error.errors())
    # A list whose every item is wrong is also counted as empty; the items' own errors say enough.
    above = {tuple(entry["loc"][:k]) for entry in entries for k in range(len(entry["loc"]))}
    told = [entry for entry in entries if not (entry["type"] == "too_short" and tuple(entry["loc"]) in above)]
    return [_field_error(entry, within) for entry in told[:MOST]]


def _field_error(entry: Mapping[str, Any], within: str) -> FieldError:
    kind = str(entry["type"])
    own = kind in _OWN
    code = FieldCode(kind) if own else _TYPES.get(kind, FieldCode.WRONG_TYPE)
    if code is FieldCode.WRONG_TYPE and not own and entry.get("input", "") is None:
        code = FieldCode.REQUIRED  # null where a value is needed
    message = str(entry["msg"]) if own else MESSAGES[code]
    allowed = _allowed(entry) if kind in _OF_FEW else tuple(entry.get("ctx", {}).get("allowed", ())) if own else ()
    return FieldError(field=path_of(entry["loc"], within), code=code, message=message, allowed=allowed)


def _allowed(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words that a field takes, as pydantic lists them: each in quotes."""
    return tuple(re.findall(r"'([^']*)'", str(entry.get("ctx", {}).get("expected", ""))))


def path_of(location: Iterable[str | int], within: str = "") -> str:
    """Return the path of a field in the body, `person.identity_number` or `destinations[0]`.

    A name that the sender made up may hold anything, so one that is not plain is shown as `?`.
    """
    parts = list(location)
    if within and parts and parts[0] == within:
        parts = parts[1:]
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if _PLAIN_NAME.fullmatch(part) else "?"
            path += f".{name}" if path else name
    return path
