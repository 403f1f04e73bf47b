"""What is said of a person for their appraisal: declared by themself, or proved before an officer."""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, LiteralString, Self, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.field_errors import MESSAGES, FieldCode
from domain.fields import Day, Line
from domain.figures import Money, whole

MOST_ASSESSMENT: Final = Decimal(40)  # of the mark of the yearly assessment; the packs say the same
_FIGURE: Final = r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?"
_FORM: Final = re.compile(_FIGURE, re.ASCII)


def _mark(given: object) -> object:
    bound = {"most": str(MOST_ASSESSMENT)}
    if not isinstance(given, Decimal | str):
        raise PydanticCustomError("wrong_type", 'Give the mark as text from "0" to "{most}".', bound)
    if isinstance(given, str) and not _FORM.fullmatch(given):
        message = 'Give a mark from "0" to "{most}" with at most 2 digits behind the point.'
        raise PydanticCustomError("bad_characters", message, bound)
    if not 0 <= Decimal(given) <= MOST_ASSESSMENT:
        message = "The mark is above the maximum of this item, which is {most}; give {most} or less."
        raise PydanticCustomError("unknown_value", message, bound)
    return Decimal(given)


class AppraisalRoute(StrEnum):
    """A way to be recognised; `recommendation`, by a panel, is not open yet."""

    ACHIEVEMENT = "achievement"
    POINTS = "points"
    RECOMMENDATION = "recommendation"


OPEN: Final = frozenset({AppraisalRoute.ACHIEVEMENT, AppraisalRoute.POINTS})


def _open(route: object) -> object:
    if route in OPEN:
        return route
    message: LiteralString = MESSAGES[FieldCode.UNKNOWN_VALUE]
    if route == AppraisalRoute.RECOMMENDATION:
        message = (
            "Appraisal by recommendation is not open yet: no panel takes cases so far. Apply by achievement or by"
            " points."
        )
    raise PydanticCustomError("unknown_value", message, {"allowed": tuple(sorted(OPEN))})


# The route of a form: one that is open, and no other is named as one that could be given.
OpenRoute = Annotated[AppraisalRoute, BeforeValidator(_open)]
# Bounds of plausibility; the packs give points for less.
Years = Annotated[int, whole(0, 80)]
Count = Annotated[int, whole(0, 10_000)]
AssessmentMark = Annotated[
    Decimal,
    BeforeValidator(_mark),
    WithJsonSchema({"type": "string", "pattern": f"^{_FIGURE}$", "examples": ["34.00"]}),
]


class AppraisalEducation(StrEnum):
    """The highest degree."""

    DOCTOR = "doctor"
    MASTER = "master"
    BACHELOR = "bachelor"
    NONE = "none"


class AppraisalItem(StrEnum):
    """What is declared and proved, each a field of the claims of the same name."""

    NATIONAL_PROGRAMME = "national_programme"
    AWARD = "award"
    RECOGNISED_ACHIEVEMENT = "recognised_achievement"
    EDUCATION = "education"
    LISTED_SCHOOL = "listed_school"
    PUBLICATIONS = "publications"
    EXPERIENCE = "experience_years"
    PATENTS = "patents"
    PROJECTS_LED = "projects_led"
    INCOME = "income_year"
    ASSESSMENT = "assessment_mark"


class Achieved(BaseModel):
    """What somebody was selected for, or given: its name as the paper has it, and the day it was given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line
    given_on: Annotated[Day, Field(description="The day on which it was given, or the selection was announced.")]


class AppraisalClaims(BaseModel):
    """What is said for lists and points; None is not said, or not proved, and counts nothing.

    Attributes:
        experience_years: full years of work in the profession.
        publications, patents, projects_led: how many, as the pack counts them.
        income_year: yuan of taxable income of a year.
        assessment_mark: the mark of the employer's last yearly assessment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    national_programme: Achieved | None = None
    award: Achieved | None = None
    recognised_achievement: Achieved | None = None
    education: AppraisalEducation | None = None
    listed_school: StrictBool | None = None
    publications: Count | None = None
    experience_years: Years | None = None
    patents: Count | None = None
    projects_led: Count | None = None
    income_year: Money | None = None
    assessment_mark: AssessmentMark | None = None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """Return what is declared or proved of items of evidence: one without a value holds, others are left out."""
        held = {name: value if name in VALUES else True for name, value in said.items()}
        return cls.model_validate({name: value for name, value in held.items() if name in cls.model_fields})


# The types of what evidence for an item may prove; one that is not among them is proved or not.
_TYPES: Final = get_type_hints(AppraisalClaims, include_extras=True)
VALUES: Final[Mapping[str, Any]] = {
    name: _TYPES[name] for name in AppraisalClaims.model_fields if _TYPES[name] != StrictBool | None
}
