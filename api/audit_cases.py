"""Calls of auditors about one case: its story, where it stood, and whether its records agree."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.access import GuardedRoute, allow
from api.answers import Pages, answer_page, json_response
from api.audit_case_views import DifferencePage
from api.parameters import CasePath
from api.wiring import wiring_of
from cases.shared.views import document
from domain.actors import Actor, Role
from domain.fields import Moment
from domain.pages import PageQuery
from record import story
from record.reconciliation import reconcile as reconciliation
from record.reconciliation.views import ReconciliationView
from record.story_views import StoryView

router = APIRouter(prefix="/v1/audit", route_class=GuardedRoute, tags=["Auditors"])

_AUDITOR = allow(Role.AUDITOR)


class StoryQuery(PageQuery):
    """Which page of a story, and as of when."""

    as_of: Moment | None = Field(
        default=None, description="Tell what had happened, and where the case stood, at this time."
    )


@router.get("/cases/{reference}/history", response_model=StoryView, summary="Tell the story of a case")
async def tell_story(
    request: Request, reference: CasePath, query: Annotated[StoryQuery, Query()], actor: Annotated[Actor, _AUDITOR]
) -> Response:
    """Tell what happened, who did it and why, and for whom the case waited how long; reading it is a ledger act."""
    wiring = wiring_of(request)
    pages = Pages(wiring, actor, f"story/{reference}", query.asked())
    as_of: datetime | None = story.parse_as_of(query.as_of, wiring.context.clock())
    told, position = await story.tell_story(
        wiring.context,
        wiring.histories,
        actor,
        reference,
        as_of=as_of,
        start=pages.after(query.cursor) or 0,
        limit=query.limit,
        language=request.state.language,
    )
    return json_response({**document(told), "next_cursor": pages.cursor(position)})


@router.get(
    "/cases/{reference}/reconciliation", response_model=ReconciliationView, summary="Compare the records of a case"
)
async def reconcile(request: Request, reference: CasePath, actor: Annotated[Actor, _AUDITOR]) -> Response:
    """Compare ledger, histories, register and the authority's answers, and name every difference with its place."""
    wiring = wiring_of(request)
    answer = await reconciliation.show_reconciliation(
        wiring.context, wiring.histories, actor, reference, request.state.language
    )
    return json_response(answer)


@router.get("/differences", response_model=DifferencePage, summary="List the differences that stand")
async def list_differences(
    request: Request, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _AUDITOR]
) -> Response:
    """List what the nightly rounds over all cases found and what stands still, the oldest first."""
    context = wiring_of(request).context
    read = partial(reconciliation.list_differences, context, language=request.state.language)
    return await answer_page(request, actor, "differences", query, read)
