"""The OpenAPI document says what clients can rely on."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.app import create_app
from api.openapi import build_openapi
from tests.api.conftest import Stage, settings_for_tests

DOCUMENT = build_openapi(create_app(settings_for_tests("postgresql://nobody@127.0.0.1/none")))
# Open to anyone: they tell of nothing but the size of the tree, and a cosignature is its own credential.
_OF_THE_LOG = {
    "GET /v1/audit/checkpoint",
    "GET /v1/audit/consistency",
    "GET /v1/audit/keys",
    "POST /v1/audit/checkpoint/cosignatures",
}
# Whoever asks for a link or uses one has shown nothing yet.
_BEFORE_SIGN_IN = {"POST /v1/me/sign-in-links", "POST /v1/me/sessions"}
CALLS = """
POST /v1/registrations
POST /v1/registrations/check
GET /v1/registrations
GET /v1/registrations/{reference}
GET /v1/registrations/{reference}/person
POST /v1/registrations/{reference}/correction
POST /v1/registrations/{reference}/contest
POST /v1/registrations/{reference}/withdrawal
POST /v1/registrations/{reference}/departure
POST /v1/registrations/{reference}/change
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
GET /v1/me/data
GET /v1/lost-answers
POST /v1/lost-answers/{answer_id}/attachment
POST /v1/lost-answers/{answer_id}/attachment/confirmation
GET /v1/me/objections
POST /v1/me/complaints
POST /v1/me/contests
POST /v1/me/disputes
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
    "POST /v1/registrations/check",
    "POST /v1/authority/outcomes",
    "POST /v1/receipts",
    "POST /v1/audit/checkpoint/cosignatures",
    *_BEFORE_SIGN_IN,
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


def test_every_call_under_v1_names_its_credential_and_roles() -> None:
    for name, operation in _OPERATIONS.items():
        if name.startswith(("GET /health", "GET /openapi")) or name in _OF_THE_LOG | _BEFORE_SIGN_IN:
            assert operation["security"] == []
        elif name in ("POST /v1/authority/outcomes", "POST /v1/receipts"):
            assert operation["security"] == [{"signature": []}]
        else:
            assert operation["security"] == [{"bearer": []}], name
            assert operation["x-roles"], name


def test_every_refusal_is_a_problem_document_and_503_says_when_to_come_again() -> None:
    for name, operation in _OPERATIONS.items():
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (name, status)
        assert operation["responses"]["503"]["headers"]["Retry-After"]["required"], name
        assert operation["responses"]["500"]["description"] == "`defect`", name


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
