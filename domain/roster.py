"""Rosters: the columns that a programme declares, those of any person, and where rosters and their rows stand."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from domain.errors import FieldError
from domain.field_errors import FieldCode
from domain.masks import MASKS
from domain.written_days import written_day

LINE_LIMIT: Final = 2000  # characters of one cell; more is refused before anything is read from it
_TIME: Final = re.compile(r".*[0-9][T ][0-9]{1,2}:[0-9]{2}.*", re.DOTALL)


class RosterAct(StrEnum):
    """What a roster asks for each of its rows."""

    DECLARED = "declared by its programme"


class OnDefect(StrEnum):
    """What a row with a defect does to the rest of its roster: nothing of it is registered, or the row is left out."""

    STOP = "stop"
    SKIP = "skip"


class RosterStatus(StrEnum):
    """Where a roster stands; a dry run ends as `ready`."""

    CHECKING = "checking"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RowResult(StrEnum):
    """What became of a row: found fit and still to be done, or how it ended."""

    NEW = "new"
    ALREADY_REGISTERED = "already_registered"
    DEFECT = "defect"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    REGISTERED = "registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a roster; its header, its synonyms and the words below it are texts of the programme.

    Attributes:
        name: what a defect calls it, and one of the headers by which it is known.
        is_required: whether a roster has to have it.
        is_day: whether it holds days.
        joins: whether a cell may name several of its words.
        names_person: whether it tells whose row it is, so that it goes with the person who is erased.
        mask: how a cell is shown again; as it is without.
        looks: whether a cell looks like one of this column, so that it is refused under a header that nobody knows
            rather than lost.
        reads: returns a cell of a form of its own as its codes, or what is wrong with it.
    """

    name: str
    is_required: bool = False
    is_day: bool = False
    joins: bool = False
    names_person: bool = False
    mask: Callable[[str], str] | None = None
    looks: Callable[[str], object] | None = None
    reads: Callable[[str], str | FieldError] | None = None

    def needed(self) -> "Column":
        """Return the column as one that a roster has to have."""
        return replace(self, is_required=True)


def _masked_address(text: str) -> str:
    return MASKS["email"](text) if "@" in text else "*" * len(text)


# Of any form: its own name of the case, and its person as `domain.forms.Form` knows them.
CLIENT_REFERENCE: Final = Column(name="client_reference")
NAME_ZH: Final = Column(name="name_zh", names_person=True)
NAME_EN: Final = Column(name="name_en", names_person=True)
IDENTITY_NUMBER: Final = Column(name="identity_number", names_person=True, mask=MASKS["identity_number"])
EMAIL: Final = Column(
    name="email", names_person=True, mask=_masked_address, looks=re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch
)
PHONE: Final = Column(
    name="phone",
    names_person=True,
    mask=MASKS["phone"],
    looks=re.compile(r"(\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}").fullmatch,
)
LANGUAGE: Final = Column(name="language")


def needed_of(columns: Iterable[Column]) -> frozenset[str]:
    """Return the names of those columns that a roster has to have."""
    return frozenset(column.name for column in columns if column.is_required)


def too_long(row: Mapping[str, str]) -> list[FieldError]:
    """Return the cells of a row that are longer than any may be."""
    return [
        FieldError(column, FieldCode.TOO_LONG, "The cell is too long.")
        for column, text in row.items()
        if len(text) > LINE_LIMIT
    ]


def day_in(column: str, text: str, read: Callable[[str], object] = written_day) -> str | FieldError:
    """Return a day that a cell names in ISO form, or why it names none.

    Args:
        column: the column of the cell.
        text: what it holds.
        read: returns the day of a text, None where it is not clear; a ValueError for one that does not exist.
    """
    try:
        day = read(text)
    except ValueError:
        return FieldError(column, FieldCode.IMPOSSIBLE_DATE, "The date does not exist.")
    if day is not None:
        return str(day)
    words = "date_with_time" if _TIME.fullmatch(text) else "date_unclear"
    return FieldError(column, FieldCode.IMPOSSIBLE_DATE, "", words)
