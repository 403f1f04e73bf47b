"""Notices to an employer about itself: one for each change of its standing, not one for each of its cases."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.notices.compose import coded
from cases.notices.letters import keep_texts
from cases.shared.context import Context, forms_of
from domain.clock import day_of
from domain.decisions import GivenReason
from domain.employers import EmployerContact
from domain.errors import need
from domain.languages import Language
from domain.notices import Channel, Recipient, opening_channels
from domain.spellings import EMPLOYER_CHAIN
from store import case_writes
from store.case_rows import LoadedEmployer, load_employer
from store.encryption import unwrap
from store.rows.notices import DeliveryRow, NoticeRow
from temporal.traces import current_traceparent
from texts.notices import NoticeFacts, render


def notice_reference(employer_id: str) -> str:
    """Return what stands in place of a case's reference on a notice about an employer."""
    return f"{EMPLOYER_CHAIN}{employer_id}"


def employer_chain(employer_id: str) -> str:
    """Return the ledger chain of an employer."""
    return f"{EMPLOYER_CHAIN}{employer_id}"


async def tell_employer(
    context: Context,
    connection: AsyncConnection,
    employer_id: str,
    kind: str,
    *,
    occasion: str,
    at: datetime,
    facts: Mapping[str, Any],
    reasons: Sequence[GivenReason] = (),
    to: EmployerContact | None = None,
) -> None:
    """Write a notice about an employer with its deliveries, sealed under the employer's key.

    Args:
        context: the collaborators.
        connection: the transaction of the change.
        employer_id: whose notice it is.
        kind: what it is about.
        occasion: what makes it one notice.
        at: when.
        facts: what the text says beyond the employer and the time.
        to: an earlier contact, to which alone it is mailed.
    """
    employer = await load_employer(connection, employer_id)
    if employer is None:
        return
    key = unwrap(context.keyring, need(employer.key, "key"))
    hooks = [each.webhook_id for each in employer.webhooks if kind in each.kinds]
    hooks = [] if to is not None else hooks
    reachable = {Channel.MAIL, Channel.WEBHOOK} if hooks else {Channel.MAIL}
    language = to.language if to is not None else Language(employer.language)
    told = _facts(employer, at, {**facts, "reasons": coded(reasons, forms_of(context), language)})
    channels = opening_channels(context.words.notices[kind], Recipient.EMPLOYER, reachable)
    each = [programme.texts for programme in context.programmes.values()]
    texts = {channel: render(kind, Recipient.EMPLOYER, channel, language, told, each=each) for channel in channels}
    notice_id = uuid4()
    body, proof = keep_texts(texts)
    if to is not None:
        body["only"] = {"to": to.email, "until": None}
    notice = NoticeRow(
        notice_id=notice_id,
        reference=notice_reference(employer_id),
        employer_id=employer_id,
        kind=str(kind),
        recipient=Recipient.EMPLOYER.value,
        occasion=occasion,
        language=language.value,
        status="queued",
        key_id=key.key_id,
        body=key.seal("notices", "body", str(notice_id), json.dumps(body, ensure_ascii=False).encode()),
        text_hash=proof,
        at=at,
    )
    deliveries = [_delivery(context, employer_id, notice_id, Channel.WEBHOOK, at, hook) for hook in hooks]
    deliveries.append(_delivery(context, employer_id, notice_id, Channel.MAIL, at, None))
    await case_writes.write_notices(connection, [notice], deliveries)


def _delivery(
    context: Context, employer_id: str, notice_id: UUID, channel: Channel, at: datetime, hook: UUID | None
) -> DeliveryRow:
    return DeliveryRow(
        delivery_id=uuid4(),
        notice_id=notice_id,
        employer_id=employer_id,
        channel=channel.value,
        webhook_id=hook,
        status="queued",
        next_attempt=at,
        give_up_at=at + context.limits.notice_retry,
        traceparent=current_traceparent(),
    )


def _facts(employer: LoadedEmployer, at: datetime, facts: Mapping[str, Any]) -> NoticeFacts:
    version = employer.on(day_of(at)) or employer.versions[-1]
    return NoticeFacts(employer_id=employer.employer_id, employer_name=version.name_zh, occurred_at=at, **facts)
