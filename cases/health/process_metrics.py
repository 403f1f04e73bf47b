"""What the metrics of every process tell of itself: its code, and its connections to PostgreSQL."""

from cases.shared.context import Context
from store.build_info import tell_build
from store.pool_metrics import watch_pool


def tell_process(context: Context) -> None:
    """Let the metrics of this process tell of it; the last context told of counts."""
    tell_build()
    watch_pool("application", context.database)
    if context.sealer_database is not None:
        watch_pool("sealer", context.sealer_database)
