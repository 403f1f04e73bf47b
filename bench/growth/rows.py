"""Cases by the thousand: the rows of one real case, copied under new references, keys and people."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from domain.references import REFERENCE_BYTES, reference_from
from store import tables
from store.encryption import DataKey, WrappedKey, new_data_key, unwrap
from store.keyring import Keyring

# In the order in which they refer to one another.
OF_A_CASE: Final = (
    "data_keys",
    "persons",
    "cases",
    "talent_permits",
    "applications",
    "assessments",
    "permits",
    "tasks",
    "deadlines",
    "commands",
    "ledger",
    "notices",
    "deliveries",
    "calls",
    "answers",
    "idempotency",
)
MOVED: Final = frozenset({"accepted_at", "updated_at", "started_at", "approved_at", "opened_at", "given_at", "at"})
# Ids that others chose: of an answer, of its message, of a write.
NAMED: Final = frozenset({("answers", "outcome_id"), ("answers", "message_id"), ("idempotency", "key")})
# What is sealed but never opened by what is measured is cut short, so that a large register fits a small disk, and so
# are rows that a case has many of.
CUT: Final = frozenset({("notices", "body"), ("assessments", "facts"), ("idempotency", "answer")})
KEPT_BYTES: Final = 64
KEPT_ROWS: Final = {"notices": 2, "deliveries": 4, "ledger": 4, "commands": 2, "idempotency": 1, "answers": 2}
_NOTICE: Final = "notice/"
Connection = Any
Values = dict[str, Any]


def columns(table: str) -> list[str]:
    """Return the columns of a table that are written, not computed."""
    return [
        column.name
        for column in tables.metadata.tables[table].c
        if column.computed is None and column.identity is None and column.name != "recorded_at"
    ]


@dataclass(slots=True)
class Template:
    """The rows of one case, as the engine wrote them."""

    reference: str
    rows: dict[str, list[Values]]
    body: bytes

    @classmethod
    async def capture(
        cls,
        connection: Connection,
        keyring: Keyring,
        reference: str,
        names: Sequence[str] = OF_A_CASE,
        *,
        lean: bool = False,
        whole: bool = False,
    ) -> "Template":
        """Read the rows of a case, with the ledger of its notices where it is to be whole, and open its application."""
        rows = {name: await _of_case(connection, name, reference) for name in names}
        if whole:
            rows["ledger"] += await _of_case(connection, "ledger", reference, "reference = $1 AND chain <> $1")
        if lean:
            rows = _lean(rows)
        key_row = rows["data_keys"][0]
        key = unwrap(keyring, WrappedKey(key_row["key_id"], key_row["kek_id"], key_row["wrapped"]))
        application = rows["applications"][0]
        body = key.open("applications", "body", f"{reference}/{application['version']}", application["body"])
        return cls(reference, rows, body)

    def copies(self, keyring: Keyring, number: int, *, employer_id: str, earlier: timedelta) -> dict[str, list[Values]]:
        """Return the rows of a further case: other person, key, reference and ids, some time earlier."""
        reference = reference_from("HT", os.urandom(REFERENCE_BYTES))
        key, wrapped = new_data_key(keyring)
        ids: dict[UUID, UUID] = {self.rows["data_keys"][0]["key_id"]: key.key_id}
        return {
            name: [self._copy(name, row, reference, ids, key, wrapped, number, employer_id, earlier) for row in rows]
            for name, rows in self.rows.items()
        }

    def _value(
        self, table: str, name: str, value: Any, reference: str, ids: dict[UUID, UUID], earlier: timedelta
    ) -> Any:
        """Return one value of a row as it stands in the further case."""
        if isinstance(value, UUID):
            return ids.setdefault(value, uuid4())
        if isinstance(value, str) and self.reference in value:
            return value.replace(self.reference, reference)
        if (table, name) == ("ledger", "chain"):
            notice_id = UUID(value.removeprefix(_NOTICE))
            return f"{_NOTICE}{ids.setdefault(notice_id, uuid4())}"
        if (table, name) in NAMED:
            return str(uuid4())
        if name in MOVED and isinstance(value, datetime):
            return value - earlier
        return value

    def _copy(
        self,
        table: str,
        row: Values,
        reference: str,
        ids: dict[UUID, UUID],
        key: DataKey,
        wrapped: WrappedKey,
        number: int,
        employer_id: str,
        earlier: timedelta,
    ) -> Values:
        copied: Values = {}
        for name, value in row.items():
            copied[name] = self._value(table, name, value, reference, ids, earlier)
        if "employer_id" in copied:
            copied["employer_id"] = employer_id
        match table:
            case "data_keys":
                copied |= {"kek_id": wrapped.kek_id, "wrapped": wrapped.wrapped}
            case "persons":
                copied["identity_hash"] = os.urandom(32)
            case "cases":
                copied |= {"client_reference": f"load-{number}", "name_hash": os.urandom(32)}
                copied["last_four_hash"] = (number % 10_000).to_bytes(32)
                if copied["registration_number"] is not None:
                    copied["registration_number"] = f"HR-0000-{number:09d}"
            case "applications":
                copied["body"] = key.seal("applications", "body", f"{reference}/{copied['version']}", self.body)
        return copied


def inserts(template: Template) -> Iterator[tuple[str, str, list[str]]]:
    """Return an INSERT for each table of a template, as plain code would write it, with the columns it takes."""
    for name, rows in template.rows.items():
        if rows:
            names = columns(name)
            values = ", ".join(f"${place}" for place in range(1, len(names) + 1))
            yield name, f"INSERT INTO {name} ({', '.join(names)}) VALUES ({values})", names


def _lean(rows: dict[str, list[Values]]) -> dict[str, list[Values]]:
    """Return fewer and shorter rows of the kinds that a case has many of, delivered notices with their deliveries."""
    kept = {name: found[: KEPT_ROWS.get(name, len(found))] for name, found in rows.items()}
    notices = {row["notice_id"] for row in kept["notices"]}
    kept["deliveries"] = [row for row in rows["deliveries"] if row["notice_id"] in notices]
    for table, column in CUT:
        for row in kept[table]:
            row[column] = row[column][:KEPT_BYTES] if row[column] is not None else None
    return kept


def where(table: str) -> str:
    """Return the condition that finds the rows of one case in a table."""
    return {
        "data_keys": "key_id IN (SELECT p.key_id FROM persons p JOIN cases r USING (person_id) WHERE r.reference = $1)",
        "persons": "person_id IN (SELECT person_id FROM cases WHERE reference = $1)",
        "deliveries": "notice_id IN (SELECT notice_id FROM notices WHERE reference = $1)",
        "ledger": "chain = $1",
    }.get(table, "reference = $1")


async def _of_case(
    connection: asyncpg.Connection, table: str, reference: str, condition: str | None = None
) -> list[Values]:
    chosen = ", ".join(columns(table))
    found = await connection.fetch(f"SELECT {chosen} FROM {table} WHERE {condition or where(table)}", reference)
    return [dict(row) for row in found]
