"""Dated versions of one thing: where a new one goes among those there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which a version holds, both included; open where it has no last day."""

    valid_from: date
    valid_to: date | None

    def covers(self, day: date) -> bool:
        """Whether the version holds on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Placement:
    """What a new version changes: its own last day, and the versions that now end the day before it begins."""

    valid_to: date | None
    closed: tuple[date, ...]


def place(existing: Iterable[Span], new: Span) -> Placement:
    """Return how a version takes its place: it ends the one before it, and a later one that is planned ends it.

    A version that begins on the same day is replaced and is neither.
    """
    spans = tuple(existing)
    closed = tuple(
        span.valid_from for span in spans if span.valid_from < new.valid_from and span.covers(new.valid_from)
    )
    later = min((span.valid_from for span in spans if span.valid_from > new.valid_from), default=None)
    if later is None or (new.valid_to is not None and new.valid_to < later):
        return Placement(new.valid_to, closed)
    return Placement(later - _ONE_DAY, closed)


def in_force(versions: Iterable[Mapping[str, Any]], day: date) -> Mapping[str, Any] | None:
    """Return the version that holds on a day, or None."""
    return next((v for v in versions if Span(v["valid_from"], v["valid_to"]).covers(day)), None)
