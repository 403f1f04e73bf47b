"""Calls of staff about what persons object to: what waits for an answer, and the answer to a complaint."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import answer_page, respond
from api.me_views import ObjectionPage
from api.parameters import IdPath
from api.wiring import wiring_of
from domain.actors import Actor, Role
from domain.pages import PageQuery
from domain.person import ComplaintAnswer
from privacy import objections
from privacy.views import ObjectionReceipt

router = APIRouter(prefix="/v1/objections", route_class=GuardedRoute, tags=["Staff"])

_READERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_STAFF = allow(Role.OFFICER, Role.SUPERVISOR)


@router.get("", response_model=ObjectionPage, summary="List complaints and disputes that wait for an answer")
async def list_open(
    request: Request, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _READERS]
) -> Response:
    """List what waits, by its due date, with the persons' words; the reading is a ledger act."""
    context = wiring_of(request).context
    read = partial(objections.list_open, context, actor)
    return await answer_page(request, actor, "objections", query, read)


@router.post("/{objection_id}/answer", response_model=ObjectionReceipt, summary="Answer a complaint")
async def answer(
    request: Request,
    objection_id: IdPath,
    body: ComplaintAnswer,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Answer a complaint; the person reads it when signed in. A dispute is answered by its task."""
    return respond(await objections.answer(wiring_of(request).context, actor, objection_id, body, idempotency))
