"""The published routes, and the roles that each is for."""

from functools import cache
from typing import Any

from api.app import create_app
from api.openapi import build_openapi
from tests.api.conftest import settings_for_tests

NOBODY = "nobody"  # without a token: for routes that need none


@cache
def published() -> dict[str, Any]:
    """Return the document that describes the routes."""
    return build_openapi(create_app(settings_for_tests("postgresql://nobody@127.0.0.1/none")))


def fitting_roles() -> dict[str, list[str]]:
    """Return the roles that each route is for, by method and path."""
    paths = published()["paths"]
    return {
        f"{method.upper()} {path}": [str(role) for role in paths[path][method].get("x-roles", [])] or [NOBODY]
        for path in paths
        for method in paths[path]
    }
