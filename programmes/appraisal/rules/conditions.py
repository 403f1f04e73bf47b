"""The conditions of a recognition: the facts that its rules look at, and what each rule finds."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from pydantic import StrictBool

from domain.ages import age_on
from domain.fields import Day
from domain.findings import Audience, Finding, FindingOutcome
from domain.stages import Standing
from policy.facts import Facts
from policy.pack import Pack
from policy.rule import Rule, rule
from programmes.appraisal.findings import AppraisalFinding
from programmes.appraisal.rules.claims import OPEN, AppraisalClaims, AppraisalRoute
from programmes.appraisal.rules.lists import ListOutcome, best_of, looked_up
from programmes.appraisal.rules.points import DIMENSIONS, above_maximum, most_of, rounded, score, unsaid, weight_of

PASS: Final = FindingOutcome.PASS
FAIL: Final = FindingOutcome.FAIL
MISSING: Final = FindingOutcome.MISSING
NEEDS_PERSON: Final = FindingOutcome.NEEDS_PERSON
_BY_POINTS: Final = ("recognition_mark", "rounding_places", "rounding_mode")


class AppraisalFacts(Facts):
    """What is known of a person and their employment on a day; None is a fact that is not known.

    Attributes:
        declared, proved: the same claims twice, as the person gives them and as an officer saw them.
        employment_confirmed: what the employer says of the employment.
    """

    route: AppraisalRoute | None = None
    birth_date: Day | None = None
    work_start: Day | None = None
    employer_standing: Standing | None = None
    employment_confirmed: StrictBool | None = None
    declared: AppraisalClaims | None = None
    proved: AppraisalClaims | None = None


@rule(
    AppraisalFinding.EMPLOYER_STANDING,
    source="design",
    audience=Audience.STAFF,
    fields=("employer.standing",),
)
def employer_standing(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find an employer in good standing with the park."""
    if facts.employer_standing is None:
        return NEEDS_PERSON
    return PASS if facts.employer_standing is Standing.GOOD else FAIL


