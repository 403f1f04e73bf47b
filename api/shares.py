"""Places of calls in progress and memory for their bodies: whoever holds much of it leaves some to the others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from domain.errors import Unavailable

# How many times what is free one of them may hold. An address stands for all behind its line and alone has half of the
# places at most; a caller stands for itself and has a third. The fuller it is, the less anybody may have.
_ADDRESS_TIMES: Final = 1.0
_CALLER_TIMES: Final = 0.5
_MEMORY_TIMES: Final = 1.0
_BUSY_SECONDS: Final = 1
# The server keeps as much of every body before anybody reads it; the number of connections bounds it.
_UNCOUNTED: Final = 64 * 1024


class Stock:
    """So much of a thing, and how much of it each name holds."""

    def __init__(self, most: int) -> None:
        self.free = most
        self.held: Counter[str] = Counter()

    def need(self, name: str, amount: int, times: float) -> None:
        """Refuse a name that would hold more than so many times what is free.

        Raises:
            Unavailable: when so much is not free, or the name's share of it is used up.
        """
        if amount > self.free or self.held[name] + amount > max(1, times * self.free):
            raise Unavailable("busy", retry_after=_BUSY_SECONDS)

    def move(self, amount: int, *names: str) -> None:
        """Hand so much to each of the names; a negative amount is given back."""
        self.free -= amount
        for name in names:
            self.held[name] += amount
            if not self.held[name]:
                del self.held[name]


@dataclass(slots=True)
class Place:
    """The place of one call: left while its body is on the way, and for good once its answer begins."""

    _places: Stock
    _memory: Stock
    _address: str
    _caller: str | None = None
    _is_taken: bool = False
    _kept: int = 0

    def take(self) -> None:
        """Take a place of those that are free.

        Raises:
            Unavailable: when all are taken, or too many by this address or this caller, so that a crowd is turned away
                before it queues for the database.
        """
        self._places.need(self._address, 1, _ADDRESS_TIMES)
        if self._caller is not None:
            self._places.need(self._caller, 1, _CALLER_TIMES)
        self._places.move(1, *self._names())
        self._is_taken = True

    def leave(self) -> None:
        """Leave the place to others; without effect where none is held."""
        if self._is_taken:
            self._is_taken = False
            self._places.move(-1, *self._names())

    def belong_to(self, issuer: str, subject: str) -> None:
        """Say whose call it is, now that it is known.

        Raises:
            Unavailable: when this caller has as many places as it may have.
        """
        self.leave()
        self._caller = f"caller {issuer} {subject}"
        self.take()

    def keep(self, size: int) -> None:
        """Keep so much of the call's body until the call ends.

        Raises:
            Unavailable: when there is no more memory for bodies, or too much of it is this address's.
        """
        more = size - _UNCOUNTED - self._kept
        if more > 0:
            self._memory.need(self._address, more, _MEMORY_TIMES)
            self._memory.move(more, self._address)
            self._kept += more

    def end(self) -> None:
        """Give back all that the call still holds."""
        self.leave()
        self._memory.move(-self._kept, self._address)
        self._kept = 0

    def _names(self) -> tuple[str, ...]:
        return (self._address,) if self._caller is None else (self._address, self._caller)


class Places:
    """The places of all calls in progress, and the memory for their bodies."""

    def __init__(self, most: int, body_bytes: int) -> None:
        self._places = Stock(most)
        self._memory = Stock(body_bytes)

    def place_of(self, client: str) -> Place:
        """Return the place of a call that comes from a network address, not taken yet."""
        return Place(self._places, self._memory, f"address {client}")

    @contextmanager
    def place_for(self, client: str) -> Iterator[Place]:
        """Give a call that comes from a network address a place until it ends.

        Raises:
            Unavailable: as `Place.take` says.
        """
        place = self.place_of(client)
        place.take()
        try:
            yield place
        finally:
            place.end()
