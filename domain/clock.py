"""China's offset: one constant, because none of the three places keeps summer time (domain reference, section 11)."""

from datetime import date, datetime, time, timedelta, timezone
from typing import Final, overload

CHINA: Final = timezone(timedelta(hours=8), "UTC+08:00")


def day_of(moment: datetime) -> date:
    """Return the calendar day in Asia/Shanghai on which the moment falls."""
    return moment.astimezone(CHINA).date()


def start_of(day: date) -> datetime:
    """Return 00:00 of the day in Asia/Shanghai."""
    return datetime.combine(day, time(), CHINA)


def end_of(day: date) -> datetime:
    """Return 23:59:59 of the day in Asia/Shanghai, the end of every limit counted in days."""
    return datetime.combine(day, time(23, 59, 59), CHINA)


def over_at(end: datetime) -> datetime:
    """Return the first moment at which a limit is over whose end is told so.

    A limit that is told to end at 23:59:59 ends at 24:00 of the day, exclusive (states.md, section 1); any other moment
    is over when it is there.
    """
    told = end_of(day_of(end))
    return told + timedelta(seconds=1) if end == told else end


def morning_of(day: date) -> datetime:
    """Return 09:00 of the day in Asia/Shanghai, the hour of every reminder."""
    return datetime.combine(day, time(9), CHINA)


@overload
def to_the_second(moment: datetime) -> datetime: ...
@overload
def to_the_second(moment: datetime | None) -> datetime | None: ...
def to_the_second(moment: datetime | None) -> datetime | None:
    """Return a time as it is shown: to the second, with China's offset."""
    return None if moment is None else moment.astimezone(CHINA).replace(microsecond=0)
