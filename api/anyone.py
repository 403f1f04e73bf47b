"""Calls that anyone may make: health, the OpenAPI document, the docs pages."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from api.access import GuardedRoute, anyone
from api.answers import json_response
from api.docs import HEADERS, api_page, find_asset, problems_page
from api.views import LiveView, ReadyView
from api.wiring import wiring_of
from cases.health.readiness import Register
from domain.errors import Refused, Unavailable

router = APIRouter(route_class=GuardedRoute, tags=["Anyone"])


@router.get("/health/live", response_model=LiveView, summary="Whether the process runs")
async def live(_caller: Annotated[None, anyone()]) -> Response:
    """Say that the process answers."""
    return json_response({"status": "alive"})


@router.get("/health/ready", response_model=ReadyView, summary="Whether calls can be served")
async def ready(request: Request, _caller: Annotated[None, anyone()]) -> Response:
    """Look at PostgreSQL, its schema, and Temporal.

    PostgreSQL away, or of a schema that lacks what this code needs, is 503. That PostgreSQL takes no write, or that
    Temporal is away, is told and no more: readings go on, and a balancer that took every copy out would turn it into an
    outage.
    """
    wiring = wiring_of(request)
    register, engine = await asyncio.gather(wiring.readiness.look(), wiring.engine.is_up())
    if register is Register.AWAY:
        raise Unavailable("database", retry_after=2)
    if register is Register.OLD:
        raise Refused("engine_unavailable", words="schema_older", retry_after=30)
    status = "ready" if engine and register is Register.UP else "degraded"
    temporal = "up" if engine else "away"
    return json_response({"status": status, "postgresql": register.value, "temporal": temporal})


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, _caller: Annotated[None, anyone()]) -> Response:
    """Return the OpenAPI document."""
    return json_response(request.app.openapi(), headers={"Cache-Control": "public, max-age=300"})


@router.get("/docs", include_in_schema=False)
async def docs(_caller: Annotated[None, anyone()]) -> HTMLResponse:
    """Show the OpenAPI document as a page whose parts all come from here."""
    return HTMLResponse(api_page(), headers=HEADERS)


@router.get("/docs/problems", include_in_schema=False)
async def problems(request: Request, _caller: Annotated[None, anyone()]) -> HTMLResponse:
    """Explain every problem code."""
    return HTMLResponse(problems_page(request.state.language), headers=HEADERS)


@router.get("/docs/assets/{name}", include_in_schema=False)
async def asset(name: str, _caller: Annotated[None, anyone()]) -> Response:
    """Return a script, style or picture of the docs pages."""
    found = find_asset(name)
    if found is None:
        raise Refused("not_found", "There is nothing at this address.")
    return Response(found[1], media_type=found[0], headers={"Cache-Control": "public, max-age=86400"})
