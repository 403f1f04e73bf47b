"""What is on offer for a case: facts that other cases of the same person vouch for, as proof of its own items.

An employer is offered what its own cases vouch for, and what the person released into this very case; nothing else is
looked at, so that no answer tells whether the person has a case elsewhere. A person is offered all of their own.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import JsonValue
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.evidence import evidence_of
from cases.case.file import CaseFile, load_case
from cases.case.reads import record_read
from cases.once_only.facts import Fact, facts_of, vouches
from cases.once_only.views import OfferView
from cases.programme import Taken, programme_of
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.errors import Defect, Refused, need
from domain.evidence import EvidenceReason, EvidenceState
from domain.once_only import Consent, TakeOverRequest, TakeoverState
from store.rows.takeovers import TakeoverRow
from store.tables import cases, takeovers

_OFFERS: Final = UUID("6f1d5a0e-0f0c-4c8c-8a57-9b6d2c4f7e31")
# Cases of one person that are looked at, the newest first; nobody has had nearly as many.
_MOST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A fact as it would prove an item of a case.

    Attributes:
        offer_id: by which it is taken over or released; the same for as long as the fact is the same.
        item: of the case that it is offered to.
        taken: what the programme of that case says of it.
        fact: what is vouched for.
        value: what it proves of the item, as JSON; None of an item that has no value.
        release: the person's consent, where it is offered by one.
    """

    offer_id: UUID
    item: str
    taken: Taken
    fact: Fact
    value: JsonValue
    release: TakeoverRow | None = None


async def list_offers(context: Context, actor: Actor, reference: str) -> list[OfferView]:
    """Return what is on offer for a case of the actor's own, the newest fact first; the reading is a ledger act.

    Raises:
        Refused: `case_unknown`; `facts_erased` after an erasure.
    """
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference)
    found = await offers_for(context, file, actor)
    if found:
        async with context.database.begin(actor.tenant) as connection:
            fields = tuple(dict.fromkeys(f"evidence.{each.item}" for each in found))
            await record_read(connection, actor, [file], fields, None, context.clock())
    return [view_of(each, knows_source=_knows_source(each, actor)) for each in found]


async def complete(context: Context, actor: Actor, reference: str, asked: TakeOverRequest) -> dict[str, Any]:
    """Return what is stored with a take-over: the offer, and, where it is one, what vouches for it.

    Raises:
        Refused: `case_unknown`; `facts_erased` after an erasure.
    """
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference)
    found = await offers_for(context, file, actor)
    for each in found:
        if each.offer_id == asked.offer:
            release = None if each.release is None else str(each.release.takeover_id)
            source = {"reference": each.fact.reference, "item": each.fact.item, "number": each.fact.number}
            return {"offer": str(each.offer_id), "item": each.item, "source": source, "release": release}
    return {"offer": str(asked.offer)}


async def offers_for(context: Context, file: CaseFile, actor: Actor) -> list[Offer]:
    """Return what is on offer to the owner of a case, found by the park: an owner sees no case of others."""
    if not programme_of(file).takes:
        return []
    async with context.database.begin() as connection:
        if actor.role is Role.PERSON:
            return await _find(context, connection, file, await _cases_of(connection, file))
        released = await _released(connection, file)
        own = await _cases_of(connection, file, owner=file.employer_id)
        offers = await _find(context, connection, file, own)
        return [*offers, *await _of_releases(context, connection, file, released, known=offers)]


async def offers_within(context: Context, file: CaseFile, references: Collection[str]) -> list[Offer]:
    """Return what is on offer for a case of a person's by those of their cases that they see."""
    if not programme_of(file).takes:
        return []
    async with context.database.begin() as connection:
        whole = await _cases_of(connection, file)
        return await _find(context, connection, file, [each for each in whole if each in references])


def taking(file: CaseFile, fact: Fact, item: str) -> tuple[Taken, JsonValue] | None:
    """Return how a fact proves an item of a case, with its value there, or None where it does not."""
    return next(((each, value) for each, value in _ways(file, fact, item)), None)


def is_taken(file: CaseFile, fact: Fact, item: str) -> bool:
    """Whether a case took a fact over, and stands on it or had it refused; not once it fell where it came from.

    What was verified again there may be taken over again; what an officer of this case refused may not.
    """
    source = (fact.reference, fact.number)
    return any(
        (row.source_reference, row.source_evidence, row.item) == (*source, item)
        and row.state == EvidenceState.GIVEN
        and EvidenceReason.SOURCE_FELL not in row.fallen_for
        for row in evidence_of(file)
    )


