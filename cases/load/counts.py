"""The numbers of load as PostgreSQL counts them, each by an index of what waits or of what happened in a time.

Nothing here looks at a case that sleeps: what waits is found by its stage, an open task by its state, and what happened
by act and time in the ledger, whose rows say whose turn it was and whether a promise was kept. What cost depends on is
so how much is open and how much happened in the days that are asked for, never how many cases there are.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Date, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from cases.load.asked import LoadAsked
from cases.load.views import Bucket
from domain.acts import Act
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.stages import OPEN, Stage
from store.case_tables import TrackTable

# So old a case is that waits, in days since it was taken on: up to the first of these, and so on.
AGES: Final = (2, 4, 6, 11)
_AGES: Final = ", ".join(map(str, AGES))
_MINE: Final = " AND {0}.employer_id = CAST(:employer_id AS text)"
# In which of the times that are counted over a row lies: a day of China, or the Monday of its week.
_DAY: Final = "(l.at AT TIME ZONE 'Asia/Shanghai')::date"
_WEEK: Final = "date_trunc('week', l.at AT TIME ZONE 'Asia/Shanghai')::date"
_PREFIX: Final = "split_part(l.reference, '-', 1)"
WAITING: Final = f"""
    WITH w AS MATERIALIZED (
        SELECT r.programme, r.stage, r.holder, r.employer_id, r.overdue, r.accepted_at, r.holder_since,
            width_bucket(extract(epoch FROM CAST(:at AS timestamptz) - r.accepted_at)::float8 / 86400,
                CAST(ARRAY[{_AGES}] AS float8[])) AS age
        FROM cases r WHERE r.stage = ANY(:stages){{mine}}
    )
    SELECT programme, stage, holder, age, employer_id, count(*) AS number, count(*) FILTER (WHERE overdue) AS late,
        extract(epoch FROM CAST(:at AS timestamptz) - min(accepted_at))::float8 / 86400 AS oldest,
        extract(epoch FROM avg(CAST(:at AS timestamptz) - holder_since))::float8 / 86400 AS waited
    FROM w GROUP BY GROUPING SETS ((programme, stage), (programme, holder), (programme, age), (programme, employer_id))
"""  # noqa: S608 - made of words of this file and of the declarations
TASKS: Final = """
    SELECT split_part(t.reference, '-', 1) AS prefix, t.holder, count(*) AS number,
        count(*) FILTER (WHERE t.overdue OR t.due_at < CAST(:at AS timestamptz)) AS late
    FROM tasks t WHERE t.state = 'open' AND t.reference IS NOT NULL{mine} GROUP BY 1, 2
"""
TAKEN_ON: Final = f"""
    SELECT {_PREFIX} AS prefix, {{bucket}} AS day, count(*) AS number FROM ledger l
    WHERE l.act = '{Act.SUBMITTED}' AND l.at >= :begins AND l.at < :ends AND l.reference IS NOT NULL{{mine}}
    GROUP BY 1, 2
"""  # noqa: S608 - made of words of this file and of the declarations
# What the last statement below counts by, as `grouping` numbers it.
BY_OUTCOME, BY_PROMISE, OF_OFFICER, OF_EMPLOYER = 0b0111, 0b1011, 0b1001, 0b1010
# Of a case that was decided several times, after a recall or setting aside, the last decision of the time counts. One
# that was taken back or set aside in it, with no other since, counts as none; its settling is no decision.
DECIDED: Final = f"""
    WITH d AS MATERIALIZED (
        SELECT DISTINCT ON (l.chain) {_PREFIX} AS prefix, {{bucket}} AS day, l.act, l.outcome, l.employer_id,
            l.actor_subject, (l.detail -> 'promise' ->> 'kept')::boolean AS kept, l.detail ->> 'stage' AS stage
        FROM ledger l
        WHERE l.act IN ('{Act.DECIDED}', '{Act.CONFIRMED}', '{Act.RECALLED}', '{Act.SET_ASIDE}')
            AND l.at >= :begins AND l.at < :ends AND l.reference IS NOT NULL AND l.destination IS NULL
            AND coalesce(l.outcome, 'approve') IN ('approve', 'refuse', 'refusal'){{mine}}
        ORDER BY l.chain, l.seq DESC
    )
    SELECT prefix, day, outcome, kept, actor_subject, employer_id, count(*) AS number,
        grouping(outcome, kept, actor_subject, employer_id) AS counted_by
    FROM d
    WHERE act = '{Act.CONFIRMED}' OR act = '{Act.DECIDED}' AND stage = '{Stage.APPROVED}'
    GROUP BY GROUPING SETS ((prefix, day, outcome), (prefix, day, kept), (prefix, actor_subject, kept),
        (prefix, employer_id, kept))
"""  # noqa: S608 - made of words of this file and of the declarations
HELD: Final = f"""
    SELECT {_PREFIX} AS prefix, {{bucket}} AS day, l.detail -> 'held' ->> 'by' AS holder, count(*) AS number,
        sum((l.detail -> 'held' ->> 'seconds')::bigint)::float8 / 86400 AS days
    FROM ledger l
    WHERE l.detail ? 'held' AND l.at >= :begins AND l.at < :ends AND l.reference IS NOT NULL{{mine}}
    GROUP BY 1, 2, 3
