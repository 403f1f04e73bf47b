"""The one rule of a toy, the facts that it looks at, and the pack that it takes its list from."""

from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.undeclared import find_nothing_of
from domain.findings import Audience, Finding, FindingOutcome
from domain.forms import Form
from policy.facts import Facts
from policy.pack import Pack
from policy.packs import PackSource
from policy.rerun import Rules
from policy.rule import rule
from tests.programmes.toy.words import ToyFinding

PACKS: Final = PackSource("toy", package="tests.programmes.toy", folder="packs/toy")


class ToyFacts(Facts):
    """What is known of a toy; None is a fact that is not known."""

    toy: str | None = None


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


def _assess(facts: ToyFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    found = safe.apply(facts, pack, on)
    return () if found is None else (found,)


async def gather(
    file: CaseFile, connection: AsyncConnection, form: Form, at: datetime, in_force: bool | None
) -> ToyFacts:
    """Return the facts of a toy."""
    return ToyFacts(toy=form.given_of("wish.toy"))


RULES: Final = Rules(
    facts=ToyFacts, assess=_assess, of_track=find_nothing_of, looked_at={}, codes=frozenset(ToyFinding)
)
