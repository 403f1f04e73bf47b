"""Conditions of a recognition at their edges: what passes, what fails, and what is for an officer."""

from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest
import yaml

from domain.findings import FindingOutcome, outcome_of
from policy.pack import Pack
from programmes.appraisal.findings import AppraisalFinding
from programmes.appraisal.rules.claims import AppraisalClaims, AppraisalRoute
from programmes.appraisal.rules.conditions import RULES, AppraisalFacts, assess, carries
from programmes.appraisal.rules.points import score
from tests.programmes.appraisal.given import FIRST, ON, SECOND, SHELF, STAR, claims

PASS, FAIL, MISSING, NEEDS_PERSON = FindingOutcome
F = AppraisalFinding
DAY = timedelta(days=1)
LISTED = AppraisalClaims.of({"national_programme": STAR})


def _achieved(name: str, given_on: str = "2024-05-20") -> AppraisalClaims:
    return AppraisalClaims.of({"national_programme": {"name": name, "given_on": given_on}})


def _found(pack: Pack = FIRST, on: date = ON, **changed: object) -> dict[str, FindingOutcome]:
    given: dict[str, Any] = {
        "route": "points",
        "birth_date": "1991-05-20",
        "work_start": "2025-09-01",
        "employer_standing": "good",
        "employment_confirmed": True,
        "declared": claims(),
        "proved": claims(),
    }
    facts = AppraisalFacts.model_validate(given | changed)
    return {each.code: each.outcome for each in assess(facts, pack, on)}


BY_ACHIEVEMENT = [F.ACHIEVEMENT_NOT_LISTED, F.ACHIEVEMENT_NOT_PROVED]
BY_POINTS = [F.TOO_YOUNG, F.TOO_OLD, F.MARK_ABOVE_MAXIMUM, F.POINTS_NOT_REACHED, F.POINTS_NOT_PROVED]


def test_who_meets_every_condition_of_a_route_is_clear_and_asked_nothing_of_the_other() -> None:
    front = list(F)[:4]
    assert _found() == dict.fromkeys([*front, *BY_POINTS], PASS)
    by_list = _found(route="achievement", declared=LISTED, proved=LISTED, birth_date=None)
    assert by_list == dict.fromkeys([*front, *BY_ACHIEVEMENT], PASS)


def _birthday(age: int, on: date = ON) -> date:
    return on.replace(year=on.year - age)


@pytest.mark.parametrize("pack", SHELF.packs, ids=lambda pack: pack.version)
def test_ages_of_points_at_their_edges_by_every_version(pack: Pack) -> None:
    youngest, oldest = (_birthday(pack.integer(f"points_{name}_age")) for name in ("youngest", "oldest"))
    assert _found(pack, birth_date=youngest)[F.TOO_YOUNG] is PASS  # that age today
    assert _found(pack, birth_date=youngest + DAY)[F.TOO_YOUNG] is FAIL  # tomorrow
    too_old = _birthday(pack.integer("points_oldest_age") + 1)
    assert _found(pack, birth_date=oldest)[F.TOO_OLD] is PASS
    assert _found(pack, birth_date=too_old + DAY)[F.TOO_OLD] is PASS  # the last day of that age
    assert _found(pack, birth_date=too_old)[F.TOO_OLD] is FAIL
    assert {_found(pack, birth_date=None)[code] for code in (F.TOO_YOUNG, F.TOO_OLD)} == {NEEDS_PERSON}


@pytest.mark.parametrize("pack", SHELF.packs, ids=lambda pack: pack.version)
def test_the_start_of_work_at_its_edge_by_every_version(pack: Pack) -> None:
    last = ON + timedelta(days=pack.integer("work_start_within_days"))
    assert [_found(pack, work_start=day)[F.WORK_START_TOO_LATE] for day in (ON, last, last + DAY, None)] == [
        PASS,
        PASS,
        FAIL,
        MISSING,
    ]


