"""What any change of what was given says beside its fields: what proves it, and the day on which it happened."""

from typing import ClassVar, Final

from pydantic import Field

from domain.bodies import Body, Parts
from domain.fields import Day, Label, Line

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
