"""When a delivery is tried again, and the hours without SMS."""

from datetime import datetime, time, timedelta

import pytest

from domain.clock import CHINA
from domain.retries import WAITS, is_quiet, next_attempt

NOON = datetime(2026, 3, 2, 12, tzinfo=CHINA)
END = NOON + timedelta(days=3)


@pytest.mark.parametrize(
    ("attempts", "wait"), [(0, WAITS[0]), (1, WAITS[0]), (3, WAITS[2]), (7, WAITS[6]), (99, WAITS[6])]
)
def test_waits_grow_to_an_hour(attempts: int, wait: timedelta) -> None:
    assert next_attempt(NOON, attempts, END, spread=0) == NOON + wait


def test_those_that_failed_together_come_back_apart() -> None:
    first, second = (next_attempt(NOON, 7, END, spread=spread) for spread in (0.0, 1.0))
    assert first is not None
    assert second == first + WAITS[-1] * 0.2


def test_the_other_side_is_left_alone_as_long_as_it_asks() -> None:
    assert next_attempt(NOON, 1, END, spread=0, retry_after=3600) == NOON + timedelta(hours=1)
    assert next_attempt(NOON, 7, END, spread=0, retry_after=1) == NOON + WAITS[-1]


def test_the_last_attempt_is_at_the_end_of_the_time_allowed() -> None:
    before = END - timedelta(minutes=1)
    assert next_attempt(before, 7, END, spread=0) == END
    assert next_attempt(END, 8, END, spread=0) is None
    assert next_attempt(before, 7, END, spread=0, retry_after=61) is None


@pytest.mark.parametrize(
    ("hour", "quiet"),
    [(time(20, 59, 59), False), (time(21), True), (time(0), True), (time(7, 59, 59), True), (time(8), False)],
)
def test_quiet_hours_pass_midnight(hour: time, quiet: bool) -> None:
    assert is_quiet(datetime.combine(NOON, hour, CHINA), time(21), time(8)) is quiet


def test_quiet_hours_within_a_day() -> None:
    assert is_quiet(NOON, time(12), time(14))
    assert not is_quiet(NOON, time(13), time(14))
