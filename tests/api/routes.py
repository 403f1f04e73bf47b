"""The published routes, and the roles that each is for."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi import FastAPI

from api.access import GuardedRoute
from api.app import create_app
from api.openapi import build_openapi
from tests.api.conftest import settings_for_tests

NOBODY = "nobody"  # without a token: for routes that need none


@cache
def served() -> FastAPI:
    """Return an application, for its routes."""
    return create_app(settings_for_tests("postgresql://nobody@127.0.0.1/none"))


def all_routes(app: FastAPI) -> Iterator[tuple[str, str, GuardedRoute]]:
    """Return method, path and route of all that the application serves."""
    for route in app.routes:
        assert isinstance(route, GuardedRoute), f"{route} declares nobody"
        for method in sorted(route.methods or ()):
            yield method, route.path_format, route


@cache
def published() -> dict[str, Any]:
    """Return the document that describes the routes."""
    return build_openapi(served())


def fitting_roles() -> dict[str, list[str]]:
    """Return the roles that each route is for, by method and path."""
    paths = published()["paths"]
    return {
        f"{method.upper()} {path}": [str(role) for role in paths[path][method].get("x-roles", [])] or [NOBODY]
        for path in paths
        for method in paths[path]
    }
