"""Fixtures of API tests: the whole application on a real PostgreSQL, with the engine's step run inline."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, text

from api.app import create_app
from api.limiting import Allowance
from api.patience import Patience
from api.tokens import DocumentClaims, IssuerKeys, Tokens
from cases.incidents import defects
from cases.programme import Programme
from cases.shared.context import Context
from programmes import PROGRAMMES
from settings import Settings
from store.keyring import Keyring
from store.tables import incidents
from tests.api.callers import AUDIENCE, ISSUER, JWKS_URL, Caller, TestIssuer
from tests.api.documented import hook_of
from tests.api.engines import InlineEngine, NoHistories
from tests.cases.contexts import Clock, load_samples, open_context

AUTHORITY_SECRET = "whsec_YXV0aG9yaXR5LXNlY3JldC1vZi10ZXN0cw=="
RECEIPTS_SECRET = "whsec_cmVjZWlwdHMtc2VjcmV0LW9mLXRlc3Rz"
CODEC_TOKEN = "codec-token-of-tests"
WIDE = Allowance(caller_a_minute=1_000_000, tenant_a_minute=1_000_000, at_once=200)


@dataclass
class Stage:
    """An application with what a test may turn: the clock, the engine, the issuer."""

    app: FastAPI
    settings: Settings
    context: Context
    clock: Clock
    engine: InlineEngine
    issuer: TestIssuer
    client: httpx.AsyncClient
    expects_defects: bool = False
    _callers: dict[str, Caller] = field(default_factory=dict)

    def as_(self, persona: str, **claims: str) -> Caller:
        """Return the caller of a persona, with what else the token says."""
        if claims:
            return Caller(self.client, self.issuer.sign(self.issuer.claims(persona, self.clock(), **claims)))
        if persona not in self._callers:
            token = self.issuer.sign(self.issuer.claims(persona, self.clock()))
            self._callers[persona] = Caller(self.client, token)
        return self._callers[persona]

    @property
    def nobody(self) -> Caller:
        """A caller without a token."""
        return Caller(self.client, None)

    async def check_defects(self) -> None:
        """Fail where a call met a defect that no test provoked."""
        i = incidents.c
        query = select(i.step, i.reason, i.place).where(i.kind == defects.KIND)
        async with self.context.database.begin() as connection:
            met = [f"{step}: {reason} at {place}" for step, reason, place in await connection.execute(query)]
        assert self.expects_defects or not met, met

    async def settle(self) -> None:
        """Wait for what runs after answers."""
        await self.app.state.wiring.drain()


def settings_for_tests(database_url: str) -> Settings:
    """Return settings that name nothing outside."""
    return Settings(
        env="test",
        database_url=database_url,
        keys_file=Path("unused"),
        oidc_issuer=ISSUER,
        oidc_jwks_url=JWKS_URL,
        public_url="https://permits.test",
        authority_url="https://authority.test",
        authority_token=SecretStr("t"),
        authority_callback_secrets=[SecretStr(AUTHORITY_SECRET)],
        smtp_host="mail.test",
        mail_from="permits@permits.test",
        sms_url="https://sms.test",
        sms_token=SecretStr("t"),
        receipts_secrets=[SecretStr(RECEIPTS_SECRET)],
        codec_token=SecretStr(CODEC_TOKEN),
        temporal_ui_origin="http://127.0.0.1:8233",
        parameters="embedded",
    )


@pytest.fixture(scope="session")
def issuer_of_tests() -> TestIssuer:
    """One issuer for all tests, because keys take time to make."""
    return TestIssuer()


@asynccontextmanager
async def set_stage(
    database_url: str,
    issuer: TestIssuer,
    allowance: Allowance | None = None,
    keyring: Keyring | None = None,
    patience: Patience | None = None,
    callback_secrets: Sequence[str] = (AUTHORITY_SECRET,),
    programmes: Mapping[str, Programme] = PROGRAMMES,
) -> AsyncIterator[Stage]:
    """Build the application on an empty register with the sample employers."""
    clock = Clock()
    issuer.away = False
    secrets = {"authority_callback_secrets": [SecretStr(each) for each in callback_secrets]}
    settings = settings_for_tests(database_url).model_copy(update=secrets)
    async with open_context(database_url, clock, keyring, programmes) as context:
        await load_samples(context)
        engine = InlineEngine(context)
        async with httpx.AsyncClient(transport=issuer.transport()) as outside:
            keys = IssuerKeys(settings.oidc_jwks_url, outside)
            claims = DocumentClaims("document_kind", "document_number", "document_place")
            tokens = Tokens(keys, issuer=ISSUER, audience=AUDIENCE, clock=clock, document_claims=claims)
            app = create_app(
                settings,
                context=context,
                engine=engine,
                histories=NoHistories(),
                tokens=tokens,
                allowance=allowance or WIDE,
                patience=patience,
            )
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(
                    transport=transport, base_url="https://permits.test", event_hooks={"response": [hook_of(app)]}
                ) as client,
            ):
                stage = Stage(app, settings, context, clock, engine, issuer, client)
                yield stage
                await stage.settle()
                await stage.check_defects()


@pytest_asyncio.fixture
async def stage(clean_database: str, issuer_of_tests: TestIssuer) -> AsyncIterator[Stage]:
    """The application on an empty register with the sample employers."""
    async with set_stage(clean_database, issuer_of_tests) as built:
        yield built


async def quiet(stage: Stage) -> None:
    """Wait for transactions of other tests, since the oldest open one is that of the whole server."""
    held = text(
        "SELECT EXISTS (SELECT 1 FROM ledger WHERE xid >= (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint)"
    )
    async with asyncio.timeout(20):
        while True:
            async with stage.context.database.begin() as connection:
                if not (await connection.execute(held)).scalar_one():
                    return
            await asyncio.sleep(0.01)
