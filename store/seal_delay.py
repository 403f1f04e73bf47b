"""How long rows of the ledger have waited to be sealed, and what they wait for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Counted from the last leaf that is in a checkpoint: leaves that nobody signed seal nothing. Times are PostgreSQL's
# own. Each value is a subquery and nothing around it, as in `store.seal`.
_WAITING: Final = text("""
    WITH signed AS MATERIALIZED (SELECT coalesce(max(tree_size), 0) AS size FROM checkpoints),
    last AS MATERIALIZED (SELECT xid, chain, seq FROM seal_leaves WHERE index = (SELECT size - 1 FROM signed)),
    edge AS MATERIALIZED (
        SELECT coalesce((SELECT xid FROM last), -1) AS xid, coalesce((SELECT chain FROM last), '') AS chain,
          coalesce((SELECT seq FROM last), 0) AS seq
    ),
    waiting AS (
        SELECT l.xid, l.chain, l.seq, l.recorded_at FROM ledger l
        WHERE (l.xid, l.chain, l.seq) > ((SELECT xid FROM edge), (SELECT chain FROM edge), (SELECT seq FROM edge))
          AND l.act <> ALL(:passed_over)
    ),
    oldest AS (SELECT * FROM waiting ORDER BY recorded_at, xid, chain, seq LIMIT 1)
    SELECT clock_timestamp() - (SELECT recorded_at FROM oldest) AS age,
      (SELECT chain FROM oldest) AS chain, (SELECT seq FROM oldest) AS seq,
      (SELECT xid FROM oldest) >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS is_held,
      coalesce((SELECT xid FROM last) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint, false) AS is_elsewhere,
      EXISTS (SELECT FROM seal_leaves WHERE index >= (SELECT size FROM signed)) AS is_unsigned
""")
_HOLDER: Final = text("""
    SELECT held.* FROM (
        SELECT 'process ' || pid || ' of ' || coalesce(usename, '?') || ' ' || application_name AS holder,
          age(backend_xid) AS age
        FROM pg_stat_activity WHERE backend_xid IS NOT NULL
        UNION ALL SELECT 'prepared transaction ' || gid, age(transaction) FROM pg_prepared_xacts
    ) AS held ORDER BY age DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Delay:
    """The row that has waited longest, how long, and why it is not sealed, as far as PostgreSQL shows it."""

    chain: str
    seq: int
    age: timedelta
    why: str


async def read_delay(connection: AsyncConnection, passed_over: Collection[str]) -> Delay | None:
    """Return how long the oldest row that is no leaf yet has waited; None where every row is one."""
    row = (await connection.execute(_WAITING, {"passed_over": list(passed_over)})).one()
    if row.is_elsewhere:
        return Delay(row.chain or "", row.seq or 0, timedelta.max, "seal_of_another_cluster")
    if row.age is None:
        return None
    why = "leaves_unsigned" if row.is_unsigned else "not_sealed"
    if row.is_held:
        holder = (await connection.execute(_HOLDER)).scalar_one_or_none()
        why = f"transaction_open: {holder.strip()}" if holder else "transaction_to_come"
    return Delay(row.chain, row.seq, row.age, why)
