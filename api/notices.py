"""Calls about notices: what somebody finds in the inbox, and what did not reach its reader."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import Pages, respond
from api.notice_views import NoticeDeliveryView
from api.parameters import IdPath, PageQuery
from api.wiring import wiring_of
from cases import delivery_lists, notice_lists
from domain.actors import Actor, Role
from domain.fields import Code
from domain.languages import Language
from domain.notices import Channel, DeliveryStatus, NoticeKind, Recipient
from domain.stages import Destination

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Staff"])

_STAFF = allow(Role.OFFICER, Role.SUPERVISOR)
_INSIDE = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR)


class OwnNotice(BaseModel):
    """A notice as its reader finds it."""

    id: str
    kind: NoticeKind
    reference: str
    destination: Destination | None
    recipient: Recipient
    language: Language
    status: DeliveryStatus
    at: datetime
    subject: str | None = Field(description="Null once the person of the case was erased.")
    text: str | None = Field(description="Null once the person of the case was erased.")
    read_at: datetime | None


class OwnNoticePage(BaseModel):
    """Notices to the caller, the newest first."""

    items: list[OwnNotice]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class NoticeRead(BaseModel):
    """Since when a notice counts as read."""

    id: str
    read_at: datetime


class FailedDelivery(NoticeDeliveryView):
    """A delivery that failed, with its notice."""

    notice_id: str
    notice_status: DeliveryStatus = Field(description="`failed` where the reader was reached by no channel.")
    kind: NoticeKind
    reference: str
    destination: Destination | None
    recipient: Recipient
    employer_id: str


class FailedDeliveryPage(BaseModel):
    """Failed deliveries, the newest first."""

    items: list[FailedDelivery]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class NoticeQuery(PageQuery):
    """Which notices."""

    kind: NoticeKind | None = None
    unread: bool = Field(default=False, description="Only those that the caller has not marked as read.")


class FailedQuery(PageQuery):
    """Which failed deliveries."""

    channel: Channel | None = None
    kind: NoticeKind | None = None
    recipient: Recipient | None = None
    employer_id: Code | None = None
    unreached: bool = Field(default=False, description="Only where no channel reached the reader.")


@router.get("/notices", response_model=OwnNoticePage, summary="List the caller's notices")
async def list_own(
    request: Request, query: Annotated[NoticeQuery, Query()], actor: Annotated[Actor, _STAFF]
) -> Response:
    """List the notices to the caller, to their queue and to the park, the newest first, in the caller's language."""
    wiring = wiring_of(request)
    pages = Pages(wiring, actor, "notices", query.asked())
    items, position = await notice_lists.list_own(
        wiring.context,
        actor,
        request.state.language,
        kind=query.kind,
        unread=query.unread,
        after=pages.after(query.cursor),
        limit=query.limit,
    )
    return pages.respond(items, position)


@router.post("/notices/{notice_id}/read", response_model=NoticeRead, summary="Mark a notice as read")
async def mark_read(
    request: Request, notice_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _STAFF]
) -> Response:
    """Note that the caller has read a notice."""
    return respond(await notice_lists.mark_read(wiring_of(request).context, actor, notice_id, idempotency))


@router.get("/deliveries/failed", response_model=FailedDeliveryPage, summary="List failed deliveries")
async def list_failed(
    request: Request, query: Annotated[FailedQuery, Query()], actor: Annotated[Actor, _INSIDE]
) -> Response:
    """List deliveries that failed for good, the newest first, so that their readers are reached in another way."""
    wiring = wiring_of(request)
    pages = Pages(wiring, actor, "deliveries/failed", query.asked())
    items, position = await delivery_lists.list_failed(
        wiring.context,
        actor,
        channel=query.channel,
        kind=query.kind,
        recipient=query.recipient,
        employer_id=query.employer_id,
        unreached=query.unreached,
        after=pages.after(query.cursor),
        limit=query.limit,
    )
    return pages.respond(items, position)
