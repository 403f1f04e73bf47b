"""Rows of notices, of their deliveries by channel, and of webhook subscriptions."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Table

from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class NoticeRow(TableRow):
    """What one reader was told; its texts (`body`) are sealed under the key of whom it is about."""

    TABLE: ClassVar[Table] = tables.notices
    notice_id: UUID
    # Of a case; of an employer, with a word before it that tells the two apart; empty of a webhook's test.
    reference: str
    employer_id: str
    destination: str = ""
    kind: str
    recipient: str
    # Whose it is, of one to a single member of staff.
    subject: str = ""
    occasion: str
    language: str
    status: str
    key_id: UUID
    body: bytes
    text_hash: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class DeliveryRow(TableRow):
    """The way of a notice to its reader by one channel; a webhook's is one of each subscription."""

    TABLE: ClassVar[Table] = tables.deliveries
    delivery_id: UUID
    notice_id: UUID
    employer_id: str
    channel: str
    webhook_id: UUID | None = None
    # The delivery in whose place it goes out.
    after: UUID | None = None
    # The delivery whose message carries this one's notice too, and the hash of a mail that carries several.
    carried_by: UUID | None = None
    message_hash: str | None = None
    digest: bool = False
    status: str
    next_attempt: datetime | None = None
    give_up_at: datetime
    attempts: int = 0
    lease_until: datetime | None = None
    provider_id: str | None = None
    reason: str | None = None
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    # Where in which trace it was caused, so that its sending joins that trace.
    traceparent: str | None = None

    @property
    def message_id(self) -> UUID:
        """The id under which its message goes out: that of the delivery that carries it."""
        return self.carried_by or self.delivery_id


@dataclass(slots=True, kw_only=True)
class WebhookRow(TableRow):
    """A subscription of an employer to kinds of notices; URL and signing keys are sealed under the employer's key."""

    TABLE: ClassVar[Table] = tables.webhooks
    webhook_id: UUID
    employer_id: str
    url: bytes
    secrets: bytes
    kinds: list[str]
    state: str
    at: datetime
