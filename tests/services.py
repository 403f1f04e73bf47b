"""The real servers of a test run: one PostgreSQL and one Temporal, shared by all of pytest's processes."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.stack.ports import free_port
from sandbox.stack.postgres import PostgresServer
from sandbox.stack.temporal_server import TIME_SKIPPING, TemporalServer

# Data of a test run need not outlive a power cut.
POSTGRES_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Passwords of a run are guessed by nobody; deriving a key from them took more than connecting.
    "scram_iterations": "1",
}


# Where the sealer's role reaches the database that the application role reaches under the key.
SEALER_URLS: dict[str, str] = {}


@dataclass(frozen=True)
class Addresses:
    """Where the servers of a run are, handed by pytest-xdist's controller to its workers."""

    directory: str
    postgres_port: int
    temporal_port: int

    @property
    def postgres(self) -> PostgresServer:
        """The running PostgreSQL, to make databases and run statements on; only its starter stops it."""
        return PostgresServer(Path(self.directory) / "postgres", self.postgres_port)

    @property
    def temporal(self) -> str:
        """Host and port of Temporal."""
        return f"127.0.0.1:{self.temporal_port}"


@dataclass
class Services:
    """Starts the servers in a directory of their own and removes all of it in the end."""

    namespaces: tuple[str, ...]
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="hetao-tests-")))
    _postgres: PostgresServer | None = field(default=None, init=False)
    _temporal: TemporalServer | None = field(default=None, init=False)

    def start(self) -> Addresses:
        """Start both servers and say where they are."""
        self._postgres = PostgresServer(self.directory / "postgres", free_port(), POSTGRES_SETTINGS)
        self._temporal = TemporalServer(
            self.directory / "temporal",
            free_port(),
            free_port(),
            extra_args=("--headless", *TIME_SKIPPING, *(f"--namespace={name}" for name in self.namespaces)),
        )
        with (self.directory / "servers.log").open("wb") as log:
            self._postgres.start(log)
            self._temporal.start(log)
        return Addresses(str(self.directory), self._postgres.port, self._temporal.port)

    def stop(self) -> None:
        """Stop what runs and remove the directory."""
        for server in (self._temporal, self._postgres):
            if server is not None:
                server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
