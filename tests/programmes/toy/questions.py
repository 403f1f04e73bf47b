"""What can be asked about toys and is of no case: how long one would take."""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from cases.programme import Calculator
from domain.bodies import Body, example
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.fields import Day
from domain.languages import Language
from policy.pack import PackShelf


class ToyDaysQuestion(Body):
    """How many toys are wished for, and on which day; nothing of it is kept."""

    model_config = example({"on": "2026-11-30", "toys": 3})

    on: Day
    toys: Annotated[int, Field(ge=1, le=100, strict=True)]


class ToyDays(BaseModel):
    """How many working days that takes, by which version of the rules, and whether the number is confirmed."""

    pack: str
    days: int
    standing: str


def takes(asked: ToyDaysQuestion, shelf: PackShelf, language: Language) -> ToyDays:
    """Return how long toys take.

    Raises:
        Refused: `invalid` for a day before the first rules.
    """
    first = min(each.effective_from for each in shelf.packs)
    if asked.on < first:
        early = FieldError("on", FieldCode.UNKNOWN_VALUE, f"No rules held on that day: give {first} or a later one.")
        raise Refused("invalid", "No rules held on that day.", [early])
    pack = shelf.on(asked.on)
    standing = pack.parameter("making_days").status
    return ToyDays(pack=pack.version, days=asked.toys * pack.integer("making_days"), standing=standing)


QUESTIONS: Final = (
    Calculator(
        name="askToyDays",
        summary="How long toys take",
        says="Say how many working days toys would take; nothing is stored.",
        path="days",
        body=ToyDaysQuestion,
        view=ToyDays,
        answers=takes,
    ),
)
