"""Connections of the real server: whoever sends or reads too slowly, or opens too many, holds up nobody."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.patience import Patience
from api.serving import server_options
from sandbox.stack.ports import free_port
from tests.api.conftest import settings_for_tests

QUICK = Patience(head_seconds=0.5, head_bytes=8192, rest_seconds=0.5, unread_seconds=0.5)
GET = b"GET /%s HTTP/1.1\r\nhost: permits.test\r\n\r\n"
POST = b"POST /%s HTTP/1.1\r\nhost: permits.test\r\ncontent-length: %d\r\n\r\n"
LARGE = b"x" * (8 * 1024 * 1024)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, whole, or with the body that came, as the path says; `whom` says who calls."""
    request = Request(scope, receive)
    match request.url.path:
        case "/large":
            answer = Response(LARGE)
        case "/echo":
            answer = Response(await request.body())
        case "/whom":
            answer = Response(f"{scope['client'][0]} {scope['scheme']}")
        case _:
            answer = Response(b"at once")
    await answer(scope, receive, send)


@asynccontextmanager
async def serving(settings: Any = None, **limits: Any) -> AsyncIterator[int]:
    """Serve as the API is served, and give the port."""
    port = free_port()
    options = server_options(settings or settings_for_tests("postgresql://nobody@127.0.0.1/none"), QUICK)
    options |= {"http": partial(options["http"], **limits), "host": "127.0.0.1", "port": port}
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", **options))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server sets a flag and no event
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = server.force_exit = True
        await task


@asynccontextmanager
async def line(port: int, sent: bytes = b"") -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection and send something."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        await writer.drain()
        yield reader, writer
    finally:
        writer.close()


async def ended(reader: asyncio.StreamReader, within: float = 3.0) -> tuple[bytes, float]:
    """Return all that still comes and after how many seconds the server ends the connection."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        try:
            got = await reader.read()
        except ConnectionError:
            got = b""
    return got, time.monotonic() - began


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"", b""), (b"GET /v1/reasons HT", b"408"), (GET[:-2] % b"x" + b"a: b\r\n", b"408"), (b"\r\n", b"")],
    ids=["nothing", "half a line", "half a head", "an empty line"],
)
async def test_a_head_that_does_not_come_ends_the_connection(sent: bytes, status: bytes) -> None:
    async with serving() as port, line(port, sent) as (reader, _):
        got, seconds = await ended(reader)

    assert got[9:12] == status
    assert 0.3 < seconds < 1.5


async def test_a_head_that_trickles_in_is_not_given_more_time() -> None:
    async with serving() as port, line(port, GET[:-2] % b"x") as (reader, writer):

        async def trickle() -> None:
            while not writer.is_closing():
                writer.write(b"a: b\r\n")
                await asyncio.sleep(0.1)

        trickling = asyncio.create_task(trickle())
        got, seconds = await ended(reader)
        trickling.cancel()

    assert got.startswith(b"HTTP/1.1 408")
    assert seconds < 1.5


async def test_the_second_head_of_a_connection_has_a_deadline_too() -> None:
    async with serving() as port, line(port, GET % b"x") as (reader, writer):
        await reader.readuntil(b"at once")
        await asyncio.sleep(0.8)
        writer.write(b"GET /again HT")
        got, seconds = await ended(reader)

    assert got.startswith(b"HTTP/1.1 408")
    assert 0.3 < seconds < 1.5


async def test_a_connection_may_rest_between_two_calls() -> None:
    async with serving() as port, line(port) as (reader, writer):
        for _ in range(2):
            writer.write(POST % (b"echo", 4) + b"body")
            await reader.readuntil(b"\r\n\r\nbody")
            await asyncio.sleep(0.8)
        writer.write(GET % b"x")
        await reader.readuntil(b"at once")


async def test_a_head_without_end_is_refused() -> None:
    async with serving() as port, line(port, GET[:-2] % b"x") as (reader, writer):
        for _ in range(20):
            writer.write(b"a: " + b"b" * 1000 + b"\r\n")
            await asyncio.sleep(0.005)
        got, _ = await ended(reader)

    assert got[:12] in (b"HTTP/1.1 431", b"")


async def test_the_rest_of_a_body_that_nobody_reads_does_not_hold_the_connection() -> None:
    async with serving() as port, line(port, POST % (b"x", 1000) + b"a") as (reader, writer):
        await reader.readuntil(b"at once")
        writer.write(b"b")
        _, seconds = await ended(reader)

    assert 0.3 < seconds < 1.5


async def test_a_body_that_comes_whole_after_its_answer_keeps_the_connection() -> None:
    async with serving() as port, line(port, POST % (b"x", 1000) + b"a") as (reader, writer):
        await reader.readuntil(b"at once")
        writer.write(b"b" * 999)
        await asyncio.sleep(0.8)
        writer.write(GET % b"x")
        await reader.readuntil(b"at once")


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with serving() as port, line(port, GET % b"large") as (reader, _):
        await asyncio.sleep(2.5)
        got, _ = await ended(reader)

    assert len(got) < len(LARGE)


async def test_an_answer_that_is_read_slowly_arrives_whole() -> None:
    got = 0
    async with serving() as port, line(port, GET % b"large") as (reader, _):
        began = time.monotonic()
        while got < len(LARGE):
            got += len(await reader.read(256 * 1024))
            await asyncio.sleep(0.05)

    assert time.monotonic() - began > 1.2


async def test_one_address_may_not_have_all_connections() -> None:
    async with serving(most=20, most_an_address=3) as port, line(port) as (_, first), line(port), line(port):
        await asyncio.sleep(0.05)
        async with line(port, GET % b"x") as (reader, _):
            refused, _ = await ended(reader)
        first.close()
        await asyncio.sleep(0.05)
        async with line(port, GET % b"x") as (reader, _):
            await reader.readuntil(b"at once")

    assert refused.startswith(b"HTTP/1.1 503") or refused == b""


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        ([], b"203.0.113.9", b"127.0.0.1 http"),
        (["192.0.2.0/24"], b"203.0.113.9", b"127.0.0.1 http"),
        (["127.0.0.1"], b"203.0.113.9", b"203.0.113.9 https"),
        (["127.0.0.0/8", "192.0.2.7"], b"198.51.100.1, 203.0.113.9, 192.0.2.7", b"203.0.113.9 https"),
    ],
    ids=["nobody is believed", "another is believed", "the proxy is believed", "the last that is no proxy"],
)
async def test_only_a_configured_proxy_says_who_calls(proxies: list[str], forwarded: bytes, expected: bytes) -> None:
    settings = settings_for_tests("postgresql://nobody@127.0.0.1/none").model_copy(update={"proxies": proxies})
    head = GET[:-2] % b"whom" + b"x-forwarded-for: " + forwarded + b"\r\nx-forwarded-proto: https\r\n\r\n"
    async with serving(settings) as port, line(port, head) as (reader, _):
        got = await asyncio.wait_for(reader.readuntil(expected), 2)

    assert got.startswith(b"HTTP/1.1 200")
