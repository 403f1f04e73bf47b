"""Facts that officers saw: kept in all their versions beside what was given, and taken in its place by the rules."""

import json
from typing import Any, NamedTuple

from cases.case.file import CaseFile
from cases.case.parts import CaseParts
from domain.case_facts import FactState
from domain.forms import Form
from store.rows.register import FactRow


class Seen(NamedTuple):
    """A recorded fact in clear: its number and field, the value seen, where, and what had been given."""

    number: int
    field: str
    value: Any
    seen_in: str
    given: Any


def place_of(reference: str, number: int) -> str:
    """Return the place that the content of a fact is sealed for."""
    return f"{reference}/{number}"


def content_of(value: Any, seen_in: str, given: Any) -> bytes:
    """Return a fact as it is sealed and hashed."""
    body = {"value": value, "seen_in": seen_in, "given": given}
    return json.dumps(body, ensure_ascii=False, sort_keys=True).encode()


def opened(file: CaseFile, row: FactRow) -> Seen:
    """Return a recorded fact in clear."""
    body = file.open("case_facts", "body", place_of(row.reference, row.number), row.body)
    return Seen(row.number, row.field, body["value"], body["seen_in"], body["given"])


def in_force(file: CaseFile, given: Form | None = None) -> tuple[Seen, ...]:
    """Return the facts that stand: one holds for as long as what was given beside it stays as it was then."""
    if not file.facts:
        return ()
    whole = given or file.application
    seen = [opened(file, row) for row in file.facts if row.state == FactState.STANDS]
    return tuple(each for each in seen if whole.given_of(each.field) == each.given)


def known(file: CaseFile, given: Form | None = None) -> Form:
    """Return what is known of the case, or would be if something else was given, with what officers saw in its place.

    The parts were checked when they were recorded, and what was given when it was; whether they fit each other is for
    the rules to say.
    """
    whole = given or file.application
    for fact in in_force(file, given):
        whole = whole.with_field(fact.field, fact.value)
    return whole


def find_fact(file: CaseParts, number: int) -> FactRow | None:
    """Return a recorded fact by its number."""
    return next((row for row in file.facts if row.number == number), None)
