"""What `hetao calendar load` takes."""

from datetime import date
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
    assert len(days) == 365


def test_a_year_without_a_notice_needs_a_file() -> None:
    with pytest.raises(SystemExit, match="2199"):
        _days_of(2199, None)


def test_a_file_gives_its_year(file: Path) -> None:
    days = _days_of(2028, file)
    assert days is not None
    assert (days[date(2028, 10, 2)], days[date(2028, 9, 30)]) == (False, True)


def test_a_file_of_another_year_is_refused(file: Path) -> None:
    with pytest.raises(SystemExit, match="2028"):
        _days_of(2027, file)


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("year: [", encoding="utf-8")
    with pytest.raises(SystemExit, match="cannot be loaded"):
        _days_of(None, path)
