"""A witness of the log as its own process, and a hostile owner of the database."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.embedded import COMMAND, Up
from sandbox.stack.postgres import DATABASE, SUPERUSER, PostgresServer
from sandbox.stack.processes import child_setup

_SECONDS: Final = 30.0
# What stands beside the ledger is made again from what the ledger holds then, under the log's own key.
_FORGET_THE_TREE: Final = "TRUNCATE seal_leaves, seal_nodes, stamps, cosignatures, checkpoints"


class Witness:
    """`hetao witness` with its own key and state, outside the stack."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._key, self.state, self._out = folder / "key.json", folder / "state.json", folder / "out"
        made = [*COMMAND, "witness", "keygen", "witness.test/w1", "--key", str(self._key)]
        self.public = subprocess.run(made, capture_output=True, text=True, check=True).stdout.strip()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, api: str, log_key: str) -> None:
        """Let it watch the log of an API."""
        files = ["--key", str(self._key), "--state", str(self.state)]
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(
                [*COMMAND, "witness", "--log", api, *files, "--log-key", log_key, "--every", "1"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=child_setup(death_signal=signal.SIGTERM),
            )

    def kill(self) -> None:
        """Kill it where it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def ended(self) -> int:
        """Return with what it ended by itself."""
        assert self._process
        return self._process.wait(_SECONDS)

    @property
    def said(self) -> str:
        """What it has said since it was started last."""
        return self._out.read_text(encoding="utf-8")

    @property
    def seen(self) -> dict[str, Any]:
        """What it remembers."""
        found: dict[str, Any] = json.loads(self.state.read_text(encoding="utf-8"))
        return found

    def until(self, fact: Callable[[], object], what: str) -> None:
        """Return once something is so."""
        end = time.monotonic() + _SECONDS
        while not fact():
            assert time.monotonic() < end, f"not in {_SECONDS:.0f} s: {what}; it said {self.said}"
            time.sleep(0.1)


async def rewrite(up: Up) -> None:
    """Take the oldest sealed chain out of the ledger, and let the worker seal what is left as if it were all."""
    server = PostgresServer(up.directory / "postgres", up.stack.ports["postgres"])
    owner = await asyncpg.connect(server.url(role=SUPERUSER, database=DATABASE))
    try:
        async with owner.transaction():
            await owner.execute("SET LOCAL session_replication_role = replica")  # past the triggers
            chain = await owner.fetchval('SELECT chain FROM seal_leaves WHERE "index" = 0')
            await owner.execute(_FORGET_THE_TREE)
            await owner.execute("DELETE FROM ledger WHERE chain = $1", chain)
    finally:
        await owner.close()
