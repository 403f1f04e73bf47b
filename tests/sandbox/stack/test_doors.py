"""A door passes on, slows down, holds back and cuts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.stack.doors import Door, Mood
from tests.sandbox.doors import open_before


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async with open_before(echo) as door:
        yield door


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, word: bytes) -> float:
    begun = asyncio.get_running_loop().time()
    writer.write(word)
    assert await asyncio.wait_for(reader.readexactly(len(word)), 10) == word
    return asyncio.get_running_loop().time() - begun


async def test_a_slow_line_delays_both_ways_and_keeps_the_order(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    await _ask(reader, writer, b"quick")
    door.slow_down(0.1)
    assert await _ask(reader, writer, b"slow") >= 0.2
    writer.write(b"one")
    await asyncio.sleep(0)
    writer.write(b"two")
    assert await asyncio.wait_for(reader.readexactly(6), 10) == b"onetwo"
    writer.close()


async def test_a_dead_line_holds_back_and_loses_nothing(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    await _ask(reader, writer, b"before")
    door.stop_passing()
    writer.write(b"held")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readexactly(4), 0.1)
    door.go_on_passing()
    assert await asyncio.wait_for(reader.readexactly(4), 10) == b"held"
    writer.close()


async def test_a_door_set_anew_cuts_what_stands(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    await _ask(reader, writer, b"before")
    await door.set(Mood.OPEN)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    await _ask(reader, writer, b"after")
    writer.close()
