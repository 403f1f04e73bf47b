"""A roster file as rows of text by column: read apart, its header found, its columns known, its rows counted."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cases.files.apart import Apart
from cases.files.refusals import file_refused
from domain.errors import Refused
from domain.field_errors import FieldCode
from domain.sheets import BROKEN, DATE, NUMBER, ROUNDED, Cell, is_blank, mark_of, text_of
from register.rosters.columns import Header, columns_of, known_words
from register.rosters.kinds import RosterKind

MOST_BYTES: Final = 10 * 1024 * 1024  # api.md, "General"
MOST_ROWS: Final = 20_000
CSV_TYPES: Final = frozenset({"text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"})
XLSX_TYPES: Final = frozenset({"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"})
# Names in a row beside those of columns: cells beyond the headers, what cells are that are no text, and what stands in
# the columns that are not read, by their place.
EXTRA: Final = "extra"
MARKS: Final = "marks"
UNREAD: Final = "unread:"
NUMBER_1904: Final = "number_1904"  # a count of days from 1904

# Workbooks, and what a spreadsheet of another age or one with a password begins with, which is none that can be read.
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


@dataclass(frozen=True, slots=True)
class RosterSheet:
    """What a roster file holds: the line of its headers from 1, the headers, and rows by number below that line."""

    header_row: int
    headers: Sequence[Header]
    rows: Sequence[tuple[int, dict[str, str]]]


async def read_roster(
    apart: Apart,
    content: bytes,
    content_type: str,
    filename: str,
    kind: RosterKind,
    *,
    whose: str,
    encoding: str | None = None,
) -> bytes:
    """Return what is in a roster file, as `roster_sheet` takes it.

    Raises:
        Refused: `body_too_large`, `media_type_unknown`, or `invalid` with what is wrong with the file.
    """
    if len(content) > MOST_BYTES:
        raise Refused("body_too_large", "A roster has at most 10 MiB.")
    sheet = "xlsx" if _is_xlsx(content, content_type, filename) else "csv"
    options = {"kind": sheet, "encoding": encoding, "words": known_words(kind)}
    return await apart.run("read_sheet", content, options, whose=whose)


def roster_sheet(read: bytes, kind: RosterKind) -> RosterSheet:
    """Return the rows of a roster by number, counted without the header, each as text by column.

    Raises:
        Refused: `invalid` with what is wrong with the headers, or with the number of rows.
    """
    found, *lines = map(json.loads, read.split(b"\n"))
    header_row = found["header"]
    if header_row is None:
        raise file_refused(FieldCode.REQUIRED, "no_rows")
    below = lines[header_row:]
    headers = columns_of(_without_end([text_of(cell) for cell in lines[header_row - 1]]), kind, below)
    rows = list(_rows(below, headers, _days(kind), is_1904=found["is_1904"]))
    if not rows:
        raise file_refused(FieldCode.REQUIRED, "no_rows")
    return RosterSheet(header_row, headers, rows)


def _is_xlsx(content: bytes, content_type: str, filename: str) -> bool:
    kind = content_type.split(";")[0].strip().casefold()
    ending = filename.rpartition(".")[2].casefold()
    if kind in XLSX_TYPES or (kind not in CSV_TYPES and ending == "xlsx"):
        return True
    # Browsers name a CSV as they like, so a file that is plainly a workbook is read as one.
    if kind in CSV_TYPES or (kind in ("", "application/octet-stream") and ending == "csv"):
        return content.startswith(_WORKBOOKS)
    raise Refused("media_type_unknown", "Send the roster as CSV or XLSX.")


def _rows(
    lines: Sequence[Sequence[Cell]], headers: Sequence[Header], days: frozenset[str], *, is_1904: bool
) -> Iterator[tuple[int, dict[str, str]]]:
    taken = 0
    read = [at for at, header in enumerate(headers) if header.column is not None]
    for number, line in enumerate(lines, start=1):
        # A line with a number before it or a note below the table, and nothing in a column that is read, is no row.
        if is_blank(line[at] for at in read if at < len(line)) and is_blank(line[len(headers) :]):
            continue
        taken += 1
        if taken > MOST_ROWS:
            raise file_refused(FieldCode.TOO_LONG, "too_many_rows")
        yield number, _row(line, headers, days, is_1904=is_1904)


def _row(line: Sequence[Cell], headers: Sequence[Header], days: frozenset[str], *, is_1904: bool) -> dict[str, str]:
    row: dict[str, str] = {}
    marks: dict[str, str] = {}
    for at, (header, cell) in enumerate(zip(headers, line, strict=False)):
        if header.column is None:
            if text_of(cell):
                row[f"{UNREAD}{at}"] = text_of(cell)
            continue
        row[header.column] = text_of(cell)
        if mark := _telling(mark_of(cell), is_day=header.column in days, is_1904=is_1904):
            marks[header.column] = mark
    if marks:
        row[MARKS] = json.dumps(marks)
    if extra := "".join(text_of(cell) for cell in line[len(headers) :]).strip():
        row[EXTRA] = extra
    return row


def _days(kind: RosterKind) -> frozenset[str]:
    return frozenset(name for name, column in kind.columns.items() if column.is_day)


def _telling(mark: str, *, is_day: bool, is_1904: bool) -> str:
    """Return the mark of a cell where it says something of the column; nothing where the text says it all."""
    if is_day:
        return NUMBER_1904 if mark == NUMBER and is_1904 else "" if mark == DATE else mark
    return mark if mark in (ROUNDED, BROKEN, DATE) else ""


def _without_end(cells: Sequence[str]) -> Sequence[str]:
    """Return the headers without the empty ones at the end, which spreadsheets add."""
    end = max(n for n, cell in enumerate(cells, start=1) if cell.strip())
    return cells[:end]
