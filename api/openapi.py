"""The OpenAPI document: what each call is named, carries and may answer with, in a form that makes good clients."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.access import BODY_LIMIT_KEY, PROBLEMS_KEY, Credential, GuardedRoute
from api.examples import read_examples
from api.openapi_words import DESCRIPTION, SECURITY_SCHEMES, TAGS
from api.operations import operation_of, problems_of
from api.problems import MEDIA_TYPE, Problem
from api.published import OF_PROGRAMMES
from api.published_words import widen
from domain.actors import Role
from domain.references import checked

Node = dict[str, Any]

CODES_KEY: Final = "x-problem-codes"  # beside an answer: the codes that it may carry
_VERSION: Final = "1"
_SAMPLE_CASE: Final = "7K2M9QXA"
_JSON: Final = "application/json"
_SCHEMAS: Final = "#/components/schemas/"
_UNSAID: Final = "Successful Response"  # what the framework says where nothing is said
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
_MAPS: Final = frozenset({"properties", "$defs", "patternProperties"})  # whose keys are names and not words of schemas
_VALUES: Final = frozenset({"examples", "default", "enum", "const"})


def build_openapi(app: FastAPI) -> Node:
    """Return the document of an app, built once."""
    if app.openapi_schema is None:
        routes = [route for route in app.routes if isinstance(route, GuardedRoute)]
        document = get_openapi(
            title="Hetao permits",
            version=_VERSION,
            description=DESCRIPTION,
            routes=routes,
            openapi_version="3.1.0",
            tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        _hoist(Problem.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}"), schemas)
        components["securitySchemes"] = SECURITY_SCHEMES
        examples = components["examples"] = {name: {"value": value} for name, value in read_examples().items()}
        for route in routes:
            for method in (route.methods or ()) if route.include_in_schema else ():
                operation = document["paths"][route.path_format][method.lower()]
                _complete(operation, route, method, schemas)
                _show_examples(operation, examples)
        _point_to(document, widen(schemas))
        for schema in schemas.values():
            _drop_titles(schema)
        app.openapi_schema = document
    return app.openapi_schema


def _point_to(node: Any, instead: Mapping[str, tuple[str, ...]]) -> None:
    """Let what refers to a schema refer to the one that stands in its place, or to any of several."""
    if isinstance(node, list):
        node[:] = [way for each in node for way in (_ways(each, instead) if _is_ref(each) else [each])]
        for each in node:
            _point_to(each, instead)
    elif isinstance(node, dict):
        if _is_ref(node):
            one, *others = _ways(node, instead)
            node.update({"anyOf": [one, *others]} if others else one)
            if others:
                node.pop("$ref")
        for each in node.values():
            _point_to(each, instead)


def _is_ref(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("$ref"), str)


def _ways(node: Node, instead: Mapping[str, tuple[str, ...]]) -> list[Node]:
    """Return what stands in the place of what refers to a schema."""
    name = node["$ref"].removeprefix(_SCHEMAS)
    return [{**node, "$ref": _SCHEMAS + other} for other in instead[name]] if name in instead else [node]


def _refers_to(schema: Node) -> list[str]:
    """Return the name of the schema that a body is of; those of the programmes, where it is of one of these."""
    ways = [schema, *schema.get("anyOf", ())]
    named = [str(way["$ref"]).removeprefix(_SCHEMAS) for way in ways if "$ref" in way]
    return named if len(named) == 1 or OF_PROGRAMMES.issuperset(named) else []


def example_names(schema: Node, operation_id: str, status: str = "") -> list[str]:
    """Return the names under which examples of a body stand: those of its schemas, or else that of its operation."""
    return _refers_to(schema) or [f"{operation_id[0].upper()}{operation_id[1:]}{status}"]


def bodies_of(operation: Node) -> Iterator[tuple[list[str], Node]]:
    """Yield each JSON body that an operation takes or answers with: names of its examples, and what is said of it."""
    asked = operation.get("requestBody", {}).get("content", {})
    answers = {s: each for s, each in operation["responses"].items() if int(s) < 400}
    for status, content in (("", asked), *((s, each.get("content", {})) for s, each in answers.items())):
        if _JSON in content:
            said = content[_JSON]
            yield example_names(said["schema"], operation["operationId"], status), said


def _complete(operation: Node, route: GuardedRoute, method: str, schemas: Node) -> None:
    access = route.access
    named = operation_of(route, method)
    operation["operationId"] = named.name
    operation.pop(BODY_LIMIT_KEY, None)
    operation.pop(PROBLEMS_KEY, None)
    if access.roles:
        operation["x-roles"] = sorted(access.roles)
    operation["security"] = _security(route)
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        _drop_titles(parameter["schema"])
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = True
            parameter["schema"] = _KEY
        if route.programme is not None and parameter["name"] == "reference":
            parameter["schema"]["examples"] = [checked(route.programme.prefix, _SAMPLE_CASE)]
    for said in operation.get("requestBody", {}).get("content", {}).values():
        said["schema"] = _hoist(said["schema"], schemas)
    responses = operation["responses"]
    responses.pop("422", None)
    for answer in responses.values():
        _describe(answer, operation["summary"], schemas)
    places = [(parameter["in"], parameter["name"]) for parameter in parameters]
    for status, codes in problems_of(route, named, places, takes_body="requestBody" in operation).items():
        answer = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
            CODES_KEY: codes,
        }
        if status in (429, 503):
            answer["headers"] = _RETRY_AFTER
        responses[str(status)] = answer


def _security(route: GuardedRoute) -> list[Node]:
    """Return the ways to show who calls, each with a role that it is good for; none where nothing is shown."""
    access = route.access
    if access.credential is Credential.SIGNATURE:
        signed = (route.openapi_extra or {}).get("security")
        return list(signed) if signed else []
    roles = sorted(access.roles)
    by_token = [] if access.is_own and not access.takes_documents else [{"bearer": [role.value]} for role in roles]
    by_session = Role.PERSON in roles and not access.asks_document
    return [*by_token, *([{"session": [Role.PERSON.value]}] if by_session else [])]


def _describe(answer: Node, summary: str, schemas: Node) -> None:
    """Say of an answer what its schema says of itself, where its route says nothing."""
    for said in answer.get("content", {}).values():
        _drop_titles(said.get("schema", {}))
    if answer["description"] != _UNSAID:
        return
    schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
    named = _refers_to(schema)
    answer["description"] = schemas[named[0]].get("description", summary) if named else summary


def _show_examples(operation: Node, examples: Node) -> None:
    for names, said in bodies_of(operation):
        shown = [name for name in names if name in examples]
        if shown:
            # The first is called as it was when it was the only one; those of other programmes by their schemas.
            called = ["sample", *shown[1:]]
            said["examples"] = {
                key: {"$ref": f"#/components/examples/{name}"} for key, name in zip(called, shown, strict=True)
            }


def _hoist(schema: Node, schemas: Node) -> Node:
    """Move a schema of an object that has a name of its own among the named ones, and return what stands for it."""
    for name, definition in schema.pop("$defs", {}).items():
        schemas.setdefault(name, definition)
    name = schema.get("title")
    if name is None or schema.get("type") != "object":
        _drop_titles(schema)
        return schema
    schemas[name] = schema
    return {"$ref": f"{_SCHEMAS}{name}"}


def _drop_titles(node: Any, *, is_map: bool = False) -> None:
    """Take out the titles that the framework makes of names: generators make classes of them that nobody can tell."""
    if isinstance(node, list):
        for each in node:
            _drop_titles(each)
    elif isinstance(node, dict):
        if not is_map:
            node.pop("title", None)
        for name, each in node.items():
            if is_map or name not in _VALUES:
                _drop_titles(each, is_map=not is_map and name in _MAPS)
