"""Saved views: a name that somebody gives to a filter of the inbox or of a list of cases."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from domain.bodies import Body, example
from domain.fields import Line, refusal

MOST: Final = 50


class SavedList(StrEnum):
    """Which list a view is of; kept with it."""

    INBOX = "inbox"
    CASES = "cases"


# What may be kept of a query: codes and days. What is searched for may be a name, and is not kept.
NAMES: Final = {
    SavedList.INBOX: frozenset(
        {"kind", "holder", "due_before", "employer_id", "destination", "assessment", "finding", "priority", "order"}
    ),
    SavedList.CASES: frozenset({"programme", "stage", "needs", "updated_after", "employer_id"}),
}
_Word = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[0-9A-Za-z_.:+|-]+$")]


class SavedViewRequest(Body):
    """A filter under a name."""

    model_config = example({"name": "今天到期", "list": "inbox", "filter": {"kind": "review", "holder": "me"}})

    name: Annotated[Line, Field(max_length=60)]
    list: SavedList
    filter: Annotated[
        dict[str, _Word],
        Field(description="Names and values of the list's query, without what is searched for and without a cursor."),
    ]

    @model_validator(mode="after")
    def _known(self) -> Self:
        if not self.filter.keys() <= NAMES[self.list]:
            raise refusal("unknown_value", "The list has no such filter, or one that may hold a name; leave it out.")
        return self
