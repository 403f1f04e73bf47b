"""For how long the next step of a rotation of keys has waited, as the register of keys and the living processes say."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.keys.register import needed, read_holders, read_register
from domain.service_keys import SECRETS, Held, KeyKind, KeyState, waits_since

# Secrets that are settings are replaced by whoever signs with them; nothing says when that is over.
ROTATED: Final = tuple(kind for kind in KeyKind if kind not in SECRETS)


async def read_rotation_waits(connection: AsyncConnection) -> dict[KeyKind, timedelta]:
    """Return for each kind how long a rotation that began has stood at its oldest step; zero where none is under way.

    A step is a key that does not write yet, one whose things are still under it or that a process still writes with
    although another has followed, and one that may be taken out of the file and was not. A key that no process has is
    none: whoever began has taken it back, or ended. By PostgreSQL's clock.
    """
    now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    rows, holders = await read_register(connection), await read_holders(connection)
    under = await needed(connection, rows)
    waits: dict[KeyKind, timedelta] = {}
    for kind in ROTATED:
        mine = rows.get(kind, [])
        held = [holder.holds.get(kind, Held(None)) for holder in holders]
        followed_at = next((row.current_at for row in mine if row.state is KeyState.CURRENT), None)
        begun = [
            since
            for row in mine
            if any(row.key_id in each.keys for each in held)
            and (
                since := waits_since(
                    row,
                    followed_at=followed_at,
                    is_needed=row.key_id in under.get(kind, ()),
                    is_written=any(row.key_id == each.current for each in held),
                )
            )
        ]
        waits[kind] = max(now - min(begun), timedelta()) if begun else timedelta()
    return waits
