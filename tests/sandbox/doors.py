"""An open door before a server of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sandbox.stack.doors import Door, Mood, open_door

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def open_before(serve: Serve) -> AsyncIterator[Door]:
    """Start a server, and yield an open door before it."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with open_door(f"127.0.0.1:{server.sockets[0].getsockname()[1]}") as door:
        await door.set(Mood.OPEN)
        yield door
    server.close()
