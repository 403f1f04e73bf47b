"""What anyone may ask of appraisals: whether the points would reach the mark, and what would give more."""

from datetime import date
from typing import Annotated, Final

from pydantic import Field, StrictBool

from cases.shared.self_checks import (
    SelfCheck,
    SelfCheckAnswer,
    SelfCheckFound,
    SelfCheckOrigin,
    SelfCheckOutcome,
    best_of,
    body_rows,
)
from domain.bodies import Body
from domain.figures import Money
from domain.findings import ParameterUsed
from domain.languages import Language
from policy.pack import PackShelf
from programmes.appraisal.rules.claims import (
    AppraisalClaims,
    AppraisalEducation,
    AppraisalRoute,
    AssessmentMark,
    Count,
    Years,
)
from programmes.appraisal.rules.points import score
from programmes.appraisal.rules.reaching import reaching


class AppraisalSelfCheck(Body):
    """What is said of somebody who is not named; what is left out counts nothing."""

    has_achievement: Annotated[
        StrictBool | None,
        Field(description="Whether a national talent programme, a national award or the like was given; on a list."),
    ] = None
    education: AppraisalEducation | None = None
    listed_school: StrictBool | None = None
    publications: Count | None = None
    experience_years: Years | None = None
    patents: Count | None = None
    projects_led: Count | None = None
    income_year: Money | None = None
    assessment_mark: AssessmentMark | None = None


def _answers(asked: AppraisalSelfCheck, shelf: PackShelf, on: date, language: Language) -> SelfCheckAnswer:
    pack = shelf.on(on)
    claims = AppraisalClaims.model_validate(asked.model_dump(exclude={"has_achievement"}))
    scored, more = score(claims, pack), reaching(claims, pack)
    steps = more.alone or more.together
    unsaid = any(getattr(asked, each.code.value) is None for each in steps)
    short = SelfCheckOutcome.UNSURE if unsaid else SelfCheckOutcome.NOT_MET
    points = SelfCheckFound(
        code=AppraisalRoute.POINTS.value,
        outcome=SelfCheckOutcome.MET if scored.reached else short,
        fact=None if scored.reached or not steps else steps[0].code.value,
        needs=None if scored.reached or not steps else steps[0].value,
        parameters=[
            ParameterUsed(
                name=each.code.value, value=str(each.weight), reference=each.reference, status=each.standing.value
            )
            for each in scored.dimensions
        ],
    )
    by_list = SelfCheckOutcome.NOT_MET if asked.has_achievement is False else SelfCheckOutcome.UNSURE
    achievement = SelfCheckFound(code=AppraisalRoute.ACHIEVEMENT.value, outcome=by_list, fact="has_achievement")
    best = best_of((points.outcome, achievement.outcome))
    return SelfCheckAnswer(outcome=best, found=[points, achievement], rule_version=pack.version)


SELF_CHECK: Final = SelfCheck(asks=AppraisalSelfCheck, of=frozenset(SelfCheckOrigin), answers=_answers)
SELF_CHECK_BODIES: Final = body_rows(AppraisalSelfCheck)
