"""A fault is seen to take effect, and one that does nothing is seen to do nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bench.faults import effects
from bench.faults.effects import answer_seconds, is_cut, lines_off
from sandbox.stack.doors import Door, Mood
from tests.sandbox.doors import open_before

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """Return an open door before a server that answers whatever it is sent."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(100):
            writer.write(b"N")
        await reader.read()
        writer.close()

    async with open_before(answer) as opened:
        yield opened


async def test_a_door_that_is_slow_or_silent_is_seen(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "PROBE_SECONDS", 0.6)
    scene: Any = SimpleNamespace(database=door)
    quick = await answer_seconds(scene, door)
    assert quick is not None
    assert quick < 0.2
    door.slow_down(0.1)
    slow = await answer_seconds(scene, door)
    assert slow is not None
    assert slow >= 0.2
    door.slow_down(0.0)
    door.stop_passing()
    assert await answer_seconds(scene, door) is None


async def test_a_connection_that_stands_is_not_cut(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "PROBE_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    assert not await is_cut(reader)
    await door.set(Mood.OPEN)
    assert await is_cut(reader)
    writer.close()


@pytest.mark.parametrize(("off", "expected"), [(120.0, 1), (-120.0, 0), (0.0, 1)])
def test_lines_of_a_log_show_the_clock_of_their_process(off: float, expected: int) -> None:
    written = [AT + timedelta(seconds=125), AT + timedelta(seconds=5)]
    lines = "".join(f'{{"timestamp": "{each.isoformat()}"}}\n' for each in written) + "not json\n[]\n"
    assert lines_off(lines.encode(), AT, AT + timedelta(seconds=30), off) == expected
