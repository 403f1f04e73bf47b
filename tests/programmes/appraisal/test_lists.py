"""Lists of achievements: a match names list, version and entry; days at their edges; what is like none or unknown."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from policy.pack import Pack
from policy.table import Row
from programmes.appraisal.rules.claims import AppraisalClaims, AppraisalItem
from programmes.appraisal.rules.lists import LISTS, AppraisalListFound, AppraisalListOutcome, best_of, looked_up, plain
from tests.programmes.appraisal.given import FIRST, ON, SHELF, STAR

LISTED, OUT_OF_DATE, ELSEWHERE, SIMILAR, UNKNOWN = AppraisalListOutcome
PROGRAMME, AWARD, ACHIEVEMENT = LISTS
DAY = timedelta(days=1)


def _found(
    name: str, given_on: date, item: AppraisalItem = PROGRAMME, pack: Pack = FIRST, on: date = ON
) -> AppraisalListFound:
    said = {item.value: {"name": name, "given_on": given_on.isoformat()}}
    (found,) = looked_up(AppraisalClaims.model_validate(said), pack, on)
    return found


def _rows() -> Iterator[tuple[Pack, AppraisalItem, Row]]:
    for pack in SHELF.packs:
        for item in LISTS:
            for row in pack.table(item.value).rows:
                yield pack, item, row


ROWS = [pytest.param(*each, id=f"{each[0].version}-{each[2].of}") for each in _rows()]


@pytest.mark.parametrize(("pack", "item", "row"), ROWS)
def test_an_entry_counts_from_its_first_to_its_last_day_by_each_of_its_names(
    pack: Pack, item: AppraisalItem, row: Row
) -> None:
    first, last = row.since or date(2010, 1, 1), row.until or ON
    for name in row.also:
        assert [_found(name, day, item, pack).outcome for day in (first, last)] == [LISTED, LISTED]
        if row.since:
            assert _found(name, first - DAY, item, pack).outcome is OUT_OF_DATE
        assert _found(name, last + DAY, item, pack).outcome is OUT_OF_DATE  # after its last day, or not given yet


def test_a_match_names_the_list_its_version_and_the_entry_with_its_standing() -> None:
    match = _found("样例科学奖一等奖", date(2020, 5, 1), AWARD).match
    assert match is not None
    assert (match.list, match.version, match.entry) == (AWARD, "appraisal/2025-01-01", "sample_science_prize")
    assert (match.standing, match.since, match.until) == ("sample", date(2000, 1, 1), None)
    assert match.reference


@pytest.mark.parametrize(
    "name",
    [
        "样例之星人才计划",
        "樣例之星人才計劃",
        "“样例之星”人才计划",
        " sample star  talent programme",
        "SAMPLE-STAR TALENT PROGRAMME",
        "Ｓａｍｐｌｅ Star Talent Programme",
        "sample_star_programme",
    ],
)
def test_case_width_blanks_and_signs_are_no_difference(name: str) -> None:
    assert _found(name, date(2024, 5, 20)).outcome is LISTED


@pytest.mark.parametrize(
    ("name", "outcome", "like"),
    [
        ("样例之星人才工程", SIMILAR, ["sample_star_programme"]),
        ("Sample Star Talent Program", SIMILAR, ["sample_star_programme"]),
        ("福建省样例之星人才计划", SIMILAR, ["sample_star_programme"]),
        ("样例", UNKNOWN, []),
        ("长空学者", UNKNOWN, []),
        ("。", UNKNOWN, []),
        ("样例科学奖一等奖", ELSEWHERE, ["sample_science_prize"]),
    ],
)
def test_a_name_that_is_not_that_of_an_entry_is_for_an_officer(
    name: str, outcome: AppraisalListOutcome, like: list[str]
) -> None:
    found = _found(name, date(2024, 5, 20))
    assert (found.outcome, found.match, [each.entry for each in found.like]) == (outcome, None, like)


def test_one_letter_more_is_another_name() -> None:
    assert plain("样例科学奖一等奖") != plain("样例科学奖二等奖")
    assert _found("样例科学奖二等奖", date(2020, 5, 1), AWARD).outcome is SIMILAR


def test_nothing_said_is_nothing_found() -> None:
    assert looked_up(AppraisalClaims(), FIRST, ON) == ()
    assert best_of(()) is None


def test_of_several_one_that_is_listed_is_enough_and_an_open_one_goes_before_one_that_is_over() -> None:
    over = {"name": "样例海港学者计划", "given_on": "2023-01-01"}
    unheard = {"name": "长空学者", "given_on": "2020-01-01"}

    def best(**said: object) -> AppraisalListOutcome | None:
        return best_of(looked_up(AppraisalClaims.model_validate(said), FIRST, ON))

    assert best(national_programme=STAR, award=unheard) is LISTED
    assert best(national_programme=over) is OUT_OF_DATE
    assert best(national_programme=over, award=unheard) is UNKNOWN


def test_names_on_the_lists_exist_as_samples_alone() -> None:
    for _, _, row in _rows():
        assert row.status == "sample"
        assert all("样例" in name or "樣例" in name or "Sample" in name for name in row.also)
