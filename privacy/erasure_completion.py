"""Adding to the list of erasures whom the database knows to be erased, after the list was lost or cut."""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.erasure import ErasureEntry, ErasureReason
from domain.errors import Unavailable
from privacy.erasing import find_keys, find_released_holds

# Of several erasures the first: the others were done again after a restore.
_ERASED: Final = text("""
    SELECT DISTINCT ON (p.person_id) p.person_id, p.key_id, l.at, l.reason_codes, l.detail,
        ARRAY(SELECT reference FROM cases WHERE person_id = p.person_id ORDER BY reference) AS references
    FROM persons p JOIN data_keys k USING (key_id) JOIN cases r USING (person_id)
    JOIN ledger l ON l.reference = r.reference AND l.act = 'key_destroyed'
    WHERE k.wrapped IS NULL ORDER BY p.person_id, l.seq
""")


class _Erased(NamedTuple):
    """A person who was erased, with the ledger's row of it."""

    person_id: UUID
    key_id: UUID
    at: datetime
    reason_codes: list[str]
    detail: dict[str, Any]
    references: list[str]


async def complete(context: Context) -> int:
    """Add an entry for each erased person that the list lacks, as the ledger tells of the erasure; return how many.

    Twice adds nothing.

    Raises:
        Defect: `erasure_list_altered`; nothing is added then.
        Unavailable: when there is no list to write.
    """
    if context.erasure_list is None:
        raise Unavailable("erasure_list")
    entries = await context.erasure_list.read()
    listed = {entry.person_id for entry in entries}.union(*(entry.keys for entry in entries))
    async with context.database.begin() as connection:
        rows = [_Erased(*row) for row in await connection.execute(_ERASED)]
        entries = [await _entry(connection, row) for row in rows if listed.isdisjoint((row.person_id, row.key_id))]
    for entry in entries:
        await context.erasure_list.append(entry)
    return len(entries)


async def _entry(connection: AsyncConnection, row: _Erased) -> ErasureEntry:
    return ErasureEntry(
        erasure_id=UUID(row.detail["erasure_id"]),
        person_id=row.person_id,
        keys=tuple(each.key_id for each in await find_keys(connection, row.person_id, row.references)),
        references=tuple(row.references),
        reason=ErasureReason(row.reason_codes[0]),
        at=row.detail.get("first_erased_at", row.at),
        released_holds=tuple(await find_released_holds(connection, row.references)),
    )
