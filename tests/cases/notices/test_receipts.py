"""Receipts of the gateways: in any order, twice, late, of many notices at once, and unknown."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from cases.notices.due import lease, settle
from cases.notices.receipts import receive
from cases.shared.context import Context
from domain.clock import day_of, morning_of
from domain.notices import Channel, Recipient
from domain.webhooks import ReceiptRequest, ReceiptStatus
from record.reconciliation.reconcile import reconcile_case
from store.tables import receipts
from tests.api.engines import NoHistories
from tests.cases.contexts import NOON, Clock, load_samples, open_context
from tests.cases.notices.telling import ledger_acts, notify, rows_of, sent, statuses, take_digests, take_on

DELIVERED, FAILED = ReceiptStatus.DELIVERED, ReceiptStatus.FAILED


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


def _receipt(message: str, status: ReceiptStatus = DELIVERED) -> ReceiptRequest:
    return ReceiptRequest(id=message, status=status, at=NOON)


async def _send_sms(context: Context, provider_id: str = "sms_1") -> str:
    await notify(context, await take_on(context, email=None))
    (due,) = await lease(context, Channel.SMS, NOON, 10)
    await settle(context, sent([due], provider_id), NOON)
    return due.message_id


async def _kept(context: Context) -> int:
    async with context.database.begin() as connection:
        return int((await connection.execute(select(func.count()).select_from(receipts))).scalar_one())


async def test_a_receipt_moves_the_delivery_forward(context: Context) -> None:
    await _send_sms(context)
    reply = await receive(context, "msg_1", _receipt("sms_1"))
    assert (reply.progress, reply.body) == ("applied", {"status": "recorded"})
    assert await statuses(context) == {"registration_withdrawn person": "delivered"}
    assert await ledger_acts(context) == [(1, "notice_sent", "sent"), (2, "receipt_recorded", "delivered")]


async def test_a_delivered_after_a_failure_changes_nothing(context: Context) -> None:
    await _send_sms(context)
    await receive(context, "msg_1", _receipt("sms_1", FAILED))
    await receive(context, "msg_2", _receipt("sms_1", DELIVERED))
    assert (await rows_of(context, Channel.SMS))[0]["status"] == "failed"
    assert await _kept(context) == 2


async def test_a_message_seen_before_gets_the_first_answer_and_writes_nothing(context: Context) -> None:
    await _send_sms(context)
    first = await receive(context, "msg_1", _receipt("sms_1"))
    assert await receive(context, "msg_1", _receipt("sms_1")) == first
    assert await _kept(context) == 1


async def test_other_content_under_a_known_message_id_is_a_message_of_its_own(context: Context) -> None:
    await _send_sms(context)
    await receive(context, "msg_1", _receipt("sms_1"))
    for _ in range(2):
        await receive(context, "msg_1", _receipt("sms_1", FAILED))
    assert await _kept(context) == 2
    assert (await rows_of(context, Channel.SMS))[0]["status"] == "failed"
    assert [act for _, *act in await ledger_acts(context)][1:] == [
        ["receipt_recorded", "delivered"],
        ["receipt_recorded", "failed"],
    ]


async def test_the_same_message_twice_at_once_counts_once(context: Context) -> None:
    await _send_sms(context)
    replies = await asyncio.gather(*(receive(context, "msg_1", _receipt("sms_1")) for _ in range(4)))
    assert {reply.progress for reply in replies} == {"applied"}
    assert await _kept(context) == 1
    assert len(await ledger_acts(context)) == 2


async def test_our_own_id_finds_the_delivery_before_the_gateways_answer_is_settled(context: Context) -> None:
    await notify(context, await take_on(context))
    (due,) = await lease(context, Channel.MAIL, NOON, 10)
    await receive(context, "msg_1", _receipt(f"<{due.message_id}@hetao.example>"))
    await settle(context, sent([due], f"{due.message_id}@hetao.example"), NOON)
    (row,) = await rows_of(context)
    assert row["status"] == "delivered"
    assert (await receive(context, "msg_2", _receipt(f"{due.message_id}@hetao.example"))).progress == "applied"
    assert (await receive(context, "msg_3", _receipt(due.message_id))).progress == "applied"


@pytest.mark.parametrize("status", list(ReceiptStatus))
async def test_a_receipt_ahead_of_the_gateways_answer_is_held_until_it_fits(
    context: Context, status: ReceiptStatus
) -> None:
    first = await receive(context, "msg_1", _receipt("sms_1", status))
    assert (first.progress, first.body) == ("applied", {"status": "held"})
    assert await receive(context, "msg_1", _receipt("sms_1", status)) == first
    await receive(context, "msg_2", _receipt("sms_2", status))
    await _send_sms(context)
    assert (await rows_of(context, Channel.SMS))[0]["status"] == status.value
    async with context.database.begin() as connection:
        query = select(receipts.c.about).where(receipts.c.delivery_id.is_(None))
        assert (await connection.execute(query)).scalars().all() == ["sms_2"]


async def test_a_receipt_and_the_gateways_answer_at_once_never_miss_each_other(context: Context) -> None:
    reference = await take_on(context, email=None)
    for number in range(12):
        await notify(context, reference, occasion=str(number))
    dues = await lease(context, Channel.SMS, NOON, 20)
    await asyncio.gather(
        *(settle(context, sent([due], f"sms_{number}"), NOON) for number, due in enumerate(dues)),
        *(receive(context, f"msg_{number}", _receipt(f"sms_{number}")) for number in range(len(dues))),
    )
    assert [row["status"] for row in await rows_of(context, Channel.SMS)] == ["delivered"] * 12


async def test_a_mail_that_came_back_is_followed_by_an_sms(context: Context) -> None:
    await notify(context, await take_on(context))
    mail = await lease(context, Channel.MAIL, NOON, 10)
    await settle(context, sent(mail, "m@x"), NOON)
    await receive(context, "msg_1", _receipt("<m@x>", FAILED))
    assert {row["channel"]: row["status"] for row in await rows_of(context)} == {"mail": "failed", "sms": "queued"}


@pytest.mark.parametrize("is_early", [False, True])
async def test_a_mail_that_came_back_after_it_had_arrived_is_followed_by_an_sms(
    context: Context, is_early: bool
) -> None:
    reference = await take_on(context)
    await notify(context, reference)
    mail = await lease(context, Channel.MAIL, NOON, 10)
    if not is_early:
        await settle(context, sent(mail, "m@x"), NOON)
    await receive(context, "msg_1", _receipt("<m@x>", DELIVERED))
    await receive(context, "msg_2", _receipt("<m@x>", FAILED))
    if is_early:
        await settle(context, sent(mail, "m@x"), NOON)
    assert {row["channel"]: row["status"] for row in await rows_of(context)} == {"mail": "failed", "sms": "queued"}
    _, found = await reconcile_case(context, NoHistories(), reference)
    assert [each for each in found if each.code == "ledger_row_without_counterpart"] == []


async def test_an_sms_that_did_not_arrive_leaves_it_to_the_employer(context: Context) -> None:
    await _send_sms(context)
    await receive(context, "msg_1", _receipt("sms_1", FAILED))
    assert await statuses(context) == {
        "registration_withdrawn person": "failed",
        "hand_over_requested employer": "queued",
    }


async def test_a_receipt_of_one_mail_a_day_counts_for_all_it_held(context: Context) -> None:
    reference = await take_on(context)
    await take_digests(context)
    for number in range(3):
        await notify(context, reference, to=Recipient.EMPLOYER, occasion=str(number))
    morning = morning_of(day_of(NOON) + timedelta(days=1))
    digest = await lease(context, Channel.MAIL, morning, 10)
    await settle(context, sent(digest, "d@x"), morning)
    await receive(context, "msg_1", _receipt("d@x"))
    assert {row["status"] for row in await rows_of(context, Channel.MAIL)} == {"delivered"}
    assert await _kept(context) == 3
