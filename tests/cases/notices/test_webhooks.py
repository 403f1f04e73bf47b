"""Webhook subscriptions: recorded, rotated, tried, ended, and seen by their own employer only."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select

from cases.case.file import open_case
from cases.notices.compose import Telling, tell
from cases.notices.due import Outcome, Result, lease, settle
from cases.notices.webhooks import list_deliveries, list_webhooks, put_webhook, rotate_secret
from cases.notices.webhooks import test_webhook as try_webhook
from cases.shared.context import Context
from cases.shared.views import document
from domain.errors import Refused
from domain.notices import Channel, NoticeKind, Recipient
from domain.webhooks import MOST_SUBSCRIPTIONS, Scheme, SecretRequest, WebhookRequest
from programmes.talent_permit.notices import PermitNotice
from proof.webhooks import sign, verify
from store.tables import ledger, webhooks
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, NOON, Clock, key, load_samples, open_context
from tests.cases.notices.telling import later, rows_of, statuses, take_on

URL = "https://hr.example.com/hooks"
KIND = NoticeKind.REGISTRATION_WITHDRAWN


@pytest_asyncio.fixture
async def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def context(clean_database: str, clock: Clock) -> AsyncIterator[Context]:
    async with open_context(clean_database, clock) as context:
        await load_samples(context)
        yield context


def _request(url: str = URL, *kinds: str, scheme: Scheme = Scheme.V1) -> WebhookRequest:
    return WebhookRequest(url=url, kinds=kinds or (KIND,), scheme=scheme)


async def _add(context: Context, request: WebhookRequest | None = None) -> tuple[UUID, str]:
    reply = await put_webhook(context, EMPLOYER_A, request or _request(), key())
    return UUID(reply.body["id"]), reply.body.get("secret") or reply.body["public_key"]


async def _tell(context: Context, reference: str, occasion: str = "1") -> None:
    async with open_case(context, reference) as (file, _):
        tell(file, Telling(KIND, context.clock(), occasion, only=frozenset({Recipient.EMPLOYER})))


async def test_a_new_subscription_shows_its_secret_once(context: Context) -> None:
    named = key()
    first = await put_webhook(context, EMPLOYER_A, _request(), named)
    assert first.progress == "made"
    assert first.body["secret"].startswith("whsec_")
    assert await put_webhook(context, EMPLOYER_A, _request(), named) == first
    (shown,) = await list_webhooks(context, EMPLOYER_A)
    assert document(shown) == {name: value for name, value in first.body.items() if name != "secret"}


async def test_url_and_secret_are_sealed(context: Context) -> None:
    _, secret = await _add(context)
    async with context.database.begin() as connection:
        row = (await connection.execute(select(webhooks))).one()
    assert URL.encode() not in row.url
    assert secret.encode() not in row.secrets


async def test_the_same_url_again_replaces_its_kinds(context: Context) -> None:
    first, _ = await _add(context)
    changed = await put_webhook(context, EMPLOYER_A, _request(URL, PermitNotice.PERMIT_ISSUED), key())
    assert changed.progress == "applied"
    assert changed.body["id"] == str(first)
    assert "secret" not in changed.body
    off = await put_webhook(context, EMPLOYER_A, WebhookRequest(url=URL, kinds=()), key())
    assert (off.body["state"], off.body["kinds"]) == ("off", [])
    async with context.database.begin() as connection:
        query = select(ledger.c.detail).where(ledger.c.act == "webhook_recorded").order_by(ledger.c.recorded_at)
        rows = (await connection.execute(query)).scalars()
        assert [row["change"] for row in rows] == ["added", "changed", "changed"]


async def test_a_private_address_is_refused_and_nothing_stored(context: Context) -> None:
    for url in ("http://hr.example.com", "https://10.0.0.1/hook", "https://localhost/hook"):
        with pytest.raises(Refused) as refused:
            await put_webhook(context, EMPLOYER_A, _request(url), key())
        assert refused.value.code == "invalid"
        assert refused.value.errors[0].field == "url"
    assert await list_webhooks(context, EMPLOYER_A) == []


async def test_there_are_only_so_many(context: Context) -> None:
    for number in range(MOST_SUBSCRIPTIONS):
        await _add(context, _request(f"{URL}/{number}"))
    with pytest.raises(Refused):
        await _add(context)
    await _add_again(context)


async def _add_again(context: Context) -> None:
    reply = await put_webhook(context, EMPLOYER_A, _request(f"{URL}/0"), key())
    assert reply.progress == "applied"


async def test_another_employer_sees_nothing_of_it(context: Context) -> None:
    webhook_id, _ = await _add(context)
    assert await list_webhooks(context, EMPLOYER_B) == []
    for call in (
        rotate_secret(context, EMPLOYER_B, webhook_id, SecretRequest(), key()),
        try_webhook(context, EMPLOYER_B, webhook_id, key()),
        list_deliveries(context, EMPLOYER_B, webhook_id),
    ):
        with pytest.raises(Refused) as refused:
            await call
        assert refused.value.code == "not_found"


@pytest.mark.parametrize("scheme", list(Scheme))
async def test_a_rotated_key_signs_beside_the_old_one_for_a_day(context: Context, clock: Clock, scheme: Scheme) -> None:
    webhook_id, old = await _add(context, _request(scheme=scheme))
    named = key()
    reply = await rotate_secret(context, EMPLOYER_A, webhook_id, SecretRequest(), named)
    assert await rotate_secret(context, EMPLOYER_A, webhook_id, SecretRequest(), named) == reply
    new = reply.body.get("secret") or reply.body["public_key"]
    assert new != old
    await try_webhook(context, EMPLOYER_A, webhook_id, key())
    (due,) = await lease(context, Channel.WEBHOOK, NOON, 10)
    headers = sign(due.message_id, NOON, due.text, due.keys)
    for known in (old, new):
        assert verify(headers, due.text.encode(), [known], NOON) == due.message_id
    tomorrow = NOON + timedelta(days=1)
    (due,) = await lease(context, Channel.WEBHOOK, tomorrow, 10)
    headers = sign(due.message_id, tomorrow, due.text, due.keys)
    verify(headers, due.text.encode(), [new], tomorrow)
    with pytest.raises(Refused):
        verify(headers, due.text.encode(), [old], tomorrow)


async def test_rotation_may_change_the_scheme(context: Context) -> None:
    webhook_id, _ = await _add(context)
    reply = await rotate_secret(context, EMPLOYER_A, webhook_id, SecretRequest(scheme=Scheme.V1A), key())
    assert reply.body["public_key"].startswith("whpk_")
    assert (await list_webhooks(context, EMPLOYER_A))[0].scheme == "v1a"


async def test_a_test_goes_out_like_any_other_delivery(context: Context) -> None:
    webhook_id, _ = await _add(context)
    named = key()
    reply = await try_webhook(context, EMPLOYER_A, webhook_id, named)
    assert await try_webhook(context, EMPLOYER_A, webhook_id, named) == reply
    (due,) = await lease(context, Channel.WEBHOOK, NOON, 10)
    assert (due.message_id, due.to) == (reply.body["delivery_id"], URL)
    await settle(context, [Result(due.leased, Outcome.DELIVERED)], NOON)
    (shown,), position = await list_deliveries(context, EMPLOYER_A, webhook_id)
    assert (shown.kind, shown.status, shown.attempts, position) == ("webhook_test", "delivered", 1, None)


async def test_deliveries_come_in_pages_newest_first(context: Context, clock: Clock) -> None:
    webhook_id, _ = await _add(context)
    reference = await take_on(context)
    for minute in range(5):
        clock.at = NOON + timedelta(minutes=minute)
        await _tell(context, reference, str(minute))
    found, after = [], None
    while True:
        page, after = await list_deliveries(context, EMPLOYER_A, webhook_id, after=after, limit=2)
        found += page
        if after is None:
            break
        after = (str(after[0]), str(after[1]))
    assert [each.created_at for each in found] == sorted((each.created_at for each in found), reverse=True)
    assert len({each.id for each in found}) == 5
    assert {each.reference for each in found} == {reference}


async def test_410_ends_the_subscription_and_what_waits_for_it(context: Context) -> None:
    webhook_id, _ = await _add(context)
    reference = await take_on(context)
    for occasion in ("1", "2"):
        await _tell(context, reference, occasion)
    first, second = await lease(context, Channel.WEBHOOK, NOON, 10)
    gone = Result(first.leased, Outcome.FAILED, reason="webhook_410", ends_subscription=webhook_id)
    await settle(context, [gone, Result(second.leased, Outcome.UNTOUCHED)], NOON)
    (shown,) = await list_webhooks(context, EMPLOYER_A)
    assert shown.state == "gone"
    (blocked,) = await lease(context, Channel.WEBHOOK, NOON, 10)
    assert blocked.blocked == "subscription_ended"
    with pytest.raises(Refused) as refused:
        await try_webhook(context, EMPLOYER_A, webhook_id, key())
    assert refused.value.code == "wrong_stage"
    await _tell(context, reference, "3")
    assert len((await list_deliveries(context, EMPLOYER_A, webhook_id))[0]) == 2
    await put_webhook(context, EMPLOYER_A, _request(), key())
    assert (await list_webhooks(context, EMPLOYER_A))[0].state == "active"


async def test_a_subscription_that_takes_nothing_for_days_is_paused_and_its_employer_told(
    context: Context, clock: Clock
) -> None:
    webhook_id, _ = await _add(context)
    reference = await take_on(context)
    await _tell(context, reference, "1")
    (row,) = await rows_of(context, Channel.WEBHOOK)
    while row["status"] == "queued":
        clock.at = row["next_attempt"]
        due = await lease(context, Channel.WEBHOOK, clock.at, 10)
        await settle(context, later(due, "webhook_404"), clock.at)
        (row,) = await rows_of(context, Channel.WEBHOOK)
    assert (row["status"], row["reason"]) == ("failed", "webhook_404")
    assert clock.at - NOON == context.limits.notice_retry
    (shown,) = await list_webhooks(context, EMPLOYER_A)
    assert shown.state == "paused"
    assert (await statuses(context))["webhook_paused employer"] == "queued"
    with pytest.raises(Refused, match="wrong_stage"):
        await try_webhook(context, EMPLOYER_A, webhook_id, key())
    await put_webhook(context, EMPLOYER_A, _request(), key())
    assert (await list_webhooks(context, EMPLOYER_A))[0].state == "active"


async def test_one_message_that_is_given_up_pauses_no_subscription_that_takes_others(
    context: Context, clock: Clock
) -> None:
    await _add(context)
    reference = await take_on(context)
    await _tell(context, reference, "1")
    (refused,) = await lease(context, Channel.WEBHOOK, NOON, 10)
    clock.at = NOON + context.limits.notice_retry
    await _tell(context, reference, "2")
    again, other = sorted(
        await lease(context, Channel.WEBHOOK, clock.at, 10), key=lambda due: due.message_id != refused.message_id
    )
    await settle(context, [Result(other.leased, Outcome.DELIVERED)], clock.at)
    await settle(context, later([again], "webhook_400"), clock.at)
    assert (await list_webhooks(context, EMPLOYER_A))[0].state == "active"
    assert "webhook_paused employer" not in await statuses(context)


async def test_a_receiver_that_is_away_holds_up_only_its_own(context: Context) -> None:
    await _add(context)
    reference = await take_on(context)
    for occasion in ("1", "2"):
        await _tell(context, reference, occasion)
    first = (await lease(context, Channel.WEBHOOK, NOON, 1))[0]
    await settle(context, [Result(first.leased, Outcome.LATER, reason="webhook_timeout", retry_after=60)], NOON)
    assert await lease(context, Channel.WEBHOOK, NOON + timedelta(seconds=59), 10) == []
    assert len(await lease(context, Channel.WEBHOOK, NOON + timedelta(seconds=60), 10)) == 2
    assert await statuses(context) == {"registration_withdrawn employer": "queued"}


async def test_an_unknown_webhook_is_not_found(context: Context) -> None:
    with pytest.raises(Refused) as refused:
        await rotate_secret(context, EMPLOYER_A, uuid4(), SecretRequest(), key())
    assert refused.value.code == "not_found"
