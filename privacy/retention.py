"""What was kept long enough: persons whose cases all ended so long ago, answers to old requests, old rosters."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import TextClause, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import signature_of
from cases.programme import programmes_of
from cases.shared.context import Context
from domain.actors import Actor
from domain.clock import day_of, start_of
from domain.erasure import ErasureReason, ErasureRefused, ErasureState
from domain.stages import Stage
from privacy.browser_sessions import forget_ended
from privacy.drafts import forget_old
from privacy.erasing import Erased, Erasing, erase
from privacy.erasures import note_refused
from register.rosters.contents import empty_old
from store.case_tables import TrackTable, any_track
from store.rows.people import ErasureRow
from store.tables import erasures

_LIMIT_ROWS: Final = 5_000
# A case is due by the stage in which it closed: an ended one was registered, the others never were. A track counts
# until the day on which it ran out or was decided on for the last time. When a case closed
# that was never registered is told by the first row of its chain that says so.
_DUE: Final = """
    CASE WHEN {r}.live THEN false
    WHEN {r}.stage = :ended THEN {r}.ended_on < CAST(:registered AS date) AND NOT {{tracks_of_{r}}}
    ELSE coalesce((SELECT min(l.at) FROM ledger l WHERE l.chain = {r}.reference
        AND l.detail ->> 'stage' = {r}.stage) < :not_registered, false) END
"""
_IS_HELD: Final = """
    EXISTS (SELECT FROM legal_holds h WHERE h.reference = {r}.reference AND h.released_at IS NULL)
    OR EXISTS (SELECT FROM tasks t WHERE t.reference = {r}.reference AND t.state = 'open')
    OR EXISTS (SELECT FROM objections b WHERE b.reference = {r}.reference AND b.state = 'open')
    OR EXISTS (SELECT FROM commands c WHERE c.reference = {r}.reference AND c.state = 'stored')
    OR EXISTS (SELECT FROM calls c WHERE c.reference = {r}.reference AND c.state = 'due')
    OR EXISTS (SELECT FROM incidents i WHERE i.reference = {r}.reference AND i.state = 'open')
"""
# Put together of the constants above alone.
_NEXT: Final = f"""
    SELECT DISTINCT r.person_id FROM cases r
    WHERE NOT r.live AND r.erased_at IS NULL AND r.accepted_at < :earliest
    AND r.person_id > CAST(:after AS uuid) AND {_DUE.format(r="r")}
    AND NOT EXISTS (SELECT FROM cases o WHERE o.person_id = r.person_id
        AND (NOT ({_DUE.format(r="o")}) OR {_IS_HELD.format(r="o")}))
    ORDER BY r.person_id LIMIT :most
"""  # noqa: S608
_FORGET_ANSWERS: Final = text("""
    DELETE FROM idempotency WHERE (employer_id, subject, route, key) IN (
        SELECT employer_id, subject, route, key FROM idempotency WHERE at < :before ORDER BY at LIMIT :most)
""")
_FORGET_MESSAGES: Final = text("""
    DELETE FROM messages_seen WHERE message_id IN (
        SELECT message_id FROM messages_seen WHERE at < :before LIMIT :most)
""")


async def next_due(context: Context, at: datetime, after: UUID, most: int) -> list[UUID]:
    """Return the next persons, in the order of their ids, all of whose cases were kept long enough and are free."""
    limits, today = context.limits, day_of(at)
    not_registered = start_of(years_before(today, limits.retention_not_registered_years))
    registered = years_before(today, limits.retention_registered_years)
    given: dict[str, Any] = {
        "after": after,
        "most": most,
        "ended": Stage.ENDED.value,
        "registered": registered,
        "not_registered": not_registered,
        "earliest": max(not_registered, start_of(registered)),
    }
    async with context.database.begin() as connection:
        return list((await connection.execute(_next(context), given)).scalars())


async def erase_due(context: Context, actor: Actor, person_id: UUID) -> bool:
    """Erase one person whose time is over, in a transaction of its own; False where something keeps them after all."""
    at = context.clock()
    erasing = Erasing(uuid4(), person_id, ErasureReason.RETENTION_OVER, actor, at)
    try:
        async with context.database.begin() as connection:
            erased = await erase(context, connection, erasing)
            if erased is not None:
                await _keep(connection, erasing, erased)
    except ErasureRefused as refused:
        reference = await _any_case(context, person_id)
        if reference is not None:
            await note_refused(context, actor, reference, ErasureReason.RETENTION_OVER.value, refused)
        return False
    return erased is not None


async def forget_answers(context: Context, at: datetime) -> int:
    """Delete a batch of drafts, of ended sessions, and of answers kept for whoever asks twice; return how many."""
    given: Mapping[str, Any] = {"before": at - context.limits.idempotency_kept, "most": _LIMIT_ROWS}
    async with context.database.begin() as connection:
        too_old = start_of(years_before(day_of(at), context.limits.retention_registered_years))
        for each in programmes_of(context):
            await each.forget(connection, too_old, _LIMIT_ROWS)
        gone = await forget_old(connection, at, _LIMIT_ROWS) + await forget_ended(connection, at, _LIMIT_ROWS)
        answers = (await connection.execute(_FORGET_ANSWERS, given)).rowcount
        return int(gone + answers + (await connection.execute(_FORGET_MESSAGES, given)).rowcount)


async def empty_rosters(context: Context, at: datetime, most: int) -> int:
    """Empty a batch of rosters that ended long enough ago, and destroy their keys; return how many."""
    return await empty_old(context, at, at - context.limits.roster_rows_kept, most)


def years_before(day: date, years: int) -> date:
    """Return the same day so many years before; the 28th for a 29 February that does not exist."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


async def _keep(connection: AsyncConnection, erasing: Erasing, erased: Erased) -> None:
    """Keep the erasure beside those that were asked for."""
    row = ErasureRow(
        erasure_id=erasing.erasure_id,
        person_id=erasing.person_id,
        reference=erased.references[0],
        reason=erasing.reason.value,
        state=ErasureState.DONE.value,
        proposed_by=signature_of(erasing.actor),
        proposed_at=erasing.at,
        decided_at=erasing.at,
    )
    await connection.execute(insert(erasures).values(row.filled()))


async def _any_case(context: Context, person_id: UUID) -> str | None:
    query = text("SELECT min(reference) FROM cases WHERE person_id = :person_id")
    async with context.database.begin() as connection:
        found: str | None = (await connection.execute(query, {"person_id": person_id})).scalar_one()
    return found


def _next(context: Context) -> TextClause:
    of = {f"tracks_of_{r}": any_track(context.own_tables, f"{r}.reference", _counts) for r in ("r", "o")}
    return text(_NEXT.format(**of))


def _counts(table: TrackTable) -> str:
    return f"{table.is_under_way()} OR x.stage IS NOT NULL AND {table.ended_on} >= CAST(:registered AS date)"
