"""Reading what a case's readers were told: its notices with their deliveries and receipts, without their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_NOTICES: Final = text(
    "SELECT n.notice_id, n.kind, n.recipient, n.destination, n.occasion, n.language, n.at,"
    " (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status,"
    " 'attempts', d.attempts, 'sent_at', d.sent_at, 'settled_at', d.settled_at, 'reason', d.reason, 'receipts',"
    " (SELECT jsonb_agg(jsonb_build_object('status', r.status, 'at', r.at) ORDER BY r.at, r.message_id)"
    " FROM receipts r WHERE r.delivery_id = d.delivery_id)) ORDER BY d.channel, d.delivery_id)"
    " FROM deliveries d WHERE d.notice_id = n.notice_id) AS deliveries"
    " FROM notices n WHERE n.reference = :reference ORDER BY n.at, n.notice_id"
)


@dataclass(frozen=True, slots=True)
class ReceiptKept:
    """What a provider said later of a delivery."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryKept:
    """How far a notice got through one channel."""

    channel: str
    status: str
    attempts: int
    sent_at: datetime | None
    settled_at: datetime | None
    reason: str | None
    receipts: Sequence[ReceiptKept] = ()


@dataclass(frozen=True, slots=True)
class NoticeKept:
    """What is kept of a notice beside its text."""

    notice_id: UUID
    kind: str
    recipient: str
    destination: str
    occasion: str
    language: str
    at: datetime
    deliveries: Sequence[DeliveryKept] = ()


async def read_notices(connection: AsyncConnection, reference: str) -> list[NoticeKept]:
    """Return the notices of a case in the order of time."""
    found = (await connection.execute(_NOTICES, {"reference": reference})).mappings()
    return [_notice(dict(row)) for row in found]


def _notice(row: Mapping[str, Any]) -> NoticeKept:
    deliveries = [_delivery(each) for each in row["deliveries"] or ()]
    return NoticeKept(**{**row, "deliveries": deliveries})


def _delivery(row: Mapping[str, Any]) -> DeliveryKept:
    return DeliveryKept(
        channel=row["channel"],
        status=row["status"],
        attempts=row["attempts"],
        sent_at=_moment(row["sent_at"]),
        settled_at=_moment(row["settled_at"]),
        reason=row["reason"],
        receipts=[ReceiptKept(each["status"], datetime.fromisoformat(each["at"])) for each in row["receipts"] or ()],
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
