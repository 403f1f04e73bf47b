"""How well a time tells: nothing where both are alike, all where one is always longer."""

import random

import pytest

from bench.load.telling import area_under_curve


@pytest.mark.parametrize(
    ("known", "unknown", "area"),
    [
        ([3, 4], [1, 2], 1.0),
        ([1, 2], [3, 4], 0.0),
        ([1, 1], [1, 1], 0.5),
        ([1, 3], [2, 2], 0.5),
        ([2, 3], [1, 2], 0.875),
    ],
)
def test_the_area_is_the_share_of_pairs_of_which_the_first_is_longer(
    known: list[float], unknown: list[float], area: float
) -> None:
    assert area_under_curve(known, unknown) == area


def test_samples_of_one_distribution_tell_nothing() -> None:
    chance = random.Random(1)
    samples = [[chance.expovariate(1) for _ in range(2000)] for _ in range(2)]
    assert abs(area_under_curve(*samples) - 0.5) < 0.03
