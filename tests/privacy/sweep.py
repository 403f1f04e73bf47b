"""Looks for words in everything that is stored, as one would who has the database and every key there still is."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sqlalchemy import select, text

from cases.shared.context import Context
from domain.errors import Refused
from store import tables
from store.encryption import WrappedKey, unwrap


async def places_of(context: Context, words: Iterable[bytes]) -> set[str]:
    """Return `table.column` of each value in which a word stands: in clear, in hexadecimal, or under any key."""
    wanted = tuple(words)
    found: set[str] = set()
    async with context.database.begin() as connection:
        # Every table that there is, not only those that the code describes.
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        names = list((await connection.execute(text(listed))).scalars())
        keys = await _keys(context, connection)
        for name in names:
            rows = (await connection.execute(text(f"SELECT * FROM {name}"))).mappings()
            for row in rows:
                for column, value in row.items():
                    if any(word in form for form in _forms(value, keys) for word in wanted):
                        found.add(f"{name}.{column}")
    return found


async def _keys(context: Context, connection: Any) -> list[bytes]:
    keyring = context.keyring
    keys = [key for which in (keyring.kek, keyring.codec, keyring.archive) for key in which.keys.values()]
    for row in await connection.execute(select(tables.data_keys)):
        try:
            keys.append(unwrap(keyring, WrappedKey(row.key_id, row.kek_id, row.wrapped)).secret)
        except Refused:
            continue
    return keys


def _forms(value: object, keys: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a value as it stands, and what it says under each key."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _forms(part, keys)
        return
    plain = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    yield plain
    try:
        sealed = plain if not isinstance(value, str) else bytes.fromhex(value)
    except ValueError:
        return
    yield sealed
    if len(sealed) < 29:
        return
    for key in keys:
        opened = _opened_by(key, sealed)
        yield opened
        try:
            yield zlib.decompressobj().decompress(opened)
        except zlib.error:
            continue


def _opened_by(key: bytes, sealed: bytes) -> bytes:
    """Decrypt what AES-GCM sealed without asking where it belongs and whether it was altered."""
    counter = sealed[1:13] + (2).to_bytes(4, "big")
    opener = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
    return opener.update(sealed[13:-16]) + opener.finalize()
