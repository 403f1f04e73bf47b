"""Signing in by the issuer's page, on PostgreSQL: who is let in, for how long, and who never."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest_asyncio
from sqlalchemy import select

from console.app import create_console
from console.front import Front
from console.issuer import Begun, Issuer
from console.session import SECURE_COOKIE
from domain.browser_sessions import Account
from privacy.browser_sessions import BrowserSessions
from sandbox.standins.issuer import create_app
from settings import Settings
from store.tables import browser_sessions
from tests.api.callers import ISSUER
from tests.api.conftest import Stage
from tests.console.visiting import ADDRESS, Visitor

STANDIN = "http://127.0.0.1:7001"


class SignIns:
    """The console in front of the API of the tests, with a stand-in issuer whose tokens that API takes."""

    def __init__(self, stage: Stage, directory: Path, windows: AsyncExitStack) -> None:
        self.stage = stage
        self._windows = windows
        settings = stage.settings.model_copy(update={"oidc_issuer": STANDIN, "public_url": "http://127.0.0.1:8080"})
        self.issuer = create_app(directory, 7001, clock=lambda: stage.clock().timestamp())
        console = create_console(
            settings, stage.app, sessions=lambda: BrowserSessions(stage.context), clock=stage.clock
        )
        # The stand-in signs what the API of the tests does not know; it takes the tokens of the issuer of the tests.
        console.state.issuer = _Exchanging(settings, lambda: httpx.AsyncClient(transport=self.transport()), stage)
        self.app = Front(stage.app, console)

    def transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(self.issuer)

    def visitor(self) -> Visitor:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=ADDRESS, follow_redirects=False)
        self._windows.push_async_callback(client.aclose)
        return Visitor(client)

    async def choose(self, address: str, persona: str) -> str:
        """Choose a persona on the issuer's page and return the address that it leads back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        async with httpx.AsyncClient(transport=self.transport(), base_url=STANDIN) as client:
            page = await client.get(address)
            assert f'value="{persona}"' in page.text
            back = await client.post("/authorize", data={**query, "persona": persona})
        assert back.status_code == 303
        there = urlsplit(back.headers["location"])
        return f"{there.path}?{there.query}"

    async def sign_in(self, visitor: Visitor, persona: str, next_path: str = "") -> httpx.Response:
        asked = await visitor.client.get("/sign-in", params={"next": next_path} if next_path else {})
        back = await self.choose(asked.headers["location"], persona)
        return await visitor.client.get(back)


class _Exchanging(Issuer):
    """Takes the issuer of the tests for the stand-in once the code was exchanged."""

    def __init__(self, settings: Settings, client: Callable[[], httpx.AsyncClient], stage: Stage) -> None:
        super().__init__(settings, client)
        self._stage = stage

    async def exchange(self, begun: Begun, code: str) -> tuple[Account, datetime]:
        account, ends_at = await super().exchange(begun, code)
        assert account.issuer == STANDIN
        token = self._stage.issuer.sign(self._stage.issuer.claims(account.subject, self._stage.clock()))
        return replace(account, token=token, issuer=ISSUER), ends_at


@pytest_asyncio.fixture
async def sign_ins(stage: Stage, tmp_path: Path) -> AsyncIterator[SignIns]:
    async with AsyncExitStack() as windows:
        yield SignIns(stage, tmp_path, windows)


async def test_somebody_signs_in_and_goes_on_where_they_wanted_to(sign_ins: SignIns) -> None:
    visitor = sign_ins.visitor()
    turned_away = await visitor.client.get("/audit?case=x")
    assert turned_away.headers["location"] == "/sign-in?next=/audit%3Fcase%3Dx"
    let_in = await sign_ins.sign_in(visitor, "auditor", "/audit")
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/audit")
    assert "HttpOnly" in let_in.headers["set-cookie"]
    page = await visitor.get("/audit")
    assert page.status == 200
    account = await visitor.get("/account")
    assert "1" in account.text("main")


async def test_nobody_is_led_to_another_place(sign_ins: SignIns) -> None:
    for wanted in ("//evil.example", "https://evil.example/", "/\\evil.example"):
        let_in = await sign_ins.sign_in(sign_ins.visitor(), "officer-1", wanted)
        assert let_in.headers["location"] == "/inbox"


async def test_a_code_of_another_browser_or_used_before_lets_nobody_in(sign_ins: SignIns) -> None:
    one, other = sign_ins.visitor(), sign_ins.visitor()
    asked = await one.client.get("/sign-in")
    await other.client.get("/sign-in")
    back = await sign_ins.choose(asked.headers["location"], "officer-1")
    assert (await other.client.get(back)).status_code == 403  # state of another sign-in
    assert (await one.client.get(back)).status_code == 303
    await one.client.get("/sign-in")
    assert (await one.client.get(back)).status_code == 403
    assert (await sign_ins.visitor().client.get("/signed-in?code=x&state=y")).status_code == 403


async def test_a_session_ends_by_rest_by_age_and_by_hand(sign_ins: SignIns) -> None:
    visitor, clock = sign_ins.visitor(), sign_ins.stage.clock
    await sign_ins.sign_in(visitor, "auditor")
    clock.at += timedelta(minutes=29)
    assert (await visitor.get("/audit")).status == 200
    clock.at += timedelta(minutes=29)
    assert (await visitor.get("/audit")).status == 200
    clock.at += timedelta(minutes=31)
    assert (await visitor.client.get("/audit")).status_code == 303
    await sign_ins.sign_in(visitor, "auditor")
    page = await visitor.get("/account")
    out = await visitor.client.post("/sign-out", data={"_csrf": page.all("[name=_csrf]")[0].attributes["value"]})
    assert out.status_code == 303
    assert (await visitor.client.get("/audit")).status_code == 303


async def test_signing_out_everywhere_ends_the_other_browsers_too(sign_ins: SignIns) -> None:
    one, other, foreign = sign_ins.visitor(), sign_ins.visitor(), sign_ins.visitor()
    for visitor, persona in ((one, "officer-1"), (other, "officer-1"), (foreign, "officer-2")):
        await sign_ins.sign_in(visitor, persona)
    page = await one.get("/account")
    assert "2" in page.text("main")
    sent = {"_csrf": page.all("[name=_csrf]")[0].attributes["value"], "everywhere": "yes"}
    assert (await other.client.post("/sign-out", data=sent)).status_code == 403  # the form is of another session
    assert (await one.client.post("/sign-out", data=sent)).status_code == 303
    assert (await other.client.get("/account")).status_code == 303
    assert (await foreign.client.get("/account")).status_code == 200


async def test_what_the_table_holds_opens_no_session(sign_ins: SignIns) -> None:
    visitor = sign_ins.visitor()
    await sign_ins.sign_in(visitor, "auditor")
    secret = visitor.client.cookies.get(SECURE_COOKIE)
    async with sign_ins.stage.context.database.begin() as connection:
        [row] = (await connection.execute(select(browser_sessions))).mappings()
    held = b"".join(value for value in row.values() if isinstance(value, bytes))
    assert secret
    assert secret.encode() not in held
    assert b"auditor" not in held
    thief = sign_ins.visitor()
    thief.client.cookies.set(SECURE_COOKIE, row["session_hash"].hex())
    assert (await thief.client.get("/account")).status_code == 303
