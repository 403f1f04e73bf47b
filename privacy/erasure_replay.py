"""Doing erasures again after a restore: whoever is on the list and readable in the database is erased once more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select, text

from cases.incidents import rows as incident_rows
from cases.shared.context import Context
from domain.actors import Actor, system
from domain.erasure import ErasureEntry, ErasureRefused
from domain.errors import Defect, Unavailable
from domain.incidents import Healed, IncidentKind
from privacy.erasing import AGAIN, Erasing, check_list, erase
from privacy.erasures import note_refused
from store.database import dump_json
from store.incident_rows import new_incident, opening
from store.tables import incidents

INCIDENT: Final = IncidentKind.ERASURES.value
_AT_ONCE: Final = 500
_READABLE: Final = text(f"""
    SELECT e.erasure_id FROM jsonb_to_recordset(CAST(:entries AS jsonb))
        AS e (erasure_id uuid, person_id uuid, keys uuid[], refs text[])
    WHERE EXISTS (SELECT FROM persons p JOIN data_keys k USING (key_id) WHERE k.wrapped IS NOT NULL AND {AGAIN})
""")  # noqa: S608 - put together of constants
_DESTROYED: Final = text("""
    SELECT p.person_id, p.key_id FROM persons p JOIN data_keys k USING (key_id) WHERE k.wrapped IS NULL
    AND EXISTS (SELECT FROM cases r WHERE r.person_id = p.person_id)
""")


@dataclass(slots=True)
class Replay:
    """What doing the list again came to; `held` and `live` are cases that a person has to look at."""

    listed: int = 0
    erased_again: int = 0
    held: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    unlisted: int = 0


async def replay(context: Context, actor: Actor, *, only_look: bool = False) -> Replay:
    """Erase again, each in a transaction of its own, whoever is on the list and can be read; twice changes nothing.

    A legal hold that stands wins, unless it had been released before the erasure. A case that had ended before it was
    erased is live again in an older database, and is erased all the same.

    Raises:
        Defect: `erasure_list_altered`; nothing is erased then.
        Unavailable: when there is no list to read, or its file is missing although persons were erased.
    """
    async with context.database.begin() as connection:
        kept = await check_list(context, connection)
    entries = await kept.read()
    found = Replay(listed=len(entries), unlisted=await _unlisted(context, entries))
    for start in range(0, len(entries), _AT_ONCE):
        for entry in await _readable(context, entries[start : start + _AT_ONCE]):
            if only_look:
                found.erased_again += 1
            else:
                await _again(context, actor, entry, found)
    return found


async def note_missing(context: Context, at: datetime) -> int:
    """Put it before the operator, once, that persons on the list can be read again; return how many.

    They are erased again by `hetao erasures replay` and not by itself: somebody has to know that an old database runs.
    """
    try:
        found = await replay(context, system("erasure_replay"), only_look=True)
    except (Defect, Unavailable) as error:
        if error.reason not in ("erasure_list", "erasure_list_missing", "erasure_list_altered"):
            raise
        await _open_incident(context, at, error.reason)
        return 0
    reason = "not_replayed" if found.erased_again else "list_incomplete" if found.unlisted else None
    if reason is not None:
        await _open_incident(context, at, reason)
    i = incidents.c
    async with context.database.begin() as connection:
        # What an earlier night said and this one did not find.
        which = (i.kind == INCIDENT, i.reason != (reason or ""))
        await incident_rows.end(connection, at, Healed.REPLAYED, "erasure_replay", *which)
    return found.erased_again


async def _open_incident(context: Context, at: datetime, reason: str) -> None:
    i = incidents.c
    known = select(i.incident_id).where(i.kind == INCIDENT, i.reason == reason, i.state == "open")
    async with context.database.begin() as connection:
        if (await connection.execute(known)).first() is None:
            await connection.execute(opening([new_incident(at, kind=INCIDENT, step="replay", reason=reason)]))


async def _again(context: Context, actor: Actor, entry: ErasureEntry, found: Replay) -> None:
    erasing = Erasing(entry.erasure_id, entry.person_id, entry.reason, actor, context.clock(), replayed=entry)
    try:
        async with context.database.begin() as connection:
            erased = await erase(context, connection, erasing)
    except ErasureRefused as refused:
        found.held += entry.references
        await note_refused(context, actor, entry.references[0], entry.reason.value, refused)
        return
    if erased is not None:
        found.erased_again += 1
        found.live += erased.live


async def _readable(context: Context, entries: Sequence[ErasureEntry]) -> list[ErasureEntry]:
    asked = [
        {"erasure_id": each.erasure_id, "person_id": each.person_id, "keys": each.keys, "refs": each.references}
        for each in entries
    ]
    async with context.database.begin() as connection:
        found = set((await connection.execute(_READABLE, {"entries": dump_json(asked)})).scalars())
    return [entry for entry in entries if entry.erasure_id in found]


async def _unlisted(context: Context, entries: Sequence[ErasureEntry]) -> int:
    """Return how many persons were erased that the list does not have: it was cut, or is another installation's."""
    listed = {entry.person_id for entry in entries}.union(*(entry.keys for entry in entries))
    async with context.database.begin() as connection:
        return sum(listed.isdisjoint(row) for row in await connection.execute(_DESTROYED))
