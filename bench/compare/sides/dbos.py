"""DBOS on the same PostgreSQL."""

from typing import ClassVar

from bench.compare.sides.base import PeerSide, module
from bench.peers.common import Setup
from bench.servers import Servers


class DbosSide(PeerSide):
    """Workflows and queues kept in PostgreSQL."""

    name: ClassVar[str] = "dbos"

    async def start(self, servers: Servers, setup: Setup) -> None:
        """Start the process of the routes, which also executes, and one that works the queue of notices."""
        servers.postgres.create_database("bench_dbos_sys")
        for name in ("api", "worker"):
            servers.start(name, module("bench.peers.dbos_side.main", name), setup.environment())
