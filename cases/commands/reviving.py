"""Reviving: whatever is due in PostgreSQL and not done has its workflow started again where that is gone.

Temporal may have been lost, set up anew or taken back to before, and an operator may have terminated or cancelled a
workflow. A workflow that runs is only looked at: it hears nothing, and its history gains no event.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import prometheus_client
import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.incidents import rows
from cases.shared import pace
from cases.shared.context import Context
from domain.errors import Unavailable
from domain.incidents import IncidentKind
from domain.messages import LastRun
from domain.spellings import Cursor
from domain.words import Words
from store.case_tables import TrackTable, any_track

INCIDENT: Final = IncidentKind.WORKFLOW_ENDED.value
# The engine does what is due within seconds; what waits for longer may have nobody who does it.
LATE: Final = timedelta(minutes=2)
# Starts a second of one worker, so that those who ask for something meanwhile find room beside what is revived.
STARTS_A_SECOND: Final = 10.0
PAUSE: Final = 15.0
_AWAY_PAUSE: Final = 5.0
_MOST: Final = 200
# A round leases cases for as long as `LATE` and takes no more of them than it can look at in half of that.
_ROUND_SECONDS: Final = 60.0
_FORGOTTEN: Final = timedelta(days=1)
_LOOK_AGAIN: Final = timedelta(minutes=10)
_REVIVED: Final = prometheus_client.Counter(
    "hetao_cases_revived", "Cases with something due whose workflow was started again, by what was found.", ["found"]
)
# There from the first look on, so that the first one is a rise and not a beginning.
for _found in LastRun:
    if _found is not LastRun.RUNNING:
        _REVIVED.labels(_found.value)
_WITHOUT: Final = prometheus_client.Gauge(
    "hetao_cases_without_workflow", "Cases with something due that the last round found without a running workflow."
)
_log = structlog.get_logger(__name__)

# Passed over: a case that was looked at and whose next look is to come, and one that waits for an operator's word.
_MAY = """
    NOT EXISTS (SELECT 1 FROM revivals v WHERE v.reference = x.reference AND v.next_at > clock_timestamp())
    AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.reference = x.reference AND i.kind = 'stuck' AND i.state = 'open')
"""
# Each branch walks an index of what waits in the order of its time, and none of them meets a case with nothing due.
DUE: Final = f"""
    SELECT reference, employer_id, min(at) AS due FROM (
        (SELECT x.reference, x.employer_id, x.at FROM commands x
            WHERE (x.state = 'stored' OR x.unanswered) AND x.at <= :late AND {_MAY} ORDER BY x.at LIMIT :within)
        UNION ALL
        (SELECT x.reference, x.employer_id, x.at FROM calls x
            WHERE x.state = 'due' AND x.reference IS NOT NULL AND x.at <= :late AND {_MAY} ORDER BY x.at LIMIT :within)
        UNION ALL
        SELECT d.reference, d.employer_id, d.at FROM unnest(CAST(:kinds AS text[])) AS k (kind) CROSS JOIN LATERAL (
            SELECT x.reference, x.employer_id, x.at FROM deadlines x
            WHERE x.state = 'waiting' AND x.kind = k.kind AND x.at <= :late AND {_MAY}
                AND (k.kind <> ALL (CAST(:outliving AS text[])) OR NOT EXISTS (
                    SELECT 1 FROM cases r WHERE r.reference = x.reference AND r.stage = 'ended'))
            ORDER BY x.at LIMIT :within) d
    ) late GROUP BY reference, employer_id
"""  # noqa: S608 - made of words of this file alone
# Employers take turns among those that are due first; the lease falls to one worker alone, and a case once a round.
_LEASE: Final = text(f"""
    WITH due AS MATERIALIZED ({DUE}), chosen AS (
        SELECT reference, employer_id, due, row_number() OVER (PARTITION BY employer_id ORDER BY due, reference) AS turn
        FROM due ORDER BY turn, due, reference LIMIT :most
    ), leased AS (
        INSERT INTO revivals AS v (reference, employer_id, looked_at, next_at)
        SELECT reference, employer_id, clock_timestamp(), clock_timestamp() + CAST(:lease AS interval) FROM chosen
        ON CONFLICT (reference) DO UPDATE SET looked_at = excluded.looked_at, next_at = excluded.next_at
            WHERE v.next_at <= clock_timestamp()
        RETURNING v.reference
    )
    SELECT c.reference, c.employer_id FROM chosen c JOIN leased USING (reference) ORDER BY c.turn, c.due, c.reference
