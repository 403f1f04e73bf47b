"""The highest rate that a server keeps: rates rise until it fails, and the sides take turns step by step."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

P99_MS: Final = 250.0
FIRST_RATE: Final = 50.0
COARSE: Final = 1.3  # how much rates rise by, until a side fails for the first time
FINE: Final = 1.05  # and from the last rate kept on, which is how near the limit is known
_KEPT_UP: Final = 0.95  # of what was offered; with less done a side falls behind

Step = dict[str, Any]
Offering = Callable[[float], Awaitable[Step]]


async def climb(coarsely: Offering, finely: Offering) -> AsyncIterator[Step]:
    """Yield each step: in large ones until a rate is not kept, and in small ones from the last kept.

    The small steps may pass the rate at which a large one failed.
    """
    steps: list[Step] = []
    async for step in _rise(coarsely, FIRST_RATE, COARSE):
        steps.append(step)
        yield step
    last = highest_kept(steps)
    async for step in _rise(finely, last["offered"] * FINE if last else FIRST_RATE / COARSE, FINE):
        yield step


async def in_turn(climbs: Mapping[str, AsyncIterator[Step]]) -> dict[str, list[Step]]:
    """Take a step of each side after the other until all have failed, and return the steps of each.

    A machine shared with other work is faster for a minute and slower for the next; sides that climb one after the
    other would each meet a machine of their own.
    """
    steps: dict[str, list[Step]] = {name: [] for name in climbs}
    going = dict(climbs)
    while going:
        for name, climbing in list(going.items()):
            step = await anext(climbing, None)
            if step is None:
                del going[name]
            else:
                steps[name].append(step)
    return steps


def highest_kept(steps: list[Step]) -> Step | None:
    """Return the step with the highest rate that was kept."""
    return max((step for step in steps if _keeps(step)), key=lambda step: float(step["offered"]), default=None)


def _keeps(step: Step) -> bool:
    """Whether a side kept the rate of a step: fast enough, all of it, and nothing turned away."""
    return bool(step["p99"] <= P99_MS and step["done"] >= _KEPT_UP * step["offered"] and not step["shed"])


async def _rise(offer: Offering, rate: float, factor: float) -> AsyncIterator[Step]:
    """Raise the rate until it is not kept twice in a row, since once may be a hiccup."""
    failed = 0
    while failed < 2:
        step = await offer(rate)
        yield step
        if _keeps(step):
            rate, failed = rate * factor, 0
        else:
            failed += 1
