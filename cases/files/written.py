"""Writing a workbook of texts; runs apart (`cases.files.apart`), since a large one takes seconds.

Every cell is written as a text, and one that a spreadsheet would take for a formula is marked as quoted: it stays a
text when somebody edits it.
"""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import xlsxwriter

from domain.spreadsheets import is_like_a_formula

_LONGEST: Final = 32_767  # characters that a cell can hold
_LISTED_ROWS: Final = 20_000
_HEADER: Final = {
    "bold": True,
    "bg_color": "#DDE6F0",
    "border": 1,
    "text_wrap": True,
    "valign": "top",
    "num_format": "@",
}
_MARKED: Final = {"bg_color": "#FFE0E0"}
_PLAIN: Final = {"num_format": "@"}  # text, so that what is typed there stays as it is typed
_WRAPPED: Final = {"num_format": "@", "text_wrap": True, "valign": "top"}


def write_workbook(content: bytes, _options: Mapping[str, Any]) -> bytes:
    """Return a workbook.

    Args:
        content: a line of JSON for each sheet and, after it, one for each of its lines. A sheet has `name`, `widths` of
            its columns, `lines`, how many follow, `lists`, the words that may be chosen by column, and `wrapped`. A
            line has its cells and the places of those to be marked.
    """
    file = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    given = iter(content.split(b"\n"))
    with xlsxwriter.Workbook(file, options) as book:
        formats = _Formats(book)
        for head in given:
            about = json.loads(head)
            sheet = book.add_worksheet(about["name"])
            _prepare(sheet, about, formats)
            for number in range(about["lines"]):
                cells, marked = json.loads(next(given))
                _write(sheet, number, cells, marked, formats, is_wrapped=about["wrapped"])
    return file.getvalue()


class _Formats:
    """The formats of cells, made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[bool, bool, bool, bool], Any] = {}

    def of(self, *, is_header: bool, is_marked: bool, is_quoted: bool, is_wrapped: bool) -> Any:
        """Return the format of a cell."""
        key = (is_header, is_marked, is_quoted, is_wrapped)
        if key not in self._made:
            look = {**(_HEADER if is_header else _WRAPPED if is_wrapped else _PLAIN), **(_MARKED if is_marked else {})}
            self._made[key] = self._book.add_format({**look, "quote_prefix": is_quoted})
        return self._made[key]


def _prepare(sheet: Any, about: Mapping[str, Any], formats: _Formats) -> None:
    sheet.freeze_panes(1, 0)
    plain = formats.of(is_header=False, is_marked=False, is_quoted=False, is_wrapped=about["wrapped"])
    for column, width in enumerate(about["widths"]):
        sheet.set_column(column, column, width, plain)
    for column, words in about["lists"]:
        sheet.data_validation(1, column, _LISTED_ROWS, column, {"validate": "list", "source": words})


def _write(
    sheet: Any, number: int, cells: Sequence[str], marked: Sequence[int], formats: _Formats, *, is_wrapped: bool
) -> None:
    for column, text in enumerate(cells):
        if text or column in marked:
            look = formats.of(
                is_header=number == 0,
                is_marked=column in marked,
                is_quoted=is_like_a_formula(text),
                is_wrapped=is_wrapped,
            )
            sheet.write_string(number, column, text[:_LONGEST], look)
