import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.sandbox.programs import TOKEN, Program
from tests.sandbox.receiver import Receiver


def _mail(message_id: str, to: str) -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<{message_id}>"
    message["From"], message["To"], message["Subject"] = "notices@hetao.example", to, "您的签注已签发"
    message.set_content("正文 text")
    message.add_alternative("<p>正文 html</p>", subtype="html")
    return message


def _send(mail: Program, message_id: str, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=15) as client:
        client.send_message(_mail(message_id, to))


async def test_a_mail_is_kept_with_text_html_and_message_id(mail: Program) -> None:
    await asyncio.to_thread(_send, mail, "delivery-1@hetao.example", "A@employer.example")
    (found,) = mail.get("/messages", to="a@employer.example")
    assert (found["message_id"], found["subject"]) == ("delivery-1@hetao.example", "您的签注已签发")
    assert found["text"].strip() == "正文 text"
    assert found["html"].strip() == "<p>正文 html</p>"
    assert "delivery-1@hetao.example" in mail.get(f"/messages/{found['id']}")["raw"]
    assert mail.get("/messages", to="a@employer.example", after=found["id"]) == []
    assert "您的签注已签发" in mail.ask("GET", "/").text


async def test_a_mail_sent_twice_is_kept_twice(mail: Program) -> None:
    for _ in range(2):
        await asyncio.to_thread(_send, mail, "delivery-2@hetao.example", "twice@employer.example")
    assert len(mail.get("/messages", to="twice@employer.example")) == 2


@pytest.mark.parametrize(("mood", "code"), [("failing", 451), ("away", 421), ("refusing", 550)])
async def test_the_mood_decides_how_a_mail_is_refused(mail: Program, mood: str, code: int) -> None:
    mail.mood(mood, channel="mail")
    with pytest.raises(smtplib.SMTPException) as refusal:
        await asyncio.to_thread(_send, mail, "delivery-3@hetao.example", f"{mood}@employer.example")
    assert str(code) in str(refusal.value)
    assert mail.get("/messages", to=f"{mood}@employer.example") == []
    assert mail.post("/sms", {"to": "+8613800000001", "text": "x"}, key=f"{mood}-sms").status_code == 202


async def test_mail_to_a_bouncing_domain_is_refused_for_good(mail: Program) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await asyncio.to_thread(_send, mail, "delivery-4@hetao.example", "x@bounce.example")


async def test_an_sms_is_taken_once_and_its_receipt_is_signed(mail: Program, receiver: Receiver) -> None:
    body = {"to": "+8613800000002", "text": "有新消息 HT-1"}
    first, second = (mail.post("/sms", body, key="sms-1") for _ in range(2))
    assert (first.status_code, second.json()) == (202, first.json())
    (found,) = mail.get("/sms", to="+8613800000002")
    assert (found["sms_id"], found["times"]) == (first.json()["id"], 2)
    (receipt,) = await receiver.wait_for(1, about=found["sms_id"])
    assert (receipt["status"], set(receipt)) == ("delivered", {"id", "status", "at"})
    assert "/v1/receipts" in {path for path, _, body in receiver.got if body.get("id") == found["sms_id"]}
    assert mail.post("/sms", body | {"text": "other"}, key="sms-1").status_code == 422


async def test_an_sms_to_an_unreachable_number_fails_by_receipt(mail: Program, receiver: Receiver) -> None:
    sms_id = mail.post("/sms", {"to": "+8613800000000", "text": "x"}, key="sms-2").json()["id"]
    (receipt,) = await receiver.wait_for(1, about=sms_id)
    assert receipt["status"] == "failed"


async def test_receipts_for_mail_are_sent_when_asked(mail: Program, receiver: Receiver) -> None:
    mail.post("/sandbox/receipts", {"id": "delivery-9@hetao.example", "status": "failed"}).raise_for_status()
    (receipt,) = await receiver.wait_for(1, about="delivery-9@hetao.example")
    assert receipt["status"] == "failed"


async def test_a_receipt_comes_thrice_when_the_mood_duplicates(mail: Program, receiver: Receiver) -> None:
    mail.mood("duplicating", channel="sms")
    before = mail.get("/sandbox/mood")["met"].get("duplicating", 0)
    sms_id = mail.post("/sms", {"to": "+8613800000006", "text": "x"}, key="sms-6").json()["id"]
    assert [each["status"] for each in await receiver.wait_for(3, about=sms_id)] == ["delivered"] * 3
    ids = [headers["webhook-id"] for _, headers, body in receiver.got if body.get("id") == sms_id]
    assert len(set(ids)) == 2
    assert mail.get("/sandbox/mood")["met"]["duplicating"] == before + 1


async def test_out_of_order_a_receipt_is_ahead_of_the_answer_and_another_contradicts_it(
    mail: Program, receiver: Receiver
) -> None:
    mail.mood("out-of-order", channel="sms")
    answer = await asyncio.to_thread(mail.post, "/sms", {"to": "+8613800000007", "text": "x"}, key="sms-7")
    sms_id = answer.json()["id"]
    assert "delivered" in [body["status"] for body in receiver.bodies if body.get("id") == sms_id]
    assert [each["status"] for each in await receiver.wait_for(2, about=sms_id)] == ["delivered", "delivered"]


async def test_the_sms_gateway_asks_for_its_token_and_a_key(mail: Program) -> None:
    body = {"to": "+8613800000003", "text": "x"}
    assert mail.post("/sms", body, key="sms-3", token=TOKEN + "x").status_code == 401
    assert mail.post("/sms", body).status_code == 400


async def test_a_webhook_is_kept_as_it_came(mail: Program) -> None:
    answer = mail.ask("POST", "/hooks/employer-a", content=b'{"a": 1}', headers={"webhook-id": "msg_1"})
    assert answer.status_code == 204
    (found,) = mail.get("/hooks", name="employer-a")
    assert (found["body"], found["message_id"]) == ('{"a": 1}', "msg_1")
    mail.mood("refusing", channel="hooks")
    assert mail.ask("POST", "/hooks/employer-a", content=b"{}").status_code == 410


async def test_an_unknown_channel_or_mood_is_refused(mail: Program) -> None:
    assert mail.post("/sandbox/mood", {"mood": "slow", "channel": "fax"}).status_code == 422
    assert mail.post("/sandbox/mood", {"mood": "cheerful"}).status_code == 422


async def test_messages_outlive_a_kill(directory: Path) -> None:
    mail = Program("mail", directory).start()
    await asyncio.to_thread(_send, mail, "delivery-5@hetao.example", "kept@employer.example")
    mail.post("/sms", {"to": "+8613800000005", "text": "x"}, key="sms-5").raise_for_status()
    mail.kill()
    mail.start()
    assert len(mail.get("/messages", to="kept@employer.example")) == 1
    assert mail.get("/sandbox/books") == {"mail": 1, "sms": 1, "hooks": 0}
    mail.stop()
