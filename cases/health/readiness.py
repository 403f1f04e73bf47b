"""Whether the register can be read and written, and has the schema that this code needs."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from cases.shared.calendar import set_cursor
from cases.shared.context import Context
from domain.errors import Unavailable
from store.database import sqlstate
from store.schema_version import database_version, is_older

_PROBE_SECONDS: Final = 2.0
# Of a write: a balancer asks each copy every few seconds, and the answer may be as old as that.
_KEPT_SECONDS: Final = 5.0
_MARK: Final = "written"
# What is not there, where no migration ever ran or the role may not read it.
_NO_TABLE: Final = frozenset({"42P01", "42501"})
_BRIEFLY: Final = text("SET LOCAL lock_timeout = '1s'")


class Register(StrEnum):
    """How the register stands."""

    UP = "up"
    READ_ONLY = "read_only"
    AWAY = "away"
    OLD = "old"


@dataclass(slots=True)
class Readiness:
    """Looks at the register for one process; a write is tried no more often than each few seconds."""

    context: Context
    _tried_at: float = float("-inf")
    _is_written: bool = True

    async def look(self) -> Register:
        """Return how the register stands; nothing is raised and nobody waits longer than some seconds."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                is_behind = await is_schema_older(self.context)
        except (Unavailable, TimeoutError):
            return Register.AWAY
        if is_behind:
            return Register.OLD
        return Register.UP if await self._takes_writes() else Register.READ_ONLY

    async def _takes_writes(self) -> bool:
        now = time.monotonic()
        if now - self._tried_at >= _KEPT_SECONDS:
            # Set before the try, so that callers of the same moment try once.
            self._tried_at = now
            try:
                async with asyncio.timeout(_PROBE_SECONDS):
                    await write_mark(self.context)
                self._is_written = True
            except (Unavailable, TimeoutError, DBAPIError):
                self._is_written = False
        return self._is_written


async def is_schema_older(context: Context) -> bool:
    """Whether the database lacks migrations that this code comes with.

    Raises:
        Unavailable: when PostgreSQL is away.
    """
    try:
        async with context.database.begin() as connection:
            return is_older(await database_version(connection))
    except ProgrammingError as error:
        if sqlstate(error) in _NO_TABLE:
            return True
        raise


async def write_mark(context: Context, at: datetime | None = None) -> None:
    """Write one row and commit it, as every act must be able to.

    Raises:
        Unavailable: when PostgreSQL is away, full, or takes no write.
    """
    async with context.database.begin() as connection:
        await connection.execute(_BRIEFLY)
        await set_cursor(connection, _MARK, "", at or context.clock())
