"""Webhooks over real connections: signed, pinned to the address that was checked, never redirected."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from activities.addresses import Address, Resolve
from activities.outward import Permanent, SendResult, Sent, Temporary
from activities.webhook import MOST_BYTES_READ, OutgoingWebhook, WebhookSender
from proof.webhooks import key_pair_from, secret_from, verify

AT = datetime(2026, 2, 10, 1, 30, tzinfo=UTC)
SECRET = secret_from(bytes(32))
PRIVATE, PUBLIC = key_pair_from(bytes(range(32)))
BODY = '{"data":{"reference":"7K3M9Q2X-4"},"type":"registration_received"}'
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """Takes requests on a socket and answers each with the same bytes."""

    def __init__(self, answer: bytes = OK) -> None:
        self.answer = answer
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.written = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            named = {name.lower(): value for name, value in headers.items()} | {"": head[0]}
            self.requests.append((named, await reader.readexactly(int(named["content-length"]))))
            writer.write(self.answer)
            await writer.drain()
            while self.answer.endswith(b"..."):
                writer.write(b"x" * 65536)
                self.written += 65536
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running(receiver: Receiver, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve the receiver on a free port."""
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def answering(*addresses: str) -> tuple[Resolve, list[tuple[str, int]]]:
    """Return a resolver that gives the addresses for every name, and the list of what it was asked."""
    asked: list[tuple[str, int]] = []

    async def resolver(host: str, port: int) -> Sequence[Address]:
        asked.append((host, port))
        return [ip_address(address) for address in addresses]

    return resolver, asked


def webhook(url: str, keys: tuple[str, ...] = (SECRET,)) -> OutgoingWebhook:
    """Return a message to a URL."""
    return OutgoingWebhook(message_id="d-3", url=url, body=BODY, keys=keys, at=AT)


async def send(url: str, sender: WebhookSender, keys: tuple[str, ...] = (SECRET,)) -> SendResult:
    """Send one message and close the sender."""
    try:
        return await sender.send(webhook(url, keys))
    finally:
        await sender.close()


async def test_a_message_is_posted_signed_by_every_key() -> None:
    receiver = Receiver()
    async with running(receiver) as port:
        sender = WebhookSender([f"127.0.0.1:{port}"])
        assert await send(f"http://127.0.0.1:{port}/hooks?a=1#part", sender, (SECRET, PRIVATE)) == Sent()
    ((headers, body),) = receiver.requests
    assert headers[""] == "POST /hooks?a=1 HTTP/1.1"
    assert headers["host"] == f"127.0.0.1:{port}"
    assert headers["content-type"] == "application/json"
    assert body.decode() == BODY
    for key in (SECRET, PUBLIC):
        assert verify(headers, body, [key], AT) == "d-3"


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Sent()),
        (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", Permanent("webhook_410", ends_subscription=True)),
        (b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", Temporary("webhook_400")),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Temporary("webhook_404")),
        (b"HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n", Temporary("webhook_408")),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n", Temporary("webhook_429", 9)),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Temporary("webhook_500")),
        (b"HTTP/1.1 503 Oh\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n", Temporary("webhook_503", 30)),
        (b"not http at all\r\n\r\n", Temporary("webhook_connection_lost")),
        (b"", Temporary("webhook_connection_lost")),
    ],
)
async def test_an_answer_is_sent_temporary_or_permanent(answer: bytes, result: SendResult) -> None:
    receiver = Receiver(answer)
    async with running(receiver) as port:
        assert await send(f"http://127.0.0.1:{port}/", WebhookSender([f"127.0.0.1:{port}"])) == result


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    target = Receiver()
    async with running(target) as inside:
        location = f"http://127.0.0.1:{inside}/".encode()
        receiver = Receiver(b"HTTP/1.1 %d Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location))
        async with running(receiver) as port:
            sender = WebhookSender([f"127.0.0.1:{port}", f"127.0.0.1:{inside}"])
            assert await send(f"http://127.0.0.1:{port}/", sender) == Temporary(f"webhook_{status}")
    assert target.requests == []


async def test_an_endless_answer_is_cut_off() -> None:
    receiver = Receiver(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n...")
    async with running(receiver) as port:
        assert await send(f"http://127.0.0.1:{port}/", WebhookSender([f"127.0.0.1:{port}"])) == Sent()
    assert receiver.written < 200 * MOST_BYTES_READ


async def test_a_receiver_that_says_nothing_is_left_after_the_time_allowed() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        sender = WebhookSender([f"127.0.0.1:{port}"], timeout=0.2)
        assert await send(f"http://127.0.0.1:{port}/", sender) == Temporary("webhook_timeout")


async def test_a_receiver_that_is_away_is_temporary() -> None:
    async with running(Receiver()) as port:
        pass
    result = await send(f"http://127.0.0.1:{port}/", WebhookSender([f"127.0.0.1:{port}"]))
    assert result == Temporary("webhook_unreachable")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fd00::1",
        "fe80::1",
        "ff02::1",
    ],
)
async def test_a_name_with_an_address_inside_is_refused(address: str) -> None:
    for addresses in ([address], ["8.8.8.8", address]):
        resolver, asked = answering(*addresses)
        result = await send("https://hooks.example/x", WebhookSender(resolver=resolver))
        assert result == Permanent("webhook_address_refused")
        assert asked == [("hooks.example", 443)]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://localhost/",
        "https://LOCALHOST./",
    ],
)
async def test_an_address_inside_is_refused_however_it_is_written(url: str) -> None:
    result = await send(url, WebhookSender())
    assert result in (Permanent("webhook_address_refused"), Temporary("webhook_unresolved"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example/", "webhook_not_https"),
        ("http://127.0.0.1:9999/", "webhook_not_https"),
        ("ftp://hooks.example/", "webhook_url_malformed"),
        ("file:///etc/passwd", "webhook_url_malformed"),
        ("https://user:word@hooks.example/", "webhook_url_malformed"),
        ("https:///path", "webhook_url_malformed"),
        ("https://[::1", "webhook_url_malformed"),
        ("hooks.example", "webhook_url_malformed"),
        ("https://hooks.example:99999/", "webhook_url_malformed"),
        ("https://hooks.example:0/", "webhook_url_malformed"),
        ("https://hooks.example/\r\nX: y", "webhook_url_malformed"),
    ],
)
async def test_a_url_of_the_wrong_form_is_refused_before_it_is_resolved(url: str, reason: str) -> None:
    resolver, asked = answering("8.8.8.8")
    assert await send(url, WebhookSender(resolver=resolver)) == Permanent(reason)
    assert asked == []


