"""Generated requests to every route, as each role in turn: what is not understood is a documented refusal."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.openapi import build_openapi
from proof.webhooks import sign
from tests.api.callers import PERSONAS, TestIssuer
from tests.api.conftest import AUTHORITY_SECRET, RECEIPTS_SECRET, settings_for_tests
from tests.api.served import Served
from tests.services import empty

EXAMPLES = int(os.environ.get("HETAO_FUZZ_EXAMPLES", "50"))
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_DOCUMENT = build_openapi(create_app(settings_for_tests("postgresql://nobody@127.0.0.1/none")))
SCHEMA = schemathesis.openapi.from_dict(_DOCUMENT)
OPERATIONS = {
    f"{method.upper()} {path}": SCHEMA[path][method]
    for path in _DOCUMENT["paths"]
    for method in _DOCUMENT["paths"][path]
}
SIGNED = {"POST /v1/authority/outcomes": AUTHORITY_SECRET, "POST /v1/receipts": RECEIPTS_SECRET}


@pytest.fixture(scope="module")
def served(database_url: str, postgres: Any, database_name: str, issuer_of_tests: TestIssuer) -> Iterator[Served]:
    empty(postgres, database_name)
    server = Served(database_url, issuer_of_tests)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_route_answers_what_it_documents(name: str, served: Served) -> None:
    operation = OPERATIONS[name]
    roles = _DOCUMENT["paths"][operation.path][operation.method].get("x-roles", [])
    fitting = [persona for persona, claims in PERSONAS.items() if claims["role"] in roles] or list(PERSONAS)
    cases = st.one_of(operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES <= 50,  # the same examples in every ordinary run; a long one looks further
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, persona=st.sampled_from([*fitting * 3, *PERSONAS]), known=st.integers(0, 20))
    def check(case: Any, persona: str, known: int) -> None:
        if known:  # most calls name something that is there, cases of every stage among them
            references = served.walk.references
            there = served.walk.ids | {"reference": references[known % len(references)], "destination": "HK"}
            for place in set(case.path_parameters or {}) & set(there):
                case.path_parameters[place] = there[place]
        headers = {"Authorization": f"Bearer {served.token(persona)}"}
        if name in SIGNED and known:
            body = case.body if isinstance(case.body, bytes | str) else json.dumps(case.body, default=str).encode()
            text = body.decode(errors="replace") if isinstance(body, bytes) else body
            headers |= sign(f"msg_{known}", served.stage.clock(), text, [SIGNED[name]])
            arguments = case.as_transport_kwargs(base_url=served.url)
            arguments["headers"] = {**arguments["headers"], **headers, "Content-Type": "application/json"}
            arguments.pop("json", None)
            arguments["data"] = text.encode()
            answer = requests.request(**arguments, timeout=30)
        else:
            answer = case.call(base_url=served.url, headers=headers)
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=CHECKS)

    check()
    assert any(status < 300 for status in served.walk.seen[name]), f"{name} never succeeded"
