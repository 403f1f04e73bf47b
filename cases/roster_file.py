"""Reading a roster file, CSV or XLSX, into rows of text; a broken or bloated one is refused before it can do harm."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.roster import RosterAct, columns_of

MOST_BYTES: Final = 10 * 1024 * 1024  # api.md, "General"
MOST_BYTES_UNPACKED: Final = 100 * 1024 * 1024
MOST_ROWS: Final = 20_000
EXTRA: Final = "extra"  # the name under which cells beyond the headers are kept
CSV_TYPES: Final = frozenset({"text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"})
XLSX_TYPES: Final = frozenset({"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"})

_MOST_COLUMNS: Final = 64
_MOST_ENTRIES: Final = 2_000
_MOST_RATIO: Final = 200  # of unpacked to packed bytes; sheets of text stay far below
_SMALL: Final = 4 * 1024 * 1024  # unpacked bytes below which the ratio does not matter
_STEP: Final = 256 * 1024
_CELL: Final = re.compile(rb"<(?:\w+:)?(?:c|row)\s(?:[^<>]*?\s)?r\s*=\s*[\"']([A-Za-z]*)([0-9]+)[\"']")
_ZIP_MAGIC: Final = b"PK\x03\x04"
_LOCAL_HEADER_BYTES: Final = 30
_ROW_DIGITS: Final = 7
_LONGEST_TAG: Final = 64 * 1024

Cells = Sequence[str]


def read_roster(content: bytes, content_type: str, filename: str, act: RosterAct) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a roster by number, counted without the header, each as text by column.

    Raises:
        Refused: `body_too_large`, `media_type_unknown`, or `invalid` with what is wrong with the file.
    """
    if len(content) > MOST_BYTES:
        raise Refused("body_too_large", "A roster has at most 10 MiB.")
    lines = _xlsx_lines(content) if _is_xlsx(content, content_type, filename) else _csv_lines(content)
    return list(_rows(lines, act))


def _is_xlsx(content: bytes, content_type: str, filename: str) -> bool:
    kind = content_type.split(";")[0].strip().casefold()
    ending = filename.rpartition(".")[2].casefold()
    if kind in XLSX_TYPES or (kind not in CSV_TYPES and ending == "xlsx"):
        return True
    # Browsers name a CSV as they like, so a file that is plainly a workbook is read as one.
    if kind in CSV_TYPES or (kind in ("", "application/octet-stream") and ending == "csv"):
        return content.startswith(_ZIP_MAGIC)
    raise Refused("media_type_unknown", "Send the roster as CSV or XLSX.")


def _rows(lines: Iterable[Cells], act: RosterAct) -> Iterator[tuple[int, dict[str, str]]]:
    columns: tuple[str, ...] | None = None
    number = taken = 0
    for cells in lines:
        if len(cells) > _MOST_COLUMNS:
            raise _invalid("file", FieldCode.TOO_LONG, f"A row has more than {_MOST_COLUMNS} cells.")
        if columns is None:
            columns = columns_of(_without_end(cells), act) if any(cells) else None
            continue
        number += 1
        if not any(cell.strip() for cell in cells):
            continue
        taken += 1
        if taken > MOST_ROWS:
            raise _invalid("file", FieldCode.TOO_LONG, f"A roster has at most {MOST_ROWS} rows; send it in parts.")
        row = dict(zip(columns, cells, strict=False))
        extra = "".join(cells[len(columns) :]).strip()
        yield number, row | ({EXTRA: extra} if extra else {})
    if not taken:
        raise _invalid("file", FieldCode.REQUIRED, "The roster has no rows; its first line holds the headers.")


def _without_end(cells: Cells) -> Cells:
    """Return the headers without the empty ones at the end, which spreadsheets add."""
    end = max(n for n, cell in enumerate(cells, start=1) if cell.strip())
    return cells[:end]


def _csv_lines(content: bytes) -> Iterator[Cells]:
    text = _decoded(content)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error:
        raise _invalid(
            "file", FieldCode.BAD_CHARACTERS, "The file is no well-formed CSV; look at its quotes."
        ) from None


