"""Limits on how much one caller, one tenant and all callers together may ask at a time."""

import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from api.problems import Answered
from api.shares import Places
from domain.actors import PARK, Actor
from domain.errors import Refused

_FORGED_A_MINUTE: Final = 60
_STRANGER_A_MINUTE: Final = 30
_ABOUT_ONE_A_MINUTE: Final = 3
_WINDOW_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many calls are taken: a minute for one caller and one tenant, and at once for all; how large their bodies."""

    caller_a_minute: int
    tenant_a_minute: int
    at_once: int
    body_bytes: int = 128 * 1024 * 1024


class Windows:
    """Moving windows of a minute by name: the times of the calls taken, so never more of them than are allowed."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, ...], deque[float]] = {}
        self._swept_at = 0.0

    def hit(self, names: tuple[str, ...], most: int, now: float) -> float | None:
        """Take a call and return None, or the seconds until one can be taken."""
        if now - self._swept_at >= _WINDOW_SECONDS:
            self._sweep(now)
        taken = self._taken.setdefault(names, deque())
        while taken and taken[0] <= now - _WINDOW_SECONDS:
            taken.popleft()
        if len(taken) >= most:
            return taken[0] + _WINDOW_SECONDS - now if taken else _WINDOW_SECONDS
        taken.append(now)
        return None

    def __len__(self) -> int:
        """Of how many names calls are kept."""
        return len(self._taken)

    def _sweep(self, now: float) -> None:
        """Forget the names that have not called for as long as a window."""
        self._swept_at = now
        self._taken = {
            names: taken for names, taken in self._taken.items() if taken and taken[-1] > now - _WINDOW_SECONDS
        }


class Limiter:
    """Counts calls in moving windows, in the memory of this process, and has the places for those in progress."""

    def __init__(self, allowance: Allowance) -> None:
        self._windows = Windows()
        self._allowance = allowance
        self.places = Places(allowance.at_once, allowance.body_bytes)

    async def count(self, actor: Actor) -> None:
        """Count one call of a caller, of its employer too.

        Raises:
            Answered: `too_many_requests`, with the seconds until the next call is taken.
        """
        self._hit(self._allowance.caller_a_minute, "caller", actor.issuer, actor.subject)
        if actor.organisation != PARK:
            self._hit(self._allowance.tenant_a_minute, "tenant", actor.organisation)

    async def count_question(self, actor: Actor, what: str, a_minute: int) -> None:
        """Count one question of a caller that is of no case, beside the call itself.

        Raises:
            Answered: `too_many_requests`.
        """
        self._hit(a_minute, "question", what, actor.issuer, actor.subject)

    async def count_machine(self, name: str) -> None:
        """Count one call of a machine that shows a signature and no token."""
        self._hit(self._allowance.tenant_a_minute, "machine", name)

    async def count_forged(self, name: str) -> None:
        """Count one message whose signature does not hold."""
        self._hit(_FORGED_A_MINUTE, "forged", name)

    async def count_stranger(self, client: str, what: str, *about: str) -> None:
        """Count one call of somebody who shows nothing, by network address and, from there, by what the call is about.

        What it is about is one thing, however many names it has, so that nobody uses up the calls of another.
        """
        self._hit(_STRANGER_A_MINUTE, "stranger", what, client)
        if about:
            self._hit(_ABOUT_ONE_A_MINUTE, "about", what, client, *about)

    def _hit(self, most: int, *names: str) -> None:
        wait = self._windows.hit(names, most, time.monotonic())
        if wait is not None:
            seconds = max(1, math.ceil(wait))
            refused = Refused("too_many_requests", f"Too many calls; the next is taken in {seconds} seconds.")
            raise Answered(refused, {"Retry-After": str(seconds)})
