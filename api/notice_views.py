"""What the notices of a case look like, for the OpenAPI document; `cases.notices.reads` makes them."""

from datetime import datetime

from pydantic import BaseModel, Field

from domain.languages import Language
from domain.notices import Channel, DeliveryStatus, NoticeKind, Recipient
from domain.stages import Destination


class NoticeDeliveryView(BaseModel):
    """One delivery of a notice; a mail carries its message id as Message-ID, a webhook as message id.

    What one step tells one reader of several destinations goes out as one mail or SMS: its deliveries have one message
    id and one fate.
    """

    id: str
    message_id: str
    channel: Channel
    status: DeliveryStatus
    attempts: int
    reason: str | None = Field(description="Code of what went wrong last.")
    next_attempt: datetime | None
    sent_at: datetime | None
    settled_at: datetime | None


class NoticeView(BaseModel):
    """One notice, without its text."""

    id: str
    kind: NoticeKind
    recipient: Recipient
    destination: Destination | None
    language: Language
    status: DeliveryStatus
    at: datetime
    deliveries: list[NoticeDeliveryView]


class ReadNoticeView(BaseModel):
    """One notice as its reader has it."""

    id: str
    kind: NoticeKind
    reference: str | None = Field(description="The case; null where the notice is about the employer itself.")
    destination: Destination | None
    recipient: Recipient
    language: Language
    status: DeliveryStatus
    at: datetime
    subject: str | None
    text: str | None = Field(description="The whole text, as it was mailed, or staff's line; null after an erasure.")
    read_at: datetime | None = Field(description="When the caller marked it as read.")


class ReadNoticePage(BaseModel):
    """Notices of one reader, the newest first."""

    items: list[ReadNoticeView]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class NoticePage(BaseModel):
    """Notices of a case."""

    items: list[NoticeView]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")
