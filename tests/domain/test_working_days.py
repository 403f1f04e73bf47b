"""The day count of states.md, section 1, and the vectors of the domain reference, section 11."""

from datetime import date, datetime, timedelta

import chinese_calendar
import pytest

from domain.clock import CHINA
from domain.working_days import ParkClock, WorkingCalendar, calendar_days_before, reminder_days
from policy.calendars import mainland_calendar, published_year

CALENDAR = mainland_calendar()


def end(text: str) -> datetime:
    """Return 23:59:59 of a day in China."""
    return datetime.fromisoformat(f"{text}T23:59:59+08:00")


@pytest.mark.parametrize(
    ("day0", "n", "ends"),
    [
        (date(2026, 2, 10), 5, "2026-02-24"),
        (date(2026, 2, 15), 5, "2026-02-28"),
        (date(2026, 2, 12), 15, "2026-03-11"),
        (date(2026, 2, 12), 5, "2026-02-26"),
        (date(2026, 2, 12), 7, "2026-02-28"),
        (date(2026, 4, 30), 7, "2026-05-13"),
        (date(2026, 2, 14), 1, "2026-02-24"),  # the last workday before Spring Festival, a Saturday
        (date(2026, 2, 27), 1, "2026-02-28"),  # a make-up Saturday
        (date(2025, 1, 27), 1, "2025-02-05"),
        (date(2026, 1, 3), 1, "2026-01-04"),  # a Sunday that is worked
    ],
)
def test_a_limit_ends_at_the_end_of_its_last_working_day(day0: date, n: int, ends: str) -> None:
    deadline = CALENDAR.deadline(day0, n)
    assert (deadline.at, deadline.provisional) == (end(ends), False)
    assert deadline.calendar_version == CALENDAR.version


def test_a_limit_that_reaches_into_an_unpublished_year_is_provisional() -> None:
    deadline = CALENDAR.deadline(date(2026, 12, 25), 7)
    assert (deadline.at, deadline.provisional) == (end("2027-01-05"), True)


@pytest.mark.parametrize(
    ("day0", "n", "ends", "provisional"),
    [
        (date(2026, 12, 14), 4, "2026-12-18", False),
        (date(2026, 12, 17), 2, "2026-12-21", True),  # the notice of 2027 may move the end of December
        (date(2026, 12, 25), 4, "2026-12-31", True),
        (date(2025, 12, 25), 4, "2025-12-31", False),
    ],
)
def test_the_end_of_december_is_provisional_until_the_next_years_notice(
    day0: date, n: int, ends: str, provisional: bool
) -> None:
    deadline = CALENDAR.deadline(day0, n)
    assert (deadline.at, deadline.provisional) == (end(ends), provisional)


def test_a_day_that_a_neighbours_notice_moves_makes_no_year_of_it() -> None:
    calendar = CALENDAR.with_days({date(2027, 1, 2): True})
    assert (calendar.last_year, calendar.is_published(date(2026, 12, 31))) == (2026, False)


def test_a_loaded_year_moves_a_provisional_deadline_and_makes_it_firm() -> None:
    year = {
        date(2027, 1, 1) + timedelta(days=k): (date(2027, 1, 1) + timedelta(days=k)).weekday() < 5 for k in range(365)
    }
    loaded = CALENDAR.with_days({**year, date(2027, 1, 1): False})
    deadline = loaded.deadline(date(2026, 12, 25), 7)
    assert (deadline.at, deadline.provisional) == (end("2027-01-06"), False)
    assert loaded.version != CALENDAR.version
    assert loaded.last_year == 2027


def test_the_library_raises_for_a_year_without_notice_and_the_calendar_does_not() -> None:
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(date(2027, 1, 4))
    assert published_year(2027) is None
    assert CALENDAR.last_year == 2026
    assert CALENDAR.is_working_day(date(2027, 1, 4))
    assert not CALENDAR.is_working_day(date(2027, 1, 2))
    assert not CALENDAR.is_published(date(2027, 1, 4))


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_year_has_248_working_days(year: int) -> None:
    assert CALENDAR.working_days_between(date(year - 1, 12, 31), date(year, 12, 31)) == 248


@pytest.mark.parametrize("day", [date(2026, 2, 14), date(2026, 2, 28), date(2026, 1, 4), date(2026, 9, 20)])
def test_make_up_days_at_the_weekend_are_worked(day: date) -> None:
    assert CALENDAR.is_working_day(day)


def test_the_week_of_spring_festival_is_not_worked() -> None:
    assert not any(CALENDAR.is_working_day(date(2026, 2, 15) + timedelta(days=k)) for k in range(9))
    assert CALENDAR.working_days_between(date(2026, 2, 14), date(2026, 2, 23)) == 0
    assert CALENDAR.working_days_between(date(2026, 2, 24), date(2026, 2, 10)) == 0


