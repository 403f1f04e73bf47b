"""Points: every edge of every table from both sides, hard cases, and what alone reaches the next class."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest

from policy.pack import Pack, parse_pack
from policy.packs import load_rule_packs
from policy.table import Row
from programmes.work_permit.rules.claims import (
    Claims,
    PointItem,
    WorkPermitCategory,
    WorkPermitChinese,
    WorkPermitEducation,
)
from programmes.work_permit.rules.points import PACKS, most_of, rescored, score
from tests.programmes.work_permit.given import ON, PACK, SHELF, TRIAL, claims

A, B, C = WorkPermitCategory
_UNIT = {PointItem.SALARY: Decimal("0.01")}


def _edges() -> Iterator[tuple[Pack, PointItem, Row | None, Row]]:
    """Yield each row of steps of each version with the one before it."""
    for pack in SHELF.packs:
        for item in PointItem:
            before = None
            for row in pack.table(item).rows:
                if row.least is not None:
                    yield pack, item, before, row
                    before = row


def _born_at(age: int) -> date:
    return ON.replace(year=ON.year - age)


def _with(item: PointItem, figure: Decimal) -> Claims:
    if item is PointItem.AGE:
        return claims(birth_date=_born_at(int(figure)))
    return claims(**{item.value: str(figure) if item is PointItem.SALARY else int(figure)})


EDGES = [pytest.param(*edge, id=f"{edge[0].version}-{edge[1]}-{edge[3].least}") for edge in _edges()]


@pytest.mark.parametrize(("pack", "item", "before", "row"), EDGES)
def test_a_row_begins_at_its_edge_and_not_one_unit_below(
    pack: Pack, item: PointItem, before: Row | None, row: Row
) -> None:
    assert score(_with(item, row.begins), pack, ON).of(item) == row.integer
    if before is not None:
        assert score(_with(item, row.begins - _UNIT.get(item, 1)), pack, ON).of(item) == before.integer


@pytest.mark.parametrize("age", [18, 26, 46, 56, 61])
def test_an_age_is_reached_on_the_birthday_and_not_the_day_before(age: int) -> None:
    on_the_day, before = claims(birth_date=_born_at(age)), claims(birth_date=_born_at(age) + timedelta(days=1))
    wanted = {18: (10, 0), 26: (15, 10), 46: (10, 15), 56: (5, 10), 61: (0, 5)}[age]
    assert tuple(score(each, PACK, ON).of(PointItem.AGE) for each in (on_the_day, before)) == wanted


def test_every_name_has_a_row_in_every_version() -> None:
    for pack in SHELF.packs:
        for kind, item in ((WorkPermitEducation, PointItem.EDUCATION), (WorkPermitChinese, PointItem.CHINESE)):
            assert {row.of for row in pack.table(item).rows} == {each.value for each in kind}
            for word in kind:
                row = pack.table(item).named(word)
                assert row is not None
                assert score(claims(**{item.value: word}), pack, ON).of(item) == row.integer


# The domain reference, section 8: this is not taken from the pack, so that a slip in the pack is seen.
PUBLISHED = [
    ("salary_year", "0", 0), ("salary_year", "49999.99", 0), ("salary_year", "50000", 5),
    ("salary_year", "69999.99", 5),
    ("salary_year", "70000.00", 8), ("salary_year", "149999.99", 8), ("salary_year", "150000", 11),
    ("salary_year", "249999.99", 11), ("salary_year", "250000", 14), ("salary_year", "349999.99", 14),
    ("salary_year", "350000", 17), ("salary_year", "449999.99", 17), ("salary_year", "450000.00", 20),
    ("education", "doctor", 20), ("education", "top_vocational", 20), ("education", "master", 15),
    ("education", "bachelor", 10), ("education", "none", 0),
    ("experience_years", 0, 0), ("experience_years", 1, 0), ("experience_years", 2, 5), ("experience_years", 3, 6),
    ("experience_years", 16, 19), ("experience_years", 17, 20), ("experience_years", 60, 20),
    ("months_in_china_a_year", 2, 0), ("months_in_china_a_year", 3, 5), ("months_in_china_a_year", 5, 5),
    ("months_in_china_a_year", 6, 10), ("months_in_china_a_year", 8, 10), ("months_in_china_a_year", 9, 15),
    ("months_in_china_a_year", 12, 15),
    ("chinese", "former_national", 5), ("chinese", "degree_in_chinese", 5), ("chinese", "hsk5", 5),
    ("chinese", "hsk4", 4),
    ("chinese", "hsk3", 3), ("chinese", "hsk2", 2), ("chinese", "hsk1", 1), ("chinese", "none", 0),
    ("listed_school_firm_ip_or_five_years", True, 5), ("listed_school_firm_ip_or_five_years", False, 0),
    ("provincial_bonus", 0, 0), ("provincial_bonus", 10, 10),
    ("location", "440304", 0), ("location", "440100", 0), ("location", "650102", 10), ("location", "210202", 10),
]  # fmt: skip


@pytest.mark.parametrize(("field", "given", "points"), PUBLISHED)
def test_the_later_table_is_as_published(field: str, given: object, points: int) -> None:
    assert score(claims(**{field: given}), PACK, ON).of(PointItem(field)) == points


def test_maxima_are_as_published_and_differ_between_the_versions() -> None:
    assert [most_of(item, PACK) for item in PointItem] == [20, 20, 20, 15, 5, 10, 15, 5, 10]
    assert sum(most_of(item, PACK) for item in PointItem) == 120
    assert {
        item: (most_of(item, TRIAL), most_of(item, PACK)) for item in (PointItem.EXPERIENCE, PointItem.CHINESE)
    } == {
        PointItem.EXPERIENCE: (15, 20),
        PointItem.CHINESE: (10, 5),
    }


def test_hard_case_2_a_doctor_with_81_is_in_b_and_with_four_more_in_a() -> None:
    points = score(claims(), PACK, ON)
    assert [each.points for each in points.items] == [14, 20, 8, 15, 4, 0, 15, 5, 0]
    assert (points.total, points.category) == (81, B)
    with_bonus = score(claims(provincial_bonus=4), PACK, ON)
    assert (with_bonus.total, with_bonus.category, with_bonus.next) == (85, A, ())
    assert score(claims(provincial_bonus=3), PACK, ON).category is B


def test_hard_case_3_age_counts_on_the_day_of_acceptance() -> None:
    given = claims(birth_date="1981-01-15", provincial_bonus=4)
    accepted, decided = date(2027, 1, 14), date(2027, 1, 15)
    assert (score(given, PACK, accepted).of(PointItem.AGE), score(given, PACK, accepted).total) == (15, 85)
    assert (score(given, PACK, decided).of(PointItem.AGE), score(given, PACK, decided).total) == (10, 80)


def test_one_short_of_b_is_c() -> None:
    given = claims(salary_year="0", experience_years=2, chinese="none", listed_school_firm_ip_or_five_years=True)
    assert (score(given, PACK, ON).total, score(given, PACK, ON).category) == (60, B)
    fewer = claims(salary_year="0", experience_years=0, chinese="hsk4")
    assert (score(fewer, PACK, ON).total, score(fewer, PACK, ON).category) == (59, C)


def test_what_alone_reaches_the_next_class_is_the_least_more_of_each_item() -> None:
    found = {each.code: (each.more, each.to, each.value) for each in score(claims(), PACK, ON).next}
    assert found == {
        PointItem.SALARY: (6, A, "450000"),  # 350,000 gives three more, and four are short
        PointItem.EXPERIENCE: (4, A, "9"),
        PointItem.LOCATION: (10, A, "150000"),
        PointItem.BONUS: (4, A, "4"),
    }
    short_of_hsk = score(claims(chinese="none", provincial_bonus=4), PACK, ON)
    assert short_of_hsk.total == 81
    assert ("chinese", 4, "hsk4") in [(each.code, each.more, each.value) for each in short_of_hsk.next]


BASES = [
    claims(),
    claims(education="master", chinese="none", birth_date="2003-01-01", months_in_china_a_year=3),
    claims(salary_year="60000", education="none", location="650000", experience_years=1),
    claims(salary_year="0", experience_years=0, chinese="hsk4"),
    claims(provincial_bonus=3, listed_school_firm_ip_or_five_years=False, salary_year="450000"),
    claims(birth_date="1960-01-01", education="bachelor", months_in_china_a_year=12),
]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("pack", SHELF.packs, ids=lambda pack: pack.version)
def test_what_is_named_is_all_that_alone_reaches_the_next_class(base: Claims, pack: Pack) -> None:
    points = score(base, pack, ON)
    to = {A: None, B: A, C: B}[points.category]
    wanted: dict[PointItem, int] = {}
    for item in PointItem:
        gains = []
        for row in pack.table(item).rows:
            other = score(_as_row(base, item, row), pack, ON)
            age = base.figure(PointItem.AGE, ON)
            grows_old = item is not PointItem.AGE or (isinstance(age, Decimal) and row.begins > age)
            if other.category in (to, A) and other.category != points.category and grows_old:
                gains.append(other.total - points.total)
        if gains:
            wanted[item] = min(gains)
    assert {each.code: each.more for each in points.next} == wanted
    assert {each.to for each in points.next} <= {to}


def _as_row(base: Claims, item: PointItem, row: Row) -> Claims:
    if item is PointItem.AGE:
        return base.model_copy(update={"birth_date": _born_at(int(row.begins))})
    if row.least is not None:
        return base.model_copy(update=_with(item, row.begins).model_dump(include={item.value}))
    value: object = {"yes": True, "no": False, "elsewhere": "310000"}.get(str(row.of), row.of)
    return base.model_copy(update=claims(**{item.value: value}).model_dump(include={item.value}))


def test_where_several_items_are_needed_none_is_named() -> None:
    points = score(Claims(birth_date=date(1991, 5, 20)), PACK, ON)
    assert (points.total, points.category, points.next) == (15, C, ())


def test_of_ages_only_those_to_come_are_named() -> None:
    young = claims(birth_date="2005-01-01", provincial_bonus=4)
    old = claims(birth_date="1975-01-01", provincial_bonus=4)
    assert score(young, PACK, ON).total == score(old, PACK, ON).total == 80
    assert ("age", 5, "26") in [(each.code, each.more, each.value) for each in score(young, PACK, ON).next]
    assert "age" not in [each.code for each in score(old, PACK, ON).next]


def test_what_is_not_said_counts_nothing() -> None:
    nothing = score(Claims(), PACK, ON)
    assert (nothing.total, nothing.category, {each.points for each in nothing.items}) == (0, C, {0})
    assert score(claims(chinese=None), PACK, ON).total == 77


def test_hard_case_7_another_version_is_only_what_if() -> None:
    given = claims(experience_years=17)
    kept = score(given, TRIAL, ON)
    assert rescored(given, TRIAL, PACK, ON) == {PointItem.EXPERIENCE: (15, 20), PointItem.CHINESE: (8, 4)}
    assert score(given, TRIAL, ON) == kept
    # Two tables can give one total, which is why items are kept.
    same = claims(experience_years=17, chinese="hsk5")
    assert score(same, TRIAL, ON).total == score(same, PACK, ON).total
    assert rescored(same, TRIAL, PACK, ON) == {PointItem.EXPERIENCE: (15, 20), PointItem.CHINESE: (10, 5)}


def test_each_row_says_where_it_comes_from_and_nothing_of_it_is_law() -> None:
    points = score(claims(), PACK, ON)
    assert all(each.reference and each.standing != "confirmed" for each in points.items)
    assert points.standing == "unconfirmed"
    elsewhere = score(claims(location="310000"), PACK, ON)
    assert elsewhere.standing == "sample"
    confirmed = parse_pack(_text().replace("status: unconfirmed", "status: confirmed"))
    assert score(claims(), confirmed, ON).standing == "confirmed"


def _text() -> str:
    folder = files(PACKS.package) / str(PACKS.folder)
    return (folder / f"{PACK.version}.yaml").read_text("utf-8")


def test_versions_of_the_pack_are_two_and_hold_from_their_days() -> None:
    assert [pack.version for pack in load_rule_packs(PACKS)] == ["2017-04-01", "2018-01-01"]
    assert SHELF.on(date(2017, 12, 31)) is TRIAL
    assert SHELF.on(date(2018, 1, 1)) is PACK