async def test_an_allowed_pair_is_exact() -> None:
    receiver = Receiver()
    async with running(receiver) as port:
        for pair in (f"127.0.0.1:{port + 1}", f"localhost:{port}", "127.0.0.1", f"127.0.0.2:{port}"):
            result = await send(f"http://127.0.0.1:{port}/", WebhookSender([pair]))
            assert result == Permanent("webhook_not_https")
    assert receiver.requests == []


async def test_an_unresolved_name_is_temporary() -> None:
    resolver, _ = answering()
    assert await send("https://hooks.example/", WebhookSender(resolver=resolver)) == Temporary("webhook_unresolved")
    assert await send("https://nothing.invalid/", WebhookSender()) == Temporary("webhook_unresolved")


@pytest.fixture
def certificates(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS contexts of a server named hooks.example.test and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = tmp_path / "chain.pem"
    chain.write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return server, ssl.create_default_context(cadata=pem.decode())


async def test_the_connection_goes_to_the_checked_address_under_the_name_of_the_url(
    certificates: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, client = certificates
    receiver = Receiver()
    seen: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: seen.append(name)
    resolver, asked = answering("127.0.0.1")
    async with running(receiver, server) as port:
        sender = WebhookSender([f"hooks.example.test:{port}"], resolver=resolver, tls_context=client)
        assert await send(f"https://Hooks.Example.test:{port}/x", sender) == Sent()
    assert asked == [("hooks.example.test", port)]
    assert seen == ["hooks.example.test"]
    assert receiver.requests[0][0]["host"] == f"hooks.example.test:{port}"


async def test_a_certificate_of_another_name_is_refused(
    certificates: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, client = certificates
    receiver = Receiver()
    resolver, _ = answering("127.0.0.1")
    async with running(receiver, server) as port:
        sender = WebhookSender([f"other.example.test:{port}"], resolver=resolver, tls_context=client)
        assert await send(f"https://other.example.test:{port}/x", sender) == Temporary("webhook_unreachable")
    assert receiver.requests == []


async def test_two_names_at_one_address_never_share_a_connection(
    certificates: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, client = certificates
    receiver = Receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    resolver, _ = answering("127.0.0.1")
    async with running(receiver, server) as port:
        pairs = [f"hooks.example.test:{port}", f"other.example.test:{port}"]
        sender = WebhookSender(pairs, resolver=resolver, tls_context=client)
        assert await sender.send(webhook(f"https://hooks.example.test:{port}/")) == Sent()
        assert await sender.send(webhook(f"https://other.example.test:{port}/")) == Temporary("webhook_unreachable")
        await sender.close()
    assert len(receiver.requests) == 1


async def test_an_ipv6_address_can_be_reached_where_it_is_allowed() -> None:
    receiver = Receiver()
    try:
        server = await asyncio.start_server(receiver.handle, "::1", 0)
    except OSError:
        pytest.skip("This machine has no IPv6.")
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await send(f"http://[::1]:{port}/", WebhookSender([f"[::1]:{port}"])) == Sent()
    assert receiver.requests[0][0]["host"] == f"[::1]:{port}"


def test_no_address_or_key_shows_in_a_repr() -> None:
    shown = repr(webhook("https://hooks.example/secret-path"))
    assert "hooks.example" not in shown
    assert SECRET not in shown
