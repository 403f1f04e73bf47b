"""The connections of a process to PostgreSQL, as they are at the moment that somebody asks."""

from typing import Final

from prometheus_client import Gauge
from sqlalchemy.pool import QueuePool

from store.database import Database

_IN_USE: Final = Gauge("hetao_database_pool_in_use", "Connections to PostgreSQL that work is done on.", ["pool"])
_SIZE: Final = Gauge("hetao_database_pool_size", "Connections to PostgreSQL that there may be at most.", ["pool"])


def watch_pool(name: str, database: Database) -> None:
    """Let the metrics of this process tell of a pool, by its role: `application` or `sealer`."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    # Two numbers that the pool keeps anyway: whoever asks waits for nothing, nor does the loop.
    _IN_USE.labels(name).set_function(pool.checkedout)
    _SIZE.labels(name).set_function(pool.size)