def view_of(offer: Offer, *, knows_source: bool) -> OfferView:
    """Return an offer as its reader sees it; which case vouches only where they may know."""
    fact, release = offer.fact, offer.release
    return OfferView(
        offer=str(offer.offer_id),
        item=offer.item,
        kind=offer.taken.kind,
        issuer=fact.issuer,
        number=fact.paper,
        date=fact.on,
        value=offer.value,
        source_programme=fact.programme,
        source_item=fact.item,
        source_reference=fact.reference if knows_source else None,
        proved_at=fact.seen_at,
        seen_by=tuple(dict.fromkeys(each["role"] for each in fact.seen_by)),
        consent=Consent.PERSON if release else Consent.EMPLOYER,
        released_at=release.consented_at if release else None,
    )


def _knows_source(offer: Offer, actor: Actor) -> bool:
    return offer.release is None or actor.role is Role.PERSON


async def _cases_of(connection: AsyncConnection, file: CaseFile, *, owner: str | None = None) -> Sequence[str]:
    """Return the other cases of a case's person, or those among them of one owner, that might vouch for something."""
    r, wanted = cases.c, {each.programme for ways in programme_of(file).takes.values() for each in ways}
    query = select(r.reference).where(r.person_id == file.row.person_id, r.reference != file.reference)
    query = query.where(r.programme.in_(sorted(wanted)))
    if owner is not None:
        query = query.where(r.employer_id == owner)
    return (await connection.execute(query.order_by(r.accepted_at.desc(), r.reference).limit(_MOST))).scalars().all()


async def _released(connection: AsyncConnection, file: CaseFile) -> list[TakeoverRow]:
    t = takeovers.c
    query = select(takeovers).where(t.to_reference == file.reference, t.state == TakeoverState.RELEASED.value)
    return TakeoverRow.all_of(await connection.execute(query.order_by(t.consented_at, t.takeover_id)))


async def _of_releases(
    context: Context, connection: AsyncConnection, file: CaseFile, rows: Sequence[TakeoverRow], known: Sequence[Offer]
) -> list[Offer]:
    """Return the offers by releases; of a fact of the employer's own it needs none."""
    found: list[Offer] = []
    for offer in await _find(context, connection, file, dict.fromkeys(row.from_reference for row in rows)):
        fact = offer.fact
        named = (fact.reference, fact.item, fact.number, offer.item)
        release = next((row for row in rows if _named(row) == named), None)
        if release is not None and offer.offer_id not in {each.offer_id for each in known}:
            found.append(
                Offer(
                    offer_id=offer.offer_id,
                    item=offer.item,
                    taken=offer.taken,
                    fact=fact,
                    value=offer.value,
                    release=release,
                )
            )
    return found


def _named(row: TakeoverRow) -> tuple[str, str, int, str]:
    return (row.from_reference, row.from_item, row.from_evidence, row.to_item)


async def _find(
    context: Context, connection: AsyncConnection, file: CaseFile, references: Collection[str]
) -> list[Offer]:
    found: list[Offer] = []
    for reference in references:
        for fact in await _facts_in(context, connection, reference):
            for item in programme_of(file).takes:
                for taken, value in _ways(file, fact, item):
                    if not is_taken(file, fact, item):
                        offer_id = _id_of(file, item, fact)
                        found.append(Offer(offer_id=offer_id, item=item, taken=taken, fact=fact, value=value))
                    break
    return sorted(found, key=lambda each: (each.fact.seen_at, str(each.offer_id)), reverse=True)


async def _facts_in(context: Context, connection: AsyncConnection, reference: str) -> list[Fact]:
    """Return what a case vouches for; nothing of one that was erased, or that cannot be opened."""
    try:
        file = await load_case(context, connection, reference)
        return list(facts_of(file)) if vouches(file) else []
    except (Refused, Defect):
        return []


def _ways(file: CaseFile, fact: Fact, item: str) -> Iterator[tuple[Taken, JsonValue]]:
    declared = need(programme_of(file).evidence, "evidence")
    for each in programme_of(file).takes.get(item, ()):
        if (each.programme, each.item) != (fact.programme, fact.item):
            continue
        value = each.value(fact.value)
        if item not in declared.of.values:
            yield each, None
        elif value is not None:
            try:
                yield each, declared.of.read_value(item, value)
            except PydanticCustomError:
                continue


def _id_of(file: CaseFile, item: str, fact: Fact) -> UUID:
    return uuid5(_OFFERS, f"{file.reference}/{item}/{fact.reference}/{fact.item}/{fact.number}")
