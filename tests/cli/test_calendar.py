"""What `hetao calendar load` takes."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from cli import _days_of

YEAR = """
year: 2028
source: a notice
days_off: [2028-10-02]
workdays: [2028-09-30]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "2028.yaml"
    path.write_text(YEAR, encoding="utf-8")
    return path


def test_nothing_named_means_every_year_that_the_library_knows() -> None:
    assert _days_of(None, None) is None


def test_a_year_that_the_library_knows_is_taken_from_there() -> None:
    days = _days_of(2026, None)
    assert days is not None
    assert {day for day in days if day.year == 2026} == {date(2026, 1, 1) + timedelta(days=k) for k in range(365)}
    assert min(days) == date(2025, 12, 21)


def test_a_year_without_a_notice_needs_a_file() -> None:
    with pytest.raises(SystemExit, match="2199"):
        _days_of(2199, None)


def test_a_file_gives_its_year(file: Path) -> None:
    days = _days_of(2028, file)
    assert days is not None
    assert (days[date(2028, 10, 2)], days[date(2028, 9, 30)]) == (False, True)


def test_a_notice_may_move_days_of_the_december_before(tmp_path: Path) -> None:
    file = tmp_path / "2027.yaml"
    file.write_text(
        "year: 2027\nsource: a notice\ndays_off: [2026-12-31, 2027-01-01]\nworkdays: [2026-12-26]\n", encoding="utf-8"
    )
    days = _days_of(2027, file)
    assert days is not None
    assert (days[date(2026, 12, 31)], days[date(2026, 12, 26)], days[date(2027, 1, 1)]) == (False, True, False)
    assert len(days) == 367


def test_a_file_of_another_year_is_refused(file: Path) -> None:
    with pytest.raises(SystemExit, match="2028"):
        _days_of(2027, file)


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("year: [", encoding="utf-8")
    with pytest.raises(SystemExit, match="cannot be loaded"):
        _days_of(None, path)
