"""Cases by the million: the rows of one real case as PostgreSQL writes them for COPY, with holes for what differs."""

import io
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from bench.growth.rows import CUT, KEPT_BYTES, KEPT_ROWS, MOVED, NAMED, OF_A_CASE, columns, where
from domain.references import REFERENCE_BYTES, reference_from
from store.encryption import WrappedKey, new_data_key, unwrap
from store.keyring import Keyring

# The binary form of COPY: a header of 19 bytes, the rows, and a row of -1 fields (PostgreSQL's manual, COPY).
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NUMBER: Final = b"#########"
_EMPLOYER: Final = b"emp-a"
SMALL: Final = "emp-c"
# References are drawn at random, and of a million some might be drawn twice; an odd stride passes over each one once.
_REFERENCES: Final = 256**REFERENCE_BYTES
_STRIDE: Final = 0x9E3779B97F
_MINUTE: Final = 60_000_000  # in microseconds
# What a copy gets instead of what its original has, all of one length.
_INSTEAD: Final = {
    ("cases", "client_reference"): "'load-#########'",
    (
        "cases",
        "registration_number",
    ): "CASE WHEN registration_number IS NULL THEN NULL ELSE 'HR-0-#########' END",
}
# Which rows a copy has of those that a case has many of.
_ONLY: Final = {
    "deliveries": "notice_id IN (SELECT notice_id FROM notices WHERE reference = $1"
    f" ORDER BY notice_id LIMIT {KEPT_ROWS['notices']})",
    "assessments": "reference = $1 AND scope = 'registration'",
    "deadlines": "reference = $1 AND state = 'waiting'",
}
_CHUNK: Final = 500
Connection = Any


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in the rows of a table at which copies differ."""

    begin: int
    end: int
    name: bytes


@dataclass(frozen=True, slots=True)
class Stencil:
    """The rows of a case by table, with their holes."""

    rows: dict[str, bytes]
    holes: dict[str, list[Hole]]
    times: dict[bytes, int]
    ids: list[bytes]
    texts: list[bytes]
    reference: bytes
    key_id: bytes
    body: tuple[bytes, bytes, str]  # in clear, as sealed, and the version
    hashes: dict[str, bytes]
    wrapped: bytes

    @classmethod
    async def capture(cls, connection: Connection, keyring: Keyring, reference: str) -> "Stencil":
        """Read the rows of a case and find what has to differ in each copy."""
        rows = {name: await _read(connection, name, reference) for name in OF_A_CASE}
        values = {name: await _values(connection, name, reference) for name in OF_A_CASE}
        key = values["data_keys"][0]
        person_key = unwrap(keyring, WrappedKey(key["key_id"], key["kek_id"], key["wrapped"]))
        application, registration = values["applications"][0], values["cases"][0]
        place = f"{reference}/{application['version']}"
        every = [
            (table, name, value) for table, found in values.items() for row in found for name, value in row.items()
        ]
        times = {
            _micros(value).to_bytes(8, signed=True): _micros(value)
            for _, name, value in every
            if name in MOVED and isinstance(value, datetime)
        }
        made = cls(
            rows=rows,
            holes={},
            times=times,
            ids=sorted({value.bytes for *_, value in every if isinstance(value, UUID)}),
            texts=sorted({value.encode() for table, name, value in every if (table, name) in NAMED and value}),
            reference=reference.encode(),
            key_id=key["key_id"].bytes,
            body=(
                person_key.open("applications", "body", place, application["body"]),
                application["body"],
                str(application["version"]),
            ),
            hashes={
                "identity": values["persons"][0]["identity_hash"],
                "name": registration["name_hash"],
                "last_four": registration["last_four_hash"],
            },
            wrapped=key["wrapped"],
        )
        marks = [*times, *made.ids, *made.texts, made.reference, *made.hashes.values(), made.wrapped, made.body[1]]
        for table, content in rows.items():
            made.holes[table] = [hole for mark in (*marks, _NUMBER, _EMPLOYER) for hole in _find(content, mark)]
        return made

    def fill(self, keyring: Keyring, number: int, employer_id: str) -> dict[bytes, bytes]:
        """Return what the holes of one copy hold: other person, key, reference and ids, some minutes earlier."""
        key, wrapped = new_data_key(keyring)
        reference = reference_from("HT", (number * _STRIDE % _REFERENCES).to_bytes(REFERENCE_BYTES))
        earlier = (number % 1_500_000 + 1) * _MINUTE
        assert wrapped.wrapped is not None
        return {
            **{mark: (at - earlier).to_bytes(8, signed=True) for mark, at in self.times.items()},
            **dict(zip(self.ids, batched(os.urandom(16 * len(self.ids)), 16), strict=True)),
            **{mark: os.urandom(len(mark)).hex()[: len(mark)].encode() for mark in self.texts},
            self.key_id: key.key_id.bytes,
            self.reference: reference.encode(),
            self.wrapped: wrapped.wrapped,
            self.body[1]: key.seal("applications", "body", f"{reference}/{self.body[2]}", self.body[0]),
            self.hashes["identity"]: os.urandom(32),
            self.hashes["name"]: os.urandom(32),
            self.hashes["last_four"]: (number % 10_000).to_bytes(32),
            _NUMBER: b"%09d" % number,
            _EMPLOYER: employer_id.encode(),
        }

    def write(self, table: str, values: dict[bytes, bytes]) -> bytearray:
        """Return the rows of a table for one copy."""
        copied = bytearray(self.rows[table])
        for hole in self.holes[table]:
            copied[hole.begin : hole.end] = values[hole.name]
        return copied


async def load(
    connection: Connection, keyring: Keyring, stencils: tuple[Stencil, Stencil], count: int, *, waiting_in: int = 20
) -> None:
    """Copy so many cases in: one in so many waits for an officer, the others rest with their permits.

    Three are of a small employer, however many there are of the two large ones. The indexes that no constraint needs
    are built at the end, and references between the rows are not checked: both take longer row by row than the rest.
    """
    resting, waiting = stencils
    indexes = await connection.fetch(
        "SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i"
        " WHERE i.indrelid = ANY($1::text[]::regclass[]) AND NOT EXISTS"
        " (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
        list(OF_A_CASE),
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    await connection.execute("SET session_replication_role = replica")
    for first in range(1, count + 1, _CHUNK * 20):
        batch = [
            (stencil, stencil.fill(keyring, number, SMALL if number <= 3 else ("emp-a", "emp-b")[number % 2]))
            for number in range(first, min(first + _CHUNK * 20, count + 1))
            for stencil in ((waiting if number // 2 % waiting_in == 1 else resting),)
        ]
        for table in OF_A_CASE:
            await connection.copy_to_table(table, source=_stream(table, batch), columns=columns(table), format="binary")
    await connection.execute("RESET session_replication_role")
    for index in indexes:
        await connection.execute(index["definition"])


async def _stream(table: str, batch: list[tuple[Stencil, dict[bytes, bytes]]]) -> AsyncIterator[bytes]:
    yield _HEADER
    for first in range(0, len(batch), _CHUNK):
        yield b"".join(stencil.write(table, values) for stencil, values in batch[first : first + _CHUNK])
    yield _TRAILER


async def _read(connection: Connection, table: str, reference: str) -> bytes:
    """Return the rows of a table as COPY writes them, fewer and shorter of the kinds a case has many of."""
    chosen = []
    for name in columns(table):
        given = _INSTEAD.get((table, name), name)
        chosen.append(f"substring({given} FROM 1 FOR {KEPT_BYTES})" if (table, name) in CUT else given)
    kept = f" LIMIT {KEPT_ROWS[table]}" if table in KEPT_ROWS else ""
    output = io.BytesIO()
    of_case = _ONLY.get(table, where(table))
    query = f"SELECT {', '.join(chosen)} FROM {table} WHERE {of_case} ORDER BY 1, 2{kept}"
    await connection.copy_from_query(query, reference, output=output, format="binary")
    return output.getvalue().removeprefix(_HEADER).removesuffix(_TRAILER)


async def _values(connection: Connection, table: str, reference: str) -> list[dict[str, Any]]:
    query = f"SELECT {', '.join(columns(table))} FROM {table} WHERE {where(table)}"
    return [dict(row) for row in await connection.fetch(query, reference)]


def _find(content: bytes, mark: bytes) -> Iterator[Hole]:
    at = content.find(mark)
    while at >= 0:
        yield Hole(at, at + len(mark), mark)
        at = content.find(mark, at + len(mark))


def batched(content: bytes, length: int) -> Iterator[bytes]:
    """Cut bytes into parts of one length."""
    return (content[at : at + length] for at in range(0, len(content), length))


def _micros(value: datetime) -> int:
    passed = value - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
