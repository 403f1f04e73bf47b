"""The conditions of a work permit: the facts that its rules look at, and what each rule finds [S54, S61 to S66]."""

from datetime import date
from typing import Final

from pydantic import StrictBool

from domain.ages import age_on
from domain.fields import Day
from domain.figures import Money
from domain.findings import Audience, Finding, FindingOutcome
from domain.stages import Standing
from policy.facts import Facts
from policy.pack import Pack
from policy.rule import Rule, rule
from policy.standing import ParameterStatus, least
from programmes.work_permit.findings import WorkPermitFinding
from programmes.work_permit.rules.claims import Claims, WorkPermitCategory
from programmes.work_permit.rules.routes import MET, NOT_MET, WorkPermitRouteFound, outcome_for, routes

PASS: Final = FindingOutcome.PASS
FAIL: Final = FindingOutcome.FAIL
MISSING: Final = FindingOutcome.MISSING
NEEDS_PERSON: Final = FindingOutcome.NEEDS_PERSON
_BY_POINTS_OR_ROUTE: Final = (
    "a_points_from", "a_salary_from", "a_income_tax_from", "b_points_from", "b_years_of_work", "b_oldest_age",
    "b_times_local_average",
)  # fmt: skip


class WorkPermitFacts(Facts):
    """What is known of a person, a job and an employer on a day; None is a fact that is not known.

    Attributes:
        declared, proved: the same claims twice, as the employer gives them and as an officer saw them.
        local_minimum_wage_month, local_average_wage_year: yuan, where the work is done, as an officer recorded them.
        post_is_special, is_healthy, has_no_record, has_skills: as an officer saw them.
        work_permit_until: the last day of the permit, once there is one.
    """

    category: WorkPermitCategory | None = None
    declared: Claims | None = None
    proved: Claims | None = None
    contract_start: Day | None = None
    contract_end: Day | None = None
    local_minimum_wage_month: Money | None = None
    local_average_wage_year: Money | None = None
    employer_standing: Standing | None = None
    post_is_special: StrictBool | None = None
    is_healthy: StrictBool | None = None
    has_no_record: StrictBool | None = None
    has_skills: StrictBool | None = None
    work_permit_until: Day | None = None


@rule(
    WorkPermitFinding.EMPLOYER_STANDING,
    source="S54: lawfully registered, no serious breach of law or trust",
    audience=Audience.STAFF,
    fields=("employer.standing",),
)
def employer_standing(facts: WorkPermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find an employer in good standing with the park."""
    if facts.employer_standing is None:
        return NEEDS_PERSON
    return PASS if facts.employer_standing is Standing.GOOD else FAIL


@rule(
    WorkPermitFinding.TOO_YOUNG,
    source="S54: 18 or older",
    audience=Audience.EMPLOYER,
    fields=("person.birth_date",),
    parameters=("youngest_age",),
)
def old_enough(facts: WorkPermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a person who is old enough on the day."""
    born = facts.declared.birth_date if facts.declared else None
    if born is None:
        return NEEDS_PERSON
    return PASS if age_on(born, on) >= pack.integer("youngest_age") else FAIL


@rule(
    WorkPermitFinding.WAGE_BELOW_MINIMUM,
    source="S54: wage not below the local minimum",
    audience=Audience.EMPLOYER,
    fields=("job.salary_year", "job.local_minimum_wage_month"),
)
def wage_above_minimum(facts: WorkPermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find twelve months of the local minimum wage in the salary; where the one or the other is not known, a person."""
    salary = facts.declared.salary_year if facts.declared else None
    if salary is None or facts.local_minimum_wage_month is None:
        return NEEDS_PERSON
    return PASS if salary >= facts.local_minimum_wage_month * 12 else FAIL


@rule(
    WorkPermitFinding.CONTRACT_DATES_WRONG,
    source="S54: confirmed employer; dates: design",
    audience=Audience.EMPLOYER,
    fields=("job.contract_start", "job.contract_end"),
)
def contract_dates(facts: WorkPermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a contract that has not ended and ends after it begins; it may begin later, since people come for it."""
    start, end = facts.contract_start, facts.contract_end
    if start is None or end is None:
        return FAIL if end is not None and end < on else NEEDS_PERSON
    return FAIL if end < on or end < start else PASS


@rule(
    WorkPermitFinding.CATEGORY_NOT_REACHED,
    source="S61, S62, S63, S64",
    audience=Audience.EMPLOYER,
    fields=("category", "declared"),
    parameters=_BY_POINTS_OR_ROUTE,
)
def category_reached(facts: WorkPermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a route into the category that is asked for in what is declared; the quota of C is for a person.

    Nothing is sent back by a bound that no rule confirms: a person looks at it.
    """
    if facts.category is None:
        return MISSING
    outcome = outcome_for(facts.category, routes_of(facts, facts.declared, pack, on))
    if outcome is NOT_MET:
        bounds = least(pack.parameter(name).status for name in _BY_POINTS_OR_ROUTE)
        return FAIL if bounds is ParameterStatus.CONFIRMED else NEEDS_PERSON
    return PASS if outcome is MET else NEEDS_PERSON


@rule(
    WorkPermitFinding.CATEGORY_NOT_PROVED,
    source="S61, S62, S63, S64; proof: design",
    audience=Audience.STAFF,
    fields=("category", "evidence"),
    parameters=_BY_POINTS_OR_ROUTE,
)
def category_proved(facts: WorkPermitFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find that category in what an officer saw; what was not proved counts nothing, and a person looks."""
    if facts.category is None:
        return None
    met = outcome_for(facts.category, routes_of(facts, facts.proved, pack, on)) is MET
    return PASS if met else NEEDS_PERSON


def routes_of(facts: WorkPermitFacts, claims: Claims | None, pack: Pack, on: date) -> tuple[WorkPermitRouteFound, ...]:
    """Return every route by what is declared, or by what is proved."""
    return routes(claims or Claims(), pack, on, local_average_wage_year=facts.local_average_wage_year)


def _seen(code: WorkPermitFinding, fact: str, source: str, field: str = "evidence") -> Rule:
    """Return the rule of a condition that an officer alone can see to."""

    def judged(facts: WorkPermitFacts, pack: Pack, on: date) -> FindingOutcome:
        seen = getattr(facts, fact)
        return NEEDS_PERSON if seen is None else PASS if seen else FAIL

    return rule(code, source=source, audience=Audience.STAFF, fields=(field,))(judged)


RULES: Final[tuple[Rule, ...]] = (
    employer_standing,
    old_enough,
    wage_above_minimum,
    contract_dates,
    category_reached,
    category_proved,
    _seen(
        WorkPermitFinding.POST_NOT_SPECIAL,
        "post_is_special",
        "S54: a special vacancy without a suitable local",
        "job.position",
    ),
    _seen(WorkPermitFinding.HEALTH_NOT_PROVED, "is_healthy", "S54: healthy"),
    _seen(WorkPermitFinding.RECORD_NOT_PROVED, "has_no_record", "S54: no criminal record"),
    _seen(WorkPermitFinding.SKILLS_NOT_PROVED, "has_skills", "S54: skills for the job"),
)


def assess(facts: WorkPermitFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what every rule finds of a work permit on a day."""
    found = (each.apply(facts, pack, on) for each in RULES)
    return tuple(finding for finding in found if finding is not None)
