"""The pace of work that nobody waits for."""

import asyncio

import pytest

from cases.shared import pace


async def test_rests_as_long_as_was_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(loop, "time", lambda: 103.0)
    await pace.rest(100.0)
    monkeypatch.undo()
    assert rests == [3.0]
