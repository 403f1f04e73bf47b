"""The state of a case as the ledger hashes it before and after an act: the register's row and its permits'."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

import orjson

from domain.clock import CHINA
from domain.stages import Destination
from store import tables
from store.encryption import DataKey
from store.rows.base import TableRow
from store.rows.register import PermitRow, RegistrationRow

# What PostgreSQL fills in, what counts writes, and keyed look-up hashes, which an erasure takes away.
_LEFT_OUT: Final = frozenset({"live", "recorded_at", "updated_at", "version", "name_hash", "last_four_hash"})
_REGISTER: Final = tuple(sorted(set(tables.registrations.c.keys()) - _LEFT_OUT))
_PERMIT: Final = tuple(sorted(set(tables.permits.c.keys()) - _LEFT_OUT))
# Names are ASCII and numbers whole, so that this is the canonical JSON of RFC 8785; a test holds it to that.
_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def case_state(row: RegistrationRow, permits: Mapping[Destination, PermitRow]) -> bytes:
    """Return the state of a case in canonical JSON: the same for a row in memory and for the row as it was stored."""
    state = {
        "permits": [_filled(permits[destination], _PERMIT) for destination in sorted(permits)],
        "registration": _filled(row, _REGISTER),
    }
    return orjson.dumps(state, default=_plain, option=_CANONICAL)


def _filled(row: TableRow, columns: Iterable[str]) -> dict[str, object]:
    # What is empty is left out, so that a column added later changes no hash of a row that does not use it.
    filled = {name: getattr(row, name) for name in columns}
    return {name: value for name, value in filled.items() if value is not None}


def state_hash(key: DataKey, state: bytes) -> bytes:
    """Return the hash of a state, which means nothing once the person's key is destroyed."""
    return bytes.fromhex(key.ledger_hash(state))


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
