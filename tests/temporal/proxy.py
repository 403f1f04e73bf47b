"""A door before Temporal: closed, open, or open with nobody who answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import StrEnum

from sandbox.ports import free_port


class Mood(StrEnum):
    """How the door behaves."""

    ABSENT = "absent"
    SILENT = "silent"
    REFUSING = "refusing"
    OPEN = "open"


class Door:
    """Listens on a port of its own and hands what comes through to an address."""

    def __init__(self, target: str) -> None:
        self._host, _, port = target.rpartition(":")
        self._target_port = int(port)
        self.port = free_port()
        self.mood = Mood.ABSENT
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Host and port for clients."""
        return f"127.0.0.1:{self.port}"

    async def set(self, mood: Mood) -> None:
        """Behave so from now on; connections that stand are cut."""
        await self.close()
        self.mood = mood
        if mood is not Mood.ABSENT:
            self._server = await asyncio.start_server(self._meet, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Cut every connection and listen no more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.mood is Mood.OPEN:
                await self._through(reader, writer)
            elif self.mood is Mood.SILENT:
                await asyncio.sleep(3600)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(self._host, self._target_port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, inner_writer))
                both.create_task(_pump(inner_reader, writer))
        finally:
            inner_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@contextlib.asynccontextmanager
async def open_door(target: str) -> AsyncIterator[Door]:
    """Put a door before an address."""
    door = Door(target)
    try:
        yield door
    finally:
        await door.close()
