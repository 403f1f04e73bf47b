"""How a memory is lost and laid back: what an operator does, with the commands that an operator has."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from bench.embedded import COMMAND, Up
from bench.faults.scene import Scene
from sandbox.stack.embedded import application_environment
from sandbox.stack.postgres import OWNER
from sandbox.stack.processes import child_setup
from sandbox.stack.temporal_copy import FILE

_STOP_SECONDS: Final = 20.0


class Loss(StrEnum):
    """Which of the two memories is lost."""

    TEMPORAL = "temporal"
    POSTGRES = "postgres"
    BOTH = "both"


class CommandFailedError(RuntimeError):
    """A command of an operator ended with something else than what the page says."""


@dataclass
class Backups:
    """Where the backups of a scene are kept, and the one that was taken."""

    directory: Path
    taken: dict[str, Any] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """Where the write-ahead log is followed to."""
        return self.directory / "wal"

    async def take(self, scene: Scene) -> None:
        """Take a backup of everything while cases go on."""
        apart = ["--keys-to", self.directory / "keys", "--erasures-to", self.directory / "erasures"]
        said = await hetao("backup", "take", self.directory / "base", *apart, "--data-dir", scene.directory)
        self.taken = json.loads(said)

    @asynccontextmanager
    async def followed(self, scene: Scene) -> AsyncIterator[None]:
        """Have the write-ahead log followed as long as this is open."""
        command = [*COMMAND, "backup", "follow", str(self.log), "--slot", "drill", "--data-dir", str(scene.directory)]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, preexec_fn=child_setup()
        )
        try:
            while not (self.log.exists() and any(self.log.iterdir())):
                if process.returncode is not None:
                    raise CommandFailedError(f"hetao backup follow ended with {process.returncode}")
                await asyncio.sleep(0.1)
            yield
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(_STOP_SECONDS):
                    await process.wait()


async def lose_temporal(scene: Scene) -> None:
    """Take its histories away under the running server and kill it: the next one starts with none."""
    for path in (scene.directory / "temporal").glob(f"{FILE}*"):
        path.unlink()
    await scene.kill("temporal")


async def take_back(
    scene: Scene,
    backups: Backups,
    until: datetime,
    *,
    checkpoint: str,
    histories: bool,
    look: Callable[[], Awaitable[None]],
) -> list[dict[str, Any]]:
    """Lose the machine and lay its database back to a moment; with `histories` those of the backup, which are older.

    Args:
        checkpoint: the newest one that the witnesses of the log have.
        look: what is looked at before anything but the database runs again.

    Returns:
        What each command said and took, in the order of the page.
    """
    backup, data_dir = backups.taken["backup"], scene.directory
    told = ["--data-dir", data_dir, "--set-aside"]
    said = []
    async with scene.down():
        since = ["--wal", backups.log, "--until", until.isoformat()]
        said.append(await _tell("restore", "postgres", backup, *since, *told))
        if histories:
            said.append(await _tell("restore", "temporal", backup, *told))
        up = Up(data_dir, (*COMMAND, "up", "--json", "--only-servers"))
        up.launch()
        try:
            await asyncio.to_thread(up.wait_ready)
            owner = {"HETAO_OWNER_DATABASE_URL": scene.postgres.url(role=OWNER)}
            said.append(await _tell("migrate", environment={**application_environment(scene.stack), **owner}))
            seen = backups.directory / "checkpoint.txt"
            seen.write_text(checkpoint, encoding="utf-8")
            said.append(await _tell("restored", "--last-checkpoint", seen, "--json", "--data-dir", data_dir))
            said.append(await _tell("erasures", "replay", "--data-dir", data_dir))
            await look()
        finally:
            await asyncio.to_thread(up.stop)
    return said


async def hetao(*words: object, environment: dict[str, str] | None = None, allowed: Sequence[int] = (0,)) -> str:
    """Run a command of an operator and return what it printed.

    Raises:
        CommandFailedError: when it ended otherwise than allowed, with what it said.
    """
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *map(str, words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        preexec_fn=child_setup(),
    )
    out, err = await process.communicate()
    if process.returncode not in allowed:
        raise CommandFailedError(f"hetao {' '.join(map(str, words))}: {process.returncode}: {err.decode()[-2000:]}")
    print(err.decode(), end="", file=sys.stderr)
    return out.decode()


async def _tell(*words: object, environment: dict[str, str] | None = None) -> dict[str, Any]:
    begun = asyncio.get_running_loop().time()
    said = await hetao(*words, environment=environment)
    seconds = round(asyncio.get_running_loop().time() - begun, 1)
    return {"command": " ".join(map(str, words[:2])), "seconds": seconds, "said": said}
