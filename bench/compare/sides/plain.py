"""The plain way on Temporal."""

from typing import ClassVar

from bench.compare.sides.base import PeerSide, module
from bench.peers.common import Setup
from bench.servers import Servers

_MAIN = "bench.peers.plain_temporal.main"


class PlainSide(PeerSide):
    """An activity a step, a child workflow for each permit and notice."""

    name: ClassVar[str] = "plain_temporal"
    uses_temporal: ClassVar[bool] = True

    async def start(self, servers: Servers, setup: Setup) -> None:
        """Start API and worker."""
        for name in ("api", "worker"):
            servers.start(name, module(_MAIN, name), setup.environment())
