"""Addresses compare equal across width, script, numerals and punctuation (issue 2, point 4)."""

from datetime import date

import pytest

from domain.employers import PremisesEntry
from domain.premises import Site, SiteStanding, locate
from policy.addresses import fold_address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("广东省深圳市福田区桂花路3号楼12层", "桂花路三号楼十二层"),
        ("深圳市福田區桂花路３號樓12層", "桂花路3号楼12层"),
        ("桂花路 3 号楼, 12 层 (东)", "桂花路3号楼12层（东）"),
        ("桂花路二三号", "桂花路二十三号"),
        ("桂花路一百零五号", "桂花路105号"),
        ("桂花路一二〇三室", "桂花路１２０３室"),
        ("A座", "a座"),
        ("B-3-12", "b3－12"),
    ],
)
def test_two_ways_to_write_an_address_fold_to_one(one: str, other: str) -> None:
    assert fold_address(one) == fold_address(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("桂花路1-23号", "桂花路12-3号"), ("桂花路3号楼", "桂花路13号楼"), ("桂花路十号", "桂花路一号"), ("A座", "B座")],
)
def test_different_addresses_stay_apart(one: str, other: str) -> None:
    assert fold_address(one) != fold_address(other)


REGISTER = (
    PremisesEntry(
        code="HTP-A1", address="深圳市福田区桂花路3号楼", valid_from=date(2025, 1, 1), valid_to=date(2026, 6, 30)
    ),
    PremisesEntry(code="HTP-A2", address="深圳市福田区桂花路5号楼", valid_from=date(2025, 1, 1)),
    PremisesEntry(code="HTP-A3", address="福田区桂花路五号楼", valid_from=date(2026, 1, 1)),
)


@pytest.mark.parametrize(
    ("site", "on", "expected"),
    [
        ("桂花路三号楼", date(2026, 6, 30), Site(SiteStanding.IN_FORCE, "HTP-A1")),
        ("桂花路三号楼", date(2026, 7, 1), Site(SiteStanding.NO_SINGLE_MATCH)),
        ("HTP-A1", date(2026, 6, 30), Site(SiteStanding.IN_FORCE, "HTP-A1")),
        ("htp-a1", date(2026, 7, 1), Site(SiteStanding.NOT_IN_FORCE, "HTP-A1")),
        ("HTP-A1", date(2024, 12, 31), Site(SiteStanding.NOT_IN_FORCE, "HTP-A1")),
        ("桂花路5号楼", date(2025, 12, 31), Site(SiteStanding.IN_FORCE, "HTP-A2")),
        ("桂花路5号楼", date(2026, 1, 1), Site(SiteStanding.NO_SINGLE_MATCH)),  # two match
        ("HTP-Z9", date(2026, 1, 1), Site(SiteStanding.NO_SINGLE_MATCH)),
        ("福田区", date(2026, 1, 1), Site(SiteStanding.NO_SINGLE_MATCH)),
        ("？", date(2026, 1, 1), Site(SiteStanding.NO_SINGLE_MATCH)),
    ],
)
def test_a_place_of_work_is_tested_against_the_premises_in_force_on_the_day(
    site: str, on: date, expected: Site
) -> None:
    assert locate(site, REGISTER, on, fold_address) == expected
