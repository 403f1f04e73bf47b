"""A year of the mainland's working calendar as a notice publishes it."""

from calendar import isleap
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.bodies import Body
from domain.fields import FIRST_YEAR, LAST_YEAR, Day, Line, refusal

_SATURDAY = 5
_MONTH = timedelta(days=31)


class DayKind(StrEnum):
    """What a day is by the calendar: an ordinary one, or one that the notice moved."""

    WORKING_DAY = "working_day"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP_DAY = "make_up_day"


class CalendarFile(Body):
    """The file that `hetao calendar load YEAR --file` reads: the weekdays off and the weekend days worked of a notice.

    A notice is about a year and may move days of the month before it and of the month after it.
    """

    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR, strict=True)]
    source: Line
    days_off: tuple[Day, ...]
    workdays: tuple[Day, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        named = (*self.days_off, *self.workdays)
        first, last = date(self.year, 1, 1), date(self.year, 12, 31)
        if any(not first - _MONTH <= day <= last + _MONTH for day in named):
            raise refusal("impossible_date", "A day lies outside the year and the months next to it.")
        if len(set(named)) != len(named):
            raise refusal("unknown_value", "Name each day once.")
        return self

    def days(self) -> dict[date, bool]:
        """Return whether each day of the year is worked, and each day beside it that the notice moves."""
        moved = dict.fromkeys(self.days_off, False) | dict.fromkeys(self.workdays, True)
        first = date(self.year, 1, 1)
        days = (first + timedelta(days=k) for k in range(366 if isleap(self.year) else 365))
        return {day: day.weekday() < _SATURDAY for day in days} | moved


def day_kind(day: date, *, worked: bool) -> DayKind:
    """Return what a day is, given whether it is worked."""
    if day.weekday() < _SATURDAY:
        return DayKind.WORKING_DAY if worked else DayKind.HOLIDAY
    return DayKind.MAKE_UP_DAY if worked else DayKind.WEEKEND