def _decoded(content: bytes) -> str:
    """Return the text: UTF-8, with a byte order mark or without, or else GB 18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _invalid("file", FieldCode.BAD_CHARACTERS, "The file is neither UTF-8 nor GB 18030 text.")


def _xlsx_lines(content: bytes) -> Iterator[Cells]:
    _check_unpacked(content)
    try:
        with CalamineWorkbook.from_object(io.BytesIO(content)) as workbook:
            shown = [
                sheet.name
                for sheet in workbook.sheets_metadata
                if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet
            ]
            if not shown:
                raise _invalid("file", FieldCode.REQUIRED, "The workbook has no sheet that can be read.")
            # Without the rows above the data the numbers of the rows would not be those that the sender sees.
            lines = workbook.get_sheet_by_name(shown[0]).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError):
        raise _not_xlsx() from None
    except BaseException as error:
        # A panic of the reader is no Exception.
        if type(error).__name__ == "PanicException":
            raise _not_xlsx() from None
        raise
    return ([_text(cell) for cell in line] for line in lines)


def _text(cell: object) -> str:
    """Return a cell as it would stand in a CSV."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _check_unpacked(content: bytes) -> None:
    """Refuse a workbook that unpacks to too much, or whose cells lie so far out that reading it would fill memory.

    What the file says of its own sizes is not believed: every entry is unpacked once, piece by piece, and counted.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_ENTRIES or "xl/workbook.xml" not in archive.namelist():
                raise _not_xlsx()
            if sum(entry.file_size for entry in entries) > MOST_BYTES_UNPACKED:
                raise _too_large()
        unpacked = 0
        for entry in entries:
            unpacked += _check_entry(content, entry, MOST_BYTES_UNPACKED - unpacked)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, OSError):
        raise _not_xlsx() from None
    if unpacked > _SMALL and unpacked > _MOST_RATIO * len(content):
        raise _too_large()


def _check_entry(content: bytes, entry: zipfile.ZipInfo, left: int) -> int:
    """Unpack one entry, look at the places of its cells, and return its length."""
    start = entry.header_offset
    if entry.flag_bits & 0x1 or content[start : start + 4] != _ZIP_MAGIC:
        raise _not_xlsx()
    names = int.from_bytes(content[start + 26 : start + 28], "little")
    extra = int.from_bytes(content[start + 28 : start + 30], "little")
    begin = start + _LOCAL_HEADER_BYTES + names + extra
    length, tail = 0, b""
    for piece in _pieces(content[begin : begin + entry.compress_size], entry.compress_type):
        length += len(piece)
        if length > left:
            raise _too_large()
        tail = _check_cells(tail + piece)
    _check_cells(tail)
    return length


def _pieces(packed: bytes, method: int) -> Iterator[bytes]:
    if method == zipfile.ZIP_STORED:
        yield from (packed[at : at + _STEP] for at in range(0, len(packed), _STEP))
        return
    if method != zipfile.ZIP_DEFLATED:
        raise _not_xlsx()
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    while packed and not unpacker.eof:
        yield unpacker.decompress(packed, _STEP)
        packed = unpacker.unconsumed_tail
    yield unpacker.flush()


def _check_cells(text: bytes) -> bytes:
    """Look at the places of the cells and return the tag that the piece ends in, to be looked at with the next."""
    for column, row in _CELL.findall(text):
        if len(row) > _ROW_DIGITS or int(row) > MOST_ROWS + 1000 or _column_number(column) > _MOST_COLUMNS:
            raise _invalid("file", FieldCode.TOO_LONG, "The sheet has cells too far down or to the right.")
    begin = text.rfind(b"<")
    if begin < 0 or b">" in text[begin:]:
        return b""
    if len(text) - begin > _LONGEST_TAG:
        raise _not_xlsx()
    return text[begin:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:4]:
        number = number * 26 + letter - 64
    return number


def _invalid(field: str, code: FieldCode, message: str) -> Refused:
    return Refused("invalid", "The roster cannot be read.", [FieldError(field, code, message)])


def _not_xlsx() -> Refused:
    return _invalid("file", FieldCode.BAD_CHARACTERS, "The file is no readable XLSX workbook.")


def _too_large() -> Refused:
    return Refused("body_too_large", "The workbook unpacks to more than 100 MiB, or far more than its own size.")
