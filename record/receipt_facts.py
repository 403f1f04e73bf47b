"""The facts and findings that a receipt shows: each with where it came from, as far as the reader may see it."""

import json
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.shows import FactSource, Told
from cases.shared.context import Context
from domain.actors import Actor
from domain.case_facts import short_of
from domain.errors import Refused
from domain.findings import Audience, Finding, seen_by
from domain.languages import Language
from domain.masks import MASKS
from record.receipt_views import FactTold, FindingTold
from store.encryption import WrappedKey, unwrap
from store.rows.register import AssessmentRow, CaseRow
from store.tables import case_facts, data_keys, persons
from texts.findings import finding_sentence

_RECORDED: Final = "recorded by an officer"


async def facts_shown(
    context: Context,
    connection: AsyncConnection,
    case: CaseRow,
    assessment: AssessmentRow | None,
    actor: Actor,
    of: Told,
) -> list[FactTold]:
    """Return the facts of an assessment: in clear, masked, withheld, or erased with the person's key."""
    if assessment is None:
        return []
    own = select(persons.c.key_id).where(persons.c.person_id == case.person_id).scalar_subquery()
    of_case = data_keys.c.key_id == (own if case.joined_key is None else case.joined_key)
    key = (await connection.execute(select(data_keys).where(of_case))).one()
    place = f"{assessment.reference}/{assessment.scope}/{assessment.seq}"
    seen = await _seen_by_officers(connection, assessment, of)
    listed = [(name, source) for name, source in of.facts.items() if actor.is_inside or source.outside]
    try:
        opened = unwrap(context.keyring, WrappedKey(key.key_id, key.kek_id, key.wrapped))
    except Refused:
        return [_fact(name, source, None, actor, seen, is_erased=True) for name, source in listed]
    known = json.loads(opened.open("assessments", "facts", place, assessment.facts))
    return [_fact(name, source, known.get(name), actor, seen) for name, source in listed]


async def _seen_by_officers(connection: AsyncConnection, assessment: AssessmentRow, of: Told) -> frozenset[str]:
    """Return the facts of an assessment that rest on what an officer saw, not on what was given."""
    numbers = (assessment.on_facts or {}).get("facts", [])
    if not numbers:
        return frozenset()
    f = case_facts.c
    query = select(f.field).where(f.reference == assessment.reference, f.number.in_(numbers))
    fields = [short_of(field) for field in (await connection.execute(query)).scalars()]
    return frozenset(name for field in fields for name in of.from_field.get(field, (field,)))


def findings_shown(assessment: AssessmentRow | None, actor: Actor) -> list[FindingTold]:
    """Return the findings of an assessment that the reader may see, each in three languages."""
    if assessment is None:
        return []
    found = [Finding.model_validate(each) for each in assessment.findings]
    return [
        FindingTold(
            code=finding.code,
            outcome=finding.outcome.value,
            says={language.value: finding_sentence(finding, language) for language in Language},
            source=finding.source,
            fields=list(finding.fields),
            values=[each.model_dump(mode="json") for each in finding.parameters],
        )
        for finding in seen_by(found, Audience.STAFF if actor.is_inside else Audience.EMPLOYER)
    ]


def _fact(
    name: str, shown: FactSource, value: Any, actor: Actor, seen: frozenset[str], *, is_erased: bool = False
) -> FactTold:
    how = "clear"
    if is_erased:
        value, how = None, "erased"
    elif shown.masked and value is not None:
        value, how = MASKS[name](value), "masked"
    elif actor.is_inside and not shown.inside:
        value, how = None, "withheld"
    return FactTold(name=name, value=value, shown=how, source=_RECORDED if name in seen else shown.said)
