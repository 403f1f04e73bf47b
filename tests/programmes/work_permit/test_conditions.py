"""Conditions of a work permit at their edges: what passes, what fails, and what is for an officer."""

from datetime import date
from importlib.resources import files
from typing import Any

import pytest
import yaml
from pydantic import JsonValue

from domain.findings import Audience, FindingOutcome
from policy.pack import Pack
from policy.standing import ParameterStatus
from programmes.work_permit.findings import WorkPermitFinding
from programmes.work_permit.rules.claims import VALUES, Claims
from programmes.work_permit.rules.conditions import RULES, WorkPermitFacts, assess
from tests.programmes.work_permit.given import ON, PACK, SHELF, claims

PASS, FAIL, MISSING, NEEDS_PERSON = FindingOutcome
F = WorkPermitFinding
_BY_A_RULE = {"status": ParameterStatus.CONFIRMED}
CONFIRMED = PACK.model_copy(
    update={"parameters": {name: each.model_copy(update=_BY_A_RULE) for name, each in PACK.parameters.items()}}
)
NO_OTHER_ROUTE = dict.fromkeys(
    ("talent_programme", "achievement", "market_post", "entrepreneur", "outstanding_young"), False
)


def _facts(**changed: object) -> WorkPermitFacts:
    given: dict[str, Any] = {
        "category": "B",
        "declared": claims(**NO_OTHER_ROUTE),
        "proved": claims(),
        "contract_start": "2026-12-15",
        "contract_end": "2028-12-14",
        "local_minimum_wage_month": "2520.00",
        "local_average_wage_year": "150000.00",
        "employer_standing": "good",
        "post_is_special": True,
        "is_healthy": True,
        "has_no_record": True,
        "has_skills": True,
    }
    return WorkPermitFacts.model_validate(given | changed)


def _found(on: date = ON, pack: Pack = PACK, **changed: object) -> dict[str, FindingOutcome]:
    return {each.code: each.outcome for each in assess(_facts(**changed), pack, on)}


# Found of an extension alone.
_OF_THE_FORM = [each for each in WorkPermitFinding if each is not WorkPermitFinding.EXTENSION_LATE]


def test_who_meets_every_condition_is_clear_by_every_version() -> None:
    for pack in SHELF.packs:
        assert _found(pack=pack) == dict.fromkeys(_OF_THE_FORM, PASS)


@pytest.mark.parametrize(
    ("changed", "code", "outcome"),
    [
        ({"declared": claims(birth_date="2008-11-30", education="bachelor")}, F.TOO_YOUNG, PASS),  # 18 today
        ({"declared": claims(birth_date="2008-12-01", education="bachelor")}, F.TOO_YOUNG, FAIL),  # tomorrow
        ({"declared": claims(birth_date=None)}, F.TOO_YOUNG, NEEDS_PERSON),
        ({"declared": claims(salary_year="30240.00")}, F.WAGE_BELOW_MINIMUM, PASS),
        ({"declared": claims(salary_year="30239.99")}, F.WAGE_BELOW_MINIMUM, FAIL),
        ({"local_minimum_wage_month": None}, F.WAGE_BELOW_MINIMUM, NEEDS_PERSON),
        ({"declared": None}, F.WAGE_BELOW_MINIMUM, NEEDS_PERSON),
        ({"contract_end": "2026-11-30", "contract_start": "2026-01-01"}, F.CONTRACT_DATES_WRONG, PASS),
        ({"contract_end": "2026-11-29", "contract_start": "2026-01-01"}, F.CONTRACT_DATES_WRONG, FAIL),
        ({"contract_end": "2026-11-29", "contract_start": None}, F.CONTRACT_DATES_WRONG, FAIL),
        ({"contract_end": "2026-12-14"}, F.CONTRACT_DATES_WRONG, FAIL),
        ({"contract_end": None}, F.CONTRACT_DATES_WRONG, NEEDS_PERSON),
        ({"category": None}, F.CATEGORY_NOT_REACHED, MISSING),
        ({"category": "A"}, F.CATEGORY_NOT_REACHED, NEEDS_PERSON),
        ({"category": "A", "declared": claims(**NO_OTHER_ROUTE, provincial_bonus=4)}, F.CATEGORY_NOT_REACHED, PASS),
        ({"category": "A", "declared": claims()}, F.CATEGORY_NOT_REACHED, NEEDS_PERSON),  # other routes are not said
        ({"category": "C"}, F.CATEGORY_NOT_REACHED, NEEDS_PERSON),
        ({"declared": claims(birth_date="1965-12-01")}, F.CATEGORY_NOT_REACHED, PASS),  # 60
        ({"proved": None}, F.CATEGORY_NOT_PROVED, NEEDS_PERSON),
        ({"proved": claims(education=None, salary_year="0")}, F.CATEGORY_NOT_PROVED, NEEDS_PERSON),
        ({"employer_standing": "suspended"}, F.EMPLOYER_STANDING, FAIL),
        ({"employer_standing": "left_park"}, F.EMPLOYER_STANDING, FAIL),
        ({"employer_standing": None}, F.EMPLOYER_STANDING, NEEDS_PERSON),
        ({"is_healthy": None}, F.HEALTH_NOT_PROVED, NEEDS_PERSON),
        ({"has_no_record": False}, F.RECORD_NOT_PROVED, FAIL),
        ({"has_skills": None}, F.SKILLS_NOT_PROVED, NEEDS_PERSON),
        ({"post_is_special": None}, F.POST_NOT_SPECIAL, NEEDS_PERSON),
    ],
)
def test_a_condition_at_its_edge(changed: dict[str, Any], code: str, outcome: FindingOutcome) -> None:
    assert _found(**changed)[code] is outcome


