"""The OpenAPI document: what each route may answer with, and what each call must carry."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.access import BODY_LIMIT_KEY, PROBLEMS_KEY, Credential, GuardedRoute
from api.problems import MEDIA_TYPE, Problem
from domain.errors import PROBLEM_STATUS

_VERSION: Final = "1"
_DESCRIPTION: Final = (
    "Registration of people who work in the Shenzhen Park of the Hetao zone, and their talent permits for Hong Kong "
    "and Macao. Errors are problem documents (RFC 9457) whose codes are explained at `/docs/problems`; "
    "`Accept-Language` chooses the language of messages (`zh-Hans`, `zh-Hant`, `en`). Bodies are I-JSON (RFC 7493)."
)
_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 1}}
}

_KEY: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "pattern": "^[!-~]+$",
    "examples": ["7a1c0d3e-8a52-4c5b-9a55-1f0c2f8f3f6a"],
}


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document of an app, built once."""
    if app.openapi_schema is None:
        routes = [route for route in app.routes if isinstance(route, GuardedRoute)]
        document = get_openapi(
            title="Hetao permits", version=_VERSION, description=_DESCRIPTION, routes=routes, openapi_version="3.1.0"
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs"), Problem=problem)
        components.setdefault("securitySchemes", {})["signature"] = {
            "type": "apiKey",
            "in": "header",
            "name": "webhook-signature",
            "description": "The message is signed as Standard Webhooks 1.0.0 says.",
        }
        for route in routes:
            for method in (route.methods or ()) if route.include_in_schema else ():
                _complete(document["paths"][route.path_format][method.lower()], route, method)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], route: GuardedRoute, method: str) -> None:
    access = route.access
    operation.pop(BODY_LIMIT_KEY, None)
    further = set(operation.pop(PROBLEMS_KEY, ()))
    if access.roles:
        operation["x-roles"] = sorted(access.roles)
    if access.credential is not Credential.TOKEN:
        operation.setdefault("security", [])
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = True
            parameter["schema"] = _KEY
    responses = operation["responses"]
    responses.pop("422", None)
    for status in sorted(_statuses(operation, route, method) | further):
        codes = sorted(code for code, its in PROBLEM_STATUS.items() if its == status)
        answer: dict[str, Any] = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status in (429, 503):
            answer["headers"] = _RETRY_AFTER
        responses[str(status)] = answer


def _statuses(operation: dict[str, Any], route: GuardedRoute, method: str) -> set[int]:
    statuses = {400, 422, 500, 503}
    if route.access.credential is Credential.TOKEN:
        statuses |= {401, 403, 410, 429}
    if route.access.credential is Credential.SIGNATURE:
        statuses |= {401, 404, 429}
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
        statuses.add(404)
    if method != "GET":
        statuses.add(409)
    if "requestBody" in operation:
        statuses |= {408, 413, 415}
    return statuses
