"""The cells of a roster's row as codes: words of three languages, days in the usual forms, and what is no text."""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from domain.errors import FieldError
from domain.field_errors import FieldCode
from domain.roster import LINE_LIMIT, Column, day_in
from domain.sheets import BROKEN, DATE, NUMBER, ROUNDED
from domain.written_days import numbered_day, written_day
from register.rosters.file import MARKS, NUMBER_1904
from register.rosters.kinds import RosterKind
from texts.roster import RosterWords, is_nothing

Cells = Mapping[str, str]

# How a number of many digits stands in a CSV that a spreadsheet wrote.
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]{2,3}", re.IGNORECASE)
_BETWEEN_WORDS: Final = re.compile(r"[+＋、,，;；/／&＆|｜\n]|和|及|与|與|(?<=\s)and(?=\s)", re.IGNORECASE)
_NOT_TEXT: Final = {ROUNDED: "cell_rounded", DATE: "cell_is_date", BROKEN: "cell_broken"}


def as_codes(cells: Cells, kind: RosterKind) -> tuple[dict[str, str], list[FieldError]]:
    """Return a row with codes for words and ISO for days, and what is wrong with the cells that are left out of it."""
    marks: Mapping[str, str] = json.loads(cells.get(MARKS, "{}"))
    row: dict[str, str] = {}
    errors: list[FieldError] = []
    for name, column in kind.columns.items():
        found = _cell(column, kind.words, cells.get(name, "").strip(), marks.get(name, ""))
        if isinstance(found, FieldError):
            errors.append(found)
        elif found:
            row[name] = found
    return row, errors


def explained(error: FieldError, kind: RosterKind) -> FieldError:
    """Return an error with the sentence that names the words allowed, where its column has some."""
    if error.field in kind.words.values and error.code in (FieldCode.UNKNOWN_VALUE, FieldCode.WRONG_TYPE):
        return FieldError(error.field, error.code, error.message, "words_unknown")
    return error


def _cell(column: Column, said: RosterWords, text: str, mark: str) -> str | FieldError:
    if len(text) > LINE_LIMIT:
        return text  # refused for its length, and looked at no further
    words = "cell_broken" if mark == BROKEN else "" if column.is_day else _NOT_TEXT.get(mark, "")
    if not words and not column.is_day and _SCIENTIFIC.fullmatch(text):
        words = "cell_rounded"
    if words:
        return FieldError(column.name, FieldCode.WRONG_TYPE, "", words)
    if said.is_open_ended(column.name, text):
        return ""
    # Where a day may be missing for a reason that has words, a word for nothing does not say which.
    if not column.is_required and said.columns[column.name].open_ended is None and is_nothing(text):
        return ""
    if column.is_day and text:
        return day_in(column.name, text, lambda day: _read_day(day, mark))
    if column.reads is not None:
        return column.reads(text)
    if column.joins:
        return _joined(column.name, said, text)
    return (said.code_of(column.name, text) or text) if column.name in said.values else text


def _read_day(text: str, mark: str) -> date | None:
    if mark in (NUMBER, NUMBER_1904):
        return numbered_day(text, is_1904=mark == NUMBER_1904)
    return written_day(text)


def _joined(column: str, said: RosterWords, text: str) -> str:
    """Return the codes of the words that a text names; what is not known stays as it is, and is refused for it."""
    if codes := said.codes_of(column, text):
        return "+".join(codes)
    parts = [part.strip() for part in _BETWEEN_WORDS.split(text) if part.strip()]
    return "+".join(said.code_of(column, part) or part for part in parts)
