"""Erasing one person in one transaction: the key, look-up hashes and stored contents go, the record of the case stays.

What was sealed under the person's key is unreadable once the key is gone, and stays where it is, so that hashes over it
still hold. What else could name the person is emptied. The erasure is on the list outside the database before it is
committed, so that a restore cannot bring the person back unnoticed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.erasure import ErasureEntry, ErasureReason, ErasureRefused, Kept
from domain.errors import Unavailable
from domain.stages import CLOSED
from privacy.holding import HeldCase, find_joined, hold_persons
from register.rosters.contents import empty_rows_of
from store.case_tables import TrackTable, any_track
from store.erasure_list import ErasureList
from store.forgetting import forget
from store.ledger import Entry, append_each

# Whoever was joined to the person is erased with them: what came with a joined person is sealed under that one's key.
# A corrected identity number moves a case to another person; what was sealed before stays under the first one's key.
_KEYS: Final = text("""
    SELECT p.person_id, p.key_id, k.wrapped IS NULL AS is_destroyed FROM persons p JOIN data_keys k USING (key_id)
    WHERE p.person_id = ANY(CAST(:persons AS uuid[]))
    UNION
    SELECT p.person_id, p.key_id, k.wrapped IS NULL FROM notices n JOIN persons p ON p.key_id = n.key_id
    JOIN data_keys k ON k.key_id = p.key_id
    WHERE n.reference = ANY(CAST(:references AS text[]))
    AND p.joined_to IS NULL AND NOT EXISTS (SELECT FROM cases r WHERE r.person_id = p.person_id)
""")
# Whom an entry `e` of the list erases again in an older database: the person, and who is joined to them only later.
AGAIN: Final = """
    (p.person_id = e.person_id OR p.key_id = ANY(e.keys) AND p.joined_to IS NULL
        AND NOT EXISTS (SELECT FROM cases r WHERE r.person_id = p.person_id AND r.reference <> ALL(e.refs)))
"""
_PERSONS_AGAIN: Final = text(f"""
    SELECT p.person_id FROM persons p, (SELECT CAST(:person_id AS uuid) AS person_id,
        CAST(:keys AS uuid[]) AS keys, CAST(:references AS text[]) AS refs) e WHERE {AGAIN}
""")  # noqa: S608 - put together of constants
_WAITING: Final = """
    SELECT {under_way} AS permit,
        EXISTS (SELECT FROM tasks WHERE reference = ANY(CAST(:references AS text[])) AND state = 'open')
        OR EXISTS (SELECT FROM commands WHERE reference = ANY(CAST(:references AS text[])) AND state = 'stored')
        OR EXISTS (SELECT FROM calls WHERE reference = ANY(CAST(:references AS text[])) AND state = 'due')
        OR EXISTS (SELECT FROM incidents WHERE reference = ANY(CAST(:references AS text[])) AND state = 'open')
        OR EXISTS (SELECT FROM objections WHERE reference = ANY(CAST(:references AS text[])) AND state = 'open')
        OR EXISTS (SELECT FROM deliveries d JOIN notices n USING (notice_id)
            WHERE n.reference = ANY(CAST(:references AS text[])) AND d.status = 'queued') AS work
"""
_ANY_ERASED: Final = text("""
    SELECT EXISTS (SELECT FROM persons p JOIN data_keys k USING (key_id) WHERE k.wrapped IS NULL
        AND EXISTS (SELECT FROM cases r WHERE r.person_id = p.person_id))
""")
_HOLDS: Final = text("""
    SELECT hold_id, released_at IS NULL AS is_open FROM legal_holds
    WHERE reference = ANY(CAST(:references AS text[])) ORDER BY placed_at, hold_id
""")


class FoundKey(NamedTuple):
    """A person under whose key something is sealed, the key, and whether it is destroyed."""

    person_id: UUID
    key_id: UUID
    is_destroyed: bool


class _Hold(NamedTuple):
    hold_id: UUID
    is_open: bool


@dataclass(frozen=True, slots=True)
class Erasing:
    """One erasure under way: whose, why, by whom and when, and the entry of the list where it is done again."""

    erasure_id: UUID
    person_id: UUID
    reason: ErasureReason
    actor: Actor
    at: datetime
    replayed: ErasureEntry | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to: the cases whose facts are gone, and those that had not ended."""

    references: tuple[str, ...]
    live: tuple[str, ...] = ()


async def erase(context: Context, connection: AsyncConnection, erasing: Erasing) -> Erased | None:
    """Erase a person; None where it was done before. An erasure done again after a restore is done whatever the stage.

    Raises:
        Refused: `not_found`.
        ErasureRefused: while a legal hold stands, a case or permit is live, or work on one waits.
        Unavailable: when the list of erasures is missing or cannot be written; nothing is erased then.
    """
    whose = await _persons(connection, erasing)
    cases = await hold_persons(connection, whose)
    references = [case.reference for case in cases]
    found = await _find_keys(connection, whose, references)
    if all(row.is_destroyed for row in found):
        return None
    released = await _check(context, connection, erasing, cases)
    kept = await check_list(context, connection)
    keys = [row.key_id for row in found]
    await empty_rows_of(context, connection, references)
    persons = [row.person_id for row in found]
    await forget(connection, keys=keys, persons=persons, references=references, at=erasing.at, own=context.own_tables)
    await append_each(connection, {case.reference: [_entry(case, erasing)] for case in cases})
    if erasing.replayed is None:
        # Last, so that as little as can be may still go wrong: what is on the list is erased after a restore.
        await kept.append(
            ErasureEntry(
                erasure_id=erasing.erasure_id,
                person_id=erasing.person_id,
                keys=tuple(keys),
                references=tuple(references),
                reason=erasing.reason,
                at=erasing.at,
                released_holds=tuple(released),
            )
        )
    return Erased(tuple(references), tuple(c.reference for c in cases if c.stage not in CLOSED))


