"""Webhook subscriptions of an employer: recorded, given new keys, tried out, and what became of their deliveries.

The URL names a subscription: the same one again replaces its kinds, and brings it back where the receiver had ended it
or where it was paused after days of failure.
A key is shown once, in the answer of the call that made it (and to a repeat of that call); of an Ed25519 key only the
public half is ever shown.
"""

import json
import os
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.keys.data import get_data_key
from cases.notices.employers import tell_employer
from cases.notices.letters import keep_texts
from cases.notices.views import DeliveryView, WebhookView
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.views import document
from domain.actors import Actor
from domain.acts import Act
from domain.clock import CHINA, day_of
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.languages import Language
from domain.notices import Channel, DeliveryStatus, NoticeKind, Recipient
from domain.webhooks import (
    MOST_SUBSCRIPTIONS,
    WEBHOOK_TEST,
    Scheme,
    SecretRequest,
    SigningKey,
    SigningKeys,
    UnfitTargetError,
    WebhookRequest,
    WebhookState,
    check_target,
)
from proof.webhooks import key_pair_from, secret_from
from store.encryption import DataKey
from store.ledger import Entry, append, chain_of
from store.rows.notices import DeliveryRow, WebhookRow
from store.tables import deliveries, employers, notices, webhooks
from temporal.traces import current_traceparent
from texts.notices import Rendered

Position = tuple[datetime | str, UUID | str]
_SECRET_BYTES: Final = 32
_ENDED: Final = {
    WebhookState.GONE: "The receiver ended this subscription (410); record its URL again first.",
    WebhookState.PAUSED: "Nothing arrived there for days, so that it is paused; record its URL again first.",
}


@dataclass(frozen=True, slots=True)
class _Subscription:
    """A subscription in clear."""

    webhook_id: UUID
    url: str
    kinds: tuple[str, ...]
    state: WebhookState
    keys: SigningKeys
    at: datetime

    @property
    def scheme(self) -> Scheme:
        """How its newest key signs."""
        return Scheme.V1 if self.keys.keys[0].key.startswith("whsec_") else Scheme.V1A

    def view(self) -> WebhookView:
        """Return what its employer sees of it, without any key."""
        return WebhookView(
            id=str(self.webhook_id),
            url=self.url,
            kinds=list(self.kinds),
            state=self.state,
            scheme=self.scheme,
            created_at=self.at,
        )


async def list_webhooks(context: Context, actor: Actor) -> list[WebhookView]:
    """Return the caller's subscriptions, oldest first; there are at most twenty, so that no page follows."""
    async with context.database.begin(actor.tenant) as connection:
        key = await _employer_key(context, connection, actor)
        return [each.view() for each in await _subscriptions(connection, key, actor)]


async def put_webhook(context: Context, actor: Actor, request: WebhookRequest, idempotency: Idempotency) -> Reply:
    """Record a subscription; a new one is a 201 with its `secret` or `public_key`, a changed one a 200 without.

    Raises:
        Refused: `invalid` for a URL that webhooks may not go to, or one subscription too many.
    """
    try:
        check_target(request.url, context.webhook_allowed)
    except UnfitTargetError as error:
        errors = [FieldError("url", FieldCode.UNKNOWN_VALUE, str(error))]
        raise Refused("invalid", "Webhooks may not go to this URL.", errors) from None

    async def write(connection: AsyncConnection) -> Done:
        key = await _employer_key(context, connection, actor, lock=True)
        there = await _subscriptions(connection, key, actor)
        same = next((each for each in there if each.url == request.url), None)
        reply = (
            await _change(connection, actor, same, request, context.clock())
            if same
            else await _add(connection, actor, key, request, len(there), context.clock())
        )
        return Done(reply, key)

    return (await once(context, actor, idempotency, write)).reply


