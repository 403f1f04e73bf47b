"""Routes into A, B and C, all at once, each with the fact that decides it; taxes and ages at their edges."""

from decimal import Decimal

import pytest

from programmes.work_permit.rules.claims import Claims, WorkPermitCategory
from programmes.work_permit.rules.income_tax import income_tax, salary_for_tax
from programmes.work_permit.rules.routes import (
    WorkPermitRoute,
    WorkPermitRouteFound,
    WorkPermitRouteOutcome,
    outcome_for,
    routes,
)
from tests.programmes.work_permit.given import ON, PACK, claims

MET, NOT_MET, OFFICER = WorkPermitRouteOutcome
A, B, C = WorkPermitCategory
R = WorkPermitRoute


def _found(given: Claims, average: str | None = None) -> dict[WorkPermitRoute, WorkPermitRouteFound]:
    wage = None if average is None else Decimal(average)
    return {each.code: each for each in routes(given, PACK, ON, local_average_wage_year=wage)}


def _route(
    code: WorkPermitRoute, given: Claims, average: str | None = None
) -> tuple[WorkPermitRouteOutcome, str, str | None]:
    found = _found(given, average)[code]
    return found.outcome, found.fact, found.needs


def test_all_routes_come_at_once_in_the_order_of_their_categories() -> None:
    found = _found(claims())
    assert list(found) == list(WorkPermitRoute)
    assert [each.category for each in found.values()] == sorted(each.category for each in found.values())
    assert {code[0].upper() == found[code].category for code in found} == {True}


@pytest.mark.parametrize(
    ("taxable", "tax"),
    [("-5", "0"), ("0", "0"), ("36000", "1080"), ("36000.50", "1080.05"), ("36001", "1080.10"), ("144000", "11880"),
     ("300000", "43080"), ("420000", "73080"), ("660000", "145080"), ("960000", "250080"), ("1000000", "268080")],
)  # fmt: skip
def test_income_tax_follows_the_brackets_without_a_jump(taxable: str, tax: str) -> None:
    assert income_tax(Decimal(taxable) + 60_000, Decimal(0), PACK) == Decimal(tax)
    assert income_tax(Decimal(taxable) + 65_000, Decimal(5_000), PACK) == Decimal(tax)


def test_hard_case_4_the_salary_that_the_tax_needs() -> None:
    assert income_tax(Decimal(600_000), Decimal(0), PACK) == Decimal(109_080)
    assert salary_for_tax(Decimal(120_000), Decimal(0), PACK) == Decimal(636_400)
    none_else = {"other_deductions": "0"}
    assert _route(R.A_SALARY, claims(salary_year="600000", **none_else)) == (NOT_MET, "salary_year", "636400.00")
    assert _route(R.A_SALARY, claims(salary_year="636399.99", **none_else)) == (NOT_MET, "salary_year", "636400.00")
    assert _route(R.A_SALARY, claims(salary_year="636400", **none_else)) == (MET, "salary_year", "636400.00")
    # Fifty thousand more taken off: fifty thousand more of salary.
    assert _route(R.A_SALARY, claims(salary_year="686399.99", other_deductions="50000"))[0] is NOT_MET
    assert _route(R.A_SALARY, claims(salary_year="686400", other_deductions="50000"))[0] is MET


def test_tax_as_it_was_paid_decides_before_the_brackets() -> None:
    assert _route(R.A_SALARY, claims(salary_year="600000", income_tax_year="120000"))[0] is MET
    paid_less = claims(salary_year="900000", income_tax_year="119999.99")
    assert _route(R.A_SALARY, paid_less) == (NOT_MET, "income_tax_year", "120000")
    assert _route(R.A_SALARY, claims(salary_year="599999.99", income_tax_year="200000"))[:2] == (NOT_MET, "salary_year")


def test_where_deductions_are_not_known_the_brackets_rule_out_and_do_not_prove() -> None:
    assert _route(R.A_SALARY, claims(salary_year="636399.99"))[0] is NOT_MET
    assert _route(R.A_SALARY, claims(salary_year="636400")) == (OFFICER, "income_tax_year", "120000")
    assert _route(R.A_SALARY, claims(salary_year=None)) == (OFFICER, "salary_year", "600000")


@pytest.mark.parametrize(
    ("code", "field"),
    [(R.A_TALENT_PROGRAMME, "talent_programme"), (R.A_ACHIEVEMENT, "achievement"), (R.A_MARKET_POST, "market_post"),
     (R.A_ENTREPRENEUR, "entrepreneur"), (R.A_OUTSTANDING_YOUNG, "outstanding_young"),
     (R.B_VOCATIONAL, "vocational_certificate"), (R.B_LANGUAGE_TEACHER, "language_teacher")],
)  # fmt: skip
def test_a_route_by_one_fact(code: WorkPermitRoute, field: str) -> None:
    for said, outcome in ((True, MET), (False, NOT_MET), (None, OFFICER)):
        assert _route(code, claims(**{field: said}))[:2] == (outcome, field)


