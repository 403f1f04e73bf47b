"""Fixtures of the console's tests: its pages and the API as one process serves them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest_asyncio
from fastapi import FastAPI

from console.app import create_console
from console.front import Front
from domain.actors import Role
from domain.browser_sessions import Session
from tests.api.callers import ISSUER, PERSONAS
from tests.api.conftest import Stage, issuer_of_tests, settings_for_tests, stage
from tests.cases.contexts import NOON
from tests.console.visiting import ADDRESS, KeptSessions, Visitor

__all__ = ["issuer_of_tests", "stage"]  # fixtures of the API's tests


@dataclass
class Door:
    """Both applications, and those who come to them."""

    api: FastAPI
    console: FastAPI
    sessions: KeptSessions
    windows: AsyncExitStack
    token_of: Callable[[str], str]

    def nobody(self, **headers: str) -> Visitor:
        """Return somebody who is not signed in."""
        transport = httpx.ASGITransport(Front(self.api, self.console), raise_app_exceptions=False)
        window = httpx.AsyncClient(transport=transport, base_url=ADDRESS, follow_redirects=True)
        self.windows.push_async_callback(window.aclose)
        return Visitor(window, headers=headers)

    def as_(self, persona: str, **headers: str) -> Visitor:
        """Return somebody who is signed in as a persona of the tests."""
        claims = PERSONAS[persona]
        session = Session(
            issuer=ISSUER,
            subject=persona,
            name=persona,
            role=Role(claims["role"]),
            token=self.token_of(persona),
            csrf=f"csrf-of-{persona}",
            employer_id=claims.get("employer_id"),
        )
        return self.nobody(**headers).signed_in(self.sessions.keep(session), session)


@pytest_asyncio.fixture
async def frame() -> AsyncIterator[Door]:
    """The console alone, for what needs no answer of the API."""
    api, sessions = FastAPI(), KeptSessions()
    settings = settings_for_tests("postgresql://unused")
    console = create_console(settings, api, sessions=lambda: sessions, clock=lambda: NOON)
    async with AsyncExitStack() as windows:
        yield Door(api, console, sessions, windows, lambda persona: persona)


@pytest_asyncio.fixture
async def door(stage: Stage) -> AsyncIterator[Door]:
    """The console in front of the API of the tests, on PostgreSQL."""
    sessions = KeptSessions()
    console = create_console(stage.settings, stage.app, sessions=lambda: sessions, clock=stage.clock)

    def token_of(persona: str) -> str:
        return stage.issuer.sign(stage.issuer.claims(persona, stage.clock()))

    async with AsyncExitStack() as windows:
        yield Door(stage.app, console, sessions, windows, token_of)
