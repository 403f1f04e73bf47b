"""Drafts of forms and of decisions: begun, changed by one tab at a time, read, and deleted."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow, session_of
from api.answers import json_response, respond
from api.parameters import IdPath
from api.wiring import wiring_of
from cases.shared.idempotency import Reply
from domain.actors import Actor, Role
from domain.drafts import DraftChange, DraftRequest
from domain.errors import Refused
from privacy import drafts
from privacy.drafts import DraftsView, DraftView, OpenedDraftView

router = APIRouter(prefix="/v1/drafts", route_class=GuardedRoute, tags=["Drafts"])

_OWNERS = allow(Role.EMPLOYER, Role.PERSON, Role.OFFICER, Role.SUPERVISOR, asks_document=True)
_IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The `ETag` of the version that it replaces.", examples=['"1"'])
]


@router.post("", status_code=201, response_model=DraftView, summary="Keep a draft")
async def begin(
    request: Request, body: DraftRequest, idempotency: IdempotencyKey, actor: Annotated[Actor, _OWNERS]
) -> Response:
    """Keep what was begun, sealed, for thirty days from its last change; nothing of it is checked or sent."""
    session = session_of(request)
    return _tagged(await drafts.begin(wiring_of(request).context, actor, session, body, idempotency))


@router.get("", response_model=DraftsView, summary="List your drafts")
async def list_drafts(request: Request, actor: Annotated[Actor, _OWNERS]) -> Response:
    """List your drafts without what they say; an employer's are seen by all who act for it."""
    session = session_of(request)
    return json_response({"items": await drafts.list_own(wiring_of(request).context, actor, session)})


@router.get("/{draft_id}", response_model=OpenedDraftView, summary="Read a draft")
async def read(request: Request, draft_id: IdPath, actor: Annotated[Actor, _OWNERS]) -> Response:
    """Return a draft with what it says; `ETag` is its version."""
    session = session_of(request)
    shown = await drafts.read(wiring_of(request).context, actor, session, draft_id)
    return json_response(shown.as_json(), headers={"ETag": f'"{shown.version}"', "Cache-Control": "no-store"})


@router.put("/{draft_id}", response_model=DraftView, summary="Change a draft")
async def change(
    request: Request,
    draft_id: IdPath,
    body: DraftChange,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _OWNERS],
    if_match: _IfMatch = None,
) -> Response:
    """Put other content in the place of a version; where another tab was first, nothing changes."""
    version = (if_match or "").strip().removeprefix("W/").strip('"')
    if not (version.isascii() and version.isdigit() and len(version) < 9):
        raise Refused("malformed", "Send the header `If-Match` with the `ETag` of the draft as you read it.")
    context, session = wiring_of(request).context, session_of(request)
    return _tagged(await drafts.change(context, actor, session, draft_id, body, int(version), idempotency))


@router.delete("/{draft_id}", status_code=204, summary="Delete a draft")
async def discard(
    request: Request, draft_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _OWNERS]
) -> Response:
    """Delete a draft at once; one that is gone is as good."""
    session = session_of(request)
    return respond(await drafts.discard(wiring_of(request).context, actor, session, draft_id, idempotency))


def _tagged(reply: Reply) -> Response:
    return respond(reply, {"ETag": f'"{reply.body["version"]}"'})
