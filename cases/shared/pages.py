"""Pages of a list: one row more is read than is shown, so that it is known whether there is another page."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

_Row = TypeVar("_Row")
_Place = TypeVar("_Place")

# Where a list by time goes on: after the row of this time and id.
Position = tuple[datetime, str]


def cut(rows: Sequence[_Row], limit: int, place: Callable[[_Row], _Place]) -> tuple[Sequence[_Row], _Place | None]:
    """Return the rows of a page, and where the next one goes on, or None where there is none.

    Args:
        rows: those found, of which one more was asked for than the page has.
        limit: how many the page has at most.
        place: where a row stands in the order of the list.
    """
    page = rows[:limit]
    return page, place(page[-1]) if len(rows) > limit else None
