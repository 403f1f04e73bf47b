"""Request bodies as I-JSON (RFC 7493): what is ambiguous or cannot be stored is refused before anything reads it."""

import json
import math
from collections.abc import Iterable
from typing import Any, Final

from domain.errors import FieldError, Refused
from domain.field_errors import MESSAGES, FieldCode, path_of

DEEPEST: Final = 32
_LARGEST_WHOLE: Final = 2**53 - 1  # RFC 7493, section 2.2: numbers that every reader understands alike


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        Refused: `malformed` for what is no I-JSON; `invalid` for a NUL character, which PostgreSQL cannot store.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_number,
            parse_constant=_constant,
        )
    except RecursionError:
        raise _malformed("The body is nested too deeply.") from None
    except UnicodeDecodeError:
        raise _malformed("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"The body is no JSON, from line {error.lineno}, column {error.colno} on.") from None
    _check(value)
    return value


def _malformed(detail: str) -> Refused:
    return Refused("malformed", detail)


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in pairs:
        if name in content:
            raise _malformed("An object of the body has the same name twice.")
        content[name] = value
    return content


def _whole(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > _LARGEST_WHOLE:
        raise _malformed("A number of the body is too large.")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _malformed("A number of the body is too large.")
    return number


def _constant(name: str) -> float:
    raise _malformed(f"{name} is no JSON number.")


def _check(value: Any) -> None:
    """Walk the value without recursion: depth, lone surrogates and NUL characters."""
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while waiting:
        current, path = waiting.pop()
        if len(path) > DEEPEST:
            raise _malformed("The body is nested too deeply.")
        if isinstance(current, dict):
            for name in current:
                _check_text(name, path)
            waiting.extend((item, (*path, name)) for name, item in current.items())
        elif isinstance(current, list):
            waiting.extend((item, (*path, at)) for at, item in enumerate(current))
        elif isinstance(current, str):
            _check_text(current, path)


def _check_text(text: str, path: tuple[str | int, ...]) -> None:
    if text.isascii() and "\x00" not in text:
        return
    if any("\ud800" <= mark <= "\udfff" for mark in text):
        raise _malformed("A text of the body holds half of a surrogate pair.")
    if "\x00" in text:
        code = FieldCode.BAD_CHARACTERS
        raise Refused("invalid", "The body has a NUL character.", [FieldError(path_of(path), code, MESSAGES[code])])
