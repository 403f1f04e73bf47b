"""The state of a case as the ledger hashes it before and after an act: its row, and those its programme keeps of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import orjson

from domain.clock import CHINA
from domain.spellings import STATE_FORM, STATE_FORM_NAME, STATE_FORMS, FirstForm, StateForm
from store.case_tables import CaseTable, OwnRows
from store.encryption import DataKey
from store.rows.base import TableRow
from store.rows.register import CaseRow

# What the hash leaves out of the case's row: what PostgreSQL fills in, what counts writes, keyed look-up hashes, which
# an erasure takes away, the key that the case is sealed under, which is the hash's as well, and the transfer that it
# waits for, which the end of another case takes away. A column that is neither here nor in the form that is written is
# found by a test.
LEFT_OUT: Final = frozenset(
    {"live", "recorded_at", "updated_at", "version", "name_hash", "last_four_hash", "joined_key", "follows"}
)
# What is called otherwise in a row than in the forms, by its name there.
COLUMN_OF: Final[Mapping[str, str]] = {}
_NO_COLUMN: Final = object()
# Names are ASCII and numbers whole, so that this is the canonical JSON of RFC 8785; a test holds it to that.
_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def case_state(row: CaseRow, tables: Sequence[CaseTable], own: OwnRows, form: int | None = None) -> bytes:
    """Return the state of a case in canonical JSON: the same for a row in memory and for the row as it was stored.

    Args:
        row: the register's row.
        tables: the tables of its programme.
        own: its rows in them.
        form: the number of the form, one of `STATE_FORMS`; that which is written, where none is told.
    """
    number = STATE_FORM if form is None else form
    names, covered = STATE_FORMS[number], [each for each in tables if each.since <= number]
    state = _first(names, row, own) if isinstance(names, FirstForm) else _state(names, row, covered, own)
    return orjson.dumps(state, default=_plain, option=_CANONICAL)


def _first(names: FirstForm, row: CaseRow, own: OwnRows) -> dict[str, object]:
    tracks = sorted(own.get(names.tracks, ()), key=attrgetter(names.track_key))
    return {
        names.tracks: [_filled(names.track_names, track) for track in tracks],
        names.case: _filled(names.case_names, row, *own.get(names.own, ())),
    }


def _state(names: StateForm, row: CaseRow, tables: Iterable[CaseTable], own: OwnRows) -> dict[str, object]:
    rows = {each.name: _rows(each, own.get(each.name, ())) for each in tables}
    return {
        names.case: _filled(names.case_names, row),
        names.tables: {name: found for name, found in rows.items() if found},
    }


def _rows(table: CaseTable, found: Iterable[TableRow]) -> list[dict[str, object]]:
    return [_filled(table.hashed, each) for each in sorted(found, key=lambda each: table.key_of(each) or "")]


def _filled(names: Iterable[str], *rows: TableRow) -> dict[str, object]:
    # What is empty is left out, so that a name added later changes no hash of a row that does not use it.
    filled = ((name, _value(rows, COLUMN_OF.get(name, name))) for name in names)
    return {name: value for name, value in filled if value is not None}


def _value(rows: tuple[TableRow, ...], column: str) -> object:
    for row in rows:
        found = getattr(row, column, _NO_COLUMN)
        if found is not _NO_COLUMN:
            return found
    return None


def state_hash(key: DataKey, state: bytes) -> bytes:
    """Return the hash of a state, which means nothing once the person's key is destroyed."""
    return bytes.fromhex(key.ledger_hash(state))


def form_told() -> dict[str, object]:
    """Return what the detail of a row of the ledger says of the form of its states; rows of the first say nothing."""
    return {STATE_FORM_NAME: STATE_FORM}


def form_of(detail: Mapping[str, Any]) -> int | None:
    """Return the form of the states that a row of the ledger hashes, or None where it is none that is known here."""
    form = detail.get(STATE_FORM_NAME, 1)
    return form if type(form) is int and form in STATE_FORMS else None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(CHINA).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
