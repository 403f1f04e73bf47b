"""When a delivery is tried again, and in which hours no SMS goes out."""

from datetime import datetime, time, timedelta
from typing import Final

from domain.clock import CHINA

# From seconds, for a relay that restarts, to an hour, so that a receiver back after days waits no longer than that.
WAITS: Final = (
    timedelta(seconds=2),
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
)
MOST_SPREAD: Final = 0.2


def next_attempt(
    at: datetime, attempts: int, give_up_at: datetime, *, spread: float, retry_after: float | None = None
) -> datetime | None:
    """Return when to try again after so many attempts, or None when there is nothing left but to give up.

    The last attempt is made at the end of the time allowed, unless the other side asked to be left alone beyond it.

    Args:
        at: the time of the attempt that did not succeed.
        attempts: how many were made, this one included.
        give_up_at: the end of the time allowed.
        spread: a number from 0 to 1 that is the delivery's own, so that those that failed together do not return so.
        retry_after: the seconds that the other side asked for.
    """
    asked = timedelta(seconds=retry_after or 0)
    if at >= give_up_at or at + asked > give_up_at:
        return None
    wait = WAITS[min(max(attempts, 1), len(WAITS)) - 1]
    return min(at + max(asked, wait * (1 + MOST_SPREAD * spread)), give_up_at)


def is_quiet(at: datetime, quiet_from: time, quiet_until: time) -> bool:
    """Whether the moment lies in the quiet hours of China's clock, which may pass midnight."""
    hour = at.astimezone(CHINA).time()
    if quiet_from <= quiet_until:
        return quiet_from <= hour < quiet_until
    return hour >= quiet_from or hour < quiet_until