def test_the_version_names_the_content() -> None:
    assert mainland_calendar().version == CALENDAR.version
    assert CALENDAR.version.startswith("cn-2026-")
    assert CALENDAR.with_days({date(2026, 2, 14): False}).version != CALENDAR.version
    assert WorkingCalendar({}).version.startswith("cn-0-")
    assert WorkingCalendar({}).deadline(date(2026, 2, 13), 1).provisional


def test_a_day_number_below_one_is_no_working_day() -> None:
    with pytest.raises(ValueError, match="from 1"):
        CALENDAR.working_day(date(2026, 2, 10), 0)


def test_the_clock_keeps_the_days_used_and_does_not_count_the_day_of_correction() -> None:
    clock = ParkClock.start(5, date(2026, 2, 10))
    first = clock.deadline(CALENDAR)
    assert first is not None
    assert first.at == end("2026-02-24")
    stopped = clock.stop(date(2026, 2, 12), CALENDAR)
    assert (stopped.used, stopped.is_running, stopped.deadline(CALENDAR)) == (2, False, None)
    resumed = stopped.resume(date(2026, 2, 25))
    again = resumed.deadline(CALENDAR)
    assert again is not None
    assert again.at == end("2026-02-28")
    assert resumed.days_used(date(2026, 2, 26), CALENDAR) == 3


def test_at_least_one_day_is_left_after_a_correction() -> None:
    clock = ParkClock.start(5, date(2026, 3, 2)).stop(date(2026, 3, 20), CALENDAR).resume(date(2026, 3, 23))
    deadline = clock.deadline(CALENDAR)
    assert clock.used > 5
    assert clock.left == 1
    assert deadline is not None
    assert deadline.at == end("2026-03-24")


def test_stopping_twice_and_resuming_twice_change_nothing() -> None:
    stopped = ParkClock.start(5, date(2026, 3, 2)).stop(date(2026, 3, 4), CALENDAR)
    assert stopped.stop(date(2026, 3, 20), CALENDAR) == stopped
    running = stopped.resume(date(2026, 3, 5))
    assert running.resume(date(2026, 3, 9)) == running


def test_a_return_on_the_day_of_acceptance_uses_nothing() -> None:
    assert ParkClock.start(5, date(2026, 3, 2)).stop(date(2026, 3, 2), CALENDAR).used == 0


@pytest.mark.parametrize(
    ("n", "days"), [(1, (1,)), (2, (1, 2)), (3, (2, 3)), (5, (3, 4)), (10, (5, 8)), (15, (8, 12)), (20, (10, 16))]
)
def test_reminders_fall_at_half_and_four_fifths(n: int, days: tuple[int, ...]) -> None:
    assert reminder_days(n) == days


def test_reminders_come_at_nine_in_the_morning() -> None:
    assert CALENDAR.reminders(date(2026, 2, 10), 5) == (
        datetime(2026, 2, 13, 9, tzinfo=CHINA),
        datetime(2026, 2, 14, 9, tzinfo=CHINA),
    )


def test_a_resumed_clock_reminds_only_of_what_is_ahead() -> None:
    clock = ParkClock.start(5, date(2026, 3, 2)).stop(date(2026, 3, 5), CALENDAR)
    assert clock.reminders(CALENDAR) == ()
    assert clock.resume(date(2026, 3, 9)).reminders(CALENDAR) == (datetime(2026, 3, 10, 9, tzinfo=CHINA),)


def test_the_employer_is_reminded_with_so_many_days_left() -> None:
    assert CALENDAR.reminders_before_end(date(2026, 2, 12), 15, (7, 3, 1)) == (
        datetime(2026, 3, 2, 9, tzinfo=CHINA),
        datetime(2026, 3, 6, 9, tzinfo=CHINA),
        datetime(2026, 3, 10, 9, tzinfo=CHINA),
    )
    assert CALENDAR.reminders_before_end(date(2026, 3, 2), 2, (7, 3, 1)) == (datetime(2026, 3, 3, 9, tzinfo=CHINA),)


def test_the_end_of_days_over_the_limit_is_counted_from_the_same_day() -> None:
    clock = ParkClock.start(5, date(2026, 2, 10))
    assert clock.escalates_after(CALENDAR, 1) == end("2026-02-25")
    assert clock.stop(date(2026, 2, 11), CALENDAR).escalates_after(CALENDAR, 1) is None


def test_calendar_days_are_counted_back_from_the_end() -> None:
    assert calendar_days_before(date(2026, 12, 31), (30, 90, 60)) == (
        date(2026, 10, 2),
        date(2026, 11, 1),
        date(2026, 12, 1),
    )