@rule(
    AppraisalFinding.EMPLOYMENT_NOT_CONFIRMED,
    source="design",
    audience=Audience.EMPLOYER,
    fields=("employment_confirmed",),
)
def employment_confirmed(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find the word of the employer that the person works there."""
    if facts.employment_confirmed is None:
        return NEEDS_PERSON
    return PASS if facts.employment_confirmed else FAIL


@rule(
    AppraisalFinding.WORK_START_TOO_LATE,
    source="design",
    audience=Audience.EMPLOYER,
    fields=("employment.work_start",),
    parameters=("work_start_within_days",),
)
def work_starts_soon(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find work that has begun, or begins within the days that the pack gives, the last of them in."""
    if facts.work_start is None:
        return MISSING
    return PASS if facts.work_start <= on + timedelta(days=pack.integer("work_start_within_days")) else FAIL


@rule(AppraisalFinding.ROUTE_NOT_OPEN, source="design", audience=Audience.EMPLOYER, fields=("route",))
def route_open(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a route that is open; where it is not, another has to be named before anybody can look."""
    return PASS if facts.route in OPEN else MISSING


@rule(
    AppraisalFinding.ACHIEVEMENT_NOT_LISTED,
    source="S20; lists: sample",
    audience=Audience.EMPLOYER,
    fields=("route", "declared"),
    parameters=("similar_from",),
)
def achievement_listed(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find a declared achievement on its list; a name that is on none, or like one on it, is for an officer."""
    if facts.route is not AppraisalRoute.ACHIEVEMENT:
        return None
    return _LISTED[best_of(looked_up(facts.declared or AppraisalClaims(), pack, on))]


@rule(
    AppraisalFinding.ACHIEVEMENT_NOT_PROVED,
    source="S20; lists: sample; proof: design",
    audience=Audience.STAFF,
    fields=("route", "proved"),
    parameters=("similar_from",),
)
def achievement_proved(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find one that an officer saw proved on its list; what was not proved counts nothing, and a person looks."""
    if facts.route is not AppraisalRoute.ACHIEVEMENT:
        return None
    return PASS if carries(facts.route, facts.proved, pack, on) else NEEDS_PERSON


@rule(
    AppraisalFinding.TOO_YOUNG,
    source="none found",
    audience=Audience.EMPLOYER,
    fields=("route", "person.birth_date"),
    parameters=("points_youngest_age",),
)
def old_enough(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find a person who is old enough for points on the day; the other routes ask for no age."""
    if facts.route is not AppraisalRoute.POINTS:
        return None
    if facts.birth_date is None:
        return NEEDS_PERSON
    return PASS if age_on(facts.birth_date, on) >= pack.integer("points_youngest_age") else FAIL


@rule(
    AppraisalFinding.TOO_OLD,
    source="none found; points are for young professionals",
    audience=Audience.EMPLOYER,
    fields=("route", "person.birth_date"),
    parameters=("points_oldest_age",),
)
def young_enough(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find a person who is young enough for points on the day; the last year of age is in, to its last day."""
    if facts.route is not AppraisalRoute.POINTS:
        return None
    if facts.birth_date is None:
        return NEEDS_PERSON
    return PASS if age_on(facts.birth_date, on) <= pack.integer("points_oldest_age") else FAIL


@rule(
    AppraisalFinding.MARK_ABOVE_MAXIMUM,
    source="none found",
    audience=Audience.EMPLOYER,
    fields=("route", "declared"),
    parameters=("assessment_mark_most",),
)
def within_maximum(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find no declared mark above the maximum of the version; one that is has to be given again."""
    if facts.route is not AppraisalRoute.POINTS:
        return None
    return MISSING if above_maximum(facts.declared or AppraisalClaims(), pack) else PASS


@rule(
    AppraisalFinding.POINTS_NOT_REACHED,
    source="S20; tables, weights and mark: sample",
    audience=Audience.EMPLOYER,
    fields=("route", "declared"),
    parameters=_BY_POINTS,
)
def points_reached(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find the mark reached by what is declared; where what was not said could make up for it, a person looks."""
    if facts.route is not AppraisalRoute.POINTS:
        return None
    declared = facts.declared or AppraisalClaims()
    open_items = unsaid(declared)
    if len(open_items) == len(DIMENSIONS):
        return MISSING
    points = score(declared, pack)
    if points.reached:
        return PASS
    could = sum((most_of(item, pack) * weight_of(DIMENSIONS[item], pack) for item in open_items), Decimal(0))
    exact = sum((each.mark * each.weight for each in points.dimensions), Decimal(0))
    return NEEDS_PERSON if rounded(exact + could, pack) >= points.mark else FAIL


@rule(
    AppraisalFinding.POINTS_NOT_PROVED,
    source="S20; tables, weights and mark: sample; proof: design",
    audience=Audience.STAFF,
    fields=("route", "proved"),
    parameters=_BY_POINTS,
)
def points_proved(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find the mark reached by what an officer saw proved; what was not proved counts nothing, and a person looks."""
    if facts.route is not AppraisalRoute.POINTS:
        return None
    return PASS if carries(facts.route, facts.proved, pack, on) else NEEDS_PERSON


_LISTED: Final = {
    None: MISSING,
    ListOutcome.LISTED: PASS,
    ListOutcome.OUT_OF_DATE: FAIL,
    ListOutcome.ELSEWHERE: NEEDS_PERSON,
    ListOutcome.SIMILAR: NEEDS_PERSON,
    ListOutcome.UNKNOWN: NEEDS_PERSON,
}

RULES: Final[tuple[Rule, ...]] = (
    employer_standing,
    employment_confirmed,
    work_starts_soon,
    route_open,
    achievement_listed,
    achievement_proved,
    old_enough,
    young_enough,
    within_maximum,
    points_reached,
    points_proved,
)


def assess(facts: AppraisalFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what every rule finds of an appraisal on a day."""
    found = (each.apply(facts, pack, on) for each in RULES)
    return tuple(finding for finding in found if finding is not None)


def carries(route: AppraisalRoute, proved: AppraisalClaims | None, pack: Pack, on: date) -> bool:
    """Whether what is proved carries a recognition by a route; by one that is not open, nothing does."""
    claims = proved or AppraisalClaims()
    if route is AppraisalRoute.POINTS:
        return score(claims, pack).reached
    return route is AppraisalRoute.ACHIEVEMENT and best_of(looked_up(claims, pack, on)) is ListOutcome.LISTED


@dataclass(frozen=True, slots=True)
class Fall:
    """What it means that something proved fell: whether the recognition stood before, and whether it stands still.

    The totals are those of the points, by the version of the acceptance; None by another route.
    """

    stood: bool
    stands: bool
    before: Decimal | None
    after: Decimal | None


def fall(route: AppraisalRoute, before: AppraisalClaims, after: AppraisalClaims, pack: Pack, on: date) -> Fall:
    """Return what becomes of a recognition when what was proved is no more so; `on` is the day of the acceptance."""
    by_points = route is AppraisalRoute.POINTS
    totals = [score(each, pack).total if by_points else None for each in (before, after)]
    return Fall(carries(route, before, pack, on), carries(route, after, pack, on), *totals)
