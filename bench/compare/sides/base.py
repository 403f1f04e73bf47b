"""What the driver asks of a side."""

import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import asyncpg

from bench.compare.sql import SCHEMA
from bench.peers.common import Setup
from bench.servers import Servers, durability, open_servers, watcher_url
from sandbox.stack.postgres import OWNER

DRIVER_PARTS = ("authority", "mail", "issuer")


@dataclass
class Running:
    """A side that runs: where its API is, how callers prove who they are, and where its register is watched."""

    api: str
    watch_url: str
    servers: Servers
    pids: dict[str, int]
    tokens: dict[str, str] = field(default_factory=dict)
    # How many mails the notices of cases go out as; one each where a side does not say.
    mails_query: str | None = None

    def headers(self, persona: str) -> dict[str, str]:
        """Return the credentials of a persona; sides without sign-in ask for none."""
        token = self.tokens.get(persona)
        return {"Authorization": f"Bearer {token}"} if token else {}


class Side(ABC):
    """One way of doing the work."""

    name: ClassVar[str]
    uses_temporal: ClassVar[bool] = False

    @abstractmethod
    def open(self, directory: Path) -> Any:
        """Start everything in a directory; an asynchronous context manager of a `Running`."""

    def settings(self, running: Running) -> dict[str, Any]:
        """Return what the running servers say of their durability."""
        return durability(running.servers, running.pids)


class PeerSide(Side):
    """A side on the shared register: servers and stand-ins, then processes of its own."""

    @asynccontextmanager
    async def open(self, directory: Path) -> AsyncIterator[Running]:
        """Start everything in a directory."""
        async with open_servers(directory, temporal=self.uses_temporal) as servers:
            database = f"bench_{self.name}"
            servers.postgres.create_database(database)
            owner = await asyncpg.connect(servers.postgres.url(role=OWNER, database=database))
            try:
                if not await owner.fetchval("SELECT to_regclass('cases')"):
                    await owner.execute(SCHEMA)
            finally:
                await owner.close()
            ports, secrets = servers.stack.ports, servers.stack.secrets
            setup = Setup(
                database_url=servers.postgres.url(role=OWNER, database=database),
                keys_file=str(directory / "keys.json"),
                smtp_port=ports["smtp"],
                authority_url=servers.stack.url("authority"),
                authority_token=secrets["authority_token"],
                callback_secret=secrets["callback_secret"],
                api_port=ports["api"],
                temporal_address=servers.stack.temporal_address,
            )
            await self.start(servers, setup)
            await servers.wait_for("api", servers.stack.url("api") + "/health/live")
            yield Running(servers.stack.url("api"), watcher_url(servers, database), servers, servers.pids())

    async def start(self, servers: Servers, setup: Setup) -> None:
        """Start the processes of the side."""
        raise NotImplementedError


def module(name: str, *arguments: str) -> list[str]:
    """Return the command line of one of our modules."""
    return [sys.executable, "-m", name, *arguments]
