"""Limits on how much one caller, one tenant and all callers together may ask at a time."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from api.problems import Answered
from domain.actors import PARK, Actor
from domain.errors import Refused, Unavailable

_FORGED: Final = RateLimitItemPerMinute(60)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many calls are taken: a minute for one caller and one tenant, and at once for all."""

    caller_a_minute: int
    tenant_a_minute: int
    at_once: int


class Limiter:
    """Counts calls in moving windows, in the memory of this process, and sheds what is too much at once."""

    def __init__(self, allowance: Allowance) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._caller = RateLimitItemPerMinute(allowance.caller_a_minute)
        self._tenant = RateLimitItemPerMinute(allowance.tenant_a_minute)
        self._free = allowance.at_once

    async def count(self, actor: Actor) -> None:
        """Count one call of a caller, of its employer too.

        Raises:
            Answered: `too_many_requests`, with the seconds until the next call is taken.
        """
        await self._hit(self._caller, "caller", actor.issuer, actor.subject)
        if actor.tenant != PARK:
            await self._hit(self._tenant, "tenant", actor.tenant)

    async def count_machine(self, name: str) -> None:
        """Count one call of a machine that shows a signature and no token."""
        await self._hit(self._tenant, "machine", name)

    async def count_forged(self, name: str) -> None:
        """Count one message whose signature does not hold."""
        await self._hit(_FORGED, "forged", name)

    async def _hit(self, item: RateLimitItemPerMinute, *names: str) -> None:
        if await self._windows.hit(item, *names):
            return
        window = await self._windows.get_window_stats(item, *names)
        wait = max(1, math.ceil(window.reset_time - time.time()))
        refused = Refused("too_many_requests", f"Too many calls; the next is taken in {wait} seconds.")
        raise Answered(refused, {"Retry-After": str(wait)})

    @asynccontextmanager
    async def one_at_once(self) -> AsyncIterator[None]:
        """Take one of the places for calls in progress.

        Raises:
            Unavailable: when all are taken, so that a crowd is turned away before it queues for the database.
        """
        if self._free <= 0:
            raise Unavailable("busy", retry_after=1)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