@pytest.mark.parametrize(
    ("changed", "code", "outcome"),
    [
        ({"employer_standing": "suspended"}, F.EMPLOYER_STANDING, FAIL),
        ({"employer_standing": "left_park"}, F.EMPLOYER_STANDING, FAIL),
        ({"employer_standing": None}, F.EMPLOYER_STANDING, NEEDS_PERSON),
        ({"employment_confirmed": False}, F.EMPLOYMENT_NOT_CONFIRMED, FAIL),
        ({"employment_confirmed": None}, F.EMPLOYMENT_NOT_CONFIRMED, NEEDS_PERSON),
        ({"route": "recommendation"}, F.ROUTE_NOT_OPEN, NEEDS_PERSON),
        ({"route": None}, F.ROUTE_NOT_OPEN, NEEDS_PERSON),
        ({"declared": claims(assessment_mark="33.33")}, F.POINTS_NOT_REACHED, PASS),  # 85.00
        ({"declared": claims(assessment_mark="33.30")}, F.POINTS_NOT_REACHED, FAIL),  # 84.99
        ({"declared": claims(assessment_mark=None)}, F.POINTS_NOT_REACHED, NEEDS_PERSON),
        ({"declared": claims(education="none", assessment_mark=None)}, F.POINTS_NOT_REACHED, FAIL),
        ({"declared": None}, F.POINTS_NOT_REACHED, MISSING),
        ({"declared": LISTED}, F.POINTS_NOT_REACHED, MISSING),
        ({"proved": claims(assessment_mark="33.33")}, F.POINTS_NOT_PROVED, PASS),
        ({"proved": claims(assessment_mark="33.30")}, F.POINTS_NOT_PROVED, NEEDS_PERSON),
        ({"proved": None}, F.POINTS_NOT_PROVED, NEEDS_PERSON),
    ],
)
def test_a_condition_at_its_edge(changed: dict[str, Any], code: str, outcome: FindingOutcome) -> None:
    assert _found(**changed)[code] is outcome


@pytest.mark.parametrize(
    ("declared", "outcome"),
    [
        (LISTED, PASS),
        (_achieved("样例之星人才工程"), NEEDS_PERSON),  # like an entry
        (_achieved("长空学者"), NEEDS_PERSON),  # unknown
        (_achieved("样例科学奖一等奖"), NEEDS_PERSON),  # on another list
        (_achieved("样例海港学者计划", "2022-12-31"), PASS),
        (_achieved("样例海港学者计划", "2023-01-01"), FAIL),
        (_achieved("样例之星人才计划", (ON + DAY).isoformat()), FAIL),  # not given yet
        (AppraisalClaims(), MISSING),
        (None, MISSING),
    ],
)
def test_an_achievement_is_decided_by_its_list_alone(declared: AppraisalClaims | None, outcome: FindingOutcome) -> None:
    found = _found(route="achievement", declared=declared, proved=declared)
    assert found[F.ACHIEVEMENT_NOT_LISTED] is outcome
    assert found[F.ACHIEVEMENT_NOT_PROVED] is (PASS if outcome is PASS else NEEDS_PERSON)


def test_what_is_declared_and_not_proved_goes_to_an_officer_by_either_route() -> None:
    for changed in ({"proved": None}, {"route": "achievement", "declared": LISTED, "proved": None}):
        facts = AppraisalFacts.model_validate(
            {"route": "points", "declared": claims(), "employer_standing": "good", "employment_confirmed": True}
            | {"birth_date": "1991-05-20", "work_start": "2025-09-01"}
            | changed
        )
        assert outcome_of(assess(facts, FIRST, ON)) == "needs_officer"


def test_hard_case_5_verified_points_fall_from_86_to_84() -> None:
    before = claims(publications=8, patents=2, assessment_mark="30.00")  # 95 / 80 / 80
    assert str(score(before, FIRST).total) == "86.00"
    after = claims(publications=5, patents=2, assessment_mark="30.00")
    assert str(score(after, FIRST).total) == "84.00"
    # Before the decision: to an officer, whatever is declared.
    assert _found(declared=before, proved=before)[F.POINTS_NOT_PROVED] is PASS
    assert _found(declared=before, proved=after)[F.POINTS_NOT_PROVED] is NEEDS_PERSON
    # After it: what is proved carries the recognition no more.
    assert [carries(AppraisalRoute.POINTS, each, FIRST, ON) for each in (before, after)] == [True, False]


