"""The one rule of a toy, the facts that it looks at, and the pack that it takes its list from."""

from datetime import date
from typing import Final

from domain.findings import Audience, Finding, FindingOutcome
from policy.facts import Facts
from policy.pack import Pack
from policy.packs import PackSource
from policy.rule import rule
from tests.programmes.toy.words import ToyFinding

PACKS: Final = PackSource("toy", package="tests.programmes.toy", folder="packs/toy")


class ToyFacts(Facts):
    """What is known of a toy; None is a fact that is not known."""

    toy: str | None = None
    said_age: int | None = None
    proved_age: int | None = None


@rule(
    ToyFinding.NOT_SAFE,
    source="none found",
    audience=Audience.STAFF,
    fields=("wish.toy",),
    parameters=("unsafe",),
)
def safe(facts: ToyFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a toy that nobody is hurt with."""
    return FindingOutcome.FAIL if facts.toy in pack.strings("unsafe") else FindingOutcome.PASS


@rule(
    ToyFinding.AGE_UNPROVED,
    source="none found",
    audience=Audience.STAFF,
    fields=("evidence",),
)
def proved(facts: ToyFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find an age that is proved as it was said; what was not proved counts nothing. None where none was said."""
    if facts.said_age is None:
        return None
    return FindingOutcome.PASS if facts.proved_age == facts.said_age else FindingOutcome.FAIL


def assess(facts: ToyFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what is found of a toy."""
    found = (each.apply(facts, pack, on) for each in (safe, proved))
    return tuple(each for each in found if each is not None)
