"""The application of a world with programmes of the tests, and its callers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from api.app import create_app
from api.tokens import DocumentClaims, IssuerKeys, Tokens
from temporal.histories import TemporalHistories
from tests.api.callers import AUDIENCE, ISSUER, Caller, TestIssuer
from tests.api.conftest import WIDE, settings_for_tests
from tests.workflows.world import World


class Park:
    """The application of a world, and its callers."""

    def __init__(self, world: World, issuer: TestIssuer, client: httpx.AsyncClient) -> None:
        self.world, self.client, self._issuer = world, client, issuer

    def caller(self, persona: str, **claims: Any) -> Caller:
        """Return somebody with a token of theirs."""
        signed = self._issuer.sign(self._issuer.claims(persona, self.world.clock(), **claims))
        return Caller(self.client, signed)

    async def ask(
        self, persona: str | Caller, method: str, path: str, json: Any = None, expects: int = 200, **more: Any
    ) -> Any:
        """Send a call and return what it answers."""
        caller = persona if isinstance(persona, Caller) else self.caller(persona)
        answer = await (caller.get(path, **more) if method == "GET" else caller.post(path, json, **more))
        assert answer.status_code == expects, answer.text
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text


@asynccontextmanager
async def served(world: World, database_url: str) -> AsyncIterator[Park]:
    """Serve a world by the real application."""
    issuer, settings = TestIssuer(), settings_for_tests(database_url)
    async with httpx.AsyncClient(transport=issuer.transport()) as outside:
        keys = IssuerKeys(settings.oidc_jwks_url, outside)
        app = create_app(
            settings,
            context=world.context,
            engine=world.engine,
            histories=TemporalHistories(world.client),
            tokens=Tokens(
                keys,
                issuer=ISSUER,
                audience=AUDIENCE,
                clock=world.clock,
                document_claims=DocumentClaims("document_kind", "document_number", "document_place"),
            ),
            allowance=WIDE,
        )
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="https://permits.test") as client,
        ):
            yield Park(world, issuer, client)
