"""The calculator of points: what is asked, and the answer; nothing is stored."""

from datetime import date
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from domain.bodies import Body, example
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.fields import Day, Flag, refusal
from domain.figures import Money
from policy.pack import PackError, PackShelf
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
            raise refusal("date_order", "The birth date is after the day on which age counts; give an earlier one.")
        return born

    @property
    def claims(self) -> Claims:
        """What is said for points."""
        return Claims.model_validate(self.model_dump(exclude={"on"}))


def answer(question: WorkPermitPointsQuestion, shelf: PackShelf) -> WorkPermitPoints:
    """Return the points by the version that is in force on the day.

    Raises:
        Refused: no version was in force yet on the day (`invalid`, field `on`).
    """
    try:
        pack = shelf.on(question.on)
    except PackError:
        first = min(each.effective_from for each in shelf.packs)
        message = f"No table of points was in force on that day; give {first.isoformat()} or a later day."
        raise Refused("invalid", errors=(FieldError("on", FieldCode.UNKNOWN_VALUE, message),)) from None
    return score(question.claims, pack, question.on)