async def find_keys(connection: AsyncConnection, person_id: UUID, references: Sequence[str]) -> list[FoundKey]:
    """Return all under whose keys something of the person is sealed."""
    return await _find_keys(connection, [person_id], references)


async def _find_keys(connection: AsyncConnection, persons: Sequence[UUID], references: Sequence[str]) -> list[FoundKey]:
    joined = await find_joined(connection, persons)
    rows = await connection.execute(_KEYS, {"persons": list(joined), "references": references})
    return [FoundKey(*row) for row in rows]


async def _persons(connection: AsyncConnection, erasing: Erasing) -> list[UUID]:
    """Return the person, and in an older database whoever is to be joined to them only later."""
    if erasing.replayed is None:
        return [erasing.person_id]
    entry = erasing.replayed
    given = {"person_id": entry.person_id, "keys": list(entry.keys), "references": list(entry.references)}
    return list((await connection.execute(_PERSONS_AGAIN, given)).scalars())


async def find_released_holds(connection: AsyncConnection, references: Sequence[str]) -> Sequence[UUID]:
    """Return the legal holds on cases that are released."""
    return [hold.hold_id for hold in await _holds(connection, references) if not hold.is_open]


async def check_list(context: Context, connection: AsyncConnection) -> ErasureList:
    """Return the list of erasures, which may lack its file only while nobody was erased yet.

    A new file in the place of one that was lost would leave out all that went before, and nothing would say so.

    Raises:
        Unavailable: `erasure_list` where there is none, `erasure_list_missing` where there was one.
    """
    if context.erasure_list is None:
        raise Unavailable("erasure_list")
    if not await context.erasure_list.is_there() and (await connection.execute(_ANY_ERASED)).scalar_one():
        raise Unavailable("erasure_list_missing")
    return context.erasure_list


async def hold_person(connection: AsyncConnection, person_id: UUID) -> list[HeldCase]:
    """Hold a person with all cases, and return these in the order of their references.

    Raises:
        Refused: `not_found`.
    """
    return await hold_persons(connection, [person_id])


async def check_may_be_erased(context: Context, connection: AsyncConnection, cases: Sequence[HeldCase]) -> None:
    """Refuse while a legal hold stands, a case or permit is live, or work on one waits.

    Raises:
        ErasureRefused: with what keeps the person.
    """
    references = [case.reference for case in cases]
    if any(hold.is_open for hold in await _holds(connection, references)):
        raise ErasureRefused(Kept.LEGAL_HOLD, "A legal hold stands on a case of this person; release it first.")
    if any(case.stage not in CLOSED for case in cases):
        raise ErasureRefused(Kept.CASE_LIVE, "A case of this person has not ended.")
    under_way = any_track(context.own_tables, "ANY(CAST(:references AS text[]))", TrackTable.is_under_way)
    query = text(_WAITING.format(under_way=under_way))
    waits = (await connection.execute(query, {"references": references})).one()
    if waits.permit:
        raise ErasureRefused(Kept.PERMIT_RUNNING, "A permit of this person is still followed.")
    if waits.work:
        raise ErasureRefused(
            Kept.WORK_WAITS, "A task, a call, an incident, a notice or the answer to a complaint is not done yet."
        )


async def _holds(connection: AsyncConnection, references: Sequence[str]) -> list[_Hold]:
    return [_Hold(*row) for row in await connection.execute(_HOLDS, {"references": references})]


async def _check(
    context: Context, connection: AsyncConnection, erasing: Erasing, cases: Sequence[HeldCase]
) -> Sequence[UUID]:
    """Refuse what may not be erased, and return the legal holds that had been released."""
    if erasing.replayed is None:
        await check_may_be_erased(context, connection, cases)
    holds = await _holds(connection, [case.reference for case in cases])
    if erasing.replayed is not None:
        if {case.reference for case in cases} - set(erasing.replayed.references):
            # No older database: this one knows more of the person than the erasure did, which was never committed.
            raise ErasureRefused(Kept.CASE_LIVE, "The person has a case that the erasure did not know of.")
        released_since = set(erasing.replayed.released_holds)
        if any(hold.is_open and hold.hold_id not in released_since for hold in holds):
            raise ErasureRefused(Kept.LEGAL_HOLD, "A legal hold stands that was not released before the erasure.")
    return [hold.hold_id for hold in holds if not hold.is_open]


def _entry(case: HeldCase, erasing: Erasing) -> Entry:
    detail: dict[str, object] = {
        "stage": case.stage,
        "round": case.round,
        "erasure_id": str(erasing.erasure_id),
    }
    if erasing.replayed is not None:
        detail["first_erased_at"] = erasing.replayed.at.isoformat()
    return Entry(
        act=Act.KEY_DESTROYED,
        actor=erasing.actor,
        at=erasing.at,
        reference=case.reference,
        employer_id=case.employer_id,
        outcome="erased" if erasing.replayed is None else "erased_again",
        reason_codes=(erasing.reason.value,),
        detail=detail,
    )
