"""Calls that anyone may make: health, the OpenAPI document, the docs pages."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from api.access import GuardedRoute, anyone
from api.answers import json_response
from api.docs import HEADERS, api_page, find_asset, problems_page
from api.views import LiveView, ReadyView
from api.wiring import wiring_of
from domain.errors import Refused, Unavailable

router = APIRouter(route_class=GuardedRoute, tags=["Anyone"])

_PROBE_TIMEOUT_S: Final = 2.0


@router.get("/health/live", response_model=LiveView, summary="Whether the process runs")
async def live(_caller: Annotated[None, anyone()]) -> Response:
    """Say that the process answers."""
    return json_response({"status": "alive"})


@router.get("/health/ready", response_model=ReadyView, summary="Whether calls can be served")
async def ready(request: Request, _caller: Annotated[None, anyone()]) -> Response:
    """Look at PostgreSQL and Temporal.

    PostgreSQL away is 503. Temporal away is told and no more: what is asked is stored all the same and done later, and
    a balancer that took every copy out would turn that into an outage.
    """
    wiring = wiring_of(request)
    database, engine = await asyncio.gather(_database_up(request), wiring.engine.is_up())
    if not database:
        raise Unavailable("database", retry_after=2)
    status = "ready" if engine else "degraded"
    return json_response({"status": status, "postgresql": "up", "temporal": "up" if engine else "away"})


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


async def _database_up(request: Request) -> bool:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            async with wiring_of(request).context.database.begin():
                return True
    except (Unavailable, TimeoutError):
        return False
