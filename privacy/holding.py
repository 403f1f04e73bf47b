"""Holding persons with all their cases, as long as a transaction does something to a whole person."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Refused

_CASES: Final = text("""
    SELECT r.reference, r.employer_id, r.stage, r.round, r.person_id, r.programme, r.live, r.joined_key FROM cases r
    WHERE r.person_id = ANY(CAST(:persons AS uuid[])) ORDER BY r.reference FOR UPDATE
""")
_PERSONS: Final = text("""
    SELECT p.person_id FROM persons p WHERE p.person_id = ANY(CAST(:persons AS uuid[])) ORDER BY p.person_id FOR UPDATE
""")
# Who was joined to a person, and who to these.
_JOINED: Final = text("""
    WITH RECURSIVE joined AS (
        SELECT person_id, key_id FROM persons WHERE person_id = ANY(CAST(:persons AS uuid[]))
        UNION
        SELECT p.person_id, p.key_id FROM persons p JOIN joined j ON p.joined_to = j.person_id
    )
    SELECT person_id, key_id FROM joined
""")
_HOLDER: Final = text("""
    WITH RECURSIVE held AS (
        SELECT person_id, joined_to FROM persons WHERE person_id = :person_id
        UNION
        SELECT p.person_id, p.joined_to FROM persons p JOIN held h ON p.person_id = h.joined_to
    )
    SELECT person_id FROM held WHERE joined_to IS NULL
""")


class HeldCase(NamedTuple):
    """A case of a person who is held, as far as what is done to the person looks at it.

    `joined_key` is the key that it came with, where its person was joined to the one who has it now.
    """

    reference: str
    employer_id: str
    stage: str
    round: int
    person_id: UUID
    programme: str
    live: bool
    joined_key: UUID | None


async def hold_persons(connection: AsyncConnection, persons: Sequence[UUID]) -> list[HeldCase]:
    """Hold persons with all their cases, and return these in the order of their references.

    First the cases and then the persons, as other acts do. A new case of a person waits for the person's row, and then
    looks again (`cases.shared.persons`); one that came in between is held by the second look.

    Raises:
        Refused: `not_found`.
    """
    given = {"persons": list(persons)}
    await connection.execute(_CASES, given)
    found = (await connection.execute(_PERSONS, given)).all()
    if len(found) < len(set(persons)):
        raise Refused("not_found", "There is no such person.")
    return [HeldCase(*row) for row in await connection.execute(_CASES, given)]


async def find_joined(connection: AsyncConnection, persons: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the ids of the keys of these persons and of all who were joined to them, by person."""
    return {row.person_id: row.key_id for row in await connection.execute(_JOINED, {"persons": list(persons)})}


async def find_holder(connection: AsyncConnection, person_id: UUID) -> UUID:
    """Return who holds the documents and cases of a person: the same, or whom they were joined to."""
    held: UUID = (await connection.execute(_HOLDER, {"person_id": person_id})).scalar_one()
    return held