def test_a_fall_that_leaves_the_mark_reached_takes_nothing() -> None:
    for left, total in ((claims(publications=8), "87.20"), (claims(assessment_mark="33.33"), "85.00")):
        assert str(score(left, FIRST).total) == total
        assert carries(AppraisalRoute.POINTS, left, FIRST, ON)


def test_a_whole_item_may_fall() -> None:
    assert str(score(claims(patents=None), FIRST).total) == "79.20"
    assert not carries(AppraisalRoute.POINTS, claims(patents=None), FIRST, ON)
    assert carries(AppraisalRoute.ACHIEVEMENT, LISTED, FIRST, ON)
    for left in (AppraisalClaims(), None, claims()):
        assert not carries(AppraisalRoute.ACHIEVEMENT, left, FIRST, ON)


def test_by_recommendation_nothing_carries_so_far() -> None:
    assert not carries(AppraisalRoute.RECOMMENDATION, claims(national_programme=STAR), FIRST, ON)


def test_the_version_of_the_acceptance_decides_what_a_later_one_would_refuse() -> None:
    assert _found(FIRST)[F.POINTS_NOT_PROVED] is PASS
    assert _found(SECOND)[F.POINTS_NOT_PROVED] is NEEDS_PERSON


def test_a_declared_mark_above_the_maximum_of_a_version_is_given_again() -> None:
    lower = FIRST.model_copy(
        update={
            "parameters": FIRST.parameters
            | {"assessment_mark_most": FIRST.parameter("assessment_mark_most").model_copy(update={"value": "30"})}
        }
    )
    assert _found(lower)[F.MARK_ABOVE_MAXIMUM] is MISSING
    assert _found(lower, declared=claims(assessment_mark="30"))[F.MARK_ABOVE_MAXIMUM] is PASS


def test_facts_are_the_same_after_they_were_kept_and_findings_say_nothing_of_a_person() -> None:
    facts = AppraisalFacts(route=AppraisalRoute.POINTS, declared=claims(national_programme=STAR), proved=claims())
    kept = facts.model_dump(mode="json")
    assert AppraisalFacts.read(kept) == facts
    assert AppraisalFacts.read(kept | {"declared": {"income_year": 5}}).ill_typed == ("declared",)
    for each in assess(facts, FIRST, ON):
        assert "500000" not in each.model_dump_json()
        assert "样例之星" not in each.model_dump_json()
        assert all(used.status == "sample" for used in each.parameters)


def test_every_finding_has_its_rule_and_a_sentence_for_each_outcome_in_three_languages() -> None:
    assert [each.code for each in RULES] == list(AppraisalFinding)
    texts = yaml.safe_load((files("programmes.appraisal") / "texts" / "findings.yaml").read_text("utf-8"))
    assert list(texts) == list(AppraisalFinding)
    for said in texts.values():
        assert set(said) <= {each.value for each in FindingOutcome}
        assert all(set(sentence) == {"en", "zh-Hans", "zh-Hant"} for sentence in said.values())
    seen = {(code, outcome) for code, said in texts.items() for outcome in said}
    achieved = (None, LISTED, _achieved("长空学者"), _achieved("样例海港学者计划", "2023-01-01"))
    every: list[dict[str, Any]] = [
        {},
        *({"birth_date": born} for born in (None, "1950-01-01", "2020-01-01")),
        *({"declared": each} for each in (None, claims(assessment_mark=None), claims(patents=0))),
        {"proved": None},
        *({"work_start": day} for day in (None, "2030-01-01")),
        {"route": None},
        *({"employment_confirmed": each} for each in (None, False)),
        *({"employer_standing": each} for each in (None, "suspended")),
        *({"route": "achievement", "declared": each, "proved": each} for each in achieved),
    ]
    found = {(code, outcome.value) for changed in every for code, outcome in _found(**changed).items()}
    assert found | {(F.MARK_ABOVE_MAXIMUM, "missing")} == seen
