"""Waiting for something that another process does."""

import time
from collections.abc import Callable


def until(fact: Callable[[], object], seconds: float = 20.0) -> None:
    """Return once the fact holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