async def rotate_secret(
    context: Context, actor: Actor, webhook_id: UUID, request: SecretRequest, idempotency: Idempotency
) -> Reply:
    """Give a subscription a new key and show it; the earlier ones sign beside it for a day.

    Raises:
        Refused: `not_found` when the caller has no such subscription.
    """

    async def write(connection: AsyncConnection) -> Done:
        at = context.clock()
        key = await _employer_key(context, connection, actor, lock=True)
        found = await _get(connection, key, actor, webhook_id)
        scheme = request.scheme or found.scheme
        secret, shown = _new_key(scheme)
        keys = found.keys.replaced_by(secret, at)
        sealed = key.seal("webhooks", "secrets", str(webhook_id), keys.model_dump_json().encode())
        await connection.execute(update(webhooks).where(_is(actor, webhook_id)).values(secrets=sealed))
        ends = [each.until for each in keys.keys if each.until is not None]
        reply = Reply(
            Progress.APPLIED,
            {
                "id": str(webhook_id),
                **shown,
                "earlier_until": max(ends).astimezone(CHINA).isoformat() if ends else None,
            },
        )
        await _record(connection, actor, at, webhook_id, change="rotated", scheme=scheme.value)
        return Done(reply, key)

    return (await once(context, actor, idempotency, write)).reply


async def test_webhook(context: Context, actor: Actor, webhook_id: UUID, idempotency: Idempotency) -> Reply:
    """Queue a real, signed delivery of the kind `webhook_test` and answer 202 with its id.

    Raises:
        Refused: `not_found` when the caller has no such subscription; `wrong_stage` when it has ended or is paused.
    """

    async def write(connection: AsyncConnection) -> Done:
        at = context.clock()
        key = await _employer_key(context, connection, actor)
        found = await _get(connection, key, actor, webhook_id)
        if found.state in _ENDED:
            raise Refused("wrong_stage", _ENDED[found.state])
        delivery_id = await _queue_test(context, connection, actor, key, webhook_id, at)
        reply = Reply(Progress.STORED, {"id": str(webhook_id), "delivery_id": str(delivery_id)})
        await _record(connection, actor, at, webhook_id, change="tested", delivery_id=str(delivery_id))
        return Done(reply, key)

    return (await once(context, actor, idempotency, write)).reply


