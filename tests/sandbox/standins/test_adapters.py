"""The engine's own adapters against the stand-ins: both sides speak one protocol."""

import secrets
from contextlib import aclosing
from datetime import UTC, date, datetime

import httpx
import pytest

from activities.authority import AuthorityClient, Rejected
from activities.mail import MailSender, OutgoingMail
from activities.outward import Permanent, SendResult, Sent, Temporary
from activities.sms import OutgoingSms, SmsSender
from domain.errors import Unavailable
from programmes.talent_permit.authority.messages import EntryEmployer, EntryPerson, ListEntry, Report, ReportedFact
from programmes.talent_permit.authority.polling import read_page
from programmes.talent_permit.permit_stages import Destination
from tests.sandbox.programs import TOKEN, Program
from tests.sandbox.receiver import Receiver


def _entry(case: str, card: str = "C12345678") -> ListEntry:
    return ListEntry(
        case=case,
        destination=Destination(case[-2:]),
        registration_number="HR-2026-000001-P",
        registered_on=date(2026, 11, 23),
        employer=EntryEmployer(name_zh="河套量子研究院", uscc="91440300MA5F00000X"),
        person=EntryPerson(name_zh="张三", identity_number="11010519491231002X", permit_card_number=card),
    )


async def test_the_authority_takes_what_its_adapter_sends_and_answers_what_it_reads(
    authority: Program, receiver: Receiver
) -> None:
    case = f"HT-{secrets.token_hex(4)}/HK"
    async with httpx.AsyncClient(trust_env=False) as http:
        client = AuthorityClient(authority.url, TOKEN, http)
        entry_ids = {(await client.send(f"permit/{case}", _entry(case).message()))["entry_id"] for _ in range(2)}
        assert len(entry_ids) == 1
        await receiver.wait_for(2, about=case)
        what, on = ReportedFact.REGISTRATION_ENDED, date(2026, 11, 23)
        report = Report(case=case, what=what, on=on, reason="resigned").message()
        await client.send(f"report/{case}/registration_ended", report)
        await receiver.wait_for(3, about=case)
        page = await read_page(client, None, limit=100, case=case)
        assert [answer["outcome"] for answer in page.answers] == ["accepted", "issued", "revoked"]
        assert (await read_page(client, page.next_cursor, limit=100, case=case)).answers == ()


async def test_the_adapter_tells_a_malformed_entry_from_an_authority_in_trouble(authority: Program) -> None:
    case = f"HT-{secrets.token_hex(4)}/HK"
    async with httpx.AsyncClient(trust_env=False) as http:
        client = AuthorityClient(authority.url, TOKEN, http)
        with pytest.raises(Rejected) as rejected:
            await client.send(f"permit/{case}", _entry(case, "C12340422").message())
        assert rejected.value.fields == ("person.permit_card_number",)
        authority.mood("failing")
        for _ in range(2):
            with pytest.raises(Unavailable) as unavailable:
                await client.send(f"permit/{case}", _entry(case).message())
            assert unavailable.value.retry_after == 1


async def test_the_sms_gateway_takes_what_its_adapter_sends(mail: Program) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        sender = SmsSender(f"{mail.url}/sms", TOKEN, http)
        results = {
            await sender.send(OutgoingSms(delivery_id="delivery-adapter", to="+8613800000009", text="x")) for _ in "ab"
        }
    (result,) = results
    assert isinstance(result, Sent)
    assert len(mail.get("/sms", to="+8613800000009")) == 1


async def _send_mail(mail: Program, delivery_id: str, to: str) -> SendResult:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    message = OutgoingMail(
        delivery_id=delivery_id, to=to, subject="签注", text="x", html="<p>x</p>", language="zh-Hans", at=now
    )
    async with aclosing(MailSender("127.0.0.1", mail.smtp_port, "notices@hetao.example", starttls=False)) as sender:
        return await sender.send(message)


async def test_the_mail_sink_takes_and_refuses_what_its_adapter_sends(mail: Program) -> None:
    assert isinstance(await _send_mail(mail, "adapter-1", "adapter@employer.example"), Sent)
    (found,) = mail.get("/messages", to="adapter@employer.example")
    assert found["message_id"] == "adapter-1@hetao.example"
    assert isinstance(await _send_mail(mail, "adapter-2", "adapter@bounce.example"), Permanent)
    mail.mood("failing", channel="mail")
    assert isinstance(await _send_mail(mail, "adapter-3", "adapter@employer.example"), Temporary)
