"""Sheets as people make them: cells, blank lines, and the line that holds the headers.

Imports nothing but the standard library, since the process that reads a file starts for every file.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

Cell = str | list[str]  # a text, or a mark and a text

NUMBER: Final = "number"
ROUNDED: Final = "rounded"
DATE: Final = "date"
BROKEN: Final = "broken"

MOST_COLUMNS: Final = 64
MOST_LINES: Final = 21_000  # the rows of a roster, and room for titles and gaps
MOST_CHARACTERS: Final = 16 * 1024 * 1024

_FROM_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001 - days of a sheet have no zone
_FROM_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001
_FROM_1900_EARLY: Final = datetime(1899, 12, 31)  # noqa: DTZ001
_SERIALS: Final = 2_900_000  # some days of the year 9839; more is no day of either count
_MOST_TITLE_LINES: Final = 30  # below them nobody looks for headers
LEAST_HEADERS: Final = 2
_BETWEEN: Final = re.compile(r"[\s_*＊:：\-‐-―\ufeff]+")
# What people add to a header that changes nothing of what it means.
_HINT: Final = re.compile(
    r"[(（\[【](必填|选填|選填|可选|可選|如有|如有请填|required|optional|if any|"
    r"[ymd年月日/.\-\s]+|yyyymmdd|18位|18 位|日期|文本|文字|text|下拉|请选择|請選擇|select)[)）\]】]"
)


def text_of(cell: Cell) -> str:
    """Return the text of a cell."""
    return cell if isinstance(cell, str) else cell[1]


def mark_of(cell: Cell) -> str:
    """Return the mark of a cell; nothing for a text."""
    return "" if isinstance(cell, str) else cell[0]


def is_blank(line: Iterable[Cell]) -> bool:
    """Whether a line has no cell with anything to see in it."""
    return all(isinstance(cell, str) and not cell.strip() for cell in line)


def plain_header(header: str) -> str:
    """Return a header as it is compared: without width, case, spaces, stars, colons and hints such as (required)."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return _BETWEEN.sub("", _HINT.sub("", text))


def known_headers(line: Iterable[Cell], words: Collection[str]) -> int:
    """Return how many headers of a line are known, each counted once."""
    return len({plain for cell in line if (plain := plain_header(text_of(cell))) in words})


def find_header(lines: Sequence[Sequence[Cell]], words: Collection[str]) -> int | None:
    """Return the number, from 1, of the line that holds the headers; None where every line is blank.

    It is the line among the first with the most headers that are known; where none has two, the first not blank.
    """
    first: int | None = None
    best: int | None = None
    most, looked = LEAST_HEADERS - 1, 0
    for number, line in enumerate(lines, start=1):
        if is_blank(line):
            continue
        first = first or number
        known = known_headers(line, words)
        if known > most:
            best, most = number, known
        looked += 1
        if looked == _MOST_TITLE_LINES:
            break
    return best or first


def moment_of_serial(serial: float, *, is_1904: bool) -> datetime | None:
    """Return the moment that a spreadsheet counts as a number of days; None where it is none.

    The count from 1900 has a 29 February that never was, number 60.
    """
    if not 1 <= serial < _SERIALS or (not is_1904 and 60 <= serial < 61):
        return None
    began = _FROM_1904 if is_1904 else _FROM_1900 if serial > 60 else _FROM_1900_EARLY
    return began + timedelta(seconds=round(serial * 86_400))
