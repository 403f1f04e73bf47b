"""Calls of operators: incidents and the health of the channels."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import Pages, json_response, respond
from api.incident_views import IncidentInFull, IncidentPage, IncidentView
from api.parameters import IdPath, PageQuery
from api.views import ChannelHealth
from api.wiring import wiring_of
from cases import channels, incident_cases, incidents
from domain.actors import Actor, Role
from temporal.telemetry import concern

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Operators"])

_OPERATOR = allow(Role.OPERATOR)


@router.get("/incidents", response_model=IncidentPage, summary="List open incidents")
async def list_incidents(
    request: Request, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _OPERATOR]
) -> Response:
    """List what waits for an operator, oldest first."""
    wiring = wiring_of(request)
    pages = Pages(wiring, actor, "incidents", query.asked())
    items, position = await incidents.list_incidents(
        wiring.context, actor, after=pages.after(query.cursor), limit=query.limit
    )
    return pages.respond(items, position)


@router.get("/incidents/{incident_id}", response_model=IncidentInFull, summary="Read an incident and its case")
async def read_incident(request: Request, incident_id: IdPath, actor: Annotated[Actor, _OPERATOR]) -> Response:
    """Return what is needed to mend a case: where it stands, what waits, its workflow; never whom it is about."""
    return json_response(await incident_cases.read_incident(wiring_of(request).context, actor, incident_id))


@router.post("/incidents/{incident_id}/resume", response_model=IncidentView, summary="Resume a stuck case")
async def resume(
    request: Request, incident_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _OPERATOR]
) -> Response:
    """Let a stuck case go on."""
    wiring = wiring_of(request)
    reply, reference, command_id = await incidents.resume(wiring.context, actor, incident_id, idempotency)
    concern(reference or "")
    if reference is not None and command_id is not None:
        told = wiring.engine.nudge(reference, str(command_id), request.state.correlation_id, is_resume=True)
        wiring.in_background(told)
    return respond(reply)


@router.get("/health/channels", response_model=ChannelHealth, summary="Health of the channels")
async def channel_health(request: Request, actor: Annotated[Actor, _OPERATOR]) -> Response:
    """Say for each channel what waits, what failed and how old the oldest is."""
    return json_response(await channels.health(wiring_of(request).context, actor))
