"""Saved views of the inbox and of lists of cases."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import json_response, respond
from api.parameters import IdPath
from api.wiring import wiring_of
from cases.tasks import saved_views
from cases.tasks.saved_views import SavedView, SavedViews
from domain.actors import Actor, Role
from domain.saved_views import SavedViewRequest

router = APIRouter(prefix="/v1/saved-views", route_class=GuardedRoute, tags=["Drafts"])

_OWNERS = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR)


@router.post("", status_code=201, response_model=SavedView, summary="Save a view")
async def save(
    request: Request, body: SavedViewRequest, idempotency: IdempotencyKey, actor: Annotated[Actor, _OWNERS]
) -> Response:
    """Keep a filter of the inbox or of a list of cases under a name, for yourself alone; at most fifty."""
    return respond(await saved_views.save(wiring_of(request).context, actor, body, idempotency))


@router.get("", response_model=SavedViews, summary="List your saved views")
async def list_views(request: Request, actor: Annotated[Actor, _OWNERS]) -> Response:
    """List your saved views, the oldest first."""
    return json_response({"items": await saved_views.list_own(wiring_of(request).context, actor)})


@router.delete("/{view_id}", status_code=204, summary="Delete a saved view")
async def discard(
    request: Request, view_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _OWNERS]
) -> Response:
    """Delete a saved view; one that is gone is as good."""
    return respond(await saved_views.discard(wiring_of(request).context, actor, view_id, idempotency))
