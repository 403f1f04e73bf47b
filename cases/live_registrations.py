"""One live registration a person: what a caller is told who asks for a second one, and how often it may ask."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from cases.persons import find_person
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import Refused
from store.ledger import Entry, append
from store.tables import quotas, registrations


async def refuse_second(context: Context, actor: Actor, identity_number: str) -> Refused:
    """Return the 409 that names no one, count it, and write it down; past the day's number it is a 429."""
    at = context.clock()
    async with context.database.begin(actor.tenant) as connection:
        person = await find_person(context, connection, identity_number)
        own = await _find_own(connection, person.person_id) if person is not None else None
        count = 0 if own is not None else await _count(connection, actor, at)
        entry = Entry(
            Act.REQUEST_REFUSED,
            actor,
            at,
            employer_id=actor.employer_id,
            outcome="refused",
            reason_codes=("live_registration_exists",),
            detail={"own": own is not None, "case": own},
        )
        await append(connection, f"request/{uuid4()}", [entry])
    if count > context.limits.conflicts_a_day:
        return Refused("too_many_requests", "Too many registrations of people registered elsewhere today.")
    if own is not None:
        return Refused("live_registration_exists", f"You have a live registration of this person: {own}.")
    return Refused("live_registration_exists", "This person has a live registration; it has to end first.")


async def _find_own(connection: AsyncConnection, person_id: UUID) -> str | None:
    """Return the live case of a person among those that the tenant may see."""
    mine = select(registrations.c.reference).where(registrations.c.person_id == person_id, registrations.c.live)
    return (await connection.execute(mine)).scalar_one_or_none()


async def _count(connection: AsyncConnection, actor: Actor, at: datetime) -> int:
    counted = upsert(quotas).values(employer_id=actor.tenant, what="live_elsewhere", day=day_of(at), count=1)
    counted = counted.on_conflict_do_update(index_elements=list(quotas.primary_key), set_={"count": quotas.c.count + 1})
    return int((await connection.execute(counted.returning(quotas.c.count))).scalar_one())
