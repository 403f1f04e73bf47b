"""The cells of a roster's row as codes: words of three languages, days in the usual forms, and what is no text."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from domain.errors import FieldError
from domain.field_errors import FieldCode
from domain.roster import DAYS, LINE_LIMIT, REQUIRED, RosterAct, columns_for
from domain.sheets import BROKEN, DATE, NUMBER, ROUNDED
from domain.written_days import numbered_day, written_day
from register.rosters.file import MARKS, NUMBER_1904
from texts.roster import VALUES, code_of, is_nothing, is_open_ended

Cells = Mapping[str, str]

# How a number of many digits stands in a CSV that a spreadsheet wrote.
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]{2,3}", re.IGNORECASE)
_TIME: Final = re.compile(r".*[0-9][T ][0-9]{1,2}:[0-9]{2}.*", re.DOTALL)
_BETWEEN_PLACES: Final = re.compile(r"[+＋、,，;；/／&＆|｜\n]|和|及|与|與|(?<=\s)and(?=\s)", re.IGNORECASE)
_BOTH: Final = frozenset({"港澳"})
_NOT_TEXT: Final = {ROUNDED: "cell_rounded", DATE: "cell_is_date", BROKEN: "cell_broken"}


def as_codes(cells: Cells, act: RosterAct) -> tuple[dict[str, str], list[FieldError]]:
    """Return a row with codes for words and ISO for days, and what is wrong with the cells that are left out of it."""
    marks: Mapping[str, str] = json.loads(cells.get(MARKS, "{}"))
    row: dict[str, str] = {}
    errors: list[FieldError] = []
    for column in columns_for(act):
        text = cells.get(column, "").strip()
        found = _cell(column, text, marks.get(column, ""), is_required=column in REQUIRED[act])
        if isinstance(found, FieldError):
            errors.append(found)
        elif found:
            row[column] = found
    return row, errors


def explained(error: FieldError) -> FieldError:
    """Return an error with the sentence that names the words allowed, where its column has some."""
    if error.field in VALUES and error.code in (FieldCode.UNKNOWN_VALUE, FieldCode.WRONG_TYPE):
        return FieldError(error.field, error.code, error.message, "words_unknown")
    return error


def _cell(column: str, text: str, mark: str, *, is_required: bool) -> str | FieldError:
    if len(text) > LINE_LIMIT:
        return text  # refused for its length, and looked at no further
    words = "cell_broken" if mark == BROKEN else "" if column in DAYS else _NOT_TEXT.get(mark, "")
    if not words and column not in DAYS and _SCIENTIFIC.fullmatch(text):
        words = "cell_rounded"
    if words:
        return FieldError(column, FieldCode.WRONG_TYPE, "", words)
    if column == "contract_end" and is_open_ended(text):
        return ""
    if not is_required and column != "contract_end" and is_nothing(text):
        return ""
    if column in DAYS and text:
        return _day(column, lambda: _read_day(text, mark), text)
    if column == "destinations":
        return _destinations(text)
    if column == "consent_letter":
        return _consent_letter(text)
    return code_of(column, text) or text if column in VALUES else text


def _read_day(text: str, mark: str) -> date | None:
    if mark in (NUMBER, NUMBER_1904):
        return numbered_day(text, is_1904=mark == NUMBER_1904)
    return written_day(text)


def _day(column: str, read: Callable[[], date | None], text: str) -> str | FieldError:
    try:
        day = read()
    except ValueError:
        return FieldError(column, FieldCode.IMPOSSIBLE_DATE, "The date does not exist.")
    if day is not None:
        return day.isoformat()
    words = "date_with_time" if _TIME.fullmatch(text) else "date_unclear"
    return FieldError(column, FieldCode.IMPOSSIBLE_DATE, "", words)


def _destinations(text: str) -> str:
    """Return the codes of the places that a text names; what is not known stays as it is, and is refused for it."""
    if text in _BOTH:
        return "HK+MO"
    if (one := code_of("destinations", text)) is not None:
        return one
    parts = [part.strip() for part in _BETWEEN_PLACES.split(text) if part.strip()]
    return "+".join(code_of("destinations", part) or part for part in parts)


def _consent_letter(text: str) -> str | FieldError:
    """Return a letter with its day in ISO, where the day can be read; otherwise the whole as it is."""
    parts = re.split(r"[|｜]", text)
    if len(parts) != 3 or not parts[2].strip():
        return text
    day = _day("consent_letter", lambda: written_day(parts[2]), parts[2])
    return day if isinstance(day, FieldError) else "|".join([*parts[:2], day])
