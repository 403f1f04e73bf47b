"""What the rules of a toy look at, gathered from its form, and the rules as they are declared."""

from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.evidence import declared, proved
from cases.case.file import CaseFile
from cases.undeclared import find_nothing_of
from domain.forms import Form
from policy.rerun import Rules
from tests.programmes.toy.rules import ToyFacts, assess
from tests.programmes.toy.words import ToyFinding


async def gather(
    file: CaseFile, connection: AsyncConnection, form: Form, at: datetime, in_force: bool | None, on: date
) -> ToyFacts:
    """Return the facts of a toy."""
    said, seen = declared(form), proved(file, form)
    return ToyFacts(toy=form.given_of("wish.toy"), said_age=said.get("age"), proved_age=seen.get("age"))


RULES: Final = Rules(facts=ToyFacts, assess=assess, of_track=find_nothing_of, looked_at={}, codes=frozenset(ToyFinding))
