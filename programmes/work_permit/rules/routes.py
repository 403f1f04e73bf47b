"""The routes into categories A, B and C, all at once, each with the fact that decides it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.ages import age_on
from domain.findings import ParameterUsed
from policy.pack import Pack
from programmes.work_permit.rules.claims import Claims, WorkPermitCategory, WorkPermitEducation
from programmes.work_permit.rules.income_tax import income_tax, salary_for_tax
from programmes.work_permit.rules.points import most_of, points_from, score, unsaid

A: Final = WorkPermitCategory.A
B: Final = WorkPermitCategory.B
C: Final = WorkPermitCategory.C


class WorkPermitRoute(StrEnum):
    """A way into a category; the first letter says which."""

    A_TALENT_PROGRAMME = "a_talent_programme"
    A_ACHIEVEMENT = "a_achievement"
    A_MARKET_POST = "a_market_post"
    A_ENTREPRENEUR = "a_entrepreneur"
    A_OUTSTANDING_YOUNG = "a_outstanding_young"
    A_POINTS = "a_points"
    A_SALARY = "a_salary"
    B_DEGREE = "b_degree"
    B_VOCATIONAL = "b_vocational"
    B_LANGUAGE_TEACHER = "b_language_teacher"
    B_SALARY = "b_salary"
    B_POINTS = "b_points"
    C_OTHERS = "c_others"


class WorkPermitRouteOutcome(StrEnum):
    """Whether a route is open; `officer` where a fact is not known, or a value is not confirmed enough to decide."""

    MET = "met"
    NOT_MET = "not_met"
    OFFICER = "officer"


MET: Final = WorkPermitRouteOutcome.MET
NOT_MET: Final = WorkPermitRouteOutcome.NOT_MET
OFFICER: Final = WorkPermitRouteOutcome.OFFICER


class WorkPermitRouteFound(BaseModel):
    """A route: its outcome, the fact that decides it, what that would have to be, and the parameters it rests on."""

    model_config = ConfigDict(frozen=True)

    code: WorkPermitRoute
    category: WorkPermitCategory
    outcome: WorkPermitRouteOutcome
    fact: str
    needs: str | None
    parameters: tuple[ParameterUsed, ...]


@dataclass(frozen=True, slots=True)
class _Given:
    claims: Claims
    local_average_wage_year: Decimal | None
    pack: Pack
    on: date


# The outcome, the fact, and what it would have to be.
_Judged = tuple[WorkPermitRouteOutcome, str, str | None]
_DEGREES: Final = frozenset({WorkPermitEducation.DOCTOR, WorkPermitEducation.MASTER, WorkPermitEducation.BACHELOR})


def routes(
    claims: Claims, pack: Pack, on: date, *, local_average_wage_year: Decimal | None
) -> tuple[WorkPermitRouteFound, ...]:
    """Return every route with what became of it on a day.

    Args:
        claims: what is declared, or what is proved: the one decides nothing for the other.
        local_average_wage_year: yuan a year where the work is done; without it an officer decides what rests on it.
    """
    given = _Given(claims, local_average_wage_year, pack, on)
    found = []
    for code, (judge, parameters) in _ROUTES.items():
        outcome, fact, needs = judge(given)
        used = pack.used(*parameters)
        category = WorkPermitCategory(code.value[0].upper())
        found.append(
            WorkPermitRouteFound(code=code, category=category, outcome=outcome, fact=fact, needs=needs, parameters=used)
        )
    return tuple(found)


def outcome_for(category: WorkPermitCategory, found: Iterable[WorkPermitRouteFound]) -> WorkPermitRouteOutcome:
    """Return what the routes into a category come to: any that is met, else any that an officer looks at."""
    outcomes = {route.outcome for route in found if route.category is category}
    return next((each for each in (MET, OFFICER) if each in outcomes), NOT_MET)


def _said(field: str) -> Callable[[_Given], _Judged]:
    def judged(given: _Given) -> _Judged:
        return _of(getattr(given.claims, field)), field, None

    return judged


def _of(said: bool | None) -> WorkPermitRouteOutcome:
    if said is None:
        return OFFICER
    return MET if said else NOT_MET


def _under_age_limit(field: str) -> Callable[[_Given], _Judged]:
    """Return the judge of a route of B by one fact; whether the limit of age of B binds it too, no source says."""
    said = _said(field)

    def judged(given: _Given) -> _Judged:
        return _looked_at_if_older(given, said(given))

    return judged


def _looked_at_if_older(given: _Given, judged: _Judged) -> _Judged:
    if judged[0] is not MET:
        return judged
    young_enough = _young_enough(given)
    if young_enough:
        return judged
    return OFFICER, "birth_date", str(given.pack.integer("b_oldest_age"))


def _young_enough(given: _Given) -> bool | None:
    born = given.claims.birth_date
    return None if born is None else age_on(born, given.on) <= given.pack.integer("b_oldest_age")


def _points(category: WorkPermitCategory) -> Callable[[_Given], _Judged]:
    def judged(given: _Given) -> _Judged:
        total, wanted = score(given.claims, given.pack, given.on).total, points_from(category, given.pack)
        if total >= wanted:
            met = MET, "total", str(wanted)
            return met if category is A else _looked_at_if_older(given, met)
        # What was not said might make up for what is short: then it is not the total that decides.
        open_items = unsaid(given.claims, given.on)
        if total + sum(most_of(item, given.pack) for item in open_items) >= wanted:
            return OFFICER, open_items[0].value, str(wanted)
        return NOT_MET, "total", str(wanted)

    return judged


def _high_salary(given: _Given) -> _Judged:
    """Judge the salary with its income tax: as it was paid or, where all deductions are known, as the brackets have it.

    Without them the tax of the brackets is the most that it can be, so that it rules out and does not prove.
    """
    claims, pack = given.claims, given.pack
    least, least_tax = pack.decimal("a_salary_from"), pack.decimal("a_income_tax_from")
    if claims.salary_year is None:
        return OFFICER, "salary_year", str(least)
    if claims.salary_year < least:
        return NOT_MET, "salary_year", str(least)
    if claims.income_tax_year is not None:
        paid = claims.income_tax_year >= least_tax
        return _of(paid), "income_tax_year", str(least_tax)
    off = claims.other_deductions or Decimal(0)
    needs = str(salary_for_tax(least_tax, off, pack))
    if income_tax(claims.salary_year, off, pack) < least_tax:
        return NOT_MET, "salary_year", needs
    if claims.other_deductions is None:
        return OFFICER, "income_tax_year", str(least_tax)
    return MET, "salary_year", needs


def _degree(given: _Given) -> _Judged:
    """Judge the degree with the years of work, up to the limit of age, which is itself still in."""
    claims, years = given.claims, given.pack.integer("b_years_of_work")
    oldest = str(given.pack.integer("b_oldest_age"))
    parts: tuple[tuple[str, bool | None, str], ...] = (
        ("education", None if claims.education is None else claims.education in _DEGREES, "bachelor"),
        ("experience_years", None if claims.experience_years is None else claims.experience_years >= years, str(years)),
        ("birth_date", _young_enough(given), oldest),
    )
    for wanted in (False, None):
        for field, holds, needs in parts:
            if holds is wanted:
                return _of(wanted), field, needs
    return MET, "education", "bachelor"


def _local_salary(given: _Given) -> _Judged:
    salary, average = given.claims.salary_year, given.local_average_wage_year
    if average is None:
        return OFFICER, "local_average_wage_year", None
    wanted = average * given.pack.integer("b_times_local_average")
    if salary is None:
        return OFFICER, "salary_year", str(wanted)
    return _looked_at_if_older(given, (_of(salary >= wanted), "salary_year", str(wanted)))


def _others(given: _Given) -> _Judged:
    return OFFICER, "quota", None


_ROUTES: Final[Mapping[WorkPermitRoute, tuple[Callable[[_Given], _Judged], tuple[str, ...]]]] = {
    WorkPermitRoute.A_TALENT_PROGRAMME: (_said("talent_programme"), ()),
    WorkPermitRoute.A_ACHIEVEMENT: (_said("achievement"), ()),
    WorkPermitRoute.A_MARKET_POST: (_said("market_post"), ()),
    WorkPermitRoute.A_ENTREPRENEUR: (_said("entrepreneur"), ()),
    WorkPermitRoute.A_OUTSTANDING_YOUNG: (_said("outstanding_young"), ()),
    WorkPermitRoute.A_POINTS: (_points(A), ("a_points_from",)),
    WorkPermitRoute.A_SALARY: (_high_salary, ("a_salary_from", "a_income_tax_from", "basic_deduction_year")),
    WorkPermitRoute.B_DEGREE: (_degree, ("b_years_of_work", "b_oldest_age")),
    WorkPermitRoute.B_VOCATIONAL: (_under_age_limit("vocational_certificate"), ("b_oldest_age",)),
    WorkPermitRoute.B_LANGUAGE_TEACHER: (_under_age_limit("language_teacher"), ("b_oldest_age",)),
    WorkPermitRoute.B_SALARY: (_local_salary, ("b_times_local_average", "b_oldest_age")),
    WorkPermitRoute.B_POINTS: (_points(B), ("b_points_from", "b_oldest_age")),
    WorkPermitRoute.C_OTHERS: (_others, ()),
}
