"""Terms of a track, one after the other: which holds on a day, when the last one ends, and what lies between two.

A programme declares the table of a track's terms (`Track.terms`). Whether a term holds is reckoned from its days when
it is read: no timer makes it true, and one that is late makes nothing false.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from cases.case.file import CaseFile
from cases.case.row import OneCase
from domain.errors import need
from store.case_tables import TermTable
from store.rows.terms import TermRow

_Term = TypeVar("_Term", bound=TermRow)
_ONE_DAY = timedelta(days=1)


class Gap(NamedTuple):
    """The days between two terms, on which none holds: the first and the last."""

    first: date
    last: date


def terms_of(case: OneCase, table: TermTable, kind: type[_Term], key: str) -> list[_Term]:
    """Return the terms of a track, by the class of their rows, oldest first."""
    found = [row for row in case.rows_of(kind) if getattr(row, table.key) == key]
    return sorted(found, key=lambda row: row.number)


def add_term(file: CaseFile, table: TermTable, row: _Term) -> _Term:
    """Have a new term written with the case."""
    file.own_rows[table.name].append(row)
    return row


def new_values(file: CaseFile, table: TermTable, key: str, terms: Sequence[TermRow]) -> dict[str, Any]:
    """Return what tells the next term of a track from all others, behind those that it has."""
    number = max((row.number for row in terms), default=0) + 1
    return {"reference": file.reference, "employer_id": file.employer_id, table.key: str(key), "number": number}


def holding(table: TermTable, terms: Iterable[_Term]) -> list[_Term]:
    """Return the terms that hold within their days: given, and ended by nothing but their last day."""
    return [row for row in terms if row.stage in table.holds]


def is_in_force(table: TermTable, row: TermRow, on: date) -> bool:
    """Whether a term holds on a day."""
    first, last = row.valid_from, row.valid_until
    return bool(row.stage in table.holds and first and last and first <= on <= last)


def find_in_force(table: TermTable, terms: Iterable[_Term], on: date) -> _Term | None:
    """Return the term that holds on a day, the newest where two do."""
    return next((row for row in reversed(list(terms)) if is_in_force(table, row, on)), None)


def find_pending(table: TermTable, terms: Iterable[_Term]) -> _Term | None:
    """Return the term that was asked for and is not given yet."""
    return next((row for row in reversed(list(terms)) if row.stage in table.pending), None)


def find_shown(table: TermTable, terms: Sequence[_Term], on: date) -> _Term | None:
    """Return the term that stands for its track on a day: the one in force, else the newest that was given.

    The newest of all stands for a track of which none was given.
    """
    given = [row for row in terms if row.valid_until is not None]
    newest = next(iter(reversed(given or list(terms))), None)
    return find_in_force(table, terms, on) or newest


def find_last_day(table: TermTable, terms: Iterable[TermRow]) -> date | None:
    """Return the last day of the last term that holds, to which a track counts."""
    return max((row.valid_until for row in holding(table, terms) if row.valid_until), default=None)


def find_gap(table: TermTable, terms: Iterable[TermRow], before: TermRow) -> Gap | None:
    """Return the days before a term on which none holds, since the end of the one before it; None where it follows."""
    begins = need(before.valid_from, "valid_from")
    ends = [
        row.valid_until
        for row in holding(table, terms)
        if row is not before and row.valid_until is not None and (row.valid_from or begins) < begins
    ]
    first = max(ends, default=None)
    if first is None or first + _ONE_DAY >= begins:
        return None
    return Gap(first + _ONE_DAY, begins - _ONE_DAY)