async def list_deliveries(
    context: Context, actor: Actor, webhook_id: UUID, *, after: Position | None = None, limit: int = 50
) -> tuple[list[DeliveryView], Position | None]:
    """Return a page of the deliveries of a subscription, newest first, and the position of the next page.

    Raises:
        Refused: `not_found` when the caller has no such subscription.
    """
    d = deliveries.c
    query = (
        select(deliveries, notices.c.kind, notices.c.reference, notices.c.at)
        .join(notices, notices.c.notice_id == d.notice_id)
        .where(d.webhook_id == webhook_id, d.employer_id == actor.employer_id)
        .order_by(d.give_up_at.desc(), d.delivery_id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        moment, delivery_id = after
        at = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
        query = query.where(tuple_(d.give_up_at, d.delivery_id) < tuple_(at, UUID(str(delivery_id))))
    async with context.database.begin(actor.tenant) as connection:
        if (await connection.execute(select(webhooks.c.webhook_id).where(_is(actor, webhook_id)))).first() is None:
            raise _unknown()
        rows = (await connection.execute(query)).all()
    page = [_read(row) for row in rows[:limit]]
    last = page[-1].delivery if len(rows) > limit else None
    return [_delivery_view(each) for each in page], None if last is None else (last.give_up_at, last.delivery_id)


class _Delivered(NamedTuple):
    """A delivery to a subscription, and of its notice the kind, the case and the time."""

    delivery: DeliveryRow
    kind: str
    reference: str
    at: datetime


def _read(row: Row[Any]) -> _Delivered:
    return _Delivered(DeliveryRow.from_row(row), row.kind, row.reference, row.at)


def _delivery_view(each: _Delivered) -> DeliveryView:
    row = each.delivery
    return DeliveryView(
        id=str(row.delivery_id),
        kind=each.kind,
        reference=each.reference or None,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        reason=row.reason,
        created_at=each.at,
        next_attempt=row.next_attempt,
        settled_at=row.settled_at,
    )


async def _add(
    connection: AsyncConnection, actor: Actor, key: DataKey, request: WebhookRequest, there: int, at: datetime
) -> Reply:
    if there >= MOST_SUBSCRIPTIONS:
        error = FieldError("url", FieldCode.UNKNOWN_VALUE, f"There are {MOST_SUBSCRIPTIONS} subscriptions already.")
        raise Refused("invalid", "Turn to a URL that is subscribed already.", [error])
    secret, shown = _new_key(request.scheme)
    added = _Subscription(
        webhook_id=uuid4(),
        url=request.url,
        kinds=request.kinds,
        state=_state(request),
        keys=SigningKeys(keys=(SigningKey(key=secret),)),
        at=at,
    )
    row = str(added.webhook_id)
    await connection.execute(
        insert(webhooks).values(
            webhook_id=added.webhook_id,
            employer_id=actor.employer_id,
            url=key.seal("webhooks", "url", row, added.url.encode()),
            secrets=key.seal("webhooks", "secrets", row, added.keys.model_dump_json().encode()),
            kinds=list(added.kinds),
            state=added.state.value,
            at=at,
        )
    )
    await _record(
        connection, actor, at, added.webhook_id, change="added", kinds=list(added.kinds), state=added.state.value
    )
    return Reply(Progress.MADE, {**document(added.view()), **shown})


async def _change(
    connection: AsyncConnection, actor: Actor, same: _Subscription, request: WebhookRequest, at: datetime
) -> Reply:
    kinds, state = list(request.kinds), _state(request)
    if (kinds, state) != (list(same.kinds), same.state):
        changed = update(webhooks).where(_is(actor, same.webhook_id)).values(kinds=kinds, state=state.value)
        await connection.execute(changed)
        await _record(connection, actor, at, same.webhook_id, change="changed", kinds=kinds, state=state.value)
    return Reply(Progress.APPLIED, document(replace(same, kinds=tuple(kinds), state=state).view()))


def _state(request: WebhookRequest) -> WebhookState:
    return WebhookState.ACTIVE if request.kinds else WebhookState.OFF


def _new_key(scheme: Scheme) -> tuple[str, dict[str, str]]:
    """Return a new key as it is kept, and the part of it that the subscriber is shown."""
    if scheme is Scheme.V1:
        secret = secret_from(os.urandom(_SECRET_BYTES))
        return secret, {"secret": secret}
    private, public = key_pair_from(os.urandom(_SECRET_BYTES))
    return private, {"public_key": public}


async def _queue_test(
    context: Context, connection: AsyncConnection, actor: Actor, key: DataKey, webhook_id: UUID, at: datetime
) -> UUID:
    """Write the notice and the delivery of a test."""
    notice_id, delivery_id = uuid4(), uuid4()
    event = {
        "data": {"employer_id": actor.employer_id},
        "timestamp": at.astimezone(CHINA).isoformat(),
        "type": WEBHOOK_TEST,
    }
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    body, proof = keep_texts({Channel.WEBHOOK: Rendered(WEBHOOK_TEST, text)})
    await connection.execute(
        insert(notices).values(
            notice_id=notice_id,
            reference="",
            employer_id=actor.employer_id,
            kind=WEBHOOK_TEST,
            recipient=Recipient.EMPLOYER.value,
            occasion=str(notice_id),
            language=Language.ZH_HANS.value,
            status=DeliveryStatus.QUEUED.value,
            key_id=key.key_id,
            body=key.seal("notices", "body", str(notice_id), json.dumps(body).encode()),
            text_hash=proof,
            at=at,
        )
    )
    await connection.execute(
        insert(deliveries).values(
            delivery_id=delivery_id,
            notice_id=notice_id,
            employer_id=actor.employer_id,
            channel=Channel.WEBHOOK.value,
            webhook_id=webhook_id,
            status=DeliveryStatus.QUEUED.value,
            next_attempt=at,
            give_up_at=at + context.limits.notice_retry,
            traceparent=current_traceparent(),
        )
    )
    return delivery_id


async def _employer_key(context: Context, connection: AsyncConnection, actor: Actor, *, lock: bool = False) -> DataKey:
    """Return the data key of the caller's employer; locked, its subscriptions change one call after the other."""
    return await get_data_key(context, connection, await _key_id(connection, str(actor.employer_id), lock=lock))


async def _key_id(connection: AsyncConnection, employer_id: str, *, lock: bool = False) -> UUID:
    query = select(employers.c.key_id).where(employers.c.employer_id == employer_id)
    key_id: UUID | None = (await connection.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if key_id is None:
        raise Refused("not_found", "The register has no employer of this id.")
    return key_id


async def _subscriptions(connection: AsyncConnection, key: DataKey, actor: Actor) -> list[_Subscription]:
    query = select(webhooks).where(webhooks.c.employer_id == actor.employer_id)
    rows = await connection.execute(query.order_by(webhooks.c.at, webhooks.c.webhook_id))
    return [_opened(key, WebhookRow.from_row(row)) for row in rows]


async def _get(connection: AsyncConnection, key: DataKey, actor: Actor, webhook_id: UUID) -> _Subscription:
    row = (await connection.execute(select(webhooks).where(_is(actor, webhook_id)))).one_or_none()
    if row is None:
        raise _unknown()
    return _opened(key, WebhookRow.from_row(row))


async def pause(context: Context, connection: AsyncConnection, webhook_id: UUID, at: datetime, actor: Actor) -> None:
    """Pause a subscription to which nothing was delivered for as long as a message is tried, and tell its employer."""
    d, since = deliveries.c, at - context.limits.notice_retry
    arrived = select(1).where(
        d.webhook_id == webhook_id, d.status == DeliveryStatus.DELIVERED.value, d.settled_at > since
    )
    is_failing = (webhooks.c.webhook_id == webhook_id, webhooks.c.state == WebhookState.ACTIVE.value, ~arrived.exists())
    paused = update(webhooks).where(*is_failing).values(state=WebhookState.PAUSED.value)
    row = (await connection.execute(paused.returning(webhooks))).one_or_none()
    if row is None:
        return
    paused_one = WebhookRow.from_row(row)
    employer_id = paused_one.employer_id
    key = await get_data_key(context, connection, await _key_id(connection, employer_id))
    facts = {"webhook_id": str(webhook_id), "webhook_url": _opened(key, paused_one).url, "from_on": day_of(at)}
    occasion = f"{webhook_id}/{day_of(at)}"
    await tell_employer(
        context, connection, employer_id, NoticeKind.WEBHOOK_PAUSED, occasion=occasion, at=at, facts=facts
    )
    detail = {"webhook_id": str(webhook_id), "change": "paused", "state": WebhookState.PAUSED.value}
    entry = Entry(act=Act.WEBHOOK_RECORDED, actor=actor, at=at, employer_id=employer_id, detail=detail)
    await append(connection, f"webhook/{webhook_id}/{at.isoformat()}", [entry])


def _opened(key: DataKey, row: WebhookRow) -> _Subscription:
    name = str(row.webhook_id)
    return _Subscription(
        webhook_id=row.webhook_id,
        url=key.open("webhooks", "url", name, row.url).decode(),
        kinds=tuple(row.kinds),
        state=WebhookState(row.state),
        keys=SigningKeys.model_validate_json(key.open("webhooks", "secrets", name, row.secrets)),
        at=row.at,
    )


def _is(actor: Actor, webhook_id: UUID) -> Any:
    return (webhooks.c.webhook_id == webhook_id) & (webhooks.c.employer_id == actor.employer_id)


def _unknown() -> Refused:
    return Refused("not_found", "There is no webhook of this id.")


async def _record(connection: AsyncConnection, actor: Actor, at: datetime, webhook_id: UUID, **detail: object) -> None:
    entry = Entry(
        act=Act.WEBHOOK_RECORDED,
        actor=actor,
        at=at,
        employer_id=actor.employer_id,
        detail={"webhook_id": str(webhook_id), **detail},
    )
    await append(connection, chain_of(entry), [entry])
