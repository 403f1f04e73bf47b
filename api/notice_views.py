"""Pages of notices and of deliveries."""

from pydantic import BaseModel, Field

from cases.notices.views import FailedDelivery, NoticeView, ReadNoticeView


class ReadNoticePage(BaseModel):
    """Notices of one reader, the newest first."""

    items: list[ReadNoticeView]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class NoticePage(BaseModel):
    """Notices of a case."""

    items: list[NoticeView]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class FailedDeliveryPage(BaseModel):
    """Failed deliveries, the newest first."""

    items: list[FailedDelivery]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")
