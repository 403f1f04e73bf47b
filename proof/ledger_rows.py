"""Rows of the ledger: what the hash of one covers, so that anyone who has the row can count it again."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.clock import CHINA
from domain.spellings import LEDGER_ROW
from proof.canonical import canonical

GENESIS: Final = bytes(32)

# Every column but the hash itself and what PostgreSQL adds of its own: the transaction and the time of writing.
HASHED: Final = LEDGER_ROW


def content_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the hash of a row covers: bytes in hexadecimal, times with their offset, null where nothing is."""
    return {name: _plain(row[name]) for name in HASHED}


def hash_of(content: Mapping[str, Any]) -> bytes:
    """Return the hash of a row's content, which the next row names: SHA-256 over canonical JSON (RFC 8785)."""
    return hashlib.sha256(canonical(dict(content))).digest()


def row_hash(row: Mapping[str, Any]) -> bytes:
    """Return the hash that a row which is written must have."""
    return hash_of(content_of(row))


def counted_hash(row: Mapping[str, Any]) -> bytes | None:
    """Return the hash that a row as stored must have, or None where it holds what no act can have written."""
    try:
        return row_hash(row)
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        return None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return value.astimezone(CHINA).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
