"""The facts and findings that a receipt shows: each with where it came from, as far as the reader may see it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.actors import Actor
from domain.case_facts import short_of
from domain.errors import Refused
from domain.findings import Audience, Finding, seen_by
from domain.languages import Language
from domain.masks import MASKS
from domain.registration import FactField
from record.receipt_views import FactTold, FindingTold
from store.encryption import WrappedKey, unwrap
from store.rows.register import AssessmentRow
from store.tables import case_facts, data_keys, persons
from texts.findings import finding_sentence

_APPLICATION: Final = "application"
_EMPLOYERS: Final = "register of employers"
_PREMISES: Final = "register of premises"
_REGISTRATIONS: Final = "register of registrations"
_RECORDED: Final = "recorded by an officer"
# Facts that are not called as the field is that they come from.
_FROM_FIELD: Final[Mapping[str, tuple[str, ...]]] = {
    short_of(FactField.CONTRACT_END): ("contract_end", "contract_is_open_ended"),
    short_of(FactField.CONSENT_LETTER): ("consent_letter_date",),
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where a fact comes from, and who sees it how."""

    source: str
    outside: bool = True  # an employer, where findings on it are not for staff alone
    masked: bool = False
    inside: bool = True  # staff and auditors open the rest of the person's fields by their own call, with a purpose


# What the rules look at (`policy.facts`); a fact that is not listed is not shown.
FACTS: Final[Mapping[str, _Shown]] = {
    "identity_number": _Shown(_APPLICATION, masked=True),
    "permit_card_number": _Shown(_APPLICATION, masked=True),
    "permit_card_valid_until": _Shown(_APPLICATION, inside=False),
    "work_site": _Shown(_PREMISES),
    "work_site_code": _Shown(_PREMISES),
    "employment_kind": _Shown(_APPLICATION),
    "contract_start": _Shown(_APPLICATION),
    "contract_end": _Shown(_APPLICATION),
    "contract_is_open_ended": _Shown(_APPLICATION),
    "state_worker": _Shown(_APPLICATION),
    "consent_letter_date": _Shown(_APPLICATION),
    "destinations": _Shown(_APPLICATION),
    "employer_kind": _Shown(_EMPLOYERS, outside=False),
    "employer_standing": _Shown(_EMPLOYERS, outside=False),
    "employer_has_premises": _Shown(_EMPLOYERS, outside=False),
    "other_live_registration": _Shown(_REGISTRATIONS, outside=False),
    "registration_in_force": _Shown(_REGISTRATIONS),
}


async def facts_shown(
    context: Context, connection: AsyncConnection, person_id: UUID, assessment: AssessmentRow | None, actor: Actor
) -> list[FactTold]:
    """Return the facts of an assessment: in clear, masked, withheld, or erased with the person's key."""
    if assessment is None:
        return []
    query = select(data_keys).join(persons, persons.c.key_id == data_keys.c.key_id)
    key = (await connection.execute(query.where(persons.c.person_id == person_id))).one()
    place = f"{assessment.reference}/{assessment.scope}/{assessment.seq}"
    seen = await _seen_by_officers(connection, assessment)
    try:
        opened = unwrap(context.keyring, WrappedKey(key.key_id, key.kek_id, key.wrapped))
    except Refused:
        return [_fact(name, None, actor, seen, is_erased=True) for name in FACTS if _is_seen(name, actor)]
    known = json.loads(opened.open("assessments", "facts", place, assessment.facts))
    return [_fact(name, known.get(name), actor, seen) for name in FACTS if _is_seen(name, actor)]


async def _seen_by_officers(connection: AsyncConnection, assessment: AssessmentRow) -> frozenset[str]:
    """Return the facts of an assessment that rest on what an officer saw, not on what was given."""
    numbers = (assessment.on_facts or {}).get("facts", [])
    if not numbers:
        return frozenset()
    f = case_facts.c
    query = select(f.field).where(f.reference == assessment.reference, f.number.in_(numbers))
    fields = [short_of(field) for field in (await connection.execute(query)).scalars()]
    return frozenset(name for field in fields for name in _FROM_FIELD.get(field, (field,)))


def findings_shown(assessment: AssessmentRow | None, actor: Actor) -> list[FindingTold]:
    """Return the findings of an assessment that the reader may see, each in three languages."""
    if assessment is None:
        return []
    found = [Finding.model_validate(each) for each in assessment.findings]
    return [
        FindingTold(
            code=finding.code.value,
            outcome=finding.outcome.value,
            says={language.value: finding_sentence(finding, language) for language in Language},
            source=finding.source,
            fields=list(finding.fields),
            values=[each.model_dump(mode="json") for each in finding.parameters],
        )
        for finding in seen_by(found, Audience.STAFF if actor.is_inside else Audience.EMPLOYER)
    ]


def _is_seen(name: str, actor: Actor) -> bool:
    return actor.is_inside or FACTS[name].outside


def _fact(name: str, value: Any, actor: Actor, seen: frozenset[str], *, is_erased: bool = False) -> FactTold:
    shown = FACTS[name]
    how = "clear"
    if is_erased:
        value, how = None, "erased"
    elif shown.masked and value is not None:
        value, how = MASKS[name](value), "masked"
    elif actor.is_inside and not shown.inside:
        value, how = None, "withheld"
    return FactTold(name=name, value=value, shown=how, source=_RECORDED if name in seen else shown.source)
