"""A door before a server: closed, open, open with nobody who answers, or on a slow line."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from enum import StrEnum

from sandbox.stack.ports import free_port


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
        self.delay = 0.0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()

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

    def slow_down(self, seconds: float) -> None:
        """Have everything arrive so much later, in each direction, also on connections that stand."""
        self.delay = seconds

    def stop_passing(self) -> None:
        """Hold back what comes on connections that stand, as a line does that is dead and not closed."""
        self._passing.clear()

    def go_on_passing(self) -> None:
        """Let through what was held back, and what comes."""
        self._passing.set()

    async def close(self) -> None:
        """Cut every connection and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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
            # One side that closes ends the other: a client must see at once that its server is gone.
            pumps = {
                asyncio.create_task(self._pump(reader, inner_writer)),
                asyncio.create_task(self._pump(inner_reader, writer)),
            }
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            inner_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, in its order, each piece when its time on the line is over."""
        loop = asyncio.get_running_loop()
        line: deque[tuple[float, bytes]] = deque()
        news = asyncio.Event()
        ended = False

        async def read() -> None:
            nonlocal ended
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    line.append((loop.time() + self.delay, data))
                    news.set()
            ended = True
            news.set()

        reading = asyncio.create_task(read())
        try:
            with contextlib.suppress(OSError):
                while line or not ended:
                    if not line:
                        news.clear()
                        await news.wait()
                        continue
                    due, data = line.popleft()
                    if due > loop.time():
                        await asyncio.sleep(due - loop.time())
                    await self._passing.wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            reading.cancel()


@contextlib.asynccontextmanager
async def open_door(target: str) -> AsyncIterator[Door]:
    """Put a door before an address."""
    door = Door(target)
    try:
        yield door
    finally:
        await door.close()
