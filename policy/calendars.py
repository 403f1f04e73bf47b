"""The mainland's working calendar, read once from the published data of chinesecalendar."""

from calendar import isleap
from datetime import date, timedelta
from typing import Final

from chinese_calendar import is_workday

from domain.working_days import LATE_DECEMBER, WorkingCalendar

FIRST_YEAR: Final = 2024  # no limit of this engine is older


def mainland_calendar(first_year: int = FIRST_YEAR) -> WorkingCalendar:
    """Return the calendar of every year that the library knows; what it does not know stays provisional."""
    days: dict[date, bool] = {}
    year = first_year
    while (published := published_year(year)) is not None:
        days.update(published)
        year += 1
    return WorkingCalendar(days)


def published_year(year: int) -> dict[date, bool] | None:
    """Return whether each day of a year is worked, or None where no notice is out: the library then raises.

    The end of the December before is of the same notice.
    """
    first, days = date(year, 1, 1), 366 if isleap(year) else 365
    if year > FIRST_YEAR:
        first, days = date(year - 1, 12, LATE_DECEMBER), days + 32 - LATE_DECEMBER
    try:
        return {day: bool(is_workday(day)) for day in (first + timedelta(days=k) for k in range(days))}
    except NotImplementedError:
        return None
