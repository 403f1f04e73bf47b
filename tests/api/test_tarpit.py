"""The real API under callers who send a head and never the body: everybody else is served meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest_asyncio

from api.limiting import Allowance
from api.patience import Patience
from tests.api.callers import Caller, TestIssuer
from tests.api.served import Served
from tests.api.test_connections import ended, line
from tests.cases.contexts import registration_body
from tests.rows import Rows

MOST = 100
PATIENCE = Patience(head_seconds=3, body_seconds=3, bytes_a_second=4096)
HEAD = (
    b"POST /v1/me/sign-in-links HTTP/1.1\r\nhost: permits.test\r\ncontent-type: application/json\r\n"
    b"idempotency-key: k\r\ncontent-length: 500\r\n\r\n{"
)


@pytest_asyncio.fixture(scope="module")
async def served(database_url: str, rows: Rows, issuer_of_tests: TestIssuer) -> AsyncIterator[Served]:
    await rows.empty()
    allowance = Allowance(1_000_000, 1_000_000, at_once=MOST, body_bytes=1024 * 1024)
    server = Served(database_url, issuer_of_tests, patience=PATIENCE, allowance=allowance)
    server.start(with_cases=False)
    try:
        yield server
    finally:
        server.stop()


@pytest_asyncio.fixture
async def employer(served: Served) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(base_url=served.url, timeout=10) as client:
        yield Caller(client, served.token("employer-a"))


async def test_a_hundred_heads_without_bodies_shut_nobody_out(served: Served, employer: Caller) -> None:
    async with AsyncExitStack() as lines:
        held = [await lines.enter_async_context(line(served.port, HEAD)) for _ in range(MOST)]
        await asyncio.sleep(0.3)
        began = time.monotonic()
        answers = [
            await employer.get("/v1/registrations"),
            await employer.post("/v1/registrations", registration_body()),
        ]
        seconds = time.monotonic() - began
        ends = await asyncio.gather(*(ended(reader, within=8) for reader, _ in held))

    assert [answer.status_code for answer in answers] == [200, 202]
    assert seconds < 2
    assert {got[:12] for got, _ in ends} == {b"HTTP/1.1 408"}
    assert all(b'"code":"body_late"' in got for got, _ in ends)


async def test_a_hundred_half_heads_shut_nobody_out(served: Served, employer: Caller) -> None:
    async with AsyncExitStack() as lines:
        held = [await lines.enter_async_context(line(served.port, HEAD[:60])) for _ in range(MOST)]
        answer = await employer.get("/v1/registrations")
        ends = await asyncio.gather(*(ended(reader, within=8) for reader, _ in held))

    assert answer.status_code == 200
    assert {got[:12] for got, _ in ends} == {b"HTTP/1.1 408"}


async def test_a_roster_over_a_slow_but_honest_line_is_taken(served: Served, employer: Caller) -> None:
    content = (b"name_zh," + b"x" * 500 + b"\n") * 64  # 32 KiB, in which nothing can be read

    async def slowly() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 1024):
            await asyncio.sleep(0.15)
            yield content[at : at + 1024]

    began = time.monotonic()
    answer = await employer.send(
        "POST", "/v1/rosters", content=slowly(), headers={"Content-Type": "text/csv", "Idempotency-Key": "slow"}
    )

    assert time.monotonic() - began > PATIENCE.body_seconds
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_bodies_on_their_way_fill_a_bounded_memory_and_small_ones_pass(served: Served, employer: Caller) -> None:
    token = served.token("employer-b").encode()
    head = (
        b"POST /v1/rosters HTTP/1.1\r\nhost: permits.test\r\ncontent-type: text/csv\r\nidempotency-key: k\r\n"
        b"authorization: Bearer " + token + b"\r\ncontent-length: 5000000\r\n\r\n"
    )
    async with AsyncExitStack() as lines:
        held = [await lines.enter_async_context(line(served.port, head + b"x" * 400_000)) for _ in range(4)]
        small = await employer.post("/v1/registrations/check", registration_body())
        done, waiting = await asyncio.wait([asyncio.create_task(reader.read(12)) for reader, _ in held], timeout=2)

    assert small.status_code == 200
    assert {each.result() for each in done} == {b"HTTP/1.1 503"}
    assert len(waiting) == 1
    await asyncio.gather(*waiting, return_exceptions=True)
