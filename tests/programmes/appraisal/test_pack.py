"""The sample tables and limits of appraisal as they were released: a case that runs was accepted by them."""

from typing import Final

import pytest

from tests.programmes.appraisal.given import SHELF

TABLES: Final = {
    "education": "doctor 60, master 45, bachelor 30, none 0",
    "listed_school": "yes 15, no 0",
    "publications": "0 0, 1 5, 3 10, 5 15, 8 20, 12 25",
    "experience_years": "0 0, 1 5, 2 15, 4 25, 6 35, 8 40",
    "patents": "0 0, 1 10, 2 20, 4 30",
    "projects_led": "0 0, 1 10, 2 20, 3 30",
    "income_year": "0 0, 150000 10, 250000 25, 350000 40, 500000 50, 800000 60",
    "national_programme": "sample_star_programme listed, sample_harbour_programme listed",
    "award": "sample_science_prize listed, sample_engineering_medal listed",
    "recognised_achievement": "sample_academy_fellow listed, sample_standard_editor listed",
}
WEIGHTS: Final = {
    "2025-01-01": "knowledge 0.4, capabilities 0.3, performance 0.3",
    "2026-07-01": "knowledge 0.3, capabilities 0.4, performance 0.3",
}
PARAMETERS: Final = {
    "recognition_mark": "85",
    "rounding_places": 2,
    "rounding_mode": "half_up",
    "assessment_mark_most": "40",
    "points_youngest_age": 18,
    "points_oldest_age": 45,
    "work_start_within_days": 90,
    "similar_from": "0.75",
    "recognition_years": 3,
    "confirming_days": 5,
    "expiry_reminders": (90, 30, 7),
    "late_reappraisal_days": 20,
}


@pytest.mark.parametrize("version", WEIGHTS)
def test_a_version_stays_as_it_was_released(version: str) -> None:
    pack = SHELF.version(version)
    rows = {
        name: ", ".join(f"{row.of or row.least} {row.value}" for row in table.rows)
        for name, table in pack.tables.items()
    }
    assert rows == {**TABLES, "weights": WEIGHTS[version]}
    assert {name: each.value for name, each in pack.parameters.items()} == PARAMETERS
