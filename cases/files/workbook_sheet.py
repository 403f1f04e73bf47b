"""A sheet of a workbook as lines of cells: values as stored, merged cells filled downward, far blanks left out."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from cases.files.refusals import file_refused
from cases.files.workbook_parts import Broken, Part, unescaped
from domain.field_errors import FieldCode
from domain.sheets import (
    BROKEN,
    DATE,
    MOST_CHARACTERS,
    MOST_COLUMNS,
    MOST_LINES,
    NUMBER,
    ROUNDED,
    Cell,
    moment_of_serial,
)

_PLACE: Final = re.compile(r"([A-Z]{1,7})([1-9][0-9]{0,15})")
_ROW: Final = re.compile(r"[1-9][0-9]{0,15}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_MOST_ELEMENTS: Final = 3_000_000  # of cells, blank ones too, which spreadsheets keep for their format
_LEAST_ROUNDED: Final = 10**15  # a whole number of more digits has lost its last ones
_SIGNIFICANT: Final = 15
_LONGEST_SHOWN: Final = 40


class Sheet(Part):
    """The cells of a sheet, by row and column from 1."""

    def __init__(self, strings: Sequence[str], days: Sequence[bool], *, is_1904: bool) -> None:
        self._strings, self._days, self._is_1904 = strings, days, is_1904
        self._cells: dict[int, dict[int, Cell]] = {}
        self._merged: list[tuple[int, int, int]] = []
        self._row = self._line = self._column = self._elements = self._characters = self._readings = 0
        self._kind = self._style = ""
        self._pieces: list[str] | None = None
        self._value: str | None = None
        self._is_formula = self._collects = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin a row, a cell or what stands in it."""
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._collects = not self._readings
            self._pieces = self._pieces or []
        elif name == "row":
            self._row, self._column = _number_of_row(attributes.get("r"), self._row), 0
        elif name == "f":
            self._is_formula = True
        elif name == "rPh":
            self._readings += 1
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def text(self, text: str) -> None:
        """Take a piece of a value."""
        if self._collects and self._pieces is not None:
            self._pieces.append(text)

    def end(self, name: str) -> None:
        """End a cell or a value."""
        if name in ("v", "t"):
            self._collects = False
        elif name == "rPh":
            self._readings -= 1
        elif name == "c":
            value = None if self._pieces is None else "".join(self._pieces)
            self._pieces = None
            cell = self._cell(value)
            if cell is not None:
                self._keep(cell)

    def lines(self) -> list[list[Cell]]:
        """Return the lines to the last one with a cell; a merged cell stands in each line below that has others."""
        for top, bottom, column in self._merged:
            cell = self._cells.get(top, {}).get(column)
            if cell is None:
                continue
            for row in range(top + 1, min(bottom, MOST_LINES) + 1):
                if row in self._cells:
                    self._count_text(cell)
                    self._cells[row][column] = cell
        last = max(self._cells, default=0)
        return [self._dense(self._cells.get(row, {})) for row in range(1, last + 1)]

    @staticmethod
    def _dense(cells: Mapping[int, Cell]) -> list[Cell]:
        return [cells.get(column, "") for column in range(1, max(cells, default=0) + 1)]

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self._elements, self._line = self._elements + 1, self._row
        if self._elements > _MOST_ELEMENTS:
            raise file_refused(FieldCode.TOO_LONG, "too_many_blank_cells")
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
        self._is_formula, self._pieces = False, None
        place = attributes.get("r")
        if place is None:
            self._column += 1
            return
        found = _PLACE.fullmatch(place)
        if found is None:
            raise Broken
        self._column, self._line = _number_of_column(found[1]), int(found[2])

    def _keep(self, cell: Cell) -> None:
        if self._line > MOST_LINES or self._column > MOST_COLUMNS:
            raise file_refused(FieldCode.TOO_LONG, "too_far_out", f"{_letters(self._column)}{self._line}")
        row = self._cells.setdefault(self._row, {})
        if self._line != self._row or self._column in row:
            raise Broken
        self._count_text(cell)
        row[self._column] = cell

    def _count_text(self, cell: Cell) -> None:
        """Count what a cell adds; a shared text counts each time that it is shown."""
        self._characters += len(cell) if isinstance(cell, str) else len(cell[1])
        if self._characters > MOST_CHARACTERS:
            raise file_refused(FieldCode.TOO_LONG, "too_much_text")

    def _cell(self, value: str | None) -> Cell | None:
        """Return the cell of a stored value, or None for one with nothing to see."""
        if self._kind == "n" and self._is_formula and not value:
            return [BROKEN, ""]  # never worked out
        if value is None or not value.strip():
            return None
        if self._kind == "n":
            return self._number(value.strip())
        if self._kind == "s":
            shared = self._shared(value.strip())
            return shared if shared.strip() else None
        if self._kind == "b":
            return "yes" if value.strip() == "1" else "no"
        if self._kind == "e":
            return [BROKEN, value.strip()[:_LONGEST_SHOWN]]
        if self._kind not in ("str", "inlineStr", "d"):
            raise Broken
        return unescaped(value)

    def _shared(self, index: str) -> str:
        if not (index.isascii() and index.isdigit() and len(index) < 10 and int(index) < len(self._strings)):
            raise Broken
        return self._strings[int(index)]

    def _number(self, written: str) -> Cell:
        """Return a number as a person sees it: a day, a whole number, or one whose last digits are lost."""
        if not _NUMBER.fullmatch(written) or math.isinf(value := float(written)):
            raise Broken
        if self._shows_day() and (moment := moment_of_serial(value, is_1904=self._is_1904)):
            return [DATE, _written_out(moment)]
        if value.is_integer() and abs(value) < _LEAST_ROUNDED:
            return [NUMBER, str(int(value))]
        digits = repr(value).partition("e")[0].replace(".", "").strip("-0")
        if value.is_integer() or len(digits) > _SIGNIFICANT:
            is_short = len(written) <= _LONGEST_SHOWN and abs(value) < 1e30
            return [ROUNDED, format(Decimal(written), "f") if is_short else written[:_LONGEST_SHOWN]]
        return [NUMBER, repr(value)]

    def _shows_day(self) -> bool:
        style = self._style
        return style.isdigit() and len(style) < 6 and int(style) < len(self._days) and self._days[int(style)]

    def _merge(self, reference: str) -> None:
        """Keep a range that spans more than one row; its text stands in its first cell."""
        begin, _, end = reference.partition(":")
        first, last = _PLACE.fullmatch(begin), _PLACE.fullmatch(end or begin)
        if first is None or last is None:
            raise Broken
        top, bottom = int(first[2]), int(last[2])
        if bottom > top:
            self._merged.append((top, bottom, _number_of_column(first[1])))


def _number_of_row(written: str | None, before: int) -> int:
    if written is None:
        return before + 1
    if not _ROW.fullmatch(written):
        raise Broken
    return int(written)


def _number_of_column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _written_out(moment: datetime) -> str:
    """Return a day in ISO, with its time where it has one."""
    is_day = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return moment.date().isoformat() if is_day else moment.isoformat()
