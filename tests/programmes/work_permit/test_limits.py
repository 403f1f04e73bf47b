"""Limits of work permits by their parameters and the published calendar: the window, and the tenth working day."""

from datetime import date, timedelta
from typing import Final

import pytest

from domain.clock import end_of
from policy.calendars import mainland_calendar
from tests.programmes.work_permit.given import PACK, SHELF

CALENDAR = mainland_calendar()
RELEASED: Final = {
    "a_points_from": 85,
    "b_points_from": 60,
    "a_salary_from": "600000",
    "a_income_tax_from": "120000",
    "basic_deduction_year": 60000,
    "b_years_of_work": 2,
    "b_oldest_age": 60,
    "b_times_local_average": 4,
    "youngest_age": 18,
    "statutory_decision_days": 20,
    "promised_decision_days": 7,
    "residence_application_days": 30,
    "residence_promised_days": 5,
    "a_longest_years": 5,
    "b_longest_years": 2,
    "c_longest_years": 1,
    "extension_opens_days": 90,
    "extension_closes_days": 30,
    "change_report_days": 10,
    "cancellation_days": 10,
}


@pytest.mark.parametrize("parameter", ["cancellation_days", "change_report_days"])
def test_hard_case_5_the_tenth_working_day_after_the_end_of_september_2026(parameter: str) -> None:
    limit = CALENDAR.deadline(date(2026, 9, 30), PACK.integer(parameter))
    assert (limit.at, limit.provisional) == (end_of(date(2026, 10, 20)), False)


def test_the_window_of_extension_has_both_its_days() -> None:
    last = date(2027, 6, 30)
    opens = last - timedelta(days=PACK.integer("extension_opens_days"))
    closes = last - timedelta(days=PACK.integer("extension_closes_days"))
    assert (opens, closes, (closes - opens).days) == (date(2027, 4, 1), date(2027, 5, 31), 60)


def test_no_length_and_no_promise_is_said_to_be_law() -> None:
    for pack in SHELF.packs:
        confirmed = {name for name, each in pack.parameters.items() if each.status == "confirmed"}
        assert confirmed == {"youngest_age"}
        assert pack.integer("a_longest_years") > pack.integer("b_longest_years") > pack.integer("c_longest_years")
        assert {pack.parameter(f"{each}_longest_years").status for each in "bc"} == {"sample"}


def test_limits_stay_as_they_were_released() -> None:
    for pack in SHELF.packs:
        assert {name: each.value for name, each in pack.parameters.items()} == RELEASED
