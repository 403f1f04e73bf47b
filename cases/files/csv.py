"""Reading CSV: in which encoding it is, by which mark its cells are parted, and its lines of text."""

import codecs
import csv
import io
from collections.abc import Collection, Iterable
from typing import Final

from cases.files.refusals import file_refused
from domain.field_errors import FieldCode
from domain.sheets import MOST_COLUMNS, MOST_LINES, Cell, known_headers

# What may be said in the query, and the decoder of each; Big5 is read with the characters of Hong Kong.
ENCODINGS: Final = {"utf-8": "utf-8-sig", "gb18030": "gb18030", "big5-hkscs": "big5hkscs"}

_MARKED: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS: Final = ",;\t"
_HEAD_LINES: Final = 30
_HEAD_CHARACTERS: Final = 64 * 1024
_LEAST_OTHERWISE: Final = 2  # so many characters at the least must be odd in the other encoding,
_SHARE_OTHERWISE: Final = 0.25  # and such a share,
_SHARE_ODD: Final = 0.2  # while no more than this is odd in the encoding that is taken.
# Leading bytes of the characters that texts are mostly made of: GB 2312, and the first level of Big5. Both are usual
# in a text of GB 18030, which may be of traditional characters.
_GB_2312: Final = range(0xB0, 0xF8)
_BIG5_FIRST: Final = range(0xA4, 0xC7)
_PUNCTUATION: Final = frozenset("·‘’“”…—–×℃")


def read_csv(content: bytes, encoding: str | None, words: Collection[str]) -> list[list[Cell]]:
    """Return the lines of a CSV.

    Args:
        content: the file.
        encoding: a name in `ENCODINGS`; without one it is found out, or refused where that cannot be done.
        words: the plain headers to look for.

    Raises:
        Refused: `invalid`, with what is wrong with the file.
    """
    text = _decoded(content, encoding)
    lines: list[list[Cell]] = []
    number = 0
    try:
        for number, line in enumerate(_parted(text, words), start=1):
            while line and not line[-1].strip():
                line.pop()
            if len(line) > MOST_COLUMNS:
                raise file_refused(FieldCode.TOO_LONG, "too_many_cells", str(number))
            if number <= MOST_LINES:
                lines.append([*line])
            elif line:
                raise file_refused(FieldCode.TOO_LONG, "too_many_rows")
    except csv.Error:
        raise file_refused(FieldCode.BAD_CHARACTERS, "csv_broken", str(number + 1)) from None
    return lines


def _parted(text: str, words: Collection[str]) -> Iterable[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, words), strict=True)


def _delimiter(text: str, words: Collection[str]) -> str:
    """Return the mark that parts the most known headers of the first lines, or else the one that comes most often."""
    head = io.StringIO(text).readlines(_HEAD_CHARACTERS)[:_HEAD_LINES]

    def parts(delimiter: str) -> tuple[int, int]:
        known = max(
            (known_headers([cell.strip(' "') for cell in line.split(delimiter)], words) for line in head), default=0
        )
        return known, sum(line.count(delimiter) for line in head)

    return max(_DELIMITERS, key=parts)


def _decoded(content: bytes, encoding: str | None) -> str:
    """Return the text of a file, by its byte order mark, by what is said of it, as UTF-8, or by what its bytes show."""
    marked = next((name for mark, name in _MARKED if content.startswith(mark)), None)
    name = marked or (ENCODINGS[encoding] if encoding else None)
    text = _strictly(content, name or "utf-8")
    if text is None and name is None:
        text = _found_out(content)
    if text is None or "\x00" in text:
        words = "encoding_unknown" if name is None else "not_in_encoding"
        raise file_refused(FieldCode.BAD_CHARACTERS, words, encoding or name or "")
    return text


def _strictly(content: bytes, name: str) -> str | None:
    try:
        return content.decode(name)
    except UnicodeDecodeError:
        return None


def _found_out(content: bytes) -> str | None:
    """Return the text where its bytes are plainly GB 18030.

    Nearly every file of Big5 is GB 18030 too, of other characters. So it is asked in which of the two the text is made
    of usual characters, and taken only where that is GB 18030 and plainly not Big5.
    """
    text = _strictly(content, "gb18030")
    if text is None:
        return None
    marks = [mark for mark in text if mark > "\x7f" and not _is_punctuation(mark)]
    odd = sum(not (_is_in(mark, "gb2312", _GB_2312) or _is_in(mark, "big5", _BIG5_FIRST)) for mark in marks)
    if odd > _SHARE_ODD * len(marks):
        return None
    otherwise = _strictly(content, "big5hkscs")
    if otherwise is None:
        return text
    others = [mark for mark in otherwise if mark > "\x7f" and not _is_punctuation(mark)]
    odd_otherwise = sum(not _is_in(mark, "big5", _BIG5_FIRST) for mark in others)
    is_other = odd_otherwise < max(_LEAST_OTHERWISE, _SHARE_OTHERWISE * len(others))
    return None if is_other else text


def _is_punctuation(mark: str) -> bool:
    return mark in _PUNCTUATION or "\u3000" <= mark <= "\u303f" or "\uff00" <= mark <= "\uffef"


def _is_in(mark: str, encoding: str, leading: range) -> bool:
    try:
        encoded = mark.encode(encoding)
    except UnicodeEncodeError:
        return False
    return len(encoded) == 2 and encoded[0] in leading
