"""The calculators of points and of routes: what is asked, and the answer; nothing is stored."""

from datetime import date
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from domain.bodies import Body, example
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.fields import Day, Flag, refusal
from domain.figures import Money
from policy.pack import Pack, PackError, PackShelf
from programmes.work_permit.rules.claims import (
    Bonus,
    Claims,
    Months,
    Place,
    WorkPermitChinese,
    WorkPermitEducation,
    Years,
)
from programmes.work_permit.rules.points import WorkPermitPoints, score
from programmes.work_permit.rules.routes import WorkPermitRouteFound, routes

_BORN_LATER: Final = "The birth date is after the day on which age counts; give an earlier one."


class WorkPermitPointsQuestion(Body):
    """What points are asked for; nothing of it is kept."""

    model_config = example(
        {
            "on": "2026-11-30",
            "salary_year": "300000.00",
            "education": "doctor",
            "experience_years": 5,
            "months_in_china_a_year": 9,
            "chinese": "hsk4",
            "location": "440304",
            "birth_date": "1991-05-20",
            "listed_school_firm_ip_or_five_years": True,
            "provincial_bonus": 0,
        }
    )

    on: Annotated[Day, Field(description="The day on which age counts, and whose table holds: that of the acceptance.")]
    salary_year: Annotated[Money, Field(description="Yuan a year before tax.")]
    education: WorkPermitEducation
    experience_years: Annotated[Years, Field(description="Full years of work of the kind.")]
    months_in_china_a_year: Months
    chinese: WorkPermitChinese
    location: Annotated[Place, Field(description="Where the work is done: the six digits of the place.")]
    birth_date: Day
    listed_school_firm_ip_or_five_years: Annotated[
        Flag,
        Field(
            description="Whether any holds: a listed school, work for a listed firm, intellectual property, five years"
            " of work in China without a break."
        ),
    ]
    provincial_bonus: Annotated[Bonus, Field(description="What the province gives for what it needs.")]

    @field_validator("birth_date")
    @classmethod
    def _born_before(cls, born: date, info: ValidationInfo) -> date:
        if "on" in info.data and born > info.data["on"]:
            raise refusal("date_order", _BORN_LATER)
        return born

    @property
    def claims(self) -> Claims:
        """What is said for points."""
        return Claims.model_validate(self.model_dump(exclude={"on"}))


class WorkPermitRoutesQuestion(Claims):
    """Which routes are open by what is known so far; what is left out is not known, and nothing of it is kept."""

    model_config = example(
        {
            "on": "2026-11-30",
            "salary_year": "636400.00",
            "other_deductions": "0",
            "education": "bachelor",
            "experience_years": 2,
            "birth_date": "1991-05-20",
        }
    )

    on: Annotated[Day, Field(description="The day on which age counts, and whose rules hold: that of the acceptance.")]
    local_average_wage_year: Annotated[
        Money | None,
        Field(description="Yuan a year, the average where the work is done; without it an officer decides by it."),
    ] = None

    @model_validator(mode="after")
    def _born_before(self) -> Self:
        if self.birth_date is not None and self.birth_date > self.on:
            wrong = FieldError("birth_date", FieldCode.DATE_ORDER, _BORN_LATER)
            raise Refused("invalid", _BORN_LATER, [wrong])
        return self

    @property
    def claims(self) -> Claims:
        """What is said for points and routes."""
        return Claims.model_validate(self.model_dump(include=set(Claims.model_fields)))


class WorkPermitRoutes(BaseModel):
    """All routes at once, each with the fact that decides it, and the points by what is known."""

    model_config = ConfigDict(frozen=True)

    pack: str
    routes: tuple[WorkPermitRouteFound, ...]
    points: WorkPermitPoints


def points(question: WorkPermitPointsQuestion, shelf: PackShelf) -> WorkPermitPoints:
    """Return the points by the version that is in force on the day.

    Raises:
        Refused: no version was in force yet on the day (`invalid`, field `on`).
    """
    return score(question.claims, _in_force(shelf, question.on), question.on)


def open_routes(question: WorkPermitRoutesQuestion, shelf: PackShelf) -> WorkPermitRoutes:
    """Return every route by the version that is in force on the day.

    Raises:
        Refused: no version was in force yet on the day (`invalid`, field `on`).
    """
    pack, claims = _in_force(shelf, question.on), question.claims
    scored = score(claims, pack, question.on)
    found = routes(claims, pack, question.on, local_average_wage_year=question.local_average_wage_year)
    return WorkPermitRoutes(pack=scored.pack, routes=found, points=scored)


def _in_force(shelf: PackShelf, on: date) -> Pack:
    try:
        return shelf.on(on)
    except PackError:
        first = min(each.effective_from for each in shelf.packs)
        message = f"No rules were in force on that day; give {first.isoformat()} or a later day."
        raise Refused("invalid", errors=(FieldError("on", FieldCode.UNKNOWN_VALUE, message),)) from None
