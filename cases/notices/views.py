"""What is shown of notices, of their deliveries, and of the channels that those take."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from cases.shared.views import Coded
from domain.clock import to_the_second
from domain.languages import Language
from domain.notices import Channel, DeliveryStatus, NoticeKind, Recipient
from domain.tracks import TrackKey
from domain.webhooks import Scheme, WebhookState
from store.rows.notices import DeliveryRow

Kind = Annotated[str, Coded(NoticeKind)]
Track = Annotated[str | None, Coded(TrackKey | None)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDeliveryView:
    """One delivery of a notice; a mail carries its message id as Message-ID, a webhook as message id.

    What one step tells one reader of several destinations goes out as one mail or SMS: its deliveries have one message
    id and one fate.
    """

    id: str
    message_id: str
    channel: Channel
    status: DeliveryStatus
    attempts: int
    reason: Annotated[str | None, Field(description="Code of what went wrong last.")]
    next_attempt: datetime | None
    sent_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """One notice, without its text."""

    id: str
    kind: Kind
    recipient: Recipient
    destination: Track
    language: Language
    status: DeliveryStatus
    at: datetime
    deliveries: list[NoticeDeliveryView]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedDelivery(NoticeDeliveryView):
    """A delivery that failed, with its notice."""

    notice_id: str
    notice_status: Annotated[DeliveryStatus, Field(description="`failed` where the reader was reached by no channel.")]
    kind: Kind
    reference: str
    destination: Track
    recipient: Recipient
    employer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNoticeView:
    """One notice as its reader has it."""

    id: str
    kind: Kind
    reference: Annotated[str | None, Field(description="The case; null where the notice is about the employer itself.")]
    destination: Track
    recipient: Recipient
    language: Language
    status: DeliveryStatus
    at: datetime
    subject: str | None
    text: Annotated[
        str | None, Field(description="The whole text, as it was mailed, or staff's line; null after an erasure.")
    ]
    read_at: Annotated[datetime | None, Field(description="When the caller marked it as read.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRead:
    """Since when a notice counts as read."""

    id: str
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """A subscription."""

    id: str
    url: str
    kinds: list[str]
    state: WebhookState
    scheme: Scheme
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """A delivery of a webhook."""

    id: str
    kind: str
    reference: str | None
    status: DeliveryStatus
    attempts: int
    reason: str | None
    created_at: datetime
    next_attempt: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """What waits on a channel, and how the last hour went."""

    channel: str
    queued: int
    due: int
    oldest_due_since: datetime | None
    oldest_due_seconds: int | None
    sent_last_hour: int
    failed_last_hour: int
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHealth:
    """What waits and what failed, channel by channel."""

    at: datetime
    channels: list[ChannelView]


def delivery_view(row: DeliveryRow) -> NoticeDeliveryView:
    """Return one delivery of a notice as staff sees it."""
    return NoticeDeliveryView(
        id=str(row.delivery_id),
        message_id=str(row.message_id),
        channel=Channel(row.channel),
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        reason=row.reason,
        next_attempt=to_the_second(row.next_attempt),
        sent_at=to_the_second(row.sent_at),
        settled_at=to_the_second(row.settled_at),
    )


def destination_of(named: str) -> str | None:
    """Return the destination that a notice is about, which is stored as an empty word where it is about none."""
    return named or None
