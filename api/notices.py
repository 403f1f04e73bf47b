"""Calls about notices: what the caller was told across all cases, and what did not reach its reader."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import ListRead, answer_page, respond
from api.notice_views import FailedDeliveryPage, ReadNoticePage
from api.parameters import IdPath
from api.published_words import NoticeKind
from api.wiring import wiring_of
from cases.notices import failed, lists, marks, staff
from cases.notices.views import NoticeRead
from domain.actors import Actor, Role
from domain.errors import Refused
from domain.fields import Code
from domain.notices import Channel, Recipient
from domain.pages import PageQuery
from domain.references import find_reference

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Notices"])

_READERS = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR)
_INSIDE = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR)


class NoticeQuery(PageQuery):
    """Which notices."""

    kind: NoticeKind | None = Field(default=None, description="Of this kind.")
    reference: str | None = Field(default=None, max_length=64, description="Of this case.")
    unread: bool = Field(default=False, description="Only those that the caller has not marked as read.")


class FailedQuery(PageQuery):
    """Which failed deliveries."""

    channel: Channel | None = None
    kind: NoticeKind | None = None
    recipient: Recipient | None = None
    employer_id: Code | None = None
    unreached: bool = Field(default=False, description="Only where no channel reached the reader.")


@router.get("/notices", response_model=ReadNoticePage, summary="Read your notices")
async def list_notices(
    request: Request, query: Annotated[NoticeQuery, Query()], actor: Annotated[Actor, _READERS]
) -> Response:
    """List what the caller was told, the newest first.

    An employer has each notice and letter with its whole text; staff has the lines of the inbox: those to the caller,
    to their queue and to the park, in the caller's language.
    """
    context = wiring_of(request).context
    reference = find_reference(query.reference) if query.reference is not None else None
    if query.reference is not None and reference is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    read: ListRead = partial(lists.list_own, context, actor)
    if actor.role is not Role.EMPLOYER:
        read = partial(staff.list_own, context, actor, request.state.language)
    read = partial(read, kind=query.kind, reference=reference, unread=query.unread)
    return await answer_page(request, actor, "notices", query, read)


@router.post("/notices/{notice_id}/read", response_model=NoticeRead, summary="Mark a notice as read")
async def mark_read(
    request: Request, notice_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _READERS]
) -> Response:
    """Note that the caller has read a notice; other readers keep their own marks."""
    context, is_employer = wiring_of(request).context, actor.role is Role.EMPLOYER
    told = (lists if is_employer else staff).told_to(context.words, actor)
    return respond(await marks.mark_read(context, actor, notice_id, told, idempotency))


@router.get("/deliveries/failed", response_model=FailedDeliveryPage, summary="List failed deliveries")
async def list_failed(
    request: Request, query: Annotated[FailedQuery, Query()], actor: Annotated[Actor, _INSIDE]
) -> Response:
    """List deliveries that failed for good, the newest first, so that their readers are reached in another way."""
    context = wiring_of(request).context
    read = partial(
        failed.list_failed,
        context,
        actor,
        channel=query.channel,
        kind=query.kind,
        recipient=query.recipient,
        employer_id=query.employer_id,
        unreached=query.unreached,
    )
    return await answer_page(request, actor, "deliveries/failed", query, read)
