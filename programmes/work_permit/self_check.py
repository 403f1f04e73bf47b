"""What anyone may ask of work permits: which routes into A, B and C are open by what is said."""

from datetime import date
from typing import Annotated, Final

from pydantic import Field

from cases.shared.self_checks import (
    SelfCheck,
    SelfCheckAnswer,
    SelfCheckFound,
    SelfCheckOrigin,
    SelfCheckOutcome,
    best_of,
    body_rows,
)
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.figures import Money
from domain.languages import Language
from policy.pack import PackShelf
from programmes.work_permit.rules.claims import Claims, WorkPermitCategory
from programmes.work_permit.rules.routes import WorkPermitRouteOutcome, outcome_for, routes

_OUTCOMES: Final = {
    WorkPermitRouteOutcome.MET: SelfCheckOutcome.MET,
    WorkPermitRouteOutcome.NOT_MET: SelfCheckOutcome.NOT_MET,
    WorkPermitRouteOutcome.OFFICER: SelfCheckOutcome.UNSURE,
}
_TALENT: Final = (WorkPermitCategory.A, WorkPermitCategory.B)


class WorkPermitSelfCheck(Claims):
    """What is said of a job and of somebody who is not named; what is left out is not known."""

    local_average_wage_year: Annotated[
        Money | None, Field(description="Yuan a year, the average where the work is done.")
    ] = None


def _answers(asked: WorkPermitSelfCheck, shelf: PackShelf, on: date, language: Language) -> SelfCheckAnswer:
    if asked.birth_date is not None and asked.birth_date > on:
        said = "The birth date lies ahead; give a day that is past."
        raise Refused("invalid", said, [FieldError("work_permit.birth_date", FieldCode.DATE_ORDER, said)])
    pack = shelf.on(on)
    claims = Claims.model_validate(asked.model_dump(include=set(Claims.model_fields)))
    found = routes(claims, pack, on, local_average_wage_year=asked.local_average_wage_year)
    return SelfCheckAnswer(
        outcome=best_of(_OUTCOMES[outcome_for(category, found)] for category in _TALENT),
        found=[
            SelfCheckFound(
                code=each.code.value,
                outcome=_OUTCOMES[each.outcome],
                fact=each.fact,
                needs=each.needs,
                parameters=each.parameters,
            )
            for each in found
        ],
        rule_version=pack.version,
    )


SELF_CHECK: Final = SelfCheck(asks=WorkPermitSelfCheck, of=frozenset({SelfCheckOrigin.FOREIGN}), answers=_answers)
SELF_CHECK_BODIES: Final = body_rows(WorkPermitSelfCheck)
