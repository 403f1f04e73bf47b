"""What every other side shares: its setup, its register, the call to the authority, and its HTTP routes."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, Self
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from activities.mail import MailSender
from bench.compare.sql import MAILS_AT_ONCE, Register
from proof.webhooks import verify
from store.keyring import Keyring

VARIABLE: Final = "BENCH_SETUP"
DESTINATIONS: Final = ("HK", "MO")
# The kinds of notices that each step writes, in the order of the steps.
RECEIVED, APPROVED = "registration_received", "registration_approved"
SUBMITTED, ACCEPTED, ISSUED = "permit_submitted", "permit_accepted", "permit_issued"
KIND_OF_OUTCOME: Final = {"accepted": ACCEPTED, "issued": ISSUED}


@dataclass(frozen=True)
class Setup:
    """Where the servers and stand-ins are, and their credentials."""

    database_url: str
    keys_file: str
    smtp_port: int
    authority_url: str
    authority_token: str
    callback_secret: str
    api_port: int
    temporal_address: str = ""
    restate_ingress: str = ""

    @classmethod
    def read(cls) -> Self:
        """Read the setup that the bench gives to each process."""
        return cls(**json.loads(os.environ[VARIABLE]))

    def environment(self) -> dict[str, str]:
        """Return the environment of a process of the side."""
        return {**os.environ, VARIABLE: json.dumps(asdict(self))}


@dataclass(slots=True)
class World:
    """The register and the authority, as the steps use them."""

    setup: Setup
    register: Register
    http: httpx.AsyncClient

    async def submit(self, reference: str, destination: str) -> None:
        """Send a list entry under its idempotency key."""
        order = await self.register.order(reference, destination)
        headers = {"Authorization": f"Bearer {self.setup.authority_token}", "Idempotency-Key": order.key}
        url = f"{self.setup.authority_url}/list-entries"
        (await self.http.post(url, json=order.entry, headers=headers)).raise_for_status()


@asynccontextmanager
async def open_world(setup: Setup, *, pool_size: int = 20) -> AsyncIterator[World]:
    """Open the pool, the HTTP client and the mail of a process."""
    keyring = Keyring.load(Path(setup.keys_file))
    mail = MailSender("127.0.0.1", setup.smtp_port, "notices@hetao.example", starttls=False, keep=MAILS_AT_ONCE)
    async with (
        asyncpg.create_pool(setup.database_url, min_size=1, max_size=pool_size, reset=_leave_as_it_is) as pool,
        httpx.AsyncClient(timeout=15, trust_env=False) as http,
        aclosing(mail),
    ):
        yield World(setup, Register(pool, keyring, mail), http)


async def _leave_as_it_is(_connection: Any) -> None:
    """Save the statement that would reset a connection after each use: no step sets anything that outlives it."""


class Engine(Protocol):
    """What the routes ask of the engine."""

    async def start(self, reference: str) -> None:
        """Start the workflow of a case."""
        ...

    async def decide(self, reference: str, command_id: UUID) -> None:
        """Hand over a stored decision, and return when it is applied or taken on durably."""
        ...

    async def answer(self, reference: str, destination: str, answer: dict[str, Any]) -> None:
        """Hand over a stored answer of the authority."""
        ...


def add_routes(app: FastAPI) -> None:
    """Add the three routes; `app.state` has the world and the engine."""

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.post("/v1/registrations", status_code=202)
    async def submit(request: Request) -> dict[str, str]:
        world, engine = request.app.state.world, request.app.state.engine
        key = request.headers["idempotency-key"]
        reference = await world.register.accept("employer-a", key, await request.body())
        await engine.start(reference)
        return {"reference": reference, "stage": "received"}

    @app.post("/v1/registrations/{reference}/decision")
    async def decide(reference: str, request: Request) -> JSONResponse:
        world, engine = request.app.state.world, request.app.state.engine
        try:
            command_id = await world.register.store_decision(
                reference, request.headers["idempotency-key"], await request.body()
            )
        except ValueError as error:
            return JSONResponse({"code": str(error)}, status_code=409)
        await engine.decide(reference, command_id)
        return JSONResponse({"reference": reference})

    @app.post("/v1/authority/outcomes")
    async def outcome(request: Request) -> dict[str, str]:
        world, engine = request.app.state.world, request.app.state.engine
        body = await request.body()
        verify(dict(request.headers), body, [world.setup.callback_secret], datetime.now(UTC))
        answer = json.loads(body)
        # Told again even when it was stored before: the first try may have ended between the two.
        await world.register.store_answer(answer)
        reference, destination = answer["case"].split("/")
        await engine.answer(reference, destination, answer)
        return {"status": "recorded"}
