"""Working days of the mainland, the limits counted in them, and the park's clock that stops (states.md, section 1)."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from types import MappingProxyType
from typing import Final

from domain.clock import end_of, morning_of

ONE_DAY: Final = timedelta(days=1)
REMINDER_SHARES: Final = (0.5, 0.8)  # states.md, section 6: reminders to staff
# From this day on a December rests on the next year's notice as well: it moves days around New Year.
LATE_DECEMBER: Final = 21
# Far from both ends of its year, so that no other year's notice names it.
_IN_EVERY_NOTICE: Final = (7, 1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a limit, whether it leans on a year without a published calendar, and the calendar's version."""

    at: datetime
    provisional: bool
    calendar_version: str


@dataclass(frozen=True, eq=False)
class WorkingCalendar:
    """Which days are worked: as published, and Monday to Friday, provisionally, where nothing is published yet.

    The end of December is provisional, as the year's own notice has it, until the next year's notice is there.

    Limits are counted once for each calendar, since the cases of a day all ask for the same ones.
    """

    days: Mapping[date, bool]
    version: str = field(init=False)
    last_year: int = field(init=False)

    def __post_init__(self) -> None:
        """Freeze the table and name it by its last year and its content."""
        days = dict(sorted(self.days.items()))
        content = "".join(f"{day:%Y%m%d}{int(worked)}" for day, worked in days.items())
        object.__setattr__(self, "days", MappingProxyType(days))
        last_year = max(self.years(), default=0)
        object.__setattr__(self, "last_year", last_year)
        object.__setattr__(self, "version", f"cn-{last_year}-{sha256(content.encode()).hexdigest()[:12]}")

    def with_days(self, days: Mapping[date, bool]) -> "WorkingCalendar":
        """Return the calendar with further days, which stand in place of those it had."""
        return WorkingCalendar({**self.days, **days})

    def years(self) -> frozenset[int]:
        """Return the years of which the notice is there, and not only days that a neighbour's moves."""
        return frozenset(day.year for day in self.days if (day.month, day.day) == _IN_EVERY_NOTICE)

    def is_published(self, day: date) -> bool:
        """Whether every notice that covers the day is there."""
        if day not in self.days:
            return False
        return not is_late_december(day) or date(day.year + 1, *_IN_EVERY_NOTICE) in self.days

    def is_working_day(self, day: date) -> bool:
        """Whether the day is worked; a day that no notice covers is one from Monday to Friday."""
        published = self.days.get(day)
        return day.weekday() < 5 if published is None else published

    def following(self, day0: date) -> Iterator[date]:
        """Yield the working days after a day, without end."""
        day = day0
        while True:
            day += ONE_DAY
            if self.is_working_day(day):
                yield day

    def working_day(self, day0: date, n: int) -> date:
        """Return the n-th working day after a day, which itself is day 0 whether worked or not."""
        if n < 1:
            raise ValueError("A working day is counted from 1.")
        return _working_day(self, day0, n)

    def working_days_between(self, after: date, until: date) -> int:
        """Count the working days after the first day up to and with the second; 0 where it is not later."""
        return sum(self.is_working_day(after + timedelta(days=k)) for k in range(1, (until - after).days + 1))

    def deadline(self, day0: date, n: int) -> Deadline:
        """Return the end of a limit of n working days from the day of the act."""
        return _deadline(self, day0, n)

    def mornings(self, day0: date, numbers: Iterable[int]) -> tuple[datetime, ...]:
        """Return 09:00 of the named working days after a day, each once, in order; numbers below 1 are left out."""
        return tuple(morning_of(self.working_day(day0, k)) for k in sorted(set(numbers)) if k >= 1)

    def reminders(self, day0: date, n: int) -> tuple[datetime, ...]:
        """Return the times at which staff is reminded of a limit: half and four fifths, equal days once."""
        return self.mornings(day0, reminder_days(n))

    def reminders_before_end(self, day0: date, n: int, left: Iterable[int]) -> tuple[datetime, ...]:
        """Return the times at which so many working days of a limit are left."""
        return self.mornings(day0, (n - days for days in left if days < n))


def is_late_december(day: date) -> bool:
    """Whether the notice of the next year may move the day."""
    return day.month == 12 and day.day >= LATE_DECEMBER


@lru_cache(maxsize=4096)
def _working_day(calendar: WorkingCalendar, day0: date, n: int) -> date:
    return next(islice(calendar.following(day0), n - 1, None))


@lru_cache(maxsize=4096)
def _deadline(calendar: WorkingCalendar, day0: date, n: int) -> Deadline:
    last = calendar.working_day(day0, n)
    estimated = any(not calendar.is_published(day0 + timedelta(days=k)) for k in range(1, (last - day0).days + 1))
    return Deadline(at=end_of(last), provisional=estimated, calendar_version=calendar.version)


def reminder_days(n: int) -> tuple[int, ...]:
    """Return the day numbers of the reminders of a limit: ceil(n x 0.5) and ceil(n x 0.8), equal ones once."""
    # Rounded first: 5 x 0.8 must not become 4.000000000000001 and then 5.
    return tuple(sorted({math.ceil(round(n * share, 6)) for share in REMINDER_SHARES}))


def calendar_days_before(day: date, numbers: Iterable[int]) -> tuple[date, ...]:
    """Return the days so many calendar days before a day, earliest first."""
    return tuple(day - timedelta(days=k) for k in sorted(set(numbers), reverse=True))


@dataclass(frozen=True, slots=True)
class ParkClock:
    """The park's clock: its limit, the working days used before it last started, and the day 0 it runs from."""

    limit: int
    used: int
    since: date | None

    @classmethod
    def start(cls, limit: int, day0: date) -> "ParkClock":
        """Return a clock that runs from the day of acceptance."""
        return cls(limit=limit, used=0, since=day0)

    @property
    def is_running(self) -> bool:
        """Whether the clock runs; it stands while the employer corrects."""
        return self.since is not None

    @property
    def left(self) -> int:
        """The working days left when the clock last started: at least one."""
        return max(1, self.limit - self.used)

    def days_used(self, on: date, calendar: WorkingCalendar) -> int:
        """Return the working days used up to and with a day."""
        return self.used if self.since is None else self.used + calendar.working_days_between(self.since, on)

    def stop(self, on: date, calendar: WorkingCalendar) -> "ParkClock":
        """Return the clock stopped by a return, the day of which counts as used; a stopped clock stays as it is."""
        return ParkClock(limit=self.limit, used=self.days_used(on, calendar), since=None)

    def resume(self, on: date) -> "ParkClock":
        """Return the clock going on after a correction, the day of which is not counted; a running one stays."""
        return self if self.is_running else ParkClock(limit=self.limit, used=self.used, since=on)

    def deadline(self, calendar: WorkingCalendar) -> Deadline | None:
        """Return when the limit ends, or None while the clock stands."""
        return None if self.since is None else calendar.deadline(self.since, self.left)

    def reminders(self, calendar: WorkingCalendar) -> tuple[datetime, ...]:
        """Return the reminders still ahead of the day the clock last started; none while it stands."""
        if self.since is None:
            return ()
        return calendar.mornings(self.since, (day - self.used for day in reminder_days(self.limit)))

    def escalates_after(self, calendar: WorkingCalendar, over: int) -> datetime | None:
        """Return the end of so many working days past the limit, or None while the clock stands."""
        return None if self.since is None else calendar.deadline(self.since, self.left + over).at
