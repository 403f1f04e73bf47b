"""What one case costs stays within its budget."""

import asyncio
from typing import Any

import pytest

from bench.costs import measure_all, over

pytestmark = pytest.mark.timeout(600)  # servers of its own, and cases of every kind


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """The costs of a case of each kind, counted on servers as durable as those of the embedded stack."""
    return asyncio.run(measure_all())


@pytest.mark.slow
def test_no_kind_of_case_costs_more_than_its_budget(found: dict[str, Any]) -> None:
    assert over(found, "bounds") == []


@pytest.mark.slow
def test_the_round_of_the_archive_is_counted_and_shared(found: dict[str, Any]) -> None:
    (share,) = [each for each in found["costs"] if each["kind"] == "archive_share"]
    assert share["cases"] == 8
    assert any("INSERT archived_histories" in step for step in share["transactions"])


@pytest.mark.slow
def test_a_sleeping_month_leaves_no_event(found: dict[str, Any]) -> None:
    assert found["sleeping_month"]["events"] == 0


@pytest.mark.slow
def test_a_straight_case_tells_everybody_sixteen_times(found: dict[str, Any]) -> None:
    notices = {each["kind"]: each["notices"] for each in found["costs"]}
    assert notices["straight"] == notices["straight_together"] == 16
