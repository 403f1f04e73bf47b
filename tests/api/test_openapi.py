"""The OpenAPI document says what clients can rely on."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.access import PROBLEMS_KEY, GuardedRoute, anyone
from api.openapi import CODES_KEY
from api.operations import OPERATIONS, operation_of, problems_of
from domain.errors import PROBLEM_STATUS
from domain.parties import Party
from programmes import PROGRAMMES
from tests.api.conftest import Stage
from tests.api.routes import all_routes, published, served

DOCUMENT = published()
# Open to anyone: they tell of nothing but the size of the tree, and a cosignature is its own credential.
_OF_THE_LOG = {
    "GET /v1/audit/checkpoint",
    "GET /v1/audit/consistency",
    "GET /v1/audit/keys",
    "POST /v1/audit/checkpoint/cosignatures",
}
# Whoever asks for a link or uses one has shown nothing yet.
_OF_ANYONE = {"GET /v1/check/{code}", "POST /v1/self-check"}
_BEFORE_SIGN_IN = {"POST /v1/me/sign-in-links", "POST /v1/me/sessions"}
CALLS = """
POST /v1/registrations
POST /v1/registrations/check
GET /v1/registrations
GET /v1/registrations/{reference}
GET /v1/registrations/{reference}/person
GET /v1/registrations/{reference}/acts
POST /v1/registrations/{reference}/correction
POST /v1/registrations/{reference}/contest
POST /v1/registrations/{reference}/withdrawal
POST /v1/registrations/{reference}/departure
POST /v1/registrations/{reference}/departure-answer
POST /v1/registrations/{reference}/change
GET /v1/registrations/{reference}/change
POST /v1/rosters
GET /v1/rosters/{roster_id}
GET /v1/rosters/{roster_id}/rows
GET /v1/rosters/{roster_id}/annotated
GET /v1/rosters/template
GET /v1/webhooks
PUT /v1/webhooks
POST /v1/webhooks/{webhook_id}/test
POST /v1/webhooks/{webhook_id}/secret
GET /v1/webhooks/{webhook_id}/deliveries
GET /v1/tasks
GET /v1/tasks/{task_id}
POST /v1/tasks/next
POST /v1/tasks/{task_id}/claim
POST /v1/tasks/{task_id}/release
POST /v1/tasks/{task_id}/assign
POST /v1/tasks/{task_id}/answer
POST /v1/registrations/{reference}/decision
POST /v1/registrations/{reference}/confirmation
POST /v1/decisions
POST /v1/registrations/{reference}/facts
GET /v1/registrations/{reference}/facts
POST /v1/registrations/{reference}/facts/{number}/contest
POST /v1/registrations/{reference}/recall
POST /v1/registrations/{reference}/permits/{destination}/recall
POST /v1/registrations/{reference}/permits/{destination}/lost
POST /v1/registrations/{reference}/hold
POST /v1/registrations/{reference}/revocation
POST /v1/registrations/{reference}/permits/{destination}/eligibility
POST /v1/registrations/{reference}/permits/{destination}/outcome
POST /v1/registrations/{reference}/permits/{destination}/confirmation
GET /v1/reasons
GET /v1/policies/{pack}
POST /v1/policies/{pack}
GET /v1/policies/{pack}/versions
POST /v1/policies/{pack}/versions/{version}/confirmation
GET /v1/policies/{pack}/trials/{report_hash}
GET /v1/audit/cases/{reference}/re-evaluation
GET /v1/employers
GET /v1/employers/{employer_id}
PUT /v1/employers/{employer_id}
POST /v1/employers/{employer_id}/standing
POST /v1/employers/{employer_id}/standing/confirmation
GET /v1/premises
PUT /v1/premises
POST /v1/authority/outcomes
POST /v1/receipts
GET /v1/incidents
GET /v1/incidents/{incident_id}
POST /v1/incidents/{incident_id}/resume
GET /v1/incident-causes
GET /v1/incident-causes/{cause_id}
GET /v1/incident-causes/{cause_id}/incidents
POST /v1/incident-causes/{cause_id}/resume
GET /v1/health/channels
GET /v1/audit/checkpoint
GET /v1/audit/consistency
GET /v1/audit/keys
GET /v1/audit/proofs
GET /v1/registrations/{reference}/receipts
POST /v1/audit/checkpoint/cosignatures
GET /v1/audit/cases/{reference}/history
GET /v1/audit/cases/{reference}/reconciliation
GET /v1/audit/differences
GET /v1/audit/events
GET /v1/audit/counts
GET /v1/audit/export
GET /v1/audit/samples
GET /v1/audit/conflicts
POST /v1/me/sign-in-links
POST /v1/me/sessions
POST /v1/me/sign-out
GET /v1/me/registrations
GET /v1/me/registrations/{reference}/acts
GET /v1/me/data
GET /v1/lost-answers
POST /v1/lost-answers/{answer_id}/attachment
POST /v1/lost-answers/{answer_id}/attachment/confirmation
GET /v1/me/objections
GET /v1/me/transfers
POST /v1/me/transfers
POST /v1/me/transfers/{transfer_id}/withdrawal
POST /v1/me/complaints
POST /v1/me/contests
POST /v1/me/disputes
POST /v1/me/changes
POST /v1/me/lost-cards
GET /v1/registrations/{reference}/requests
GET /v1/objections
POST /v1/objections/{objection_id}/answer
GET /v1/me/access-log
GET /health/live
GET /health/ready
""".split("\n")
_OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, ways in DOCUMENT["paths"].items()
    for method, operation in ways.items()
}
# A trial stores nothing, the signed messages have an id of their own, a cosignature is one by itself; a link works
# once, of several the last one counts, and a session ends but once.
_WITHOUT_KEY = {
    *(f"POST /v1/{each.path}/check" for each in PROGRAMMES.values() if each.check),
    *(f"POST /v1/{each.path}/{asked.path}" for each in PROGRAMMES.values() for asked in each.questions),
    *(f"POST /v1/{each.path}/{{reference}}/decision/preview" for each in PROGRAMMES.values()),
    "POST /v1/authority/outcomes",
    "POST /v1/receipts",
    "POST /v1/audit/checkpoint/cosignatures",
    *_BEFORE_SIGN_IN,
    *_OF_ANYONE,
    "POST /v1/me/sign-out",
}


@pytest.mark.parametrize("call", [call for call in CALLS if call])
def test_a_published_call_is_in_the_document(call: str) -> None:
    assert call in _OPERATIONS


def test_every_write_needs_an_idempotency_key() -> None:
    for name, operation in _OPERATIONS.items():
        keys = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
        needed = not name.startswith("GET") and name not in _WITHOUT_KEY
        assert [key["required"] for key in keys] == ([True] if needed else []), name


_BY_DOCUMENT = {"drafts", *(each.path for each in PROGRAMMES.values() if each.party is Party.PERSON)}


def test_every_call_under_v1_names_its_credential_and_roles() -> None:
    for name, operation in _OPERATIONS.items():
        shown = operation["security"]
        if name.startswith(("GET /health", "GET /openapi")) or name in _OF_THE_LOG | _BEFORE_SIGN_IN | _OF_ANYONE:
            assert shown == []
        elif name in ("POST /v1/authority/outcomes", "POST /v1/receipts"):
            assert shown == [{"signature": []}]
        else:
            roles = operation["x-roles"]
            tokens = [] if name == "POST /v1/me/sign-out" else [{"bearer": [role]} for role in roles]
            # A case that a person owns, and a draft, are asked with a token that asserts a document, and not by a link.
            by_link = "person" in roles and not any(f" /v1/{path}" in name for path in _BY_DOCUMENT)
            by_link |= "person" in roles and "/check-codes" in name
            assert shown == tokens + ([{"session": ["person"]}] if by_link else []), name
            assert roles, name
    schemes = {scheme for operation in _OPERATIONS.values() for way in operation["security"] for scheme in way}
    assert schemes == set(DOCUMENT["components"]["securitySchemes"])


def test_every_refusal_is_a_problem_document_and_503_says_when_to_come_again() -> None:
    for name, operation in _OPERATIONS.items():
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (name, status)
                assert {PROBLEM_STATUS[code] for code in answer[CODES_KEY]} == {int(status)}, name
                assert answer["description"] == ", ".join(f"`{code}`" for code in answer[CODES_KEY])
        assert operation["responses"]["503"]["headers"]["Retry-After"]["required"], name
        assert operation["responses"]["500"][CODES_KEY] == ["defect"], name


def _codes(name: str) -> set[str]:
    return {code for answer in _OPERATIONS[name]["responses"].values() for code in answer.get(CODES_KEY, ())}


def test_a_call_lists_the_problems_that_it_can_meet_and_no_others() -> None:
    everywhere = {"malformed", "invalid", "defect", "engine_unavailable"}
    with_token = everywhere | {"token_missing", "token_invalid", "role_not_allowed", "too_many_requests"}
    with_key = with_token | {"idempotency_key_missing", "idempotency_key_reused", "in_progress"}
    with_body = {"body_late", "body_too_large", "media_type_unknown"}

    assert _codes("GET /health/live") == everywhere
    assert _codes("GET /v1/reasons") == with_token
    assert _codes("GET /v1/registrations") == with_token | {"cursor_invalid"}
    assert _codes("GET /v1/registrations/{reference}") == with_token | {"case_unknown"}
    assert _codes("PUT /v1/premises") == with_key | with_body
    assert _codes("POST /v1/registrations/{reference}/recall") == with_key | with_body | {
        "case_unknown",
        "case_closed",
        "wrong_stage",
        "facts_erased",
    }


def test_operations_and_schemas_have_short_names_of_their_own() -> None:
    names = [operation["operationId"] for operation in _OPERATIONS.values()]
    schemas = list(DOCUMENT["components"]["schemas"])

    assert all(re.fullmatch("[a-z][A-Za-z]{3,30}", name) for name in names)
    assert all(re.fullmatch("[A-Z][A-Za-z]+", name) and not name.startswith("Body") for name in schemas)
    for each in (names, schemas):
        assert len({name.lower() for name in each}) == len(each)


def test_a_call_is_in_the_table_of_operations_or_brings_its_name_itself() -> None:
    named = {f"{method} {path}" for method, path, route in all_routes(served()) if route.operation_id}
    assert set(OPERATIONS) | named == set(_OPERATIONS)
    assert not set(OPERATIONS) & named


def test_a_route_that_declares_itself_needs_no_row_in_the_table() -> None:
    router = APIRouter(route_class=GuardedRoute)

    @router.get("/declared", operation_id="readDeclared", openapi_extra={PROBLEMS_KEY: ["on_hold"]})
    async def read(_caller: Annotated[None, anyone()]) -> None:
        """Nothing."""

    (route,) = [each for each in router.routes if isinstance(each, GuardedRoute)]
    named = operation_of(route, "GET")

    assert named.name == "readDeclared"
    assert problems_of(route, named, [], takes_body=False)[409] == ["on_hold"]


def test_every_list_with_a_cursor_answers_a_page() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name, operation in _OPERATIONS.items():
        cursors = [p for p in operation.get("parameters", []) if p["name"] == "cursor"]
        answer = operation["responses"].get("200", {}).get("content", {}).get("application/json")
        if cursors and answer:
            page = schemas[answer["schema"]["$ref"].rpartition("/")[2]]
            assert {"items", "next_cursor"} <= set(page["required"]), name


def test_every_group_of_calls_is_described() -> None:
    described = {tag["name"] for tag in DOCUMENT["tags"] if tag["description"]}
    used = [operation["tags"] for operation in _OPERATIONS.values()]

    assert {tag for tags in used for tag in tags} == described
    assert all(len(tags) == 1 for tags in used)


def test_no_title_is_made_of_a_name() -> None:
    def titles(node: Any, *, of_names: bool = False) -> Iterator[str]:
        if isinstance(node, dict):
            if not of_names and isinstance(node.get("title"), str):
                yield node["title"]
            for name, each in node.items():
                yield from titles(each, of_names=name == "properties") if name not in ("examples", "info") else ()
        elif isinstance(node, list):
            for each in node:
                yield from titles(each)

    assert list(titles(DOCUMENT)) == []


async def test_a_trace_names_the_route_and_nothing_that_was_sent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr("api.frame._tracer", provider.get_tracer("test"))
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    await stage.as_("employer-a").get("/v1/registrations/SECRET", headers={"traceparent": parent})

    (span,) = spans.get_finished_spans()
    assert span.name == "GET /v1/registrations/{reference}"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert "SECRET" not in span.to_json()
