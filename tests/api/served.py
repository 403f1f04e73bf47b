"""The application behind a real HTTP server, in a thread with an event loop of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar
from uuid import uuid4

import uvicorn
from sqlalchemy import insert, select

from api.limiting import Allowance
from api.patience import Patience
from api.serving import server_options
from domain.person import SESSION_PREFIX
from sandbox.stack.ports import free_port
from store.tables import cases, person_sessions
from tests.api.callers import TestIssuer
from tests.api.conftest import Stage, set_stage
from tests.api.every_route import walk_all
from tests.api.walk import Walk

_T = TypeVar("_T")
SIGNED_IN = "signed-in"  # the person of a case, with a session instead of a token of the issuer


class Served:
    """A server with a register that a walk has filled; `token` and `ids` reach into it."""

    def __init__(
        self,
        database_url: str,
        issuer: TestIssuer,
        *,
        patience: Patience | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._database_url = database_url
        self._issuer = issuer
        self._patience = patience
        self._allowance = allowance
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._exits = AsyncExitStack()
        self.stage: Stage
        self.walk: Walk

    def start(self, *, with_cases: bool = True) -> None:
        """Fill the register and begin to serve."""
        self._thread.start()
        self._run(self._start(with_cases=with_cases))

    def stop(self) -> None:
        """End the server and close what it used."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def token(self, persona: str) -> str:
        """Return a token of a persona, or that of a new session of the person who signed in during the walk."""
        if persona == SIGNED_IN:
            return self._run(self._session())
        return self._issuer.sign(self._issuer.claims(persona, self.stage.clock()))

    async def _start(self, *, with_cases: bool) -> None:
        stage = set_stage(self._database_url, self._issuer, self._allowance, patience=self._patience)
        self.stage = await self._exits.enter_async_context(stage)
        if with_cases:
            self.walk = await walk_all(self.stage)
        options = server_options(self.stage.settings, self._patience) | {"port": self.port}
        self._server = uvicorn.Server(uvicorn.Config(self.stage.app, lifespan="off", **options))
        self._serving = asyncio.ensure_future(self._server.serve())
        while not self._server.started:  # noqa: ASYNC110 - the server sets a flag and no event
            await asyncio.sleep(0.01)

    async def _session(self) -> str:
        """Open a session like the person's last one, past the limit of links an hour; return its token."""
        token, context, s = f"{SESSION_PREFIX}{uuid4().hex}", self.stage.context, person_sessions.c
        reference = self.walk.ids["reference"]
        owner = select(cases.c.person_id).where(cases.c.reference == reference).scalar_subquery()
        earlier = select(s.person_id, s.address_hash, s.at, s.expires_at).where(s.person_id == owner).limit(1)
        async with context.database.begin() as connection:
            row = (await connection.execute(earlier)).one()._asdict()
            row["session_hash"] = context.keyring.lookup_hash("session", token)
            await connection.execute(insert(person_sessions).values(row))
        return token

    async def _stop(self) -> None:
        self._server.should_exit = True
        await self._serving
        await self._exits.aclose()

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)
