"""What any change of what was given says beside its fields: what proves it, and the day on which it happened."""

from typing import Any, ClassVar, Final

from pydantic import BaseModel, Field

from domain.bodies import Body, Parts
from domain.fields import Day, Label, Line
from domain.routes import OwnRoute

PROOF: Final = "proof"
HAPPENED_ON: Final = "happened_on"
# What of a change is none of the fields that it changes.
BESIDE: Final = frozenset({PROOF, HAPPENED_ON})


class ProofOfChange(Body):
    """What proves a change: what it is, who issued it and when, and its number where it has one."""

    kind: Label
    issuer: Line
    number: Label | None = None
    date: Day


class ChangeAsked(Parts):
    """What a programme's body of a change may rest on: its fields, all of which may be left out, stand below."""

    beside: ClassVar[frozenset[str]] = BESIDE

    proof: ProofOfChange | None = Field(default=None, description="What proves what an officer takes or declines.")
    happened_on: Day | None = Field(default=None, description="The day on which it changed, where it has.")


class ChangeAskedView(BaseModel):
    """A change that was taken on; the person's case shows what waits for an officer, and by when."""

    reference: str
    fields: list[str]
    status: str = Field(examples=["received"])


def own_change(body: type[BaseModel], says: str) -> OwnRoute:
    """Return how a person asks for a change in a case of theirs that an employer owns: one path for all programmes.

    Args:
        body: what is given: the `reference` of the case, and the fields (`Changing.own` has no others).
        says: what is changed at once, and what by an officer.
    """
    return OwnRoute(
        verb="changes",
        name="changeOwnData",
        summary="Have one's own data changed",
        says=says,
        problems=frozenset({"case_unknown", "already_decided", "case_closed", "facts_erased"}),
        body=body,
        view=ChangeAskedView,
        asks=_changes,
        tells=_fields,
    )


def _changes(asked: BaseModel) -> dict[str, Any]:
    return asked.model_dump(mode="json", exclude={"reference"}, exclude_unset=True)


def _fields(asked: BaseModel) -> dict[str, Any]:
    return {"fields": sorted(asked.model_fields_set - {"reference"} - BESIDE)}
