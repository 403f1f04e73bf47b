"""What rosters hold of people after they are done: emptied for one who is erased, and for all after a while."""

import json
import unicodedata
from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.programme import programmes_of
from cases.shared.context import Context
from domain.errors import Defect, Refused
from register.rosters.reads import open_row
from store.encryption import DataKey, WrappedKey, unwrap
from store.joined_keys import key_id_of

_APPLICATIONS: Final = text(f"""
    SELECT a.reference, a.version, a.body, k.key_id, k.kek_id, k.wrapped FROM applications a
    JOIN cases r USING (reference) JOIN persons p USING (person_id)
    JOIN data_keys k ON k.key_id = {key_id_of("r")}
    WHERE a.reference = ANY(CAST(:references AS text[]))
""")  # noqa: S608 - made of words of this file and the store's
# Rows that are still to be done are a submission under way, and no longer this person's once it is erased.
_KEPT: Final = text("""
    SELECT w.roster_id, w.row, w.body, w.reference, k.key_id, k.kek_id, k.wrapped
    FROM rosters r JOIN data_keys k ON k.key_id = r.key_id JOIN roster_rows w USING (roster_id)
    WHERE r.emptied_at IS NULL AND w.body <> '' AND (w.result <> 'new' OR r.status IN ('ready', 'done', 'failed'))
""")
_EMPTY: Final = text("""
    UPDATE roster_rows w SET body = '' FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[])) AS x (id, number)
    WHERE w.roster_id = x.id AND w.row = x.number
""")
_FORGET_OLD: Final = text("""
    WITH old AS (
        SELECT roster_id, key_id FROM rosters
        WHERE emptied_at IS NULL AND at < :before AND status IN ('ready', 'done', 'failed')
        ORDER BY at LIMIT :most FOR UPDATE SKIP LOCKED
    ), emptied AS (
        UPDATE roster_rows w SET body = '' FROM old WHERE w.roster_id = old.roster_id
    ), destroyed AS (
        UPDATE data_keys k SET wrapped = NULL, destroyed_at = :at FROM old WHERE k.key_id = old.key_id
    )
    UPDATE rosters r SET emptied_at = :at FROM old WHERE r.roster_id = old.roster_id
""")


class _Kept(NamedTuple):
    """A row of a roster that still holds its cells, with the key that they are sealed under."""

    roster_id: UUID
    row: int
    body: bytes
    reference: str | None
    key_id: UUID
    kek_id: str
    wrapped: bytes | None


async def empty_rows_of(context: Context, connection: AsyncConnection, references: Collection[str]) -> None:
    """Empty the rows of rosters that became these cases or name their person, while the person's key still opens."""
    rows = [_Kept(*row) for row in await connection.execute(_KEPT)]
    if not rows:
        return
    names = await _names(context, connection, references)
    keys: dict[UUID, DataKey] = {}
    found = [
        (row.roster_id, row.row) for row in rows if row.reference in references or _tells_of(context, keys, row, names)
    ]
    if found:
        ids, numbers = zip(*found, strict=True)
        await connection.execute(_EMPTY, {"ids": list(ids), "numbers": list(numbers)})


async def empty_old(context: Context, at: datetime, before: datetime, most: int) -> int:
    """Empty rosters that ended and came before a time, and destroy their keys; return how many."""
    async with context.database.begin() as connection:
        done = await connection.execute(_FORGET_OLD, {"at": at, "before": before, "most": most})
        return int(done.rowcount)


async def _names(context: Context, connection: AsyncConnection, references: Collection[str]) -> frozenset[str]:
    """Return how the person was named in any version of the facts, in whichever field a roster has a column for."""
    rosters = [roster for each in programmes_of(context) for roster in each.rosters.values()]
    naming = {column.name for roster in rosters for column in roster.columns if column.names_person}
    names: set[str] = set()
    for row in await connection.execute(_APPLICATIONS, {"references": list(references)}):
        try:
            key = unwrap(context.keyring, WrappedKey(row.key_id, row.kek_id, row.wrapped))
            body = json.loads(key.open("applications", "body", f"{row.reference}/{row.version}", row.body))
        except (Defect, Refused):
            continue  # what cannot be opened names nobody any more
        names.update(_plain(value) for name in naming if (value := body["person"].get(name)))
    return frozenset(names)


def _tells_of(context: Context, keys: dict[UUID, DataKey], row: _Kept, names: frozenset[str]) -> bool:
    try:
        if row.key_id not in keys:
            keys[row.key_id] = unwrap(context.keyring, WrappedKey(row.key_id, row.kek_id, row.wrapped))
        cells = open_row(keys[row.key_id], row.roster_id, row.row, row.body)
    except (Defect, Refused):
        return False
    return any(_plain(cell) in names for cell in cells.values())


def _plain(cell: str) -> str:
    """Return a cell as it is compared: in one normal form and width, without spaces and hyphens, in upper case."""
    text = unicodedata.normalize("NFKC", cell)
    return "".join(mark for mark in text if not mark.isspace() and mark != "-").upper()