def test_sixty_one_without_another_route_is_out_of_b() -> None:
    unfit = {
        "vocational_certificate": False,
        "language_teacher": False,
        "salary_year": "0",
        "months_in_china_a_year": 0,
    }
    for born, unconfirmed, confirmed in (("1965-11-30", NEEDS_PERSON, FAIL), ("1965-12-01", PASS, PASS)):
        declared = claims(birth_date=born, **unfit)
        assert _found(declared=declared)[F.CATEGORY_NOT_REACHED] is unconfirmed
        assert _found(declared=declared, pack=CONFIRMED)[F.CATEGORY_NOT_REACHED] is confirmed


def test_a_wage_that_nobody_knows_stops_nobody_and_clears_nobody() -> None:
    unfit = {"vocational_certificate": False, "language_teacher": False, "education": "none", "experience_years": 0}
    declared = claims(**unfit, months_in_china_a_year=0, chinese="none")
    assert _found(declared=declared, local_average_wage_year=None)[F.CATEGORY_NOT_REACHED] is NEEDS_PERSON
    assert _found(declared=declared, local_average_wage_year="75000")[F.CATEGORY_NOT_REACHED] is PASS
    assert _found(declared=declared, local_average_wage_year="75000.01")[F.CATEGORY_NOT_REACHED] is NEEDS_PERSON
    nobody_known = _found(pack=CONFIRMED, declared=declared, local_average_wage_year=None)
    assert nobody_known[F.CATEGORY_NOT_REACHED] is NEEDS_PERSON
    known = _found(pack=CONFIRMED, declared=declared, local_average_wage_year="75000.01")
    assert known[F.CATEGORY_NOT_REACHED] is FAIL


def test_facts_are_the_same_after_they_were_kept() -> None:
    facts = _facts()
    kept = facts.model_dump(mode="json")
    assert WorkPermitFacts.read(kept) == facts
    assert assess(WorkPermitFacts.read(kept), PACK, ON) == assess(facts, PACK, ON)
    assert WorkPermitFacts.read(kept | {"local_average_wage_year": 150000.5}).ill_typed == ("local_average_wage_year",)


def test_findings_name_parameters_with_their_standing_and_no_value_of_a_person() -> None:
    for each in assess(_facts(), PACK, ON):
        assert "300000" not in each.model_dump_json()
    (category,) = [each for each in assess(_facts(), PACK, ON) if each.code == F.CATEGORY_NOT_REACHED]
    assert {each.status for each in category.parameters} == {"unconfirmed"}
    assert category.audience is Audience.EMPLOYER


def test_evidence_proves_claims_by_its_items() -> None:
    proved: dict[str, JsonValue] = {
        "education": "doctor",
        "salary_year": "450000.00",
        "experience_years": 5,
        "talent_programme": None,
    }
    held = Claims.proved_by(proved | {"health": None})
    assert held == Claims.model_validate(proved | {"talent_programme": True})
    assert set(Claims.model_fields) - set(VALUES) == {
        "listed_school_firm_ip_or_five_years", "talent_programme", "achievement", "market_post", "entrepreneur",
        "outstanding_young", "vocational_certificate", "language_teacher",
    }  # fmt: skip


def test_every_finding_has_its_rule_and_a_sentence_for_each_outcome_in_three_languages() -> None:
    assert [each.code for each in RULES] == _OF_THE_FORM
    texts = yaml.safe_load((files("programmes.work_permit") / "texts" / "findings.yaml").read_text("utf-8"))
    assert set(texts) == set(WorkPermitFinding)
    for code, said in texts.items():
        assert {"pass", "needs_person"} <= set(said), code
        for sentence in said.values():
            assert set(sentence) == {"en", "zh-Hans", "zh-Hant"}
    assert {"pass", "fail", "missing", "needs_person"} == set(texts[F.CATEGORY_NOT_REACHED])