"""  # noqa: S608 - made of words of this file and of the declarations
FOLLOWED: Final = f"""
    SELECT {_PREFIX} AS prefix, {{bucket}} AS day, l.act, l.outcome, l.destination, count(*) AS number FROM ledger l
    WHERE l.act = ANY(:acts) AND l.at >= :begins AND l.at < :ends AND l.destination IS NOT NULL{{mine}}
    GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 - made of words of this file and of the declarations
_TYPES: Final[Mapping[str, TypeEngine[Any]]] = {
    "at": TIMESTAMP(timezone=True), "begins": TIMESTAMP(timezone=True), "ends": TIMESTAMP(timezone=True),
    "stages": ARRAY(Text), "acts": ARRAY(Text), "employer_id": Text(), "today": Date(),
}  # fmt: skip


# The most cases that may have come, and as many decisions, in a time that is counted over.
MOST_COUNTED: Final = 100_000
_HAPPENED: Final = f"""
    SELECT count(*) FROM (SELECT FROM ledger l WHERE l.act IN ('{Act.SUBMITTED}', '{Act.DECIDED}', '{Act.CONFIRMED}')
        AND l.at >= :begins AND l.at < :ends{{mine}} LIMIT {2 * MOST_COUNTED + 1}) x
"""  # noqa: S608 - made of words of this file and of the declarations


class Counts(NamedTuple):
    """What was counted: rows of each statement."""

    waiting: Sequence[Any]
    tasks: Sequence[Any]
    taken_on: Sequence[Any]
    decided: Sequence[Any]
    held: Sequence[Any]
    followed: Sequence[Any]
    # By table.
    tracks: Mapping[str, Sequence[Any]]


async def count(
    connection: AsyncConnection, asked: LoadAsked, tracks: Sequence[tuple[TrackTable, Sequence[str]]], acts: set[str]
) -> Counts:
    """Count what waits now and what happened in the days asked for.

    Args:
        connection: a transaction of the park's.
        asked: what is asked for.
        tracks: the tables of tracks, each with the stages in which somebody is waited for.
        acts: what is counted of tracks over time.

    Raises:
        Refused: `invalid` where more happened in the days asked for than one answer counts.
    """
    ((happened,),) = await _read(connection, asked, _HAPPENED, "l", begins=asked.begins, ends=asked.ends)
    if happened > 2 * MOST_COUNTED:
        said = "More happened in this time than is counted at once."
        raise Refused("invalid", said, [FieldError("from", FieldCode.UNKNOWN_VALUE, said, words="too_much_happened")])
    at: dict[str, Any] = {"at": asked.at}
    over: dict[str, Any] = {"begins": asked.begins, "ends": asked.ends}
    return Counts(
        waiting=await _read(connection, asked, WAITING, "r", **at, stages=sorted(stage.value for stage in OPEN)),
        tasks=await _read(connection, asked, TASKS, "t", **at),
        taken_on=await _read(connection, asked, TAKEN_ON, "l", **over),
        decided=await _read(connection, asked, DECIDED, "l", **over),
        held=await _read(connection, asked, HELD, "l", **over),
        followed=await _read(connection, asked, FOLLOWED, "l", **over, acts=sorted(acts)) if acts else (),
        tracks={
            table.name: await _read(connection, asked, waiting_tracks(table, stages), "x") for table, stages in tracks
        },
    )


def waiting_tracks(table: TrackTable, stages: Sequence[str]) -> str:
    """Return the statement that counts the tracks of a table for which somebody is waited; stages are its own codes."""
    listed = ", ".join(f"'{stage}'" for stage in sorted(stages))
    return (
        f"SELECT x.{table.key} AS key, x.stage, count(*) AS number FROM {table.name} x"  # noqa: S608 - as above
        f" WHERE x.stage IN ({listed}){{mine}} GROUP BY 1, 2"
    )


async def _read(connection: AsyncConnection, asked: LoadAsked, sql: str, of: str, **values: Any) -> Sequence[Any]:
    mine = _MINE.format(of) if asked.employer_id is not None else ""
    statement = sql.replace("{mine}", mine).replace("{bucket}", _DAY if asked.bucket is Bucket.DAY else _WEEK)
    given = values if asked.employer_id is None else {**values, "employer_id": asked.employer_id}
    bound = text(statement).bindparams(*(bindparam(name, type_=_TYPES[name]) for name in given))
    return (await connection.execute(bound, given)).all()


class Named(NamedTuple):
    """The name of an employer."""

    employer_id: str
    name_zh: str
    name_en: str | None


_NAMES: Final = text(
    "SELECT v.employer_id, v.name_zh, v.name_en FROM employer_versions v WHERE v.employer_id = ANY(:ids)"
    " AND v.valid_from <= :today AND (v.valid_to IS NULL OR v.valid_to >= :today)"
).bindparams(bindparam("ids", type_=ARRAY(Text)), bindparam("today", type_=Date))


async def employer_names(connection: AsyncConnection, ids: set[str], today: date) -> dict[str, Named]:
    """Return the names of employers as they are today."""
    found = await connection.execute(_NAMES, {"ids": sorted(ids), "today": today})
    return {row.employer_id: Named(row.employer_id, row.name_zh, row.name_en) for row in found}


_KNOWN: Final = text("SELECT EXISTS (SELECT FROM employers WHERE employer_id = :employer_id)")


async def is_employer(connection: AsyncConnection, employer_id: str) -> bool:
    """Whether the register has an employer of this id."""
    return bool((await connection.execute(_KNOWN, {"employer_id": employer_id})).scalar_one())
