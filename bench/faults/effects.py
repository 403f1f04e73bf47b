"""Whether a fault took effect, seen from beside the product: a probe through a door, a timed write, a log's clock."""

import asyncio
import json
import time
from contextlib import suppress
from datetime import datetime
from typing import Final

from bench.faults.scene import Scene
from sandbox.stack.doors import Door

# What each server answers at once: PostgreSQL a request for TLS, Temporal the beginning of HTTP/2.
_HELLO_POSTGRES: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_HELLO_HTTP2: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
PROBE_SECONDS: Final = 1.5
_WRITES: Final = 8
_WRITE: Final = "SELECT pg_logical_emit_message(true, 'faults', 'x');\n"
# Lines of a log are written a moment after their time was taken.
_LATE_SECONDS: Final = 5.0


async def answer_seconds(scene: Scene, door: Door) -> float | None:
    """Return how long the first word of a server takes through a door; None where it does not come in time."""
    hello = _HELLO_POSTGRES if door is scene.database else _HELLO_HTTP2
    begun = time.monotonic()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            try:
                writer.write(hello)
                if await reader.read(1):
                    return time.monotonic() - begun
            finally:
                writer.close()
    return None


async def is_cut(reader: asyncio.StreamReader) -> bool:
    """Whether a connection that stood has been cut."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PROBE_SECONDS):
            try:
                return not await reader.read(1)
            except OSError:
                return True
    return False


async def write_seconds(scene: Scene) -> float:
    """Return how long eight small commits take, one after the other."""
    begun = time.monotonic()
    await asyncio.to_thread(scene.postgres.run_sql, _WRITE * _WRITES)
    return time.monotonic() - begun


def lines_off(lines: bytes, begun: datetime, ended: datetime, seconds: float) -> int:
    """Count the lines of a log whose time is off by so many seconds from the time in which they were written."""
    found = 0
    for line in lines.splitlines():
        with suppress(ValueError, KeyError, TypeError):
            said = datetime.fromisoformat(json.loads(line)["timestamp"])
            found += (said - begun).total_seconds() - seconds >= -_LATE_SECONDS and (
                (said - ended).total_seconds() - seconds <= _LATE_SECONDS
            )
    return found


def shown(seconds: float | None) -> str:
    """Return how long an answer took, in words."""
    return f"none in {PROBE_SECONDS:g} s" if seconds is None else f"{seconds * 1000:.0f} ms"
