"""The conditions of a recognition: the facts that its rules look at, and what each rule finds."""

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
from policy.rule import Judge, Rule, rule
from programmes.appraisal.findings import AppraisalFinding
from programmes.appraisal.rules.claims import OPEN, AppraisalClaims, AppraisalRoute
from programmes.appraisal.rules.lists import AppraisalListOutcome, best_of, looked_up
from programmes.appraisal.rules.points import DIMENSIONS, above_maximum, most_of, rounded, score, unsaid, weight_of

PASS: Final = FindingOutcome.PASS
FAIL: Final = FindingOutcome.FAIL
MISSING: Final = FindingOutcome.MISSING
NEEDS_PERSON: Final = FindingOutcome.NEEDS_PERSON
_NOTHING: Final = AppraisalClaims()


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


def carries(route: AppraisalRoute, proved: AppraisalClaims | None, pack: Pack, on: date) -> bool:
    """Whether what is proved carries a recognition by a route; by one that is not open, nothing does.

    `pack` and `on` are those of the acceptance, whenever it is asked: also after something proved fell.
    """
    if route is AppraisalRoute.POINTS:
        return score(proved or _NOTHING, pack).reached
    return route is AppraisalRoute.ACHIEVEMENT and best_of(looked_up(proved or _NOTHING, pack, on)) is _LISTED


_LISTED: Final = AppraisalListOutcome.LISTED
_OF_LISTS: Final = {
    None: MISSING,
    AppraisalListOutcome.LISTED: PASS,
    AppraisalListOutcome.OUT_OF_DATE: FAIL,
}  # all else: a person


def _standing(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    return _holds(None if facts.employer_standing is None else facts.employer_standing is Standing.GOOD)


def _confirmed(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    return _holds(facts.employment_confirmed)


def _starts_soon(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    if facts.work_start is None:
        return MISSING
    return _holds(facts.work_start <= on + timedelta(days=pack.integer("work_start_within_days")))


def _open(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    return PASS if facts.route in OPEN else NEEDS_PERSON


def _listed(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    return _OF_LISTS.get(best_of(looked_up(facts.declared or _NOTHING, pack, on)), NEEDS_PERSON)


def _proved(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find that what an officer saw carries the route; what was not proved counts nothing, and a person looks."""
    return PASS if facts.route and carries(facts.route, facts.proved, pack, on) else NEEDS_PERSON


def _old_enough(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    born = facts.birth_date
    return _holds(None if born is None else age_on(born, on) >= pack.integer("points_youngest_age"))


def _young_enough(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    born = facts.birth_date
    return _holds(None if born is None else age_on(born, on) <= pack.integer("points_oldest_age"))


def _within(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    return MISSING if above_maximum(facts.declared or _NOTHING, pack) else PASS


def _reached(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find the mark reached by what is declared; where what was not said could make up for it, a person looks."""
    declared = facts.declared or _NOTHING
    open_items, points = unsaid(declared), score(declared, pack)
    if points.reached or len(open_items) == len(DIMENSIONS):
        return PASS if points.reached else MISSING
    could = sum((most_of(item, pack) * weight_of(DIMENSIONS[item], pack) for item in open_items), Decimal(0))
    exact = sum((each.mark * each.weight for each in points.dimensions), Decimal(0))
    return NEEDS_PERSON if rounded(exact + could, pack) >= points.mark else FAIL


def _holds(known: bool | None) -> FindingOutcome:
    return NEEDS_PERSON if known is None else PASS if known else FAIL


def _rule(
    code: AppraisalFinding,
    judge: Judge,
    field: str,
    *parameters: str,
    source: str = "design",
    of: AppraisalRoute | None = None,
    audience: Audience = Audience.EMPLOYER,
) -> Rule:
    """Return a rule that speaks of every case, or of those of one route."""

    def judged(facts: AppraisalFacts, pack: Pack, on: date) -> FindingOutcome | None:
        return judge(facts, pack, on) if of is None or facts.route is of else None

    return rule(code, source=source, audience=audience, fields=(field,), parameters=parameters)(judged)


_F: Final = AppraisalFinding
_LIST: Final = AppraisalRoute.ACHIEVEMENT
_POINTS: Final = AppraisalRoute.POINTS
_STAFF: Final = Audience.STAFF
_FOUND: Final = "S20; lists, tables, weights and mark: sample"
_MARK: Final = ("recognition_mark", "rounding_places", "rounding_mode")
_NONE: Final = "none found"

RULES: Final[tuple[Rule, ...]] = (
    _rule(_F.EMPLOYER_STANDING, _standing, "employment.employer", audience=_STAFF),
    _rule(_F.EMPLOYMENT_NOT_CONFIRMED, _confirmed, "employment.employer"),
    _rule(_F.WORK_START_TOO_LATE, _starts_soon, "employment.work_start", "work_start_within_days"),
    _rule(_F.ROUTE_NOT_OPEN, _open, "route"),
    _rule(_F.ACHIEVEMENT_NOT_LISTED, _listed, "evidence", "similar_from", source=_FOUND, of=_LIST),
    _rule(_F.ACHIEVEMENT_NOT_PROVED, _proved, "evidence", "similar_from", source=_FOUND, of=_LIST, audience=_STAFF),
    _rule(_F.TOO_YOUNG, _old_enough, "person.birth_date", "points_youngest_age", source=_NONE, of=_POINTS),
    _rule(_F.TOO_OLD, _young_enough, "person.birth_date", "points_oldest_age", source=_NONE, of=_POINTS),
    _rule(_F.MARK_ABOVE_MAXIMUM, _within, "evidence", "assessment_mark_most", source=_NONE, of=_POINTS),
    _rule(_F.POINTS_NOT_REACHED, _reached, "evidence", *_MARK, source=_FOUND, of=_POINTS),
    _rule(_F.POINTS_NOT_PROVED, _proved, "evidence", *_MARK, source=_FOUND, of=_POINTS, audience=_STAFF),
)


def assess(facts: AppraisalFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what every rule finds of an appraisal on a day."""
    found = (each.apply(facts, pack, on) for each in RULES)
    return tuple(finding for finding in found if finding is not None)
