"""The climb to the highest rate that a side keeps: how it rises, when it ends, and whose turn it is."""

from collections.abc import AsyncIterator

import pytest

from bench.load.climb import COARSE, FIRST_RATE, P99_MS, Offering, Step, climb, highest_kept, in_turn

_QUICK, _SLOW = P99_MS / 2, P99_MS * 2


def a_side(limit: float, heard: list[tuple[str, float]], name: str = "") -> Offering:
    """Return a side that keeps rates up to a limit, and notes what it was offered."""

    async def offer(rate: float) -> Step:
        heard.append((name, rate))
        return {"offered": rate, "done": rate, "p99": _QUICK if rate <= limit else _SLOW, "shed": 0}

    return offer


async def _all(climbing: AsyncIterator[Step]) -> list[Step]:
    return [step async for step in climbing]


async def test_a_limit_is_found_to_a_twentieth() -> None:
    """Large steps find where to look, small ones the limit."""
    side = a_side(137.0, [])

    last = highest_kept(await _all(climb(side, side)))

    assert last is not None
    assert 137.0 / 1.05 < last["offered"] <= 137.0


async def test_small_steps_pass_a_rate_that_failed_in_large_ones() -> None:
    """A hiccup of two large steps is not the limit."""
    heard: list[tuple[str, float]] = []

    last = highest_kept(await _all(climb(a_side(FIRST_RATE, heard), a_side(100.0, heard))))

    assert last is not None
    assert last["offered"] > FIRST_RATE * COARSE


async def test_a_step_that_fails_is_tried_once_more() -> None:
    """One failure may be a hiccup, two in a row are the end."""
    heard: list[tuple[str, float]] = []

    await _all(climb(a_side(FIRST_RATE, heard), a_side(FIRST_RATE, [])))

    assert [rate for _, rate in heard] == [FIRST_RATE, FIRST_RATE * COARSE, FIRST_RATE * COARSE]


async def test_a_side_that_keeps_no_rate_has_no_highest() -> None:
    """Nothing is made up for a side that fails from the first step on."""
    side = a_side(0.0, [])

    assert highest_kept(await _all(climb(side, side))) is None


@pytest.mark.parametrize(
    ("seen", "keeps"),
    [
        ({}, True),
        ({"p99": P99_MS + 1}, False),
        ({"done": 90.0}, False),
        ({"shed": 1}, False),
    ],
)
def test_a_rate_is_kept_only_in_time_in_full_and_with_nothing_turned_away(seen: Step, *, keeps: bool) -> None:
    """Each of the three conditions counts by itself."""
    step = {"offered": 100.0, "done": 99.0, "p99": _QUICK, "shed": 0} | seen

    assert (highest_kept([step]) is step) is keeps


async def test_sides_take_a_step_each_and_the_last_goes_on_alone() -> None:
    """Both meet the machine as it is in that minute."""
    heard: list[tuple[str, float]] = []
    sides = {name: a_side(limit, heard, name) for name, limit in (("ours", 60.0), ("bare", 300.0))}

    steps = await in_turn({name: climb(side, side) for name, side in sides.items()})

    together = 2 * len(steps["ours"])
    assert [name for name, _ in heard[:together]] == ["ours", "bare"] * len(steps["ours"])
    assert {name for name, _ in heard[together:]} == {"bare"}
    last = highest_kept(steps["bare"])
    assert last is not None
    assert 300.0 / 1.05 < last["offered"] <= 300.0
