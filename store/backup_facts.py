"""What a backup says of the database that it holds, so that whoever restores it knows what they have in hand."""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_FACTS: Final = text("""
    SELECT current_setting('server_version') AS server_version,
      (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
      current_database() AS database,
      (SELECT array_agg(datname::text ORDER BY datname) FROM pg_database WHERE NOT datistemplate) AS databases,
      (SELECT version_num FROM alembic_version) AS schema,
      (SELECT count(*) FROM cases) AS cases,
      (SELECT count(*) FROM ledger) AS ledger_rows,
      (SELECT max(at) FROM ledger) AS newest_row_at,
      coalesce((SELECT max(tree_size) FROM checkpoints), 0) AS tree_size,
      (SELECT note FROM checkpoints ORDER BY tree_size DESC LIMIT 1) AS checkpoint
""")


async def read_facts(connection: AsyncConnection) -> dict[str, Any]:
    """Return versions, size of the log with its newest checkpoint, and counts, as a transaction of the park sees them.

    Read before a backup begins, they are the least that is in it; read after a restore, they are what came back.
    """
    found = dict((await connection.execute(_FACTS)).mappings().one())
    newest = found["newest_row_at"]
    return {**found, "newest_row_at": newest.isoformat() if newest else None}
