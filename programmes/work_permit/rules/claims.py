"""What is said of a person and a job for points and routes: declared by an employer, or proved before an officer."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self, get_type_hints

from pydantic import AfterValidator, JsonValue, StrictBool, WithJsonSchema

from domain.ages import age_on
from domain.bodies import Body
from domain.fields import Day, refusal
from domain.figures import Money, whole

MOST_YEARS: Final = 80  # of work: a bound of plausibility
MOST_BONUS: Final = 10


def _place(given: str) -> str:
    if not (len(given) == 6 and given.isascii() and given.isdigit()):
        raise refusal("bad_characters", "Give the six digits of the place where the work is done, such as 440304.")
    return given


Years = Annotated[int, whole(0, MOST_YEARS)]
Months = Annotated[int, whole(0, 12)]
Bonus = Annotated[int, whole(0, MOST_BONUS)]
# Six digits of the administrative division where the work is done, such as 440304.
Place = Annotated[
    str, AfterValidator(_place), WithJsonSchema({"type": "string", "pattern": "^[0-9]{6}$", "examples": ["440304"]})
]


class WorkPermitCategory(StrEnum):
    """A: encouraged, B: controlled, C: others, under a quota [S61]."""

    A = "A"
    B = "B"
    C = "C"


class WorkPermitEducation(StrEnum):
    """The highest degree, or a qualification like it; `top_vocational` is the highest international one."""

    DOCTOR = "doctor"
    TOP_VOCATIONAL = "top_vocational"
    MASTER = "master"
    BACHELOR = "bachelor"
    NONE = "none"


class WorkPermitChinese(StrEnum):
    """What shows how well somebody knows Chinese."""

    HSK1 = "hsk1"
    HSK2 = "hsk2"
    HSK3 = "hsk3"
    HSK4 = "hsk4"
    HSK5 = "hsk5"
    FORMER_NATIONAL = "former_national"
    DEGREE_IN_CHINESE = "degree_in_chinese"
    NONE = "none"


class PointItem(StrEnum):
    """What points are given for; each has its table in the pack, of the same name."""

    SALARY = "salary_year"
    EDUCATION = "education"
    EXPERIENCE = "experience_years"
    MONTHS = "months_in_china_a_year"
    CHINESE = "chinese"
    LOCATION = "location"
    AGE = "age"
    STANDING = "listed_school_firm_ip_or_five_years"
    BONUS = "provincial_bonus"


class Claims(Body):
    """What is said for points and routes; None is not said, or not proved, and counts nothing.

    Attributes:
        salary_year: yuan a year before tax, as the contract has it.
        income_tax_year: yuan of income tax of a year, as paid or certified.
        other_deductions: yuan a year that are taken off the salary beside the basic deduction; None is not known.
    """

    salary_year: Money | None = None
    education: WorkPermitEducation | None = None
    experience_years: Years | None = None
    months_in_china_a_year: Months | None = None
    chinese: WorkPermitChinese | None = None
    location: Place | None = None
    birth_date: Day | None = None
    listed_school_firm_ip_or_five_years: StrictBool | None = None
    provincial_bonus: Bonus | None = None
    talent_programme: StrictBool | None = None
    achievement: StrictBool | None = None
    market_post: StrictBool | None = None
    entrepreneur: StrictBool | None = None
    outstanding_young: StrictBool | None = None
    vocational_certificate: StrictBool | None = None
    language_teacher: StrictBool | None = None
    income_tax_year: Money | None = None
    other_deductions: Money | None = None

    @classmethod
    def proved_by(cls, proved: Mapping[str, JsonValue]) -> Self:
        """Return what evidence proved, by its items: one without a value holds; what is no claim is left out."""
        held = {name: value if name in VALUES else True for name, value in proved.items()}
        return cls.model_validate({name: value for name, value in held.items() if name in cls.model_fields})

    def figure(self, item: PointItem, on: date) -> Decimal | str | None:
        """Return what the table of an item is asked for: a figure or a name; age is in full years on the day."""
        if item is PointItem.AGE:
            return None if self.birth_date is None else Decimal(age_on(self.birth_date, on))
        said = getattr(self, item.value)
        if isinstance(said, bool):
            return "yes" if said else "no"
        return Decimal(said) if isinstance(said, int) else said


# The types of what evidence for a claim may prove; a claim that is not among them is proved or not.
_TYPES: Final = get_type_hints(Claims, include_extras=True)
VALUES: Final[Mapping[str, Any]] = {
    name: _TYPES[name] for name in Claims.model_fields if _TYPES[name] != StrictBool | None
}
