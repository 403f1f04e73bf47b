"""Cases that a restore took away, as far as somebody else still knows of them: their references are not given again."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from cases.shared.epochs import current_epoch
from store.case_rows import Beside, Subquery
from store.tables import cases, lost_cases

# Who still knew of the case.
BY_TEMPORAL: Final = "temporal"
BY_AUTHORITY: Final = "authority"
# Whether a reference that was drawn is of a case that a restore took away.
GIVEN_BEFORE: Final = Subquery(
    "given_before",
    "SELECT EXISTS (SELECT FROM lost_cases l WHERE l.reference = CAST(:drawn_reference AS text))",
    bool,
)


def given_before(reference: str) -> Beside:
    """Return what `GIVEN_BEFORE` asks."""
    return Beside((GIVEN_BEFORE,), {"drawn_reference": reference})


async def note_gone(context: Context, reference: str, known_by: str = BY_TEMPORAL) -> bool:
    """Keep the reference of a case that the register does not have; False where it has it."""
    async with context.database.begin() as connection:
        return bool(await keep_unknown(connection, [reference], known_by, context.clock()))


async def keep_unknown(
    connection: AsyncConnection, references: Collection[str], known_by: str, at: datetime
) -> list[str]:
    """Keep those of the references that no case of the register has, and return them."""
    r = cases.c
    query = select(r.reference).where(r.reference.in_(list(references)))
    known = set((await connection.execute(query)).scalars()) if references else set()
    missing = sorted(set(references) - known)
    if missing:
        epoch = await current_epoch(connection)
        rows = [{"reference": each, "epoch": epoch, "known_by": known_by, "at": at} for each in missing]
        await connection.execute(insert(lost_cases).values(rows).on_conflict_do_nothing())
    return missing
