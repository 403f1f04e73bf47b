"""Mail over a real SMTP server: what is sent, what is permanent, and one connection for a batch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from activities.mail import KEPT_CONNECTIONS, MailSender, OutgoingMail
from activities.outward import Permanent, Sent, Temporary
from activities.relay import REST_SECONDS

FROM = "Hetao Shenzhen Park <no-reply@park.example>"
AT = datetime(2026, 2, 10, 1, 30, tzinfo=UTC)


def cut(server: SMTP) -> None:
    """End the connection without a farewell."""
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


class Relay:
    """Takes mail and answers the local part of an address with the code written in it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.sessions: set[str] = set()
        self.sender_code = 250
        self.rcpt_reply = self.data_reply = "250 OK"

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names its hooks after the SMTP commands
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions.add(str(session.peer))
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return f"{self.sender_code} {address}"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        local = address.partition("@")[0]
        if local == "cut":
            cut(server)
        if local.isdigit():
            return f"{local} no such address {address}"
        if local == "asked":
            return self.rcpt_reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, _class=EmailMessage, policy=default)
        assert isinstance(message, EmailMessage)
        if message["Subject"] == "unwanted":
            return self.data_reply
        self.mails.append(message)
        if message["Subject"] == "lost answer":
            cut(server)
        return "250 taken"


