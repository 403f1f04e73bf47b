"""The figures by which an operator sees how the cases stand: counted by queries that cost no more with more cases.

Each looks at an index of what waits, and none of them at cases that sleep; only the live cases by stage are counted one
by one, and less often.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from cases.health.rounds import Round, read_ends
from cases.keys.rotation_waits import read_rotation_waits
from cases.notices.channels import CHANNELS
from cases.programme import programmes_of
from cases.shared.calendar import CURSOR, current_calendar
from cases.shared.context import Context
from domain.clock import CHINA, end_of
from domain.notices import Channel
from domain.service_keys import KeyKind
from domain.stages import LIVE, Stage

STAGES: Final = "SELECT stage, count(*) AS number FROM cases WHERE stage = ANY(:stages) GROUP BY stage"
# A case that waits for an operator hears of nothing: it is an incident, and not a command that is late.
COMMANDS: Final = """
    SELECT count(*) AS number, min(c.at) AS oldest FROM commands c
    WHERE c.state = 'stored' AND NOT EXISTS (
        SELECT FROM incidents i WHERE i.reference = c.reference AND i.kind = 'stuck' AND i.state = 'open')
"""
# Calls that are held back (P7) are due to nobody meanwhile.
CALLS: Final = """
    SELECT count(*) AS number, min(c.at) AS oldest FROM calls c
    WHERE c.state = 'due' AND NOT EXISTS (
        SELECT FROM cases r WHERE r.reference = c.reference AND c.what = ANY(:held)
        AND (r.standing_hold OR r.pending_act = 'revoke'))
"""
# A delivery gives up so long after it was due for the first time, and that is what its age is counted from: one that
# failed waits for its next attempt and is as late as before.
DELIVERIES: Final = """
    SELECT d.channel, count(*) AS number, min(d.give_up_at) AS oldest FROM deliveries d
    WHERE d.status = 'queued' AND d.channel = ANY(:channels) AND d.give_up_at <= :begun
    GROUP BY d.channel
"""
# Alike ones are one cause (`store/incident_causes.py`), however many they are.
INCIDENTS: Final = """
    SELECT kind, sum(number) AS number, count(*) AS causes FROM (
        SELECT kind, cause_id, count(*) AS number FROM incidents WHERE state = 'open' GROUP BY kind, cause_id
    ) alike GROUP BY kind
"""
_COMMANDS, _INCIDENTS = text(COMMANDS), text(INCIDENTS)
_CALLS: Final = text(CALLS).bindparams(bindparam("held", type_=ARRAY(Text)))
_STAGES: Final = text(STAGES).bindparams(bindparam("stages", type_=ARRAY(Text)))
_DELIVERIES: Final = text(DELIVERIES).bindparams(bindparam("channels", type_=ARRAY(Text)))
_CALENDAR: Final = text("SELECT value FROM cursors WHERE name = :name")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many there are, and for how long the oldest of them has waited."""

    count: int = 0
    oldest: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    """How many are open, and of how many causes."""

    incidents: int = 0
    causes: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """How the cases stand at one time."""

    commands: Waiting
    calls: Waiting
    deliveries: Mapping[Channel, Waiting]
    # Open ones by kind; a kind that has none is not named.
    incidents: Mapping[str, OpenIncidents]
    rotation_waits: Mapping[KeyKind, timedelta]
    calendar_end: datetime
    round_ends: Mapping[Round, datetime]


async def read_figures(context: Context) -> Figures:
    """Return the figures as they are now.

    Raises:
        Unavailable: when PostgreSQL is away.
    """
    at = context.clock()
    retry = context.limits.notice_retry
    channels = {"channels": [channel.value for channel in CHANNELS], "begun": at + retry}
    held = [what for each in programmes_of(context) for what, call in each.calls.items() if call.can_be_held]
    async with context.database.begin() as connection:
        sent = {row.channel: row for row in await connection.execute(_DELIVERIES, channels)}
        return Figures(
            commands=_waiting((await connection.execute(_COMMANDS)).one(), at),
            calls=_waiting((await connection.execute(_CALLS, {"held": held})).one(), at),
            deliveries={each: _waiting(sent.get(each.value), at + retry) for each in CHANNELS},
            incidents={
                row.kind: OpenIncidents(int(row.number), row.causes) for row in await connection.execute(_INCIDENTS)
            },
            rotation_waits=await read_rotation_waits(connection),
            calendar_end=await _calendar_end(context, connection),
            round_ends=await read_ends(connection, at),
        )


async def count_live(context: Context) -> dict[Stage, int]:
    """Return how many cases there are in each stage in which something can still happen; each is looked at."""
    async with context.database.begin() as connection:
        rows = await connection.execute(_STAGES, {"stages": [stage.value for stage in LIVE]})
        found = {row.stage: row.number for row in rows}
    return {stage: found.get(stage.value, 0) for stage in Stage if stage in LIVE}


def _waiting(row: Any, at: datetime) -> Waiting:
    if row is None or row.oldest is None:
        return Waiting()
    return Waiting(row.number, max(at - row.oldest, timedelta()))


async def _calendar_end(context: Context, connection: AsyncConnection) -> datetime:
    """Return when the days end whose notices are all there; limits beyond it are provisional."""
    version = (await connection.execute(_CALENDAR, {"name": CURSOR})).scalar_one_or_none()
    calendar = await current_calendar(context, connection, version)
    last = max((day for day in calendar.days if calendar.is_published(day)), default=None)
    return end_of(last) if last else datetime.fromtimestamp(0, CHINA)
