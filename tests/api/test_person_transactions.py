"""What a person calls runs in transactions of that person, which the park's are never: they would see all cases."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.actors import PARK
from domain.parties import DOOR, NO_PERSON, person_tenant
from store.database import Database
from store.tables import cases
from tests.api.callers import Caller
from tests.api.conftest import Stage
from tests.api.persons import find_link, use
from tests.api.test_person_documents import FOREIGN, OWN, _with
from tests.api.walk import Walk


@pytest.fixture
def stood_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keep what each transaction stands for."""
    tenants: list[str] = []
    begin = Database.begin

    def kept(self: Database, tenant: str = PARK, **more: Any) -> AbstractAsyncContextManager[AsyncConnection]:
        tenants.append(tenant)
        return begin(self, tenant, **more)

    @asynccontextmanager
    async def one(self: Database, tenant: str = PARK) -> AsyncIterator[AsyncConnection]:
        async with kept(self, tenant) as connection:
            yield connection

    monkeypatch.setattr(Database, "begin", kept)
    monkeypatch.setattr(Database, "statement", one)
    return tenants


async def _call_all(me: Caller, reference: str) -> None:
    for path in ("registrations", "data", "access-log", "access-log/days", "objections"):
        answer = await me.get(f"/v1/me/{path}")
        assert answer.status_code == 200, (path, answer.text)
    said = {"reference": reference, "text": "x"}
    for path, body in (
        ("complaints", {**said, "about": "handling"}),
        ("disputes", said),
        ("contests", {**said, "fact": 1}),
        ("changes", {"reference": reference, "permit_card_number": "C87654321"}),
        ("lost-cards", {"reference": reference, "destination": "HK", "lost_on": "2026-03-02"}),
    ):
        answer = await me.post(f"/v1/me/{path}", body)
        assert answer.status_code in (202, 404, 409, 422), (path, answer.text)


async def test_all_that_a_person_calls_runs_as_the_person(stage: Stage, stood_for: list[str]) -> None:
    reference = await Walk(stage).register(identity_number=OWN)
    await stage.settle()
    async with stage.context.database.begin() as connection:
        person = person_tenant((await connection.execute(cases.select())).one().person_id)
    stood_for.clear()
    link = await find_link(stage, reference, email="feng@example.com")
    assert link is not None
    # The link goes out by the channel, which is the park's.
    assert stood_for[: stood_for.index(PARK)] == [DOOR, person]
    stood_for.clear()
    me = await use(stage, link)
    await _call_all(me, reference)
    assert (await me.send("POST", "/v1/me/sign-out")).status_code == 204
    assert set(stood_for) == {DOOR, person}

    stood_for.clear()
    await _call_all(_with(stage), reference)
    assert set(stood_for) == {DOOR, person}
    stood_for.clear()
    await _call_all(_with(stage, FOREIGN), reference)
    assert set(stood_for) == {DOOR, NO_PERSON}
