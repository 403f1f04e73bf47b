"""The two processes: `api` serves the routes, `worker` runs workflows and activities with a default worker."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from bench.peers.common import Setup, add_routes, open_world
from bench.peers.plain_temporal.activities import Activities
from bench.peers.plain_temporal.workflows import QUEUE, CaseWorkflow, NoticeWorkflow, PermitWorkflow


class TemporalEngine:
    """The engine on Temporal."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, reference: str) -> None:
        """Start the workflow of a case."""
        try:
            await self._client.start_workflow(CaseWorkflow.run, reference, id=f"case/{reference}", task_queue=QUEUE)
        except WorkflowAlreadyStartedError:
            return

    async def decide(self, reference: str, command_id: UUID) -> None:
        """Send the update and wait for its result."""
        handle = self._client.get_workflow_handle_for(CaseWorkflow.run, f"case/{reference}")
        await handle.execute_update(CaseWorkflow.decide, str(command_id), id=str(command_id))

    async def answer(self, reference: str, destination: str, answer: dict[str, Any]) -> None:
        """Signal the workflow of the permit."""
        handle = self._client.get_workflow_handle_for(PermitWorkflow.run, f"permit/{reference}/{destination}")
        try:
            await handle.signal(PermitWorkflow.answer, answer)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def work(setup: Setup) -> None:
    """Run the worker until SIGTERM."""
    client = await Client.connect(setup.temporal_address)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with open_world(setup) as world:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[CaseWorkflow, PermitWorkflow, NoticeWorkflow],
            activities=Activities(world).all(),
        )
        async with worker:
            await stopping.wait()


def create_app(setup: Setup) -> FastAPI:
    """Return the application of the routes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_world(setup) as world:
            app.state.world, app.state.engine = world, TemporalEngine(await Client.connect(setup.temporal_address))
            yield

    app = FastAPI(lifespan=lifespan)
    add_routes(app)
    return app


def main() -> None:
    """Run one of the processes."""
    setup = Setup.read()
    if sys.argv[1] == "worker":
        asyncio.run(work(setup))
    else:
        uvicorn.run(create_app(setup), host="127.0.0.1", port=setup.api_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
