"""The columns of a roster: which header means which, what may pass unread, and what is refused lest it be lost."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Final, NamedTuple

from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.languages import Language
from domain.sheets import Cell, mark_of, plain_header, text_of
from register.rosters.kinds import RosterKind
from texts.roster import ANNOTATIONS, OWN_COLUMNS

_LONGEST: Final = 100  # characters of a header that are compared
_LIKE: Final = 0.8  # of a header to one that is known
_LIKE_A_VALUE: Final = re.compile(r"[0-9]{6}|@")
_LOOKED_AT: Final = 50  # cells of a column, to see what it holds
_MOST_OF: Final = 0.5
# An annotated roster that is sent again has these beside the employer's own.
_ADDED: Final = frozenset(
    plain_header(ANNOTATIONS[name].in_language(language))
    for name in ("sheet_row", "result", "reference", "to_mend")
    for language in Language
)


class Header(NamedTuple):
    """A header as it was written, and the column that it means; none for one that is not read."""

    written: str
    column: str | None


def known_words(kind: RosterKind) -> list[str]:
    """Return the plain headers that are known for a kind of roster."""
    return sorted(kind.headers)


def columns_of(written: Sequence[str], kind: RosterKind, below: Sequence[Sequence[Cell]] = ()) -> list[Header]:
    """Return the column that each header means; letter case, width, spaces, stars and hints do not matter.

    Args:
        written: the headers, without the empty ones at the end.
        kind: what the roster asks for.
        below: the lines below the headers.

    Raises:
        Refused: `invalid`, naming by place and header a column that comes twice, one that is not known and whose
            content would be lost, one with content and no header, and each column that is missing.
    """
    names = kind.headers
    headers = [Header(header.strip(), names.get(plain_header(header))) for header in written]
    there = [header.column for header in headers]
    missing = [column for column in kind.columns if column not in there]
    errors = []
    for at, header in enumerate(headers):
        if header.column is not None and header.column in there[:at]:
            errors.append(_error(at, FieldCode.UNKNOWN_FIELD, "column_twice", header.written))
        elif header.column is None:
            errors += _unread(at, header, missing, below, kind)
    errors += [
        FieldError(column, FieldCode.REQUIRED, "", "column_missing", about=_title(column, kind))
        for column in sorted(kind.required.intersection(missing))
    ]
    if errors:
        raise Refused("invalid", "The headers of the roster do not hold.", errors)
    return headers


def _unread(
    at: int, header: Header, missing: Sequence[str], below: Sequence[Sequence[Cell]], kind: RosterKind
) -> Iterable[FieldError]:
    """Yield what is wrong with leaving a column unread: it is like one that is missing, or has no header."""
    plain = plain_header(header.written)
    if plain in OWN_COLUMNS or plain in _ADDED:
        return
    held = list(islice((text for line in below if (text := _at(line, at))), _LOOKED_AT))
    if not held:
        return
    if not plain:
        yield _error(at, FieldCode.REQUIRED, "column_without_header", str(at + 1))
        return
    lost = [known for known, column in kind.headers.items() if column in missing]
    looks = [look for column in missing if (look := kind.columns[column].looks) is not None]
    if get_close_matches(plain[:_LONGEST], lost, 1, _LIKE) or any(
        sum(look(text) is not None for text in held) > _MOST_OF * len(held) for look in looks
    ):
        yield _error(at, FieldCode.UNKNOWN_FIELD, "column_resembles", header.written)


def _at(line: Sequence[Cell], at: int) -> str:
    if at >= len(line):
        return ""
    return text_of(line[at]).strip() or mark_of(line[at])


def _error(at: int, code: FieldCode, words: str, written: str) -> FieldError:
    """Return what is wrong with a column, named by its header; by its place where that is rather a value."""
    is_value = _LIKE_A_VALUE.search(written) is not None
    return FieldError(f"header[{at}]", code, "", words, about=str(at + 1) if is_value else written[:_LONGEST])


def _title(column: str, kind: RosterKind) -> str:
    """Return the headers by which a missing column may be added."""
    header = kind.words.columns[column].header
    return " / ".join(dict.fromkeys(header.in_language(language) for language in Language))