""")  # noqa: S608 - made of words of this file alone
# Looked at less and less often while its workflow runs, or as long as it does not stay: up to an hour.
_LOOKED: Final = text("""
    UPDATE revivals SET found = :found, looks = looks + 1,
        next_at = clock_timestamp() + least(CAST(:lease AS interval) * power(2, least(looks, 10)), interval '1 hour'),
        revived_at = CASE WHEN :revived THEN clock_timestamp() ELSE revived_at END,
        times = times + CASE WHEN :revived THEN 1 ELSE 0 END
    WHERE reference = ANY (:references)
""")
# One workflow that is gone tells of others: what was looked at before is looked at again, at most every ten minutes.
_LOOK_AGAIN_AT_ALL: Final = text("""
    WITH marked AS (
        INSERT INTO cursors AS c (name, value, at) VALUES (:gone, '', clock_timestamp())
        ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE c.at <= clock_timestamp() - CAST(:apart AS interval)
        RETURNING c.name
    )
    UPDATE revivals SET next_at = clock_timestamp(), looks = 0
    WHERE next_at > clock_timestamp() AND looks > 1 AND EXISTS (SELECT 1 FROM marked)
""")
_FORGET: Final = text("""
    DELETE FROM revivals WHERE reference IN (
        SELECT reference FROM revivals WHERE next_at < clock_timestamp() - CAST(:forgotten AS interval)
        ORDER BY next_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
""")
_UNFINISHED: Final = """
    (r.live OR EXISTS (SELECT 1 FROM calls c WHERE c.reference = r.reference AND c.state = 'due')
    OR r.stage = 'ended' AND {followed})
"""
_NEXT: Final = f"""
    SELECT r.reference, r.employer_id FROM cases r
    WHERE r.reference > :after AND {_UNFINISHED} ORDER BY r.reference LIMIT :most
"""  # noqa: S608 - made of words of this file alone
_OF_THESE: Final = f"""
    SELECT r.reference FROM cases r
    WHERE r.reference = ANY (:references) AND r.accepted_at <= :late AND {_UNFINISHED}
"""  # noqa: S608 - made of words of this file alone
# What a case waits for next, and whether an operator has to say a word first.
_WAITS: Final = text("""
    SELECT n.reference, min(w.at), bool_or(EXISTS (
        SELECT 1 FROM incidents i WHERE i.reference = n.reference AND i.kind = 'stuck' AND i.state = 'open'))
    FROM unnest(CAST(:references AS text[])) AS n (reference) LEFT JOIN LATERAL (
        SELECT x.at FROM commands x WHERE x.reference = n.reference AND (x.state = 'stored' OR x.unanswered)
        UNION ALL
        SELECT x.at FROM calls x WHERE x.reference = n.reference AND x.state = 'due'
        UNION ALL
        SELECT x.at FROM deadlines x
        WHERE x.reference = n.reference AND x.state = 'waiting' AND x.kind = ANY (CAST(:kinds AS text[]))
            AND (x.kind <> ALL (CAST(:outliving AS text[])) OR NOT EXISTS (
                SELECT 1 FROM cases r WHERE r.reference = x.reference AND r.stage = 'ended'))
    ) w ON true GROUP BY n.reference
""")


class Reviving(Protocol):
    """The part of the engine by which workflows are looked for and started again."""

    async def last_run(self, reference: str) -> LastRun | None:
        """Return what became of the last run of a case's workflow. None when Temporal is away."""
        ...

    async def revive(self, reference: str, employer_id: str) -> bool | None:
        """Start the workflow of a case; False where one runs already. None when Temporal is away.

        Where tasks wait, those of one employer's cases take turns with those of the others.
        """
        ...


class Case(NamedTuple):
    """A case and whose it is."""

    reference: str
    employer_id: str


class Wait(NamedTuple):
    """What a case waits for: when something of it is due next, None where nothing is, and whether it is stuck."""

    at: datetime | None
    is_stuck: bool


class Looked(NamedTuple):
    """What became of looking for the workflow of one case."""

    reference: str
    found: LastRun
    started: bool
    wait: Wait


@dataclass(slots=True)
class Round:
    """What a round came to: how many cases it looked at, and those without a workflow by what was found."""

    looked: int = 0
    running: int = 0
    gone: Counter[LastRun] = field(default_factory=Counter)
    revived: Counter[LastRun] = field(default_factory=Counter)
    is_away: bool = False


async def revive_due(
    context: Context, engine: Reviving, *, most: int = _MOST, starts_a_second: float = STARTS_A_SECOND
) -> Round:
    """Look once for the workflows of cases with something late, those due first, and start those that are gone.

    Returns:
        What it came to; `is_away` where Temporal stopped answering, after which the rest is looked at again.
    """
    leased = await lease_due(context, most=most)
    done = Round()
    loop = asyncio.get_running_loop()
    until = loop.time() + _ROUND_SECONDS
    for case in leased:
        if loop.time() > until:
            break
        if not context.case_types.knows(case.reference):
            continue  # of a programme that only workers of another version know
        if not await _look(context, engine, case, done, starts_a_second):
            done.is_away = True
            break
    _WITHOUT.set(done.gone.total())
    if done.gone:
        await _tell(context, done)
    return done


async def _look(context: Context, engine: Reviving, case: Case, done: Round, starts_a_second: float) -> bool:
    """Look for one workflow and start it where it is gone; False when Temporal is away."""
    begun = asyncio.get_running_loop().time()
    found = await engine.last_run(case.reference)
    if found is None:
        return False
    revived = False
    # A round takes a while: what was late may be done since, and its workflow have ended as it should.
    if found is not LastRun.RUNNING and not await _is_late(context, case.reference):
        found = LastRun.RUNNING
    if found is not LastRun.RUNNING:
        started = await engine.revive(*case)
        if started is None:
            done.gone[found] += 1
            return False
        found, revived = (found, True) if started else (LastRun.RUNNING, False)
    done.looked += 1
    async with context.database.statement() as connection:
        values = {"found": found.value, "revived": revived, "references": [case.reference], "lease": LATE}
        await connection.execute(_LOOKED, values)
    if not revived:
        done.running += 1
        await pace.rest(begun)
        return True
    done.gone[found] += 1
    done.revived[found] += 1
    _REVIVED.labels(found.value).inc()
    await asyncio.sleep(1 / starts_a_second)
    return True


async def lease_due(context: Context, *, most: int, lease: timedelta = LATE) -> list[Case]:
    """Return cases with something late that nobody looked at lately, those due first, leased for a while."""
    async with context.database.statement() as connection:
        return await lease_on(context, connection, context.clock(), most=most, lease=lease)


async def lease_on(
    context: Context, connection: AsyncConnection, at: datetime, *, most: int, lease: timedelta = LATE
) -> list[Case]:
    """Lease on a connection; what another worker leases at the same moment falls to one of both."""
    values = {**due_values(context.words, at, within=most), "lease": lease, "most": most}
    return [Case(*row) for row in await connection.execute(_LEASE, values)]


def due_values(words: Words, at: datetime, *, within: int) -> dict[str, Any]:
    """Return the parameters of the query `DUE` at a time."""
    kinds, outliving = words.deadlines_of_workflow(), words.outliving_deadlines()
    return {"late": at - LATE, "kinds": kinds, "outliving": outliving, "within": within}


async def _tell(context: Context, done: Round) -> None:
    """Say in one line, and in one incident for each thing found, how many cases had no workflow any more."""
    at = context.clock()
    counted = {found.value: number for found, number in done.revived.items()}
    _log.warning("cases_revived", revived=done.revived.total(), gone=done.gone.total(), running=done.running, **counted)
    async with context.database.begin() as connection:
        for found, number in done.revived.items():
            await rows.count(connection, at, kind=INCIDENT, step="revive", reason=found.value, times=number)
        await connection.execute(_LOOK_AGAIN_AT_ALL, {"apart": _LOOK_AGAIN, "gone": Cursor.WORKFLOWS_GONE.value})


async def keep_reviving(
    context: Context, engine: Reviving, *, is_stopping: Callable[[], bool], pause: float = PAUSE
) -> None:
    """Look until the worker stops; what is away is waited out."""
    while not is_stopping():
        rest = pause
        try:
            done = await revive_due(context, engine)
            if done.is_away:
                rest = _AWAY_PAUSE
            elif done.gone.total():
                rest = 0.0  # there may be more
            else:
                await forget(context)
        except Unavailable:
            rest = _AWAY_PAUSE
        except Exception as error:  # noqa: BLE001 - an error of one round must not end the last net
            _log.error("revive_failed", error=type(error).__name__)
        await asyncio.sleep(rest)


async def forget(context: Context) -> None:
    """Drop what is known of cases that have had nothing late for a day."""
    async with context.database.statement() as connection:
        await connection.execute(_FORGET, {"forgotten": _FORGOTTEN})


async def unfinished(context: Context, after: str = "", most: int = _MOST) -> list[Case]:
    """Return the next cases to which something can still happen, in the order of references."""
    async with context.database.statement() as connection:
        found = await connection.execute(_asked(context, _NEXT), {"after": after, "most": most})
        return [Case(*row) for row in found]


async def unfinished_of(context: Context, references: Sequence[str]) -> set[str]:
    """Return those of some cases that should have a workflow running."""
    values = {"references": list(references), "late": context.clock() - LATE}
    async with context.database.statement() as connection:
        return set((await connection.execute(_asked(context, _OF_THESE), values)).scalars())


async def waits_of(context: Context, references: Sequence[str]) -> dict[str, Wait]:
    """Return what each of some cases waits for."""
    kinds, outliving = context.words.deadlines_of_workflow(), context.words.outliving_deadlines()
    values = {"references": list(references), "kinds": kinds, "outliving": outliving}
    async with context.database.statement() as connection:
        return {row[0]: Wait(row[1], row[2]) for row in await connection.execute(_WAITS, values)}


async def _is_late(context: Context, reference: str) -> bool:
    """Whether a case has something now that is late and not done."""
    wait = (await waits_of(context, [reference]))[reference]
    return wait.at is not None and wait.at <= context.clock() - LATE


async def note_without_workflow(context: Context, number: int, step: str) -> None:
    """Put before the operator how many cases have no workflow, whatever is due; `hetao cases revive` starts them."""
    async with context.database.begin() as connection:
        await rows.count(connection, context.clock(), kind=INCIDENT, step=step, reason="not_running", times=number)


async def revive_all(
    context: Context,
    engine: Reviving,
    *,
    after: str = "",
    dry_run: bool = False,
    starts_a_second: float = STARTS_A_SECOND,
) -> AsyncIterator[Looked]:
    """Look for the workflow of every case that is not finished, also of those with nothing due, and start it.

    Yields:
        What was found, whether the workflow was started, and what the case waits for; by reference, so that whoever
        was interrupted goes on after the last one.

    Raises:
        Unavailable: `temporal` or `database`.
    """
    while cases := await unfinished(context, after):
        waits = await waits_of(context, [case.reference for case in cases])
        for case in cases:
            found = await engine.last_run(case.reference)
            if found is None:
                raise Unavailable("temporal")
            started = False
            if found is not LastRun.RUNNING and not dry_run:
                answer = await engine.revive(*case)
                if answer is None:
                    raise Unavailable("temporal")
                started = answer
                await asyncio.sleep(1 / starts_a_second)
            yield Looked(case.reference, found, started, waits[case.reference])
        after = cases[-1].reference


def _asked(context: Context, query: str) -> TextClause:
    followed = any_track(context.own_tables, "r.reference", TrackTable.is_followed)
    return text(query.format(followed=followed))
