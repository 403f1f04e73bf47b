"""Fixtures of the console's tests: its pages and the API as one process serves them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest_asyncio
from fastapi import FastAPI

from console.app import create_console
from console.front import Front
from console.session import Session
from domain.actors import Role
from tests.api.callers import PERSONAS
from tests.api.conftest import Stage, issuer_of_tests, stage
from tests.console.visiting import ADDRESS, KeptSessions, Visitor

__all__ = ["issuer_of_tests", "stage"]  # fixtures of the API's tests


@dataclass
class Door:
    """Both applications, and those who come to them."""

    stage: Stage
    console: FastAPI
    sessions: KeptSessions
    windows: AsyncExitStack

    def nobody(self, **headers: str) -> Visitor:
        """Return somebody who is not signed in."""
        transport = httpx.ASGITransport(Front(self.stage.app, self.console), raise_app_exceptions=False)
        window = httpx.AsyncClient(transport=transport, base_url=ADDRESS, follow_redirects=True)
        self.windows.push_async_callback(window.aclose)
        return Visitor(window, headers=headers)

    def as_(self, persona: str, **headers: str) -> Visitor:
        """Return somebody who is signed in as a persona of the tests."""
        issuer, claims = self.stage.issuer, PERSONAS[persona]
        session = Session(
            subject=persona,
            name=persona,
            role=Role(claims["role"]),
            token=issuer.sign(issuer.claims(persona, self.stage.clock())),
            csrf=f"csrf-of-{persona}",
            employer_id=claims.get("employer_id"),
        )
        return self.nobody(**headers).signed_in(self.sessions.keep(session), session)


@pytest_asyncio.fixture
async def door(stage: Stage) -> AsyncIterator[Door]:
    """The console in front of the API of the tests."""
    sessions = KeptSessions()
    console = create_console(stage.settings, stage.app, sessions=lambda: sessions, clock=stage.clock)
    async with AsyncExitStack() as windows:
        yield Door(stage, console, sessions, windows)
