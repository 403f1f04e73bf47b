"""The calculator: the answer in its published form, and what bad input is told."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.field_errors import field_errors
from programmes.work_permit.rules.calculator import (
    WorkPermitPointsQuestion,
    WorkPermitRoutesQuestion,
    open_routes,
    points,
)
from tests.programmes.work_permit.given import SHELF

ASKED: dict[str, Any] = {
    "on": "2026-11-30",
    "salary_year": "450000.00",
    "education": "doctor",
    "experience_years": 5,
    "months_in_china_a_year": 9,
    "chinese": "hsk4",
    "location": "440304",
    "birth_date": "1991-05-20",
    "listed_school_firm_ip_or_five_years": True,
    "provincial_bonus": 0,
}


def _ask(**changed: object) -> dict[str, Any]:
    question = WorkPermitPointsQuestion.model_validate_json(json.dumps(ASKED | changed))
    told: dict[str, Any] = json.loads(points(question, SHELF).model_dump_json())
    return told


def test_the_answer_has_its_published_form() -> None:
    told = _ask()
    assert (told["pack"], told["total"], told["class"], told["next"]) == ("work_permit/2018-01-01", 87, "A", [])
    assert [set(each) for each in told["items"]] == [{"code", "points", "reference", "standing"}] * 9
    assert sum(each["points"] for each in told["items"]) == told["total"]
    assert told["standing"] == "unconfirmed"
    (bonus,) = [each for each in _ask(salary_year="300000.00")["next"] if each["code"] == "provincial_bonus"]
    assert bonus == {"code": "provincial_bonus", "more": 4, "to": "A", "value": "4"}


@pytest.mark.parametrize(
    ("salary", "wanted"), [("450000.00", 20), ("449999.99", 17), ("350000", 17), ("349999.99", 14)]
)
def test_hard_case_1_salaries_to_the_cent(salary: str, wanted: int) -> None:
    assert _ask(salary_year=salary)["items"][0]["points"] == wanted


def test_the_day_says_which_table_holds_and_how_old_somebody_is() -> None:
    assert (_ask(on="2017-12-31")["pack"], _ask(on="2018-01-01")["pack"]) == (
        "work_permit/2017-04-01",
        "work_permit/2018-01-01",
    )
    day_before, birthday = (_ask(on=day, birth_date="1981-01-15") for day in ("2027-01-14", "2027-01-15"))
    assert day_before["total"] - birthday["total"] == 5


def test_a_day_before_any_table_is_refused_with_the_first_that_has_one() -> None:
    with pytest.raises(Refused) as refused:
        _ask(on="2017-03-31")
    assert (refused.value.code, refused.value.errors[0].field) == ("invalid", "on")
    assert "2017-04-01" in refused.value.errors[0].message
    assert _ask(on="2017-04-01")["pack"] == "work_permit/2017-04-01"


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"salary_year": 450000}, "salary_year", "wrong_type"),
        ({"salary_year": 450000.5}, "salary_year", "wrong_type"),
        ({"salary_year": "450,000"}, "salary_year", "bad_characters"),
        ({"salary_year": "-1"}, "salary_year", "bad_characters"),
        ({"education": "phd"}, "education", "unknown_value"),
        ({"experience_years": -1}, "experience_years", "unknown_value"),
        ({"experience_years": 81}, "experience_years", "unknown_value"),
        ({"experience_years": 5.5}, "experience_years", "wrong_type"),
        ({"experience_years": "5"}, "experience_years", "wrong_type"),
        ({"experience_years": True}, "experience_years", "wrong_type"),
        ({"months_in_china_a_year": 13}, "months_in_china_a_year", "unknown_value"),
        ({"chinese": "hsk6"}, "chinese", "unknown_value"),
        ({"location": "4403"}, "location", "bad_characters"),
        ({"location": "Shenzhen"}, "location", "bad_characters"),
        ({"birth_date": "1991-02-30"}, "birth_date", "impossible_date"),
        ({"birth_date": "2026-12-01"}, "birth_date", "date_order"),
        ({"listed_school_firm_ip_or_five_years": "yes"}, "listed_school_firm_ip_or_five_years", "wrong_type"),
        ({"provincial_bonus": 11}, "provincial_bonus", "unknown_value"),
        ({"provincial_bonus": None}, "provincial_bonus", "wrong_type"),
        ({"on": None}, "on", "wrong_type"),
        ({"years": 3}, "years", "unknown_field"),
    ],
)
def test_bad_input_names_its_field(changed: dict[str, object], field: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _ask(**changed)
    assert [(each.field, each.code) for each in field_errors(refused.value)] == [(field, code)]


def test_nothing_may_be_left_out() -> None:
    for name in ASKED:
        with pytest.raises(ValidationError) as refused:
            WorkPermitPointsQuestion.model_validate({key: each for key, each in ASKED.items() if key != name})
        assert [(each.field, each.code) for each in field_errors(refused.value)] == [(name, "required")]


def test_it_may_be_asked_for_a_day_to_come() -> None:
    assert _ask(on=date(2030, 1, 1).isoformat())["items"][6]["points"] == 15


def _routes(**given: object) -> dict[str, Any]:
    question = WorkPermitRoutesQuestion.model_validate_json(json.dumps({"on": "2026-11-30"} | given))
    told: dict[str, Any] = json.loads(open_routes(question, SHELF).model_dump_json())
    return told


def test_routes_are_told_all_at_once_each_with_its_fact() -> None:
    told = _routes(salary_year="636400.00", other_deductions="0", education="bachelor", experience_years=1)
    found = {each["code"]: (each["outcome"], each["fact"], each["needs"]) for each in told["routes"]}
    assert len(found) == 13
    assert found["a_salary"] == ("met", "salary_year", "636400.00")
    assert found["b_degree"] == ("not_met", "experience_years", "2")
    assert found["b_salary"] == ("officer", "local_average_wage_year", None)
    assert found["c_others"] == ("officer", "quota", None)
    assert {used["status"] for each in told["routes"] for used in each["parameters"]} == {"unconfirmed"}
    assert (told["pack"], told["points"]["total"]) == ("work_permit/2018-01-01", 30)


def test_the_local_average_wage_may_be_given_with_the_question() -> None:
    for average, outcome in (("100000.00", "met"), ("100000.01", "not_met")):
        told = _routes(salary_year="400000.00", birth_date="1991-05-20", local_average_wage_year=average)
        assert [each["outcome"] for each in told["routes"] if each["code"] == "b_salary"] == [outcome]


def test_with_nothing_known_every_route_is_for_an_officer() -> None:
    assert {each["outcome"] for each in _routes()["routes"]} == {"officer"}


def test_routes_of_a_day_before_any_rules_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        _routes(on="2017-03-31")
    assert refused.value.errors[0].field == "on"
