"""Pools of connections that the tests of one process share: each costs as much as many statements to open.

With them goes what PostgreSQL and SQLAlchemy know of statements that came before.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from store.database import Database

POOL_SIZE = 10


class Pools:
    """The pools of the loop that all tests run in."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._databases: dict[tuple[str, str | None], Database] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep the pools of this loop open until all tests are over."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None
            while self._databases:
                await self._databases.popitem()[1].close()

    @asynccontextmanager
    async def database(self, url: str, stands_for: str | None = None) -> AsyncIterator[Database]:
        """Hand out the pool of a database; in another loop one of its own, which is closed in the end."""
        if asyncio.get_running_loop() is self._loop:
            if (url, stands_for) not in self._databases:
                self._databases[url, stands_for] = Database(url, pool_size=POOL_SIZE, stands_for=stands_for)
            yield self._databases[url, stands_for]
            return
        database = Database(url, pool_size=POOL_SIZE, stands_for=stands_for)
        try:
            yield database
        finally:
            await database.close()


POOLS = Pools()
