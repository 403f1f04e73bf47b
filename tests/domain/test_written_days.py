"""Days as people write them: one reading or none."""

from datetime import date

import pytest

from domain.sheets import moment_of_serial
from domain.written_days import FORMS, numbered_day, written_day

FIRST_OF_MARCH = date(2026, 3, 1)


@pytest.mark.parametrize(
    "text",
    [
        *FORMS, "2026-3-1", "2026/03/01", "2026.03.01", " 2026-03-01 ", "２０２６／３／１", "2026 年 3 月 1 日",
        "2026年03月01号",
        "2026年3月1號",
        "2026年3月1日（星期日）",
        "2026-03-01 00:00:00", "2026-03-01T00:00:00", "2026/3/1 0:00", "1 Mar 2026", "01 March, 2026",
        "March 1, 2026", "Mar. 1 2026", "Sunday, 1 March 2026",
    ],
)  # fmt: skip
def test_a_form_that_has_one_reading_is_taken(text: str) -> None:
    assert written_day(text) == FIRST_OF_MARCH


@pytest.mark.parametrize(
    "text",
    [
        "", "3/1/2026", "1/3/2026", "01-03-2026", "1.3.2026", "26/3/1", "3/1/26", "26-03-01", "2026-03", "2026年3月",
        "2026",
        "46082", "2026-03-01 08:00", "2026/3-1", "1 Foo 2026", "1 Marches 2026", "次年三月", "2026年3月1日止",
        "20260301 1",
        "٢٠٢٦-٠٣-٠١", "2026-03-01; 2027-03-01", "Ma 1 2026",
    ],
)  # fmt: skip
def test_what_has_no_one_reading_is_not_guessed(text: str) -> None:
    assert written_day(text) is None


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026/13/1", "2026年2月29日", "20261301", "31 April 2026", "0000-01-01"]
)
def test_a_day_that_there_is_not_is_told_from_a_form_that_is_not_taken(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        written_day(text)


@pytest.mark.parametrize(
    ("digits", "is_1904", "day"),
    [
        ("46082", False, FIRST_OF_MARCH), ("44620", True, FIRST_OF_MARCH), ("20260301", False, FIRST_OF_MARCH),
        ("29221", False, date(1980, 1, 1)), ("109574", False, date(2199, 12, 31)), ("2026", False, None),
        ("202603", False, None), ("29220", False, None), ("109575", False, None), ("46082.5", False, None),
        ("-46082", False, None), ("", False, None),
    ],
)  # fmt: skip
def test_a_number_is_a_day_where_it_can_be_no_year_and_month(digits: str, is_1904: bool, day: date | None) -> None:
    assert numbered_day(digits, is_1904=is_1904) == day


def test_the_day_that_spreadsheets_made_up_is_none() -> None:
    assert moment_of_serial(60, is_1904=False) is None
    assert [moment_of_serial(n, is_1904=False).date() for n in (1, 59, 61)] == [  # type: ignore[union-attr]
        date(1900, 1, 1), date(1900, 2, 28), date(1900, 3, 1),
    ]  # fmt: skip
    assert moment_of_serial(2_958_466, is_1904=False) is None
