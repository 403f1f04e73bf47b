"""The delivery activity on a real database, a real SMTP server and real connections."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities import deliveries as module
from activities.addresses import Address, resolve
from activities.deliveries import Deliveries
from activities.mail import MailSender
from activities.outward import SendResult
from activities.sms import OutgoingSms, SmsSender
from activities.webhook import WebhookSender
from cases.notices.due import LEASE, Result, Turn, take_turn
from cases.notices.due import settle as settle_results
from cases.notices.webhooks import list_deliveries, list_webhooks, put_webhook
from cases.notices.webhooks import test_webhook as try_webhook
from cases.shared.context import Context
from domain.errors import Unavailable
from domain.messages import DeliveryCount, DeliveryRound
from domain.notices import Channel, NoticeKind
from domain.webhooks import WebhookRequest
from proof.webhooks import verify
from tests.activities.test_mail import FROM
from tests.activities.test_mail import Relay as TakingRelay
from tests.activities.test_mail import running as relay_running
from tests.activities.test_webhook import OK, Receiver
from tests.activities.test_webhook import running as receiver_running
from tests.cases.contexts import EMPLOYER_A, NOON, Clock, key, load_samples, open_context
from tests.cases.notices.telling import LETTER_FACTS, notify, rows_of, statuses, take_on

SHORT = timedelta(seconds=30)


class Relay(TakingRelay):
    """Takes mail after answering so many attempts with a code of its own."""

    def __init__(self, *codes: str, seconds: float = 0) -> None:
        super().__init__()
        self.codes = list(codes)
        self.seconds = seconds
        self.has_taken = asyncio.Event()

    async def handle_DATA(self, server, session, envelope) -> str:  # type: ignore[no-untyped-def]  # noqa: N802
        await asyncio.sleep(self.seconds)
        if self.codes:
            return self.codes.pop(0)
        answer = await super().handle_DATA(server, session, envelope)
        self.has_taken.set()
        return answer


class Gateway:
    """An SMS gateway that keeps what it is handed."""

    def __init__(self, status: int = 202) -> None:
        self.status = status
        self.taken: list[tuple[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.taken.append((request.headers["Idempotency-Key"], request.content.decode()))
        return httpx.Response(self.status, json={"id": f"sms_{len(self.taken)}"})


@pytest_asyncio.fixture
async def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def context(clean_database: str, clock: Clock) -> AsyncIterator[Context]:
    async with open_context(clean_database, clock) as context:
        await load_samples(context)
        yield context


async def _inside(_host: str, _port: int) -> Sequence[Address]:
    return (ip_address("10.0.0.8"),)


@asynccontextmanager
async def delivering(
    context: Context, *, relay_port: int = 1, gateway: Gateway | None = None, allowed: str = "", inside: bool = False
) -> AsyncIterator[Deliveries]:
    """Open the activity with adapters to what the test serves."""
    webhooks = WebhookSender([allowed] if allowed else [], resolver=_inside if inside else resolve)
    async with httpx.AsyncClient(transport=httpx.MockTransport(gateway or Gateway())) as client:
        sms = SmsSender("https://sms.example/sms", "token", client)
        mail = MailSender("127.0.0.1", relay_port, FROM, starttls=False, timeout=5)
        try:
            yield Deliveries(context, mail, sms, webhooks, run_for=SHORT)
        finally:
            await mail.aclose()
            await webhooks.close()


async def _deliver(deliveries: Deliveries, channel: Channel, rounds: int = 1) -> DeliveryCount:
    return await ActivityEnvironment().run(deliveries.deliver, DeliveryRound(channel=channel, rounds=rounds))


async def test_a_mail_that_fails_twice_goes_out_once(context: Context, clock: Clock) -> None:
    await notify(context, await take_on(context))
    relay = Relay("451 later", "452 later")
    counts = []
    async with relay_running(relay) as port, delivering(context, relay_port=port) as deliveries:
        for _ in range(4):
            counts.append(await _deliver(deliveries, Channel.MAIL))
            clock.at += timedelta(seconds=15)
    assert [(count.sent, count.later) for count in counts] == [(0, 1), (0, 1), (1, 0), (0, 0)]
    (row,) = await rows_of(context)
    assert [mail["Message-ID"] for mail in relay.mails] == [f"<{row['delivery_id']}@park.example>"]
    assert (row["status"], row["attempts"]) == ("sent", 3)


async def test_a_notice_written_in_this_process_goes_out_without_waiting_for_the_next_look(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 3600.0)
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 3600.0)
    reference, relay, looked = await take_on(context), Relay(), asyncio.Event()

    async def look(*arguments: Any, **named: Any) -> Turn:
        turn = await take_turn(*arguments, **named)
        looked.set()
        return turn

    monkeypatch.setattr(module, "take_turn", look)
    async with relay_running(relay) as port, delivering(context, relay_port=port) as deliveries:
        deliveries._run_for = timedelta(hours=1)
        run = asyncio.create_task(_deliver(deliveries, Channel.MAIL, rounds=2))
        await looked.wait()
        await notify(context, reference)
        assert (await asyncio.wait_for(run, 20)).sent == 1
    assert not context.bells.listeners[Channel.MAIL]


async def test_a_notice_whose_case_cannot_be_opened_goes_out_once_that_is_mended(
    context: Context, clock: Clock
) -> None:
    await notify(context, await take_on(context))
    damage = text(
        "UPDATE applications SET body = set_byte(body, length(body) - 1, 255 - get_byte(body, length(body) - 1))"
    )
    relay = Relay()
    async with relay_running(relay) as port, delivering(context, relay_port=port) as deliveries:
        for wanted in ("queued", "sent"):
            async with context.database.begin() as connection:
                await connection.execute(damage)  # the second time they are whole again
            await _deliver(deliveries, Channel.MAIL)
            assert {row["status"] for row in await rows_of(context)} == {wanted}
            clock.at += timedelta(hours=1)


async def test_a_run_that_dies_between_sending_and_settling_sends_again_under_the_same_id(
    context: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notify(context, await take_on(context))
    died = asyncio.Event()

    async def die(*_: object) -> DeliveryCount:
        died.set()
        return await asyncio.Future()

    relay = Relay()
    async with relay_running(relay) as port, delivering(context, relay_port=port) as deliveries:
        with monkeypatch.context() as patched:
            patched.setattr(module, "settle", die)
            run = asyncio.create_task(_deliver(deliveries, Channel.MAIL))
            await died.wait()
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        assert (await _deliver(deliveries, Channel.MAIL)).sent == 0
        clock.at += LEASE
        assert (await _deliver(deliveries, Channel.MAIL)).sent == 1
    assert len(relay.mails) == 2
    assert len({mail["Message-ID"] for mail in relay.mails}) == 1


async def test_a_stopping_worker_settles_what_went_out_and_ends(context: Context) -> None:
    reference = await take_on(context)
    for number in range(12):
        await notify(context, reference, occasion=str(number))
    relay = Relay(seconds=0.1)
    environment = ActivityEnvironment()
    async with relay_running(relay) as port, delivering(context, relay_port=port) as deliveries:
        run = asyncio.create_task(environment.run(deliveries.deliver, DeliveryRound(channel="mail")))
        await relay.has_taken.wait()
        environment.worker_shutdown()
        count = await asyncio.wait_for(run, 5)
    assert count.sent == len(relay.mails) == 12
    assert {row["status"] for row in await rows_of(context)} == {"sent"}


async def test_a_cancelled_run_gives_back_what_it_had_not_begun(context: Context) -> None:
    reference = await take_on(context)
    for number in range(10):
        await notify(context, reference, occasion=str(number))
    relay = Relay(seconds=0.5)
    async with relay_running(relay) as port, delivering(context, relay_port=port) as deliveries:
        run = asyncio.create_task(_deliver(deliveries, Channel.MAIL))
        await relay.has_taken.wait()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    rows = await rows_of(context)
    held = [row for row in rows if row["lease_until"] is not None]
    assert len(held) <= 1
    assert {row["status"] for row in rows} == {"sent", "queued"}


async def test_a_relay_that_is_down_touches_nothing_else(context: Context) -> None:
    reference = await take_on(context)
    await notify(context, reference)
    await take_on_text(context, reference)
    gateway = Gateway()
    async with delivering(context, gateway=gateway) as deliveries:
        mail, sms = await asyncio.gather(_deliver(deliveries, Channel.MAIL), _deliver(deliveries, Channel.SMS))
    assert (mail.later, sms.sent) == (2, 1)
    (text,) = await rows_of(context, Channel.SMS)
    assert (text["status"], text["provider_id"]) == ("sent", "sms_1")
    assert gateway.taken[0][0] == str(text["delivery_id"])
    assert {row["reason"] for row in await rows_of(context, Channel.MAIL)} == {"smtp_unreachable"}


async def take_on_text(context: Context, reference: str) -> None:
    """Tell something by mail and SMS at once."""
    await notify(context, reference, NoticeKind.REGISTRATION_REFUSED, facts=LETTER_FACTS)


async def test_a_fault_over_one_message_does_not_end_the_channel(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await take_on(context, email=None)
    for number in range(3):
        await notify(context, reference, occasion=str(number))
    first = str((await rows_of(context))[0]["delivery_id"])
    whole = SmsSender.send

    async def send(self: SmsSender, sms: OutgoingSms) -> SendResult:
        if sms.delivery_id == first:
            raise ZeroDivisionError
        return await whole(self, sms)

    monkeypatch.setattr(SmsSender, "send", send)
    async with delivering(context) as deliveries:
        count = await _deliver(deliveries, Channel.SMS)
    assert (count.sent, count.later) == (2, 1)
    assert [row["reason"] for row in await rows_of(context) if row["status"] == "queued"] == ["defect"]


async def _subscribe(context: Context, url: str) -> tuple[UUID, str]:
    request = WebhookRequest.model_validate({"url": url, "kinds": ["registration_withdrawn"]})
    reply = await put_webhook(context, EMPLOYER_A, request, key())
    await try_webhook(context, EMPLOYER_A, UUID(reply.body["id"]), key())
    return UUID(reply.body["id"]), reply.body["secret"]


async def _last(context: Context, webhook_id: UUID) -> tuple[str, str | None]:
    (shown,), _ = await list_deliveries(context, EMPLOYER_A, webhook_id)
    return shown.status, shown.reason


@asynccontextmanager
async def _hooked(context: Context, answer: bytes) -> AsyncIterator[tuple[Receiver, Deliveries, str]]:
    receiver = Receiver(answer)
    async with receiver_running(receiver) as port:
        object.__setattr__(context, "webhook_allowed", frozenset({f"127.0.0.1:{port}"}))
        async with delivering(context, allowed=f"127.0.0.1:{port}") as deliveries:
            yield receiver, deliveries, f"http://127.0.0.1:{port}/hook"


async def test_a_webhook_arrives_signed_and_counts_as_delivered(context: Context) -> None:
    async with _hooked(context, OK) as (receiver, deliveries, url):
        webhook_id, secret = await _subscribe(context, url)
        assert (await _deliver(deliveries, Channel.WEBHOOK)).sent == 1
    ((headers, body),) = receiver.requests
    assert verify(headers, body, [secret], NOON)
    assert await _last(context, webhook_id) == ("delivered", None)


async def test_410_ends_the_subscription(context: Context) -> None:
    async with _hooked(context, b"HTTP/1.1 410 Gone\r\n\r\n") as (_, deliveries, url):
        webhook_id, _ = await _subscribe(context, url)
        assert (await _deliver(deliveries, Channel.WEBHOOK)).failed == 1
    assert await _last(context, webhook_id) == ("failed", "webhook_410")
    assert (await list_webhooks(context, EMPLOYER_A))[0].state == "gone"


async def test_retry_after_of_a_receiver_is_obeyed(context: Context, clock: Clock) -> None:
    answer = b"HTTP/1.1 503 Away\r\nRetry-After: 100\r\n\r\n"
    async with _hooked(context, answer) as (receiver, deliveries, url):
        await _subscribe(context, url)
        for seconds in (0, 99, 1):
            clock.at += timedelta(seconds=seconds)
            await _deliver(deliveries, Channel.WEBHOOK)
    assert len(receiver.requests) == 2


async def test_a_name_that_leads_inside_is_refused_when_it_is_resolved(context: Context) -> None:
    webhook_id, _ = await _subscribe(context, "https://hooks.example.com/x")
    async with delivering(context, inside=True) as deliveries:
        assert (await _deliver(deliveries, Channel.WEBHOOK)).failed == 1
    assert await _last(context, webhook_id) == ("failed", "webhook_address_refused")


async def test_the_database_away_for_a_moment_loses_no_result(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notify(context, await take_on(context))
    tries = 0

    async def settle(context: Context, results: Sequence[Result], *rest: object) -> DeliveryCount:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Unavailable("database")
        return await settle_results(context, results, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "settle", settle)
    monkeypatch.setattr(module, "_AWAY_PAUSE", 0.05)
    relay = Relay()
    async with relay_running(relay) as port, delivering(context, relay_port=port) as deliveries:
        assert (await _deliver(deliveries, Channel.MAIL)).sent == 1
    assert len(relay.mails) == 1
    assert await statuses(context) == {"registration_withdrawn person": "sent"}
