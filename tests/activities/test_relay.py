"""Connections to the relay between batches: each in one hand, none beyond its rest, no mail lost or doubled."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

import activities.relay as module
from activities.outward import Permanent, Sent, Temporary
from tests.activities.test_mail import Relay as TakingRelay
from tests.activities.test_mail import cut, mail, running, sender
from tests.api.conftest import settings_for_tests
from worker import outside

SENT = Sent("d-1@park.example")
SOON = 10.0


class Relay(TakingRelay):
    """Knows its connections and their farewells; `aged` is how it meets all mails of a connection but the first.

    With a barrier it takes no mail before so many are being handed over at once.
    """

    def __init__(self, aged: str = "", at_once: int = 0) -> None:
        super().__init__()
        self.aged = aged
        self.barrier = asyncio.Barrier(at_once) if at_once else None
        self.mails_of: Counter[SMTP] = Counter()
        self.farewells = 0
        self.was_left = asyncio.Event()

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names its hooks after the SMTP commands
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.mails_of[server] += 1
        answer = await super().handle_MAIL(server, session, envelope, address, options)
        return await self._meet(server, "MAIL") or answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await super().handle_RCPT(server, session, envelope, address, options)
        return await self._meet(server, "RCPT") or answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.barrier is not None:
            async with asyncio.timeout(SOON):
                await self.barrier.wait()
        answer = await super().handle_DATA(server, session, envelope)
        return await self._meet(server, "DATA") or answer

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        self.farewells += 1
        self.was_left.set()
        return "221 Bye"

    async def _meet(self, server: SMTP, command: str) -> str | None:
        met, _, how = self.aged.partition(" ")
        if met != command or self.mails_of[server] == 1:
            return None
        if how == "cut":
            cut(server)
        if how == "silence":
            await asyncio.sleep(1)
        return f"{how} enough" if how.isdigit() else None


async def test_batches_one_after_the_other_use_one_connection() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as mails:
        for _ in range(3):
            assert [result async for result in mails.send_each([mail("a@lab.example")] * 2)] == [SENT] * 2
        assert relay.farewells == 0
    assert list(relay.mails_of.values()) == [6]


async def test_batches_at_once_never_share_a_connection() -> None:
    relay = Relay(at_once=2)
    async with running(relay) as port, sender(port) as mails:
        for _ in range(2):
            results = await asyncio.gather(*(mails.send(mail("a@lab.example")) for _ in "ab"))
            assert results == [SENT] * 2
    assert list(relay.mails_of.values()) == [2, 2]


async def test_no_more_connections_are_kept_than_were_asked_for() -> None:
    relay = Relay(at_once=3)
    async with running(relay) as port, sender(port, keep=2) as mails:
        await asyncio.gather(*(mails.send(mail("a@lab.example")) for _ in "abc"))
        assert relay.farewells == 1


@pytest.mark.parametrize("is_noticed", [True, False])
async def test_a_kept_connection_that_the_relay_closed_costs_no_mail(is_noticed: bool) -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as mails:
        assert await mails.send(mail("a@lab.example")) == SENT
        for server in relay.mails_of:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.write(b"421 4.4.2 idle for too long\r\n")
            server.transport.close()
        if is_noticed:
            await asyncio.sleep(0.05)
        assert await mails.send(mail("a@lab.example")) == SENT
    assert len(relay.mails) == 2
    assert len(relay.mails_of) == 2


async def test_a_relay_that_was_started_again_costs_no_mail() -> None:
    before, after = Relay(at_once=2), Relay()
    async with AsyncExitStack() as stack:
        async with running(before) as port:
            mails = await stack.enter_async_context(sender(port))
            await asyncio.gather(*(mails.send(mail("a@lab.example")) for _ in "ab"))
            for server in before.mails_of:
                cut(server)
        async with running(after, port):
            assert await mails.send(mail("a@lab.example")) == SENT
    assert (len(before.mails), len(after.mails)) == (2, 1)


@pytest.mark.parametrize("aged", ["MAIL 421", "MAIL 452", "MAIL cut", "RCPT 421", "RCPT cut"])
async def test_what_a_kept_connection_does_not_begin_goes_on_another_one_once(aged: str) -> None:
    relay = Relay(aged)
    async with running(relay) as port, sender(port) as mails:
        results = [await mails.send(mail("a@lab.example")) for _ in range(3)]
    assert results == [SENT] * 3
    assert len(relay.mails) == 3


@pytest.mark.parametrize(
    ("aged", "reason"), [("DATA cut", "connection_lost"), ("DATA 451", "smtp_451"), ("MAIL silence", "timeout")]
)
async def test_what_a_kept_connection_began_or_took_long_over_waits_for_its_next_attempt(
    aged: str, reason: str
) -> None:
    relay = Relay(aged)
    async with running(relay) as port, sender(port, timeout=0.3) as mails:
        assert await mails.send(mail("a@lab.example")) == SENT
        assert await mails.send(mail("a@lab.example")) == Temporary(reason)
        assert len(relay.mails_of) == 1
        assert await mails.send(mail("a@lab.example")) == SENT


async def test_what_one_kept_connection_does_not_begin_goes_on_a_new_one_and_not_on_the_other_kept_ones() -> None:
    relay = Relay(aged="MAIL 421", at_once=2)
    async with running(relay) as port, sender(port) as mails:
        assert await asyncio.gather(*(mails.send(mail("a@lab.example")) for _ in "ab")) == [SENT] * 2
        relay.barrier = None
        assert await mails.send(mail("a@lab.example")) == SENT
    assert sorted(relay.mails_of.values()) == [1, 1, 2]


async def test_a_refused_recipient_spoils_neither_its_batch_nor_the_next() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as mails:
        for _ in range(2):
            batch = [mail("550@lab.example"), mail("a@lab.example")]
            assert [result async for result in mails.send_each(batch)] == [Permanent("smtp_550"), SENT]
        assert len(relay.mails_of) == 1
        assert await mails.send(mail("550@lab.example")) == Permanent("smtp_550")
        assert await mails.send(mail("a@lab.example")) == SENT
    assert len(relay.mails) == 3


async def test_a_session_that_ended_in_a_refusal_is_left() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port) as mails:
        assert await mails.send(mail("450@lab.example")) == Temporary("smtp_450")
        assert relay.farewells == 1


async def test_a_relay_that_refuses_our_greeting_is_left() -> None:
    was_left = asyncio.Event()

    async def unkind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay.example\r\n")
        while await reader.readline():
            writer.write(b"550 not you\r\n")
        was_left.set()
        writer.close()

    server = await asyncio.start_server(unkind, "127.0.0.1", 0)
    async with server, sender(server.sockets[0].getsockname()[1]) as mails:
        assert await mails.send(mail("a@lab.example")) == Temporary("smtp_550")
        await asyncio.wait_for(was_left.wait(), SOON)


async def test_a_connection_that_was_interrupted_within_a_mail_is_not_used_again() -> None:
    relay = Relay("DATA silence")
    async with running(relay) as port, sender(port) as mails:
        assert await mails.send(mail("a@lab.example")) == SENT
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await mails.send(mail("b@lab.example"))
        assert await mails.send(mail("c@lab.example", "d-2")) == Sent("d-2@park.example")
    assert len(relay.mails_of) == 2


async def test_a_connection_is_left_when_it_has_rested_its_time() -> None:
    relay = Relay()
    async with running(relay) as port, sender(port, rest=0.05) as mails:
        assert await mails.send(mail("a@lab.example")) == SENT
        await asyncio.wait_for(relay.was_left.wait(), SOON)
        assert await mails.send(mail("a@lab.example")) == SENT
        assert len(relay.mails_of) == 2


async def test_a_connection_in_use_is_not_left_when_its_rest_would_be_over(caplog: pytest.LogCaptureFixture) -> None:
    relay = Relay()
    async with running(relay) as port, sender(port, rest=0.1) as mails:
        await mails.send(mail("a@lab.example"))
        async for _ in mails.send_each([mail("a@lab.example")] * 2):
            await asyncio.sleep(0.15)
            assert relay.farewells == 0
    assert list(relay.mails_of.values()) == [3]
    assert not caplog.records  # such as the loop's, of a timer that went wrong


async def test_closing_leaves_all_connections_and_keeps_no_more() -> None:
    relay = Relay(at_once=2)
    async with running(relay) as port, sender(port) as mails:
        await asyncio.gather(*(mails.send(mail("a@lab.example")) for _ in "ab"))
        await mails.aclose()
        assert relay.farewells == 2
        await asyncio.gather(*(mails.send(mail("a@lab.example")) for _ in "ab"))
        assert relay.farewells == 4


async def test_closing_does_not_wait_for_a_relay_that_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FAREWELL_SECONDS", 0.05)

    class Mute(Relay):
        async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
            await asyncio.sleep(1)
            return "221 Bye"

    async with running(Mute()) as port, sender(port, timeout=60) as mails:
        await mails.send(mail("a@lab.example"))
        async with asyncio.timeout(0.8):
            await mails.aclose()


async def test_the_worker_leaves_the_relay_on_its_way_out() -> None:
    relay = Relay()
    async with running(relay) as port:
        settings = settings_for_tests("postgresql://unused")
        near = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_starttls": False}
        async with outside(settings.model_copy(update=near)) as world:
            assert isinstance(await world.mail.send(mail("a@lab.example")), Sent)
            assert relay.farewells == 0
        assert relay.farewells == 1
