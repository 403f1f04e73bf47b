"""One live case of a programme a person: what a caller is told who asks for a second one, and how often it may ask."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.programme import Programme
from cases.shared.context import Context
from cases.shared.persons import KEPT_PERSON, document_hash, find_person, known_person, last_four_hash
from cases.shared.transfers import Side, find_agreed
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, start_of
from domain.documents import Document
from domain.errors import Refused
from domain.forms import Form
from store.case_rows import Beside, Subquery
from store.ledger import Entry, append
from store.tables import cases, quotas

_WHAT: Final = "live_elsewhere"
# How often the caller met somebody else's live case today.
_COUNT: Final = (
    "SELECT q.count FROM quotas q WHERE q.employer_id = :limit_employer AND q.what = :limit_what"
    " AND q.day = CAST(:limit_day AS date)"
)
# The caller's own live cases first, so that nothing is looked at of who is known elsewhere alone.
_HAS_LIVE: Final = """
    SELECT EXISTS (
        SELECT FROM cases r WHERE r.employer_id = :own_employer AND r.live AND r.programme = :own_programme
        AND r.last_four_hash = CAST(:own_last_four AS bytea)
        AND CAST(:own_document AS bytea) IN (
            SELECT d.lookup_hash FROM person_documents d WHERE d.person_id = r.person_id)
    )
"""


CONFLICTS_TODAY: Final[Subquery[int | None]] = Subquery("conflicts_today", _COUNT, lambda found: found)
# Whether the employer has a live case of the person in the programme.
OWN_LIVE: Final = Subquery("own_live", _HAS_LIVE, bool)


def person_within_limit(context: Context, actor: Actor, document: Document, at: datetime) -> Beside:
    """Return what `CONFLICTS_TODAY` and `KEPT_PERSON` ask; nobody is looked for past the limit of the day."""
    known = known_person(context, document)
    within = f"CASE WHEN coalesce(({_COUNT}), 0) < CAST(:limit_most AS integer) THEN ({KEPT_PERSON.sql}) END"
    limit = {
        "limit_employer": actor.tenant,
        "limit_what": _WHAT,
        "limit_day": day_of(at),
        "limit_most": context.limits.conflicts_a_day,
    }
    return Beside((CONFLICTS_TODAY, replace(KEPT_PERSON, sql=within)), {**known.values, **limit})


def own_live(context: Context, programme: str, employer_id: str, document: Document) -> Beside:
    """Return what `OWN_LIVE` asks."""
    values = {
        "own_programme": programme,
        "own_employer": employer_id,
        "own_last_four": last_four_hash(context, employer_id, document),
        "own_document": document_hash(context, document),
    }
    return Beside((OWN_LIVE,), values)


async def hold_limit(
    context: Context, connection: AsyncConnection, actor: Actor, at: datetime, conflicts: int | None
) -> bool:
    """Check the conflicts of the day as they were read, and return whether they stand still until the transaction ends.

    Only an employer that has had some today waits for itself, so that of those that it asks for at once none is told
    who is known beyond the limit.

    Raises:
        Refused: `too_many_requests` past the limit, for every new registration alike, whoever it is about.
    """
    if conflicts is None:
        return False
    if conflicts < context.limits.conflicts_a_day:
        conflicts = (await connection.execute(_today(actor, at).with_for_update())).scalar_one()
    if conflicts >= context.limits.conflicts_a_day:
        raise _spent(at)
    return True


async def need_within_limit(context: Context, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Refuse what would tell who is registered elsewhere, once the conflicts of the day are used up.

    Raises:
        Refused: `too_many_requests`.
    """
    conflicts = (await connection.execute(_today(actor, at))).scalar_one_or_none()
    if conflicts is not None and conflicts >= context.limits.conflicts_a_day:
        raise _spent(at)


async def agreed_transfer(context: Context, programme: Programme, actor: Actor, form: Form) -> Side | None:
    """Return the case that ends because its person agreed that this employer registers them, or None."""
    if programme.transfer is None or actor.employer_id is None:
        return None
    return await find_agreed(context, programme.code, actor.employer_id, form.subject.document, context.clock())


async def refuse_second(context: Context, programme: Programme, actor: Actor, document: Document) -> Refused:
    """Return the 409 that names no one, count it, and write it down; past the day's number it is a 429."""
    async with context.database.begin(actor.tenant) as connection:
        return await second_refused(context, connection, programme, actor, document)


async def second_refused(
    context: Context, connection: AsyncConnection, programme: Programme, actor: Actor, document: Document
) -> Refused:
    """Return the same as `refuse_second`, within a transaction that is to be committed."""
    at = context.clock()
    person = await find_person(context, connection, document)
    own = await _find_own(connection, programme.code, person.person_id) if person is not None else None
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
        return _spent(at)
    if own is not None:
        return Refused("live_registration_exists", f"You have a live case of this person: {own}.")
    words = "" if programme.transfer is None else "agree_to_transfer"
    return Refused(
        "live_registration_exists", "This person has a live case of this kind; it has to end first.", words=words
    )


def taken_again_at(at: datetime) -> datetime:
    """Return when new registrations are taken again after the conflicts of a day were used up."""
    return start_of(day_of(at) + timedelta(days=1))


def _spent(at: datetime) -> Refused:
    wait = taken_again_at(at) - at
    return Refused("too_many_requests", words="conflicts_used_up", retry_after=wait.total_seconds())


def _today(actor: Actor, at: datetime) -> Select[int]:
    q = quotas.c
    return select(q.count).where(q.employer_id == actor.tenant, q.what == _WHAT, q.day == day_of(at))


async def _find_own(connection: AsyncConnection, programme: str, person_id: UUID) -> str | None:
    """Return the live case of a person in a programme among those that the tenant may see."""
    mine = select(cases.c.reference).where(cases.c.programme == programme, cases.c.person_id == person_id, cases.c.live)
    return (await connection.execute(mine)).scalar_one_or_none()


async def _count(connection: AsyncConnection, actor: Actor, at: datetime) -> int:
    counted = upsert(quotas).values(employer_id=actor.tenant, what=_WHAT, day=day_of(at), count=1)
    counted = counted.on_conflict_do_update(index_elements=list(quotas.primary_key), set_={"count": quotas.c.count + 1})
    return int((await connection.execute(counted.returning(quotas.c.count))).scalar_one())
