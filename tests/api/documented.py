"""What the OpenAPI document says of each answer: every call that a test sends is looked up in it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
from fastapi import FastAPI

from api.access import GuardedRoute
from api.openapi import CODES_KEY, build_openapi
from api.problems import MEDIA_TYPE

Hook = Callable[[httpx.Response], Awaitable[None]]
_PATHS: dict[str, Any] = {}  # made once, since every app has the same


def undocumented(operation: Mapping[str, Any], status: int, code: str | None) -> str | None:
    """Return what an answer has that its operation does not list; a code of None is not looked at."""
    answer = operation["responses"].get(str(status))
    if answer is None:
        return f"{operation['operationId']} does not list the status {status}"
    if code is not None and code not in answer.get(CODES_KEY, ()):
        return f"{operation['operationId']} does not list the code {code}"
    return None


def hook_of(app: FastAPI) -> Hook:
    """Return what looks at each answer of an app; calls that are no published operation pass."""
    routes = [route for route in app.routes if isinstance(route, GuardedRoute) and route.include_in_schema]
    if not _PATHS:
        _PATHS.update(build_openapi(app)["paths"])

    async def look(response: httpx.Response) -> None:
        request = response.request
        method = "GET" if request.method == "HEAD" else request.method
        of = next((r for r in routes if r.path_regex.match(request.url.path) and method in (r.methods or ())), None)
        if of is None:
            return
        code = None
        if response.headers.get("content-type") == MEDIA_TYPE and request.method != "HEAD":
            await response.aread()
            code = response.json()["code"]
        wrong = undocumented(_PATHS[of.path_format][method.lower()], response.status_code, code)
        assert wrong is None, wrong

    return look
