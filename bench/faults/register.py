"""Looks into the register from beside it, past the doors, and waits where PostgreSQL is away."""

import asyncio
import json
import time
from typing import Any, Final

import asyncpg

PATIENCE_SECONDS: Final = 300.0
# Connection, resources, shutdown and start, input and output (PostgreSQL, appendix A).
_PASSING: Final = ("08", "53", "57", "58")
_BROKEN: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)
Row = dict[str, Any]

STANDING: Final = """
SELECT 'registration' AS what, stage, count(*) AS n FROM cases GROUP BY stage
UNION ALL SELECT 'permit', coalesce(stage, 'none'), count(*) FROM permits GROUP BY stage
UNION ALL SELECT 'notice', status, count(*) FROM notices WHERE status = 'queued' GROUP BY status
UNION ALL SELECT 'command', state, count(*) FROM commands WHERE state = 'stored' GROUP BY state
UNION ALL SELECT 'call', state, count(*) FROM calls WHERE state = 'due' GROUP BY state
"""


class Register:
    """Reads rows; one connection, made anew where it broke."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._lock = asyncio.Lock()

    async def rows(self, query: str, *values: Any, patience: float = PATIENCE_SECONDS) -> list[Row]:
        """Read rows, as soon as PostgreSQL is there.

        Raises:
            TimeoutError: when it stays away.
        """
        end = time.monotonic() + patience
        async with self._lock:
            while True:
                try:
                    async with asyncio.timeout(10):
                        connection = await self._connect()
                        return [dict(row) for row in await connection.fetch(query, *values)]
                except (OSError, TimeoutError, asyncpg.PostgresError, *_BROKEN) as error:
                    if isinstance(error, asyncpg.PostgresError) and not str(error.sqlstate).startswith(_PASSING):
                        raise
                    # Killed, starting up, shutting down, out of space, cut in the middle of a message: it passes.
                    await self._drop()
                    if time.monotonic() > end:
                        raise TimeoutError("PostgreSQL stays away") from error
                await asyncio.sleep(0.2)

    async def standing(self) -> dict[str, dict[str, int]]:
        """Return how many registrations, permits and waiting things stand where."""
        found: dict[str, dict[str, int]] = {}
        for row in await self.rows(STANDING):
            found.setdefault(row["what"], {})[row["stage"]] = row["n"]
        return found

    async def close(self) -> None:
        """Let go of the connection."""
        await self._drop()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, timeout=5)
            await self._connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        return self._connection

    async def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