@asynccontextmanager
async def running(relay: Relay, port: int = 0) -> AsyncIterator[int]:
    """Serve the relay on a port, or on a free one."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(relay, hostname="relay.example", enable_SMTPUTF8=True), "127.0.0.1", port
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def sender(
    port: int, timeout: float = 5, keep: int = KEPT_CONNECTIONS, rest: float = REST_SECONDS
) -> aclosing[MailSender]:
    """Return a sender to the relay, to be opened and closed."""
    return aclosing(MailSender("127.0.0.1", port, FROM, starttls=False, timeout=timeout, keep=keep, rest=rest))


def mail(to: str, delivery_id: str = "d-1", subject: str = "备案 7K3M9Q2X-4：已收到申请") -> OutgoingMail:
    """Return a mail in simplified Chinese."""
    text, html = "正文 " * 300, "<!doctype html><html lang='zh-Hans'><p>正文</p></html>"
    return OutgoingMail(
        delivery_id=delivery_id, to=to, subject=subject, text=text, html=html, language="zh-Hans", at=AT
    )


async def test_a_mail_arrives_as_text_and_html_in_its_language() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as opened:
        result = await opened.send(mail("wang@lab.example"))
    assert result == Sent("d-1@park.example")
    (message,) = relay.mails
    assert message["Message-ID"] == "<d-1@park.example>"
    assert message["Subject"] == "备案 7K3M9Q2X-4：已收到申请"
    assert message["To"] == "wang@lab.example"
    assert message["From"] == FROM
    assert message["Content-Language"] == "zh-Hans"
    assert message["Date"].datetime == AT
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert text.get_content().startswith("正文 正文")
    assert html is not None
    assert "lang='zh-Hans'" in html.get_content()


async def test_a_repeat_carries_the_same_message_id() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as opened:
        for _ in range(2):
            await opened.send(mail("wang@lab.example"))
    assert [message["Message-ID"] for message in relay.mails] == ["<d-1@park.example>"] * 2


async def test_a_batch_uses_one_connection_and_one_bad_address_holds_up_no_other() -> None:
    relay = Relay()
    addresses = ["a@lab.example", "550@lab.example", "b@lab.example", "450@lab.example", "c@lab.example"]
    async with running(relay) as port, sender(port) as opened:
        mails = [mail(address, f"d-{number}") for number, address in enumerate(addresses)]
        results = [result async for result in opened.send_each(mails)]
    assert results == [
        Sent("d-0@park.example"),
        Permanent("smtp_550"),
        Sent("d-2@park.example"),
        Temporary("smtp_450"),
        Sent("d-4@park.example"),
    ]
    assert len(relay.sessions) == 1
    assert [message["To"] for message in relay.mails] == ["a@lab.example", "b@lab.example", "c@lab.example"]


async def test_a_broken_connection_is_temporary_and_the_next_mail_gets_a_new_one() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as opened:
        mails = [mail("cut@lab.example", "d-1"), mail("b@lab.example", "d-2")]
        results = [result async for result in opened.send_each(mails)]
    assert results == [Temporary("connection_lost"), Sent("d-2@park.example")]
    assert len(relay.sessions) == 2


async def test_a_lost_answer_is_temporary_so_that_the_repeat_is_told_by_its_message_id() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as opened:
        assert await opened.send(mail("a@lab.example", subject="lost answer")) == Temporary("connection_lost")
        assert await opened.send(mail("a@lab.example")) == Sent("d-1@park.example")
    assert {message["Message-ID"] for message in relay.mails} == {"<d-1@park.example>"}


@pytest.mark.parametrize(
    "reply",
    [
        "554 5.7.1 <park[203.0.113.9]>: Client host rejected: Access denied",
        "554 5.7.1 <li@mail.example>: Relay access denied",
        "553 5.7.1 <notices@hetao.example>: Sender address rejected: not owned by user",
        "530 5.7.0 Authentication required",
        "552 5.2.2 Mailbox full",
        "554 5.3.0 System not capable",
        "554 5.4.6 Routing loop",
        "553 5.1.8 Sender address rejected: Domain not found",
        "450 4.7.1 Greylisted",
        "450 4.1.1 Unverified address",
        "451 try later",
    ],
)
async def test_a_refusal_that_is_not_the_address_s_fault_waits(reply: str) -> None:
    relay = Relay()
    relay.rcpt_reply = reply
    async with running(relay) as port, sender(port) as opened:
        result = await opened.send(mail("asked@lab.example"))
    assert isinstance(result, Temporary)
    assert result.reason_code.startswith(f"smtp_{reply[:3]}")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("550 5.1.1 User unknown", "smtp_550_5.1.1"),
        ("550 5.1.10 Recipient has a null MX", "smtp_550_5.1.10"),
        ("553 5.1.3 Bad syntax", "smtp_553_5.1.3"),
        ("550 no such user", "smtp_550"),
    ],
)
async def test_a_refusal_of_the_address_is_permanent(reply: str, reason: str) -> None:
    relay = Relay()
    relay.rcpt_reply = reply
    async with running(relay) as port, sender(port) as opened:
        assert await opened.send(mail("asked@lab.example")) == Permanent(reason)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("554 content refused", "smtp_554"),
        ("550 5.7.1 Our system has detected an unusual rate of mail", "smtp_550_5.7.1"),
        ("554 5.7.509 Access denied, domain does not pass DMARC", "smtp_554_5.7.509"),
    ],
)
async def test_refused_content_says_nothing_of_the_address_and_waits(reply: str, reason: str) -> None:
    relay = Relay()
    relay.data_reply = reply
    async with running(relay) as port, sender(port) as opened:
        assert await opened.send(mail("a@lab.example", subject="unwanted")) == Temporary(reason)


async def test_a_refused_sender_is_our_own_trouble_and_waits() -> None:
    relay = Relay()
    relay.sender_code = 550
    async with running(relay) as port, sender(port) as opened:
        assert await opened.send(mail("a@lab.example")) == Temporary("smtp_sender_550")


async def test_a_relay_that_is_away_delays_the_whole_batch_after_one_try() -> None:
    relay = Relay()
    async with running(relay) as port:
        pass
    async with sender(port) as opened:
        results = [result async for result in opened.send_each([mail("a@lab.example"), mail("b@lab.example")])]
    assert results == [Temporary("smtp_unreachable")] * 2


async def test_a_relay_without_starttls_gets_no_mail_when_tls_is_wanted() -> None:
    relay = Relay()
    async with running(relay) as port:
        strict = MailSender("127.0.0.1", port, FROM, starttls=True, timeout=5)
        assert await strict.send(mail("a@lab.example")) == Temporary("smtp_unreachable")
    assert relay.mails == []


async def test_a_relay_that_says_nothing_is_left_after_the_time_allowed() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with sender(port, timeout=0.2) as opened:
            assert await opened.send(mail("a@lab.example")) == Temporary("smtp_unreachable")


@pytest.mark.parametrize("subject", ["two\r\nBcc: other@lab.example", "two\nlines"])
async def test_a_subject_cannot_smuggle_a_header(subject: str) -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as opened:
        result = await opened.send(mail("a@lab.example", subject=subject))
    assert isinstance(result, Permanent)
    assert relay.mails == []


async def test_no_address_shows_in_a_result_or_a_repr() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as opened:
        result = await opened.send(mail("550@lab.example"))
    assert "lab.example" not in repr(result)
    assert "lab.example" not in repr(mail("550@lab.example"))
