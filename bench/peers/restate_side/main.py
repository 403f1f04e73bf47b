"""The two processes beside Restate's server: `api` serves the routes, `worker` the services, by Hypercorn."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import uvicorn
from fastapi import FastAPI
from hypercorn.asyncio import serve
from hypercorn.config import Config

from bench.peers.common import Setup, add_routes, open_world
from bench.peers.restate_side.services import Here
from bench.peers.restate_side.services import app as services


class RestateEngine:
    """The engine on Restate, called through its ingress."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def start(self, reference: str) -> None:
        """Start the workflow of a case without waiting for its end."""
        await self._post(f"/Case/{reference}/carry_case/send", reference)

    async def decide(self, reference: str, command_id: UUID) -> None:
        """Hand over the decision and wait until it is recorded."""
        await self._post(f"/Case/{reference}/decide", str(command_id))

    async def answer(self, reference: str, destination: str, answer: dict[str, Any]) -> None:
        """Hand over an answer of the authority."""
        await self._post(f"/Permit/{reference}-{destination}/answer", answer)

    async def _post(self, path: str, body: Any) -> None:
        (await self._http.post(path, json=body)).raise_for_status()


async def _stopped() -> None:
    """Wait for SIGTERM.

    Hypercorn calls this after its first call of the services, at which the SDK takes the signal for itself.
    """
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await stopping.wait()


async def work(setup: Setup, port: int) -> None:
    """Serve the services until SIGTERM."""
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    async with open_world(setup) as world:
        Here.world = world
        await serve(services, config, shutdown_trigger=_stopped)  # type: ignore[arg-type]


def create_app(setup: Setup) -> FastAPI:
    """Return the application of the routes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_world(setup) as world,
            httpx.AsyncClient(base_url=setup.restate_ingress, timeout=90, trust_env=False) as http,
        ):
            app.state.world, app.state.engine = world, RestateEngine(http)
            yield

    app = FastAPI(lifespan=lifespan)
    add_routes(app)
    return app


def main() -> None:
    """Run one of the processes."""
    setup = Setup.read()
    if sys.argv[1] == "worker":
        asyncio.run(work(setup, int(sys.argv[2])))
    else:
        uvicorn.run(create_app(setup), host="127.0.0.1", port=setup.api_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
