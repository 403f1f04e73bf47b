"""Notices of the caller across all cases, with their texts."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.access import PROBLEMS_KEY, GuardedRoute, allow
from api.answers import Pages
from api.notice_views import ReadNoticePage
from api.parameters import PageQuery
from api.wiring import wiring_of
from cases import notice_lists
from domain.actors import Actor, Role
from domain.errors import Refused
from domain.notices import NoticeKind
from domain.references import find_reference

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Notices"])

_READERS = allow(Role.EMPLOYER)


class NoticeQuery(PageQuery):
    """Which notices."""

    kind: NoticeKind | None = Field(default=None, description="Of this kind.")
    reference: str | None = Field(default=None, max_length=64, description="Of this case.")


@router.get("/notices", response_model=ReadNoticePage, summary="Read your notices", openapi_extra={PROBLEMS_KEY: [404]})
async def list_notices(
    request: Request, query: Annotated[NoticeQuery, Query()], actor: Annotated[Actor, _READERS]
) -> Response:
    """List what an employer was told, the newest first, each notice and letter with its whole text."""
    wiring = wiring_of(request)
    reference = find_reference(query.reference) if query.reference is not None else None
    if query.reference is not None and reference is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    pages = Pages(wiring, actor, "notices", query.asked())
    items, position = await notice_lists.list_own(
        wiring.context,
        actor,
        kind=query.kind,
        reference=reference,
        after=pages.after(query.cursor),
        limit=query.limit,
    )
    return pages.respond(items, position)
