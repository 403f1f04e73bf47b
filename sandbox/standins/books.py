"""A stand-in's books: a SQLite file in which everything stands before it is answered."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SETTINGS = "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)"


class Books:
    """One SQLite file; every `transaction` is on disk when it ends."""

    def __init__(self, path: Path, schema: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        os.chmod(path, 0o600)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(f"{SETTINGS};\n{schema}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all of a block or none of it; a block never awaits, so blocks never mix."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return all rows of a query."""
        return [dict(row) for row in self._connection.execute(query, values)]

    def find(self, query: str, *values: object) -> dict[str, Any] | None:
        """Return the first row of a query, or None."""
        row = self._connection.execute(query, values).fetchone()
        return dict(row) if row else None

    def execute(self, statement: str, *values: object) -> int:
        """Run one statement and return the row id of an insert."""
        return self._connection.execute(statement, values).lastrowid or 0

    def setting(self, name: str) -> str | None:
        """Return a stored setting, or None."""
        row = self.find("SELECT value FROM settings WHERE name = ?", name)
        return str(row["value"]) if row else None

    def keep_setting(self, name: str, value: str) -> None:
        """Store a setting."""
        self.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
