"""A worker of a park in a process of its own, to be killed as nothing within a process can be.

    python -m tests.workflows.killed_worker

reads where the park is from its environment, says that it works, and works until it is ended.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import Client

from tests.cases.contexts import shared_keys
from tests.services import SEALER_URLS
from tests.workflows.world import World, open_world

_WORKS: Final = "works"
_PREFIX: Final = "HETAO_TEST_"


@asynccontextmanager
async def worker_to_kill(world: World, database_url: str) -> AsyncIterator[Process]:
    """Let another process work for a park, and end it at the latest as this is left."""
    config = world.client.service_client.config
    told = {
        "KEYS": json.dumps(shared_keys()),
        "DATABASE": database_url,
        "SEALER": SEALER_URLS[database_url],
        "TEMPORAL": config.target_host,
        "NAMESPACE": world.client.namespace,
        "NOW": world.clock().isoformat(),
        "OFFSET": str(world.clock.offset.total_seconds()),
    }
    env = os.environ | {f"{_PREFIX}{name}": value for name, value in told.items()}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, env=env, stdout=PIPE)
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            while (line := (await process.stdout.readline()).decode().strip()) != _WORKS:
                assert process.returncode is None, line
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def _work() -> None:
    given = {name.removeprefix(_PREFIX): value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    SEALER_URLS[given["DATABASE"]] = given["SEALER"]
    client = await Client.connect(given["TEMPORAL"], namespace=given["NAMESPACE"])
    now = datetime.fromisoformat(given["NOW"])
    async with open_world(given["DATABASE"], client, start=now, with_samples=False) as world:
        world.clock.offset = timedelta(seconds=float(given["OFFSET"]))
        world.clock.reach(now)
        sys.stdout.write(f"{_WORKS}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work())
