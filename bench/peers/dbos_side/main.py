"""The two processes: `api` serves the routes and executes cases; `worker` executes too, and works the queue of notices.

Both listen to the queue, as DBOS has it by default.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import uvicorn
from dbos import DBOS, DBOSConfig, SetWorkflowID
from fastapi import FastAPI

from bench.peers.common import Setup, add_routes, open_world
from bench.peers.dbos_side.workflows import NOTICES, Here, carry_case


class DbosEngine:
    """The engine on DBOS."""

    async def start(self, reference: str) -> None:
        """Start the workflow of a case in this process."""
        with SetWorkflowID(f"case/{reference}"):
            await DBOS.start_workflow_async(carry_case, reference)

    async def decide(self, reference: str, command_id: UUID) -> None:
        """Send the decision and wait until it is recorded."""
        case = f"case/{reference}"
        await DBOS.send_async(case, str(command_id), "decision", idempotency_key=str(command_id))
        await DBOS.get_event_async(case, "decided", timeout_seconds=60)

    async def answer(self, reference: str, destination: str, answer: dict[str, Any]) -> None:
        """Send an answer to the workflow of the permit."""
        permit = f"permit/{reference}/{destination}"
        await DBOS.send_async(permit, answer, "answer", idempotency_key=answer["outcome_id"])


def configure(setup: Setup, name: str) -> None:
    """Configure DBOS on the same PostgreSQL, in a database of its own for what it keeps itself."""
    head, _, _ = setup.database_url.rpartition("/")
    config: DBOSConfig = {
        "name": "hetao-bench",
        "system_database_url": f"{head}/bench_dbos_sys",
        "executor_id": name,
        "application_version": "bench",
        "log_level": "WARNING",
        "console_log_level": "WARNING",
    }
    DBOS(config=config)


@asynccontextmanager
async def launched(setup: Setup) -> AsyncIterator[Any]:
    """Open the world and launch DBOS."""
    async with open_world(setup) as world:
        Here.world = world
        DBOS.launch()  # within the loop, so that workflows from the queue run on it too
        await DBOS.register_queue_async(NOTICES)
        try:
            yield world
        finally:
            await asyncio.to_thread(DBOS.destroy)


async def work(setup: Setup) -> None:
    """Execute until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with launched(setup):
        await stopping.wait()


def create_app(setup: Setup) -> FastAPI:
    """Return the application of the routes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with launched(setup) as world:
            app.state.world, app.state.engine = world, DbosEngine()
            yield

    app = FastAPI(lifespan=lifespan)
    add_routes(app)
    return app


def main() -> None:
    """Run one of the processes."""
    setup = Setup.read()
    configure(setup, sys.argv[1])
    if sys.argv[1] == "worker":
        asyncio.run(work(setup))
    else:
        uvicorn.run(create_app(setup), host="127.0.0.1", port=setup.api_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
