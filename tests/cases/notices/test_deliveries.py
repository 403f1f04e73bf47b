"""Deliveries: leased fairly and once, settled, tried again, and what follows where nobody is reached."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from cases.case.file import open_case
from cases.notices import results as delivery_results
from cases.notices.channels import health
from cases.notices.due import LEASE, Outcome, Result, lease, settle, text_instead
from cases.shared.context import Context
from domain.clock import day_of, morning_of, start_of
from domain.errors import Defect
from domain.notices import Channel, NoticeKind, Recipient
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import Destination
from store.tables import cases, data_keys, incidents, notices
from tests.cases.contexts import EMPLOYER_B, NOON, OFFICER, Clock, load_samples, open_context
from tests.cases.notices.telling import (
    LETTER_FACTS,
    failed,
    later,
    ledger_acts,
    notify,
    open_tasks,
    rows_of,
    sent,
    statuses,
    take_digests,
    take_on,
)

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
OTHER_PERSON = {"identity_number": "44030519850615002X", "permit_card_number": "C87654321"}


@pytest_asyncio.fixture
async def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def context(clean_database: str, clock: Clock) -> AsyncIterator[Context]:
    async with open_context(clean_database, clock) as context:
        await load_samples(context)
        yield context


async def test_a_due_mail_is_leased_with_its_exact_text_and_todays_address(context: Context) -> None:
    await notify(context, await take_on(context))
    (due,) = await lease(context, Channel.MAIL, NOON, 10)
    assert due.to == "feng@example.com"
    assert due.html is not None
    assert "河套示例科学研究院" in due.text
    assert due.leased.until == NOON + LEASE
    assert due.message_id == str((await rows_of(context))[0]["delivery_id"])


async def test_a_sent_mail_moves_delivery_notice_and_ledger(context: Context) -> None:
    await notify(context, await take_on(context))
    dues = await lease(context, Channel.MAIL, NOON, 10)
    count = await settle(context, sent(dues, "<1@x>"), NOON + SECOND)
    (row,) = await rows_of(context)
    assert (count.sent, row["status"], row["attempts"], row["provider_id"]) == (1, "sent", 1, "<1@x>")
    assert row["sent_at"] == NOON + SECOND
    assert row["lease_until"] is None
    assert await statuses(context) == {"registration_withdrawn person": "sent"}
    assert await ledger_acts(context) == [(1, "notice_sent", "sent")]


async def test_a_result_given_twice_changes_nothing(context: Context) -> None:
    await notify(context, await take_on(context))
    results = sent(await lease(context, Channel.MAIL, NOON, 10))
    await settle(context, results, NOON)
    before = await rows_of(context)
    await settle(context, results, NOON + DAY)
    after = await rows_of(context)
    assert [row["status"] for row in after] == [row["status"] for row in before]
    assert after[0]["sent_at"] == before[0]["sent_at"]
    assert len(await ledger_acts(context)) == 1


async def test_what_is_leased_is_given_to_nobody_else_until_the_lease_ends(context: Context) -> None:
    await notify(context, await take_on(context))
    (first,) = await lease(context, Channel.MAIL, NOON, 10)
    assert await lease(context, Channel.MAIL, NOON + LEASE - SECOND, 10) == []
    (again,) = await lease(context, Channel.MAIL, NOON + LEASE, 10)
    assert again.message_id == first.message_id


async def test_two_deliverers_at_once_never_lease_the_same(context: Context) -> None:
    reference = await take_on(context)
    for number in range(40):
        await notify(context, reference, occasion=str(number))
    batches = await asyncio.gather(*(lease(context, Channel.MAIL, NOON, 10) for _ in range(6)))
    ids = [due.message_id for batch in batches for due in batch]
    assert len(ids) == len(set(ids)) == 40


async def test_a_late_result_of_a_lost_lease_counts_only_where_the_message_went(context: Context) -> None:
    await notify(context, await take_on(context))
    old = await lease(context, Channel.MAIL, NOON, 10)
    new = await lease(context, Channel.MAIL, NOON + LEASE, 10)
    await settle(context, failed(old), NOON + LEASE)
    (row,) = await rows_of(context)
    assert (row["status"], row["attempts"], row["lease_until"]) == ("queued", 0, NOON + 2 * LEASE)
    await settle(context, sent(old), NOON + LEASE)
    await settle(context, later(new), NOON + LEASE)
    assert [row["status"] for row in await rows_of(context)] == ["sent"]


async def test_an_employer_with_much_to_say_does_not_keep_the_others_waiting(context: Context) -> None:
    many, few = await take_on(context), await take_on(context, EMPLOYER_B, **OTHER_PERSON)
    for number in range(30):
        await notify(context, many, occasion=str(number), at=NOON - DAY / 24)
    for number in range(3):
        await notify(context, few, occasion=str(number))
    dues = await lease(context, Channel.MAIL, NOON, 8)
    rows = {str(row["delivery_id"]): row["employer_id"] for row in await rows_of(context)}
    assert Counter(rows[due.message_id] for due in dues) == {"emp-a": 4, "emp-b": 3}


async def test_a_failed_attempt_waits_longer_each_time_and_gives_up_after_three_days(context: Context) -> None:
    await notify(context, await take_on(context, phone=None))
    at, waits = NOON, []
    while (await rows_of(context, Channel.MAIL))[0]["status"] == "queued":
        await settle(context, later(await lease(context, Channel.MAIL, at, 10)), at)
        row = (await rows_of(context, Channel.MAIL))[0]
        if row["next_attempt"] is not None:
            waits.append(row["next_attempt"] - at)
            at = row["next_attempt"]
    assert waits[:3] == sorted(waits[:3])
    assert max(waits) <= timedelta(hours=1.2)
    assert at == NOON + context.limits.notice_retry
    assert (row["status"], row["reason"]) == ("failed", "timeout")


async def test_retry_after_is_obeyed(context: Context) -> None:
    await notify(context, await take_on(context))
    await settle(context, later(await lease(context, Channel.MAIL, NOON, 10), retry_after=7200), NOON)
    (row,) = await rows_of(context)
    assert row["next_attempt"] == NOON + timedelta(hours=2)


async def test_what_was_not_begun_is_given_back_at_once(context: Context) -> None:
    await notify(context, await take_on(context))
    dues = await lease(context, Channel.MAIL, NOON, 10)
    await settle(context, [Result(dues[0].leased, Outcome.UNTOUCHED)], NOON)
    assert (await rows_of(context))[0]["attempts"] == 0
    assert len(await lease(context, Channel.MAIL, NOON, 10)) == 1


async def test_an_sms_follows_a_mail_that_failed_for_good(context: Context) -> None:
    await notify(context, await take_on(context))
    await settle(context, failed(await lease(context, Channel.MAIL, NOON, 10)), NOON)
    (due,) = await lease(context, Channel.SMS, NOON, 10)
    assert due.to == "+8613812345678"
    assert "冯承泽" not in due.text
    assert await statuses(context) == {"registration_withdrawn person": "queued"}


async def test_an_sms_follows_a_mail_not_sent_within_a_day_once(context: Context) -> None:
    await notify(context, await take_on(context))
    almost = NOON + context.limits.sms_after_mail - SECOND
    assert await text_instead(context, almost) == 0
    opened = await asyncio.gather(*(text_instead(context, almost + SECOND) for _ in range(3)))
    assert max(opened) == 1
    assert await text_instead(context, almost + DAY) == 0
    assert [row["channel"] for row in await rows_of(context)] == ["mail", "sms"]


async def test_no_sms_follows_where_there_is_no_phone(context: Context) -> None:
    await notify(context, await take_on(context, phone=None))
    assert await text_instead(context, NOON + 2 * DAY) == 0


async def test_no_sms_goes_out_at_night(context: Context) -> None:
    await notify(context, await take_on(context, email=None))
    midnight = start_of(day_of(NOON) + DAY)
    for hour, due in ((20.99, 1), (21, 0), (23, 0), (31.99, 0), (32, 1)):
        at = midnight - DAY + timedelta(hours=hour)
        dues = await lease(context, Channel.SMS, at, 10)
        assert len(dues) == due, hour
        await settle(context, [Result(each.leased, Outcome.UNTOUCHED) for each in dues], at)


async def test_with_no_channel_left_the_employer_is_asked_to_hand_over(context: Context) -> None:
    await notify(context, await take_on(context, phone=None))
    await settle(context, failed(await lease(context, Channel.MAIL, NOON, 10)), NOON)
    assert await statuses(context) == {
        "registration_withdrawn person": "failed",
        "hand_over_requested employer": "queued",
    }
    assert await open_tasks(context, "undelivered") == 0
    assert await ledger_acts(context) == [(1, "notice_failed", "failed")]


@pytest.mark.parametrize("is_sent", [True, False])
async def test_whoever_hands_a_notice_over_has_what_it_says(context: Context, is_sent: bool) -> None:
    contact: dict[str, Any] = {} if is_sent else {"phone": None, "email": None}
    facts = {"last_day": date(2026, 3, 31), "end_reason": "contract_ended"}
    await notify(context, await take_on(context, **contact), PermitNotice.DEPARTURE_RECORDED, facts=facts)
    if is_sent:
        await settle(context, failed(await lease(context, Channel.MAIL, NOON, 10)), NOON)
        await settle(context, failed(await lease(context, Channel.SMS, NOON, 10)), NOON)
    (asked,) = await lease(context, Channel.MAIL, NOON, 10)
    assert asked.subject.endswith("请转交通知")
    for words in ("2026年3月31日", "您", "尽快转告", "园区管理部门", "在案件中提出变更"):
        assert words in asked.text, words


async def test_of_what_is_for_the_person_alone_the_heading_is_handed_over(context: Context) -> None:
    facts = {"destination": Destination.HK, "revoked_on": date(2026, 3, 31)}
    await notify(context, await take_on(context, phone=None, email=None), PermitNotice.PERMIT_REVOKED, facts=facts)
    (asked,) = await lease(context, Channel.MAIL, NOON, 10)
    assert "只供其本人知悉" in asked.text
    assert "2026年3月31日" not in asked.text


async def test_of_a_notice_from_before_its_heading_is_handed_over(context: Context) -> None:
    await notify(context, await take_on(context, phone=None))
    async with open_case(context, (await _person_notice(context))["reference"]) as (file, connection):
        row = await _person_notice(context)
        place = ("notices", "body", str(row["notice_id"]))
        body = json.loads(file.person_key.open(*place, row["body"]))
        assert "link" not in body.pop("facts")
        older = file.person_key.seal(*place, json.dumps(body).encode())
        await connection.execute(update(notices).where(notices.c.notice_id == row["notice_id"]).values(body=older))
    await settle(context, failed(await lease(context, Channel.MAIL, NOON, 10)), NOON)
    (asked,) = await lease(context, Channel.MAIL, NOON, 10)
    assert "申请已撤回" in asked.text
    assert "只供其本人知悉" in asked.text


async def _person_notice(context: Context) -> dict[str, Any]:
    async with context.database.begin() as connection:
        query = select(notices).where(notices.c.kind == NoticeKind.REGISTRATION_WITHDRAWN)
        return dict((await connection.execute(query)).mappings().one())


async def test_a_letter_that_reaches_nobody_opens_a_task(context: Context) -> None:
    reference = await take_on(context)
    await notify(context, reference, NoticeKind.REGISTRATION_REFUSED, facts=LETTER_FACTS)
    mails = await lease(context, Channel.MAIL, NOON, 10)
    texts = await lease(context, Channel.SMS, NOON, 10)
    await settle(context, failed(mails), NOON)
    assert await open_tasks(context, "undelivered") == 0
    await asyncio.gather(settle(context, failed(texts), NOON), settle(context, failed(texts), NOON))
    assert await open_tasks(context, "undelivered") == 1
    assert await statuses(context) == {
        "registration_refused person": "failed",
        "hand_over_requested employer": "queued",
    }


async def test_one_mail_a_day_holds_all_that_could_wait(context: Context, clock: Clock) -> None:
    reference = await take_on(context)
    await take_digests(context)
    for number in range(3):
        await notify(context, reference, to=Recipient.EMPLOYER, occasion=str(number))
    await notify(context, reference, NoticeKind.REGISTRATION_LAPSED, to=Recipient.EMPLOYER)
    (at_once,) = await lease(context, Channel.MAIL, NOON, 10)
    await settle(context, sent([at_once]), NOON)
    morning = morning_of(day_of(NOON) + DAY)
    assert await lease(context, Channel.MAIL, morning - SECOND, 10) == []
    (digest,) = await lease(context, Channel.MAIL, morning, 10)
    assert len(digest.leased.delivery_ids) == 3
    assert digest.to == "hr@htri.example"
    # A failed attempt comes back as the same message.
    await settle(context, later([digest]), morning)
    (again,) = await lease(context, Channel.MAIL, morning + timedelta(minutes=1), 10)
    assert (again.message_id, again.text) == (digest.message_id, digest.text)
    await settle(context, sent([again], "<d@x>"), morning)
    assert {row["status"] for row in await rows_of(context, Channel.MAIL)} == {"sent"}


async def test_a_digest_is_put_together_by_one_deliverer(context: Context) -> None:
    reference = await take_on(context)
    await take_digests(context)
    for number in range(20):
        await notify(context, reference, to=Recipient.EMPLOYER, occasion=str(number))
    morning = morning_of(day_of(NOON) + DAY)
    batches = await asyncio.gather(*(lease(context, Channel.MAIL, morning, 10) for _ in range(4)))
    assert [len(due.leased.delivery_ids) for batch in batches for due in batch] == [20]


async def test_what_was_suppressed_after_it_was_leased_stays_suppressed(context: Context) -> None:
    reference = await take_on(context)
    await notify(context, reference)
    dues = await lease(context, Channel.MAIL, NOON, 10)
    async with open_case(context, reference) as (file, _):
        file.suppressed.add((NoticeKind.REGISTRATION_WITHDRAWN.value, "1"))
    await settle(context, failed(dues), NOON)
    assert await statuses(context) == {"registration_withdrawn person": "suppressed"}


async def test_nothing_goes_to_a_person_who_has_died(context: Context) -> None:
    reference = await take_on(context)
    await notify(context, reference)
    async with context.database.begin() as connection:
        await connection.execute(update(cases).values(end_reason="deceased"))
    (due,) = await lease(context, Channel.MAIL, NOON, 10)
    assert due.dropped
    await settle(context, [Result(due.leased, Outcome.DROPPED, reason=due.blocked)], NOON)
    assert await statuses(context) == {"registration_withdrawn person": "suppressed"}


async def test_nothing_goes_out_after_an_erasure(context: Context) -> None:
    await notify(context, await take_on(context))
    async with context.database.begin() as connection:
        await connection.execute(update(data_keys).values(wrapped=None))
    (due,) = await lease(context, Channel.MAIL, NOON, 10)
    assert (due.dropped, due.blocked, due.text) == (True, "erased", "")


async def test_the_health_of_a_channel_says_what_waits_and_what_failed(context: Context, clock: Clock) -> None:
    reference = await take_on(context)
    for number in range(3):
        await notify(context, reference, occasion=str(number))
    dues = await lease(context, Channel.MAIL, NOON, 10)
    await settle(context, [*sent(dues[:1]), *later(dues[1:2], "smtp_451")], NOON)
    clock.at = NOON + timedelta(minutes=10)
    found = {each.channel: each for each in (await health(context, OFFICER)).channels}
    mail = found["mail"]
    assert (mail.queued, mail.due, mail.sent_last_hour, mail.failed_last_hour) == (2, 2, 1, 0)
    assert mail.oldest_due_seconds == 600
    assert mail.last_error == "smtp_451"
    assert found["sms"].queued == 0
    assert set(found) == {"mail", "sms", "webhook"}


async def test_a_defect_over_one_notice_is_an_incident_and_ends_no_channel(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await take_on(context, phone=None)
    for number in range(2):
        await notify(context, reference, occasion=str(number))

    def break_down(*_: object) -> None:
        raise Defect("notice_fact_missing")

    monkeypatch.setattr(delivery_results, "nobody_reached", break_down)
    await settle(context, failed(await lease(context, Channel.MAIL, NOON, 10)), NOON)
    assert {row["status"] for row in await rows_of(context)} == {"failed"}
    async with context.database.begin() as connection:
        reasons = (await connection.execute(select(incidents.c.reason))).scalars().all()
    assert set(reasons) == {"notice_fact_missing"}


async def test_a_notice_of_an_erased_case_fails_without_asking_anybody(context: Context) -> None:
    await notify(context, await take_on(context, phone=None))
    dues = await lease(context, Channel.MAIL, NOON, 10)
    async with context.database.begin() as connection:
        await connection.execute(update(data_keys).values(wrapped=None))
    await settle(context, failed(dues), NOON)
    assert await statuses(context) == {"registration_withdrawn person": "failed"}