def test_points_decide_at_the_edge() -> None:
    assert _route(R.A_POINTS, claims(provincial_bonus=4)) == (MET, "total", "85")
    assert _route(R.A_POINTS, claims(provincial_bonus=3)) == (NOT_MET, "total", "85")
    assert _route(R.B_POINTS, claims()) == (MET, "total", "60")
    fewer = claims(salary_year="0", experience_years=0, chinese="hsk4")
    assert _route(R.B_POINTS, fewer) == (NOT_MET, "total", "60")


def test_what_is_not_said_and_might_reach_it_is_for_an_officer() -> None:
    assert _route(R.A_POINTS, claims(provincial_bonus=None)) == (OFFICER, "provincial_bonus", "85")
    assert _route(R.A_POINTS, claims(salary_year="0", provincial_bonus=None)) == (NOT_MET, "total", "85")


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, (MET, "education", "bachelor")),
        ({"education": "bachelor", "experience_years": 2}, (MET, "education", "bachelor")),
        ({"education": "bachelor", "experience_years": 1}, (NOT_MET, "experience_years", "2")),
        ({"education": "none"}, (NOT_MET, "education", "bachelor")),
        ({"education": "top_vocational"}, (NOT_MET, "education", "bachelor")),
        ({"birth_date": "1965-12-01"}, (MET, "education", "bachelor")),  # 60 until tomorrow
        ({"birth_date": "1965-11-30"}, (NOT_MET, "birth_date", "60")),  # 61 today
        ({"birth_date": "1966-11-30"}, (MET, "education", "bachelor")),  # 60 today
        ({"birth_date": None}, (OFFICER, "birth_date", "60")),
        ({"education": None}, (OFFICER, "education", "bachelor")),
        ({"education": None, "experience_years": 0}, (NOT_MET, "experience_years", "2")),
    ],
)
def test_the_degree_with_years_of_work_up_to_sixty(
    changed: dict[str, object], wanted: tuple[WorkPermitRouteOutcome, str, str | None]
) -> None:
    assert _route(R.B_DEGREE, claims(**changed)) == wanted


def test_beyond_sixty_every_other_route_of_b_is_for_an_officer_and_a_is_free_of_age() -> None:
    old = claims(birth_date="1960-01-01", vocational_certificate=True, language_teacher=True, provincial_bonus=10)
    found = _found(old, "10000")
    for code in (R.B_VOCATIONAL, R.B_LANGUAGE_TEACHER, R.B_SALARY, R.B_POINTS):
        assert (found[code].outcome, found[code].fact) == (OFFICER, "birth_date"), code
    assert found[R.B_DEGREE].outcome is NOT_MET
    best = claims(birth_date="1960-01-01", salary_year="450000", experience_years=17, provincial_bonus=10)
    assert _found(best)[R.A_POINTS].outcome is MET


def test_a_local_wage_that_is_not_known_is_for_an_officer_and_four_times_is_in() -> None:
    assert _route(R.B_SALARY, claims(salary_year="999999")) == (OFFICER, "local_average_wage_year", None)
    assert _route(R.B_SALARY, claims(salary_year="400000.04"), "100000.01") == (MET, "salary_year", "400000.04")
    assert _route(R.B_SALARY, claims(salary_year="400000.03"), "100000.01") == (NOT_MET, "salary_year", "400000.04")


def test_c_is_under_a_quota_that_nobody_but_an_officer_knows() -> None:
    assert _route(R.C_OTHERS, claims()) == (OFFICER, "quota", None)


def test_a_category_is_open_by_any_of_its_routes() -> None:
    def outcomes(given: Claims) -> list[WorkPermitRouteOutcome]:
        found = _found(given).values()
        return [outcome_for(category, found) for category in (A, B, C)]

    unsaid = dict.fromkeys(
        ("talent_programme", "achievement", "market_post", "entrepreneur", "outstanding_young"), False
    )
    assert outcomes(claims(**unsaid)) == [NOT_MET, MET, OFFICER]
    assert outcomes(claims(**unsaid, provincial_bonus=4)) == [MET, MET, OFFICER]
    assert outcomes(Claims()) == [OFFICER, OFFICER, OFFICER]


def test_each_route_says_which_parameters_it_rests_on() -> None:
    found = _found(claims())
    named = {each.name: each.status for each in found[R.A_SALARY].parameters}
    assert set(named) == {"a_salary_from", "a_income_tax_from", "basic_deduction_year"}
    assert set(named.values()) == {"unconfirmed"}
