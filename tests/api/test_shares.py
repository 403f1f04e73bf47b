"""Places of calls in progress: who holds many leaves the rest to others, and a reader of answers holds none."""

import asyncio
from typing import Any

import pytest

from api.limiting import Allowance
from api.shares import Place, Places
from domain.errors import Unavailable
from tests.api.callers import TestIssuer
from tests.api.conftest import set_stage

MIB = 1024 * 1024


def _held(places: Places, address: str, caller: str | None = None) -> list[Place]:
    """Take as many places as one may have."""
    held: list[Place] = []
    while True:
        place = places.place_of(address)
        try:
            place.take()
            if caller is not None:
                place.belong_to("issuer", caller)
        except Unavailable:
            return held
        held.append(place)


def test_the_fuller_it_is_the_fewer_places_an_address_may_have() -> None:
    places = Places(100, MIB)

    assert [len(_held(places, f"192.0.2.{number}")) for number in range(6)] == [50, 25, 13, 6, 3, 2]


def test_a_caller_has_a_third_of_the_places_from_however_many_addresses() -> None:
    places = Places(100, MIB)
    taken = sum(len(_held(places, f"192.0.2.{number}", "employer-a")) for number in range(50))

    assert taken == 33
    assert len(_held(places, "198.51.100.1", "employer-b")) == 22


def test_a_place_that_was_left_is_free_for_others_and_may_be_lost() -> None:
    places = Places(1, MIB)
    with places.place_for("192.0.2.1") as first:
        first.leave()
        with places.place_for("192.0.2.2"), pytest.raises(Unavailable):
            first.take()
        first.take()
    with places.place_for("192.0.2.2"):
        pass


def test_an_address_alone_has_half_of_the_memory_for_bodies() -> None:
    places = Places(100, 8 * MIB)
    with places.place_for("192.0.2.1") as first, places.place_for("192.0.2.1") as second:
        assert _kept(first) == 4 * MIB
        with pytest.raises(Unavailable):
            second.keep(MIB)
        second.keep(64 * 1024)
        with places.place_for("192.0.2.2") as other:
            assert _kept(other) == 2 * MIB
    with places.place_for("192.0.2.1") as again:
        assert _kept(again) == 4 * MIB


def _kept(place: Place) -> int:
    """Keep a body that comes in pieces until there is no more memory for it; return how much of it counts."""
    size = uncounted = 64 * 1024
    try:
        while True:
            place.keep(size + uncounted)
            size += uncounted
    except Unavailable:
        return size - uncounted


async def test_an_answer_read_slowly_holds_no_place(clean_database: str, issuer_of_tests: TestIssuer) -> None:
    allowance = Allowance(1_000_000, 1_000_000, at_once=1)
    async with set_stage(clean_database, issuer_of_tests, allowance) as stage:
        token = issuer_of_tests.sign(issuer_of_tests.claims("auditor", stage.clock()))
        begun, read_on = asyncio.Event(), asyncio.Event()
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "http.response.body":
                begun.set()
                await read_on.wait()

        scope = {
            "type": "http", "http_version": "1.1", "method": "GET", "scheme": "https", "path": "/v1/audit/export",
            "query_string": b"", "client": ("192.0.2.1", 1), "server": ("permits.test", 443),
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "headers": [(b"authorization", f"Bearer {token}".encode()), (b"purpose", b"audit")],
        }  # fmt: skip
        reading = asyncio.create_task(stage.app(scope, receive, send))
        await asyncio.wait_for(begun.wait(), 10)
        meanwhile = await stage.as_("officer-1").get("/v1/registrations")
        read_on.set()
        await reading

    assert sent[0]["status"] == 200
    assert meanwhile.status_code == 200
