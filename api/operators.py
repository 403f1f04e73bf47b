"""Calls of operators: incidents and the health of the channels."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import answer_page, json_response, respond
from api.incident_views import CausePage, IncidentPage
from api.parameters import IdPath
from api.wiring import wiring_of
from cases.commands import resume as resuming
from cases.incidents import cases as incident_cases
from cases.incidents import causes, stopped
from cases.incidents.views import CauseResumed, CauseView, IncidentInFull, IncidentView
from cases.notices import channels
from cases.notices.views import ChannelHealth
from domain.actors import Actor, Role
from domain.pages import PageQuery
from temporal.telemetry import concern

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Operators"])

_OPERATOR = allow(Role.OPERATOR)


@router.get("/incidents", response_model=IncidentPage, summary="List open incidents")
async def list_incidents(
    request: Request, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _OPERATOR]
) -> Response:
    """List what waits for an operator, oldest first."""
    context = wiring_of(request).context
    read = partial(stopped.list_incidents, context, actor)
    return await answer_page(request, actor, "incidents", query, read)


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
    reply, reference, command_id = await resuming.resume(wiring.context, actor, incident_id, idempotency)
    concern(reference or "")
    if reference is not None and command_id is not None:
        told = wiring.engine.nudge(reference, str(command_id), request.state.correlation_id, is_resume=True)
        wiring.in_background(told)
    return respond(reply)


class OfCauseQuery(PageQuery):
    """Which incidents of a cause."""

    state: Literal["open", "resumed", "ended"] = Field(
        default="open", description="`resumed` were closed by an operator, `ended` by the engine."
    )


@router.get("/incident-causes", response_model=CausePage, summary="List open incidents by cause")
async def list_causes(
    request: Request, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _OPERATOR]
) -> Response:
    """List one line for all incidents that are alike: how many, since when, the first cases, and what to do."""
    context = wiring_of(request).context
    read = partial(causes.list_causes, context, actor, request.state.language)
    return await answer_page(request, actor, "incident-causes", query, read)


@router.get("/incident-causes/{cause_id}", response_model=CauseView, summary="Read a cause")
async def read_cause(request: Request, cause_id: IdPath, actor: Annotated[Actor, _OPERATOR]) -> Response:
    """Return the line of a cause of which something is open."""
    context, language = wiring_of(request).context, request.state.language
    return json_response(await causes.read_cause(context, actor, cause_id, language))


@router.get("/incident-causes/{cause_id}/incidents", response_model=IncidentPage, summary="List what a cause stopped")
async def list_of_cause(
    request: Request, cause_id: IdPath, query: Annotated[OfCauseQuery, Query()], actor: Annotated[Actor, _OPERATOR]
) -> Response:
    """List the incidents of a cause, oldest first; one that none is of has an empty list."""
    context = wiring_of(request).context
    read = partial(causes.list_of_cause, context, actor, cause_id, query.state)
    return await answer_page(request, actor, f"incident-causes/{cause_id}", query, read)


@router.post(
    "/incident-causes/{cause_id}/resume",
    response_model=CauseResumed,
    summary="Resume all cases of a cause",
    responses={202: {"model": CauseResumed, "description": "Its cases go on one after the other."}},
)
async def resume_cause(
    request: Request, cause_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _OPERATOR]
) -> Response:
    """Close all incidents of a cause; cases that are stuck by it go on one after the other (202)."""
    context, language = wiring_of(request).context, request.state.language
    return respond(await resuming.resume_cause(context, actor, cause_id, idempotency, language))


@router.get("/health/channels", response_model=ChannelHealth, summary="Health of the channels")
async def channel_health(request: Request, actor: Annotated[Actor, _OPERATOR]) -> Response:
    """Say for each channel what waits, what failed and how old the oldest is."""
    return json_response(await channels.health(wiring_of(request).context, actor))
