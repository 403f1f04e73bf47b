"""The API in front of a park of workflow tests: what a caller asks goes all the way to the authority."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from api.app import create_app
from api.tokens import IssuerKeys, Tokens
from temporal.histories import TemporalHistories
from tests.api.callers import AUDIENCE, ISSUER, JWKS_URL, Caller, TestIssuer
from tests.api.conftest import WIDE, settings_for_tests
from tests.workflows.world import World


@asynccontextmanager
async def fronted(world: World) -> AsyncIterator[Callable[[str], Caller]]:
    """Serve the API on the park's register and engine, and return what makes a caller of a persona."""
    issuer = TestIssuer()
    async with httpx.AsyncClient(transport=issuer.transport()) as outside:
        app = create_app(
            settings_for_tests("postgresql://unused@unused/unused"),
            context=world.context,
            engine=world.engine,
            histories=TemporalHistories(world.client),
            tokens=Tokens(IssuerKeys(JWKS_URL, outside), issuer=ISSUER, audience=AUDIENCE, clock=world.context.clock),
            allowance=WIDE,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="https://permits.test") as client,
        ):
            yield lambda persona: Caller(client, issuer.sign(issuer.claims(persona, world.clock())))
            await app.state.wiring.drain()
