"""Points of an appraisal: every edge of every table from both sides, weights, rounding, what would reach the mark."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import files
from itertools import combinations

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.errors import Refused
from domain.field_errors import field_errors
from policy.pack import Pack, PackError, parse_pack
from policy.standing import ParameterStatus
from policy.table import Row
from programmes.appraisal.rules.claims import (
    MOST_ASSESSMENT,
    VALUES,
    AppraisalClaims,
    AppraisalEducation,
    AppraisalItem,
    AppraisalRoute,
    OpenRoute,
)
from programmes.appraisal.rules.points import (
    DIMENSIONS,
    PACKS,
    AppraisalDimension,
    AppraisalPoints,
    above_maximum,
    most_of,
    score,
    weight_of,
    weighted,
)
from programmes.appraisal.rules.reaching import reaching
from tests.programmes.appraisal.given import FIRST, SECOND, SHELF, claims

I = AppraisalItem  # noqa: E741
_UNIT = {I.INCOME: Decimal("0.01")}


def _text(pack: Pack = FIRST, **changed: str) -> str:
    text = (files(PACKS.package) / str(PACKS.folder) / f"{pack.version}.yaml").read_text("utf-8")
    for name, value in changed.items():
        before, _, after = text.partition(f"  {name}:\n    value: ")
        text = f"{before}  {name}:\n    value: {value}\n{after.partition(chr(10))[2]}"
    return text


def _edges() -> Iterator[tuple[Pack, AppraisalItem, Row | None, Row]]:
    """Yield each row of steps of each version with the one before it."""
    for pack in SHELF.packs:
        for item in DIMENSIONS:
            before = None
            for row in pack.tables[item].rows if item in pack.tables else ():
                if row.least is not None:
                    yield pack, item, before, row
                    before = row


def _with(item: AppraisalItem, figure: Decimal) -> AppraisalClaims:
    return claims(**{item.value: str(figure) if item is I.INCOME else int(figure)})


EDGES = [pytest.param(*edge, id=f"{edge[0].version}-{edge[1]}-{edge[3].least}") for edge in _edges()]


@pytest.mark.parametrize(("pack", "item", "before", "row"), EDGES)
def test_a_row_begins_at_its_edge_and_not_one_unit_below(
    pack: Pack, item: AppraisalItem, before: Row | None, row: Row
) -> None:
    assert score(_with(item, row.begins), pack).of(item) == row.decimal
    if before is not None:
        assert score(_with(item, row.begins - _UNIT.get(item, 1)), pack).of(item) == before.decimal


def test_every_name_has_a_row_and_every_dimension_comes_to_a_hundred() -> None:
    for pack in SHELF.packs:
        assert {row.of for row in pack.table("education").rows} == set(AppraisalEducation)
        assert {row.of for row in pack.table("listed_school").rows} == {"yes", "no"}
        assert sum(weight_of(each, pack) for each in AppraisalDimension) == 1
        for dimension in AppraisalDimension:
            assert sum(most_of(item, pack) for item in DIMENSIONS if DIMENSIONS[item] is dimension) == 100
        assert most_of(I.ASSESSMENT, pack) == MOST_ASSESSMENT


def test_items_are_the_claims_and_two_of_them_prove_no_value() -> None:
    assert list(AppraisalItem) == list(AppraisalClaims.model_fields)
    assert set(AppraisalClaims.model_fields) - set(VALUES) == {"listed_school"}


MARKS = dict(zip(AppraisalDimension, map(Decimal, (90, 80, 84)), strict=True))


def test_hard_case_3_the_version_of_the_acceptance_weighs() -> None:
    assert [weighted(MARKS, pack) for pack in (FIRST, SECOND)] == [Decimal("85.20"), Decimal("84.20")]
    first, second = (score(claims(), pack) for pack in (FIRST, SECOND))
    assert [each.mark for each in first.dimensions] == [90, 80, 84]
    assert (str(first.total), first.reached, first.pack) == ("85.20", True, "appraisal/2025-01-01")
    assert (str(second.total), second.reached, second.pack) == ("84.20", False, "appraisal/2026-07-01")
    assert SHELF.on(date(2026, 6, 30)) is FIRST
    assert SHELF.on(date(2026, 7, 1)) is SECOND


@pytest.mark.parametrize(
    ("mark", "total", "reached"),
    # 59.00 of what else counts, 0.3 of the income with the assessment.
    [("33.30", "84.99", False), ("33.31", "84.99", False), ("33.33", "85.00", True), ("33.34", "85.00", True)],
)
def test_the_total_is_compared_exactly_as_it_is_shown(mark: str, total: str, reached: bool) -> None:
    points = score(claims(assessment_mark=mark), FIRST)
    assert (str(points.total), points.reached) == (total, reached)


def test_84_99_fails_and_85_00_passes_without_rounding() -> None:
    assert weighted({**MARKS, AppraisalDimension.PERFORMANCE: Decimal("83.30")}, FIRST) == Decimal("84.99")
    below = score(claims(assessment_mark="33.30"), FIRST)
    assert (str(below.total), below.reached) == ("84.99", False)
    at = score(
        claims(education="master", patents=4, projects_led=3, income_year="500000", assessment_mark="40.00"), FIRST
    )
    assert (str(at.total), at.reached) == ("87.00", True)


@pytest.mark.parametrize(
    ("mode", "total"), [("half_up", "85.00"), ("half_even", "85.00"), ("down", "84.99"), ("up", "85.00")]
)
def test_the_pack_names_the_place_and_the_mode_of_the_one_rounding(mode: str, total: str) -> None:
    pack = parse_pack(_text(rounding_mode=mode))
    # 36 + 24 + 83.32 x 0.3 = 84.996
    points = score(claims(assessment_mark="33.32"), pack)
    assert (str(points.total), points.reached) == (total, Decimal(total) >= 85)
    assert str(score(claims(assessment_mark="33.32"), parse_pack(_text(rounding_places="3"))).total) == "84.996"


def test_a_mode_that_nobody_knows_is_no_mode() -> None:
    with pytest.raises(PackError, match="rounding_mode"):
        score(claims(), parse_pack(_text(rounding_mode="sideways")))


def test_weights_are_exact_and_no_mark_is_rounded_before_they_count() -> None:
    thirds = {each: Decimal("84.985") for each in AppraisalDimension}
    assert str(weighted(thirds, FIRST)) == "84.99"  # 84.985 half up, once
    assert str(weighted(dict.fromkeys(AppraisalDimension, Decimal("84.984")), FIRST)) == "84.98"


@pytest.mark.parametrize("mark", ["100.01", "-0.01", "NaN"])
def test_a_mark_of_a_dimension_that_cannot_be_is_refused(mark: str) -> None:
    with pytest.raises(Refused) as refused:
        weighted({**MARKS, AppraisalDimension.CAPABILITIES: Decimal(mark)}, FIRST)
    (error,) = refused.value.errors
    assert (refused.value.code, error.field) == ("invalid", "capabilities")
    assert "100" in error.message


def test_a_dimension_without_a_mark_is_neither_left_out_nor_nothing() -> None:
    with pytest.raises(Refused) as refused:
        weighted({each: mark for each, mark in MARKS.items() if each != "performance"}, FIRST)
    assert [each.field for each in refused.value.errors] == ["performance"]


@pytest.mark.parametrize(
    ("mark", "code"),
    [
        ("40.01", "unknown_value"),
        ("86", "unknown_value"),
        ("-1", "bad_characters"),
        ("34.001", "bad_characters"),
        ("1e1", "bad_characters"),
        ("NaN", "bad_characters"),
        (34, "wrong_type"),
        (34.5, "wrong_type"),
        (True, "wrong_type"),
    ],
)
def test_a_mark_above_its_maximum_or_that_is_none_is_refused_with_the_maximum(mark: object, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        claims(assessment_mark=mark)
    (error,) = field_errors(refused.value)
    assert (error.field, error.code) == ("assessment_mark", code)
    assert "40" in error.message


def test_the_maximum_itself_and_nothing_are_marks() -> None:
    assert score(claims(assessment_mark="40"), FIRST).of(I.ASSESSMENT) == 40
    assert score(claims(assessment_mark="0"), FIRST).of(I.ASSESSMENT) == 0


def test_a_version_with_a_lower_maximum_refuses_what_is_above_it_and_counts_nothing_for_it() -> None:
    lower = parse_pack(_text(assessment_mark_most='"30"'))
    (error,) = above_maximum(claims(), lower)
    assert (error.field, "30" in error.message) == ("assessment_mark", True)
    assert score(claims(), lower).of(I.ASSESSMENT) == 0
    assert above_maximum(claims(assessment_mark="30"), lower) == ()
    assert above_maximum(claims(assessment_mark=None), lower) == ()


def test_recommendation_keeps_its_place_and_is_refused_with_what_to_do() -> None:
    route: TypeAdapter[AppraisalRoute] = TypeAdapter(OpenRoute)
    assert [route.validate_python(each) for each in ("achievement", "points")] == ["achievement", "points"]
    with pytest.raises(ValidationError) as refused:
        route.validate_python("recommendation")
    (error,) = field_errors(refused.value)
    assert error.code == "unknown_value"
    assert "not open yet" in error.message
    assert "by achievement or by points" in error.message


def test_declared_and_proved_stand_beside_each_other_and_what_is_not_proved_counts_nothing() -> None:
    declared, proved = (score(each, FIRST) for each in (claims(), claims(patents=None)))
    assert [each.of(I.PATENTS) for each in (declared, proved)] == [20, 0]
    assert (str(declared.total), str(proved.total)) == ("85.20", "79.20")
    nothing = score(AppraisalClaims(), FIRST)
    assert {nothing.total, *(each.points for each in nothing.items)} == {0}
    assert not nothing.reached


def test_evidence_proves_claims_by_its_items() -> None:
    proved = {
        "education": "doctor",
        "income_year": "500000.00",
        "listed_school": True,
        "patents": 2,
        "employment": True,
    }
    held = AppraisalClaims.of(proved)
    assert held == AppraisalClaims.model_validate(
        {name: value for name, value in proved.items() if name != "employment"}
    )
    kept = held.model_dump(mode="json")
    assert AppraisalClaims.model_validate(kept) == held
    assert AppraisalClaims.of({"listed_school": None}).listed_school is True


def test_every_figure_says_where_it_comes_from_and_is_a_sample() -> None:
    for pack in SHELF.packs:
        points = score(claims(), pack)
        parts = [(each.reference, each.standing) for each in points.items]
        parts += [(each.reference, each.standing) for each in points.dimensions]
        assert all(reference and standing is ParameterStatus.SAMPLE for reference, standing in parts)
        assert points.standing is ParameterStatus.SAMPLE
        assert "confirmed" not in _text(pack)
    answered = TypeAdapter(AppraisalPoints).dump_python(score(claims(), FIRST), mode="json")
    assert (answered["total"], answered["mark"], answered["items"][0]["points"]) == ("85.20", "85", "60")


def test_the_next_points_of_each_item_come_with_the_total_that_they_lift_to() -> None:
    found = [(each.code, each.value, str(each.more), str(each.lifts_to)) for each in reaching(claims(), SECOND).next]
    assert found == [
        (I.PATENTS, "4", "10", "88.20"),
        (I.PROJECTS_LED, "3", "10", "88.20"),
        (I.INCOME, "800000", "10", "87.20"),
        (I.PUBLICATIONS, "8", "5", "85.70"),
        (I.ASSESSMENT, "35.00", "1.00", "84.50"),
    ]
    best = claims(publications=12, patents=4, projects_led=3, income_year="800000", assessment_mark="40")
    assert str(score(best, FIRST).total) == "100.00"
    assert reaching(best, FIRST).next == ()


def test_what_alone_reaches_the_mark_is_the_least_that_does() -> None:
    given = claims(publications=3)  # 85 / 80 / 84 by the second weights
    way = reaching(given, SECOND)
    assert (str(score(given, SECOND).total), str(way.short), way.together) == ("82.70", "2.30", ())
    assert {each.code: (each.value, str(each.lifts_to)) for each in way.alone} == {
        I.PUBLICATIONS: ("8", "85.70"),  # five papers give 84.20
        I.PATENTS: ("4", "86.70"),
        I.PROJECTS_LED: ("3", "86.70"),
        I.INCOME: ("800000", "85.70"),
    }  # the assessment could give six more, which is 1.80


def test_a_mark_that_would_reach_it_is_the_first_hundredth_that_does() -> None:
    (step,) = [each for each in reaching(claims(), SECOND).alone if each.code is I.ASSESSMENT]
    assert (step.value, str(step.lifts_to)) == ("36.65", "85.00")
    assert score(claims(assessment_mark="36.65"), SECOND).reached
    assert not score(claims(assessment_mark="36.64"), SECOND).reached


def test_where_none_does_alone_the_fewest_together_are_named_and_each_is_needed() -> None:
    given = claims(education="bachelor", patents=0, projects_led=1)
    assert str(score(given, FIRST).total) == "64.20"
    way = reaching(given, FIRST)
    assert way.alone == ()
    assert len(way.together) > 1
    then = given.model_copy(update={each.code.value: _said(each.code, each.value) for each in way.together})
    assert score(then, FIRST).reached
    assert {each.lifts_to for each in way.together} == {score(then, FIRST).total}
    for left_out in way.together:
        fewer = then.model_copy(update={left_out.code.value: getattr(given, left_out.code.value)})
        assert not score(fewer, FIRST).reached
    # No smaller set would do, all of each of its items given.
    for items in combinations(DIMENSIONS, len(way.together) - 1):
        most = given.model_copy(update={item.value: BEST[item] for item in items})
        assert not score(most, FIRST).reached


BEST = {
    I.EDUCATION: AppraisalEducation.DOCTOR, I.LISTED_SCHOOL: True, I.PUBLICATIONS: 12, I.EXPERIENCE: 8, I.PATENTS: 4,
    I.PROJECTS_LED: 3, I.INCOME: Decimal(800000), I.ASSESSMENT: Decimal(40),
}  # fmt: skip


def _said(item: AppraisalItem, value: str) -> object:
    if item is I.EDUCATION:
        return AppraisalEducation(value)
    if item is I.LISTED_SCHOOL:
        return value == "yes"
    return Decimal(value) if item in (I.INCOME, I.ASSESSMENT) else int(value)


def test_who_said_nothing_is_told_what_it_takes_and_who_is_there_nothing_more() -> None:
    way = reaching(AppraisalClaims(), FIRST)
    assert (str(way.short), way.alone) == ("85.00", ())
    assert len(way.together) > 2
    there = reaching(claims(), FIRST)
    assert there.short == 0
    assert (there.alone, there.together) == ((), ())
