"""What the OpenAPI document says of each answer: every call that a test sends is looked up in it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import jsonschema_rs
import orjson
from fastapi import FastAPI

from api.access import GuardedRoute
from api.openapi import CODES_KEY, build_openapi
from api.problems import MEDIA_TYPE

Hook = Callable[[httpx.Response], Awaitable[None]]
_DOCUMENT: dict[str, Any] = {}  # made once, since every app has the same
_VALIDATORS: dict[str, jsonschema_rs.Draft202012Validator] = {}


def undocumented(operation: Mapping[str, Any], status: int, code: str | None) -> str | None:
    """Return what an answer has that its operation does not list; a code of None is not looked at."""
    answer = operation["responses"].get(str(status))
    if answer is None:
        return f"{operation['operationId']} does not list the status {status}"
    if code is not None and code not in answer.get(CODES_KEY, ()):
        return f"{operation['operationId']} does not list the code {code}"
    return None


def misfits(document: Mapping[str, Any], schema: Mapping[str, Any], value: object) -> list[str]:
    """Return where a body is not as its schema says, or has a field that its schema does not name."""
    key = orjson.dumps(schema).decode()
    if key not in _VALIDATORS:
        schemas = {name: _closed(each) for name, each in document["components"]["schemas"].items()}
        whole = {**schema, "components": {"schemas": schemas}}
        _VALIDATORS[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [f"{error.instance_path}: {error.message}" for error in _VALIDATORS[key].iter_errors(value)]


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    return {"additionalProperties": False, **schema} if "properties" in schema else schema


def hook_of(app: FastAPI) -> Hook:
    """Return what looks at each answer of an app; calls that are no published operation pass."""
    routes = [route for route in app.routes if isinstance(route, GuardedRoute) and route.include_in_schema]
    if not _DOCUMENT:
        _DOCUMENT.update(build_openapi(app))

    async def look(response: httpx.Response) -> None:
        request, kind = response.request, response.headers.get("content-type", "")
        method = "GET" if request.method == "HEAD" else request.method
        of = next((r for r in routes if r.path_regex.match(request.url.path) and method in (r.methods or ())), None)
        if of is None:
            return
        operation = _DOCUMENT["paths"][of.path_format][method.lower()]
        body = None
        if request.method != "HEAD" and kind in ("application/json", MEDIA_TYPE):
            body = orjson.loads(await response.aread())
        code = body["code"] if kind == MEDIA_TYPE and body else None
        wrong = undocumented(operation, response.status_code, code)
        assert wrong is None, wrong
        if body is not None:
            schema = operation["responses"][str(response.status_code)]["content"][kind]["schema"]
            assert (found := misfits(_DOCUMENT, schema, body)) == [], (operation["operationId"], found)

    return look
