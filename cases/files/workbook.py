"""Reading XLSX: the archive, which of its parts hold the sheet, and the lines of cells.

One XML reader checks and reads, so that nothing passes a check as one thing and is read as another.
"""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from io import BytesIO
from typing import Final

from cases.files.refusals import file_refused
from cases.files.workbook_parts import Broken, Relations, Strings, Styles, Types, Workbook, parse
from cases.files.workbook_sheet import Sheet
from domain.errors import Refused
from domain.field_errors import FieldCode
from domain.sheets import LEAST_HEADERS, Cell, find_header, known_headers

_MOST_BYTES_UNPACKED: Final = 100 * 1024 * 1024  # api.md, "General"
_MOST_ENTRIES: Final = 2_000
_MOST_RATIO: Final = 200  # of unpacked to packed bytes; sheets of text stay far below
_SMALL: Final = 4 * 1024 * 1024  # unpacked bytes below which the ratio does not matter
_MOST_SHEETS: Final = 8  # so many are looked at for the headers
_STEP: Final = 256 * 1024
_MAGIC: Final = b"PK\x03\x04"
_HEADER_BYTES: Final = 30
_ENCRYPTED: Final = 0x1
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    LookupError,
    OSError,
    NotImplementedError,
)


def read_workbook(content: bytes, words: Collection[str]) -> tuple[list[list[Cell]], bool]:
    """Return the lines of the first shown sheet that has headers, and whether its days are counted from 1904.

    Raises:
        Refused: `body_too_large` for what unpacks to too much; `invalid` for what is no workbook or lies too far out.
    """
    try:
        return _read(_Archive(content), words)
    except (Broken, EOFError, *_ZIP_ERRORS):
        raise file_refused(FieldCode.BAD_CHARACTERS, "not_xlsx") from None


def _read(archive: "_Archive", words: Collection[str]) -> tuple[list[list[Cell]], bool]:
    at = parse(Relations(), archive.part("_rels/.rels")).one("officeDocument") or ""
    place = _resolved("", at)
    if not parse(Types(), archive.part("[Content_Types].xml")).is_workbook(place):
        raise Broken
    folder, name = posixpath.split(place)
    workbook = parse(Workbook(), archive.part(place))
    relations = parse(Relations(), archive.part(f"{folder}/_rels/{name}.rels"))
    sheets = [_resolved(folder, target) for target in map(relations.sheet, workbook.shown) if target]
    if not sheets:
        raise file_refused(FieldCode.REQUIRED, "no_sheet")
    strings, styles = Strings(), Styles()
    if target := relations.one("sharedStrings"):
        parse(strings, archive.part(_resolved(folder, target)))
    if target := relations.one("styles"):
        parse(styles, archive.part(_resolved(folder, target)))
    first: list[list[Cell]] = []
    for path in sheets[:_MOST_SHEETS]:
        sheet = Sheet(strings.texts, styles.days(), is_1904=workbook.is_1904)
        lines = parse(sheet, archive.part(path)).lines()
        header = find_header(lines, words)
        if header is not None and known_headers(lines[header - 1], words) >= LEAST_HEADERS:
            return lines, workbook.is_1904
        first = first or lines
    return first, workbook.is_1904


def _resolved(folder: str, target: str) -> str:
    """Return the path of a part that a relation in a folder names."""
    return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")


class _Archive:
    """A ZIP whose parts are unpacked piece by piece and counted; what it says of its own sizes is not believed."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
        if len(entries) > _MOST_ENTRIES:
            raise Broken
        if sum(entry.file_size for entry in entries) > _MOST_BYTES_UNPACKED:
            raise _too_large()
        self._content = content
        self._unpacked = 0
        self._entries = {_plain(entry.filename): entry for entry in entries}
        if len(self._entries) < len(entries):
            raise Broken  # two parts of one name: readers would differ in which one they take

    def part(self, path: str) -> bytes:
        """Return the content of a part."""
        entry = self._entries.get(_plain(path))
        if entry is None or entry.flag_bits & _ENCRYPTED:
            raise Broken
        start = entry.header_offset
        if self._content[start : start + 4] != _MAGIC:
            raise Broken
        names = int.from_bytes(self._content[start + 26 : start + 28], "little")
        extra = int.from_bytes(self._content[start + 28 : start + 30], "little")
        begin = start + _HEADER_BYTES + names + extra
        unpacked = bytearray()
        for piece in _pieces(self._content[begin : begin + entry.compress_size], entry.compress_type):
            unpacked += piece
            self._count(len(piece))
        return bytes(unpacked)

    def _count(self, length: int) -> None:
        self._unpacked += length
        is_bloated = self._unpacked > _SMALL and self._unpacked > _MOST_RATIO * len(self._content)
        if is_bloated or self._unpacked > _MOST_BYTES_UNPACKED:
            raise _too_large()


def _plain(name: str) -> str:
    """Return the name of a part as it is compared; some writers part folders by backslashes."""
    return name.replace("\\", "/").lstrip("/").casefold()


def _pieces(packed: bytes, method: int) -> Iterator[bytes]:
    if method == zipfile.ZIP_STORED:
        yield packed
        return
    if method != zipfile.ZIP_DEFLATED:
        raise Broken
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    while packed and not unpacker.eof:
        yield unpacker.decompress(packed, _STEP)
        packed = unpacker.unconsumed_tail
    yield unpacker.flush()


def _too_large() -> Refused:
    return Refused("body_too_large", "The workbook unpacks to more than 100 MiB, or far more than its own size.")
