"""Generated requests to every route, as each role in turn: what is not understood is a documented refusal."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
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

from api.problems import MEDIA_TYPE
from proof.webhooks import sign
from tests.api.callers import PERSONAS, TestIssuer
from tests.api.conftest import AUTHORITY_SECRET, RECEIPTS_SECRET
from tests.api.documented import undocumented
from tests.api.routes import NOBODY, fitting_roles, published
from tests.api.served import SIGNED_IN, Served
from tests.api.tally import TALLY, Tally
from tests.rows import Rows

EXAMPLES = int(os.environ.get("HETAO_FUZZ_EXAMPLES", "50"))
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(published())
FITTING = fitting_roles()
OPERATIONS = {name: SCHEMA[name.partition(" ")[2]][name.partition(" ")[0].lower()] for name in FITTING}
# Persons sign in by a link; a token of the issuer that claims their role opens nothing of theirs.
CALLERS = {**{persona: claims["role"] for persona, claims in PERSONAS.items()}, SIGNED_IN: "person", NOBODY: NOBODY}
SIGNED = {"POST /v1/authority/outcomes": AUTHORITY_SECRET, "POST /v1/receipts": RECEIPTS_SECRET}
# A false one is no HTTP: the server refuses such a message before it has a route, in plain text.
FRAMING = frozenset({"content-length", "transfer-encoding"})


@pytest_asyncio.fixture(scope="module")
async def served(database_url: str, rows: Rows, issuer_of_tests: TestIssuer) -> AsyncIterator[Served]:
    await rows.empty()
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
    cases = st.one_of(operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE))

    for callers, examples in _shares(name):
        _send(name, served, cases, callers, examples)
    assert any(status < 300 for status in served.walk.seen[name]), f"{name} never succeeded"


def _shares(name: str) -> Iterator[tuple[list[str], int]]:
    """Yield the callers of each role that a route is for, and then all others, with the number of their examples."""
    roles, for_others = FITTING[name], max(1, EXAMPLES // 5)
    for role in roles:
        yield [caller for caller in CALLERS if CALLERS[caller] == role], -(-(EXAMPLES - for_others) // len(roles))
    yield [caller for caller in CALLERS if CALLERS[caller] not in roles], for_others


def _send(name: str, served: Served, cases: st.SearchStrategy[Any], callers: list[str], examples: int) -> None:
    """Send generated requests as one of the callers each, and look at the answers."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=EXAMPLES <= 50,  # the same examples in every ordinary run; a long one looks further
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, caller=st.sampled_from(callers), turn=st.integers(0, 2**32))
    def check(case: Any, caller: str, turn: int) -> None:
        operation = published()["paths"][case.operation.path][case.operation.method]
        known = turn % 21  # of more turns, so that the examples of a route without parameters do not run out
        if known:  # most calls name something that is there, cases of every stage among them
            there = served.walk.ids | served.walk.places(case.operation.path, known)
            for place in set(case.path_parameters or {}) & set(there):
                case.path_parameters[place] = there[place]
        for each in [each for each in case.headers or {} if each.lower() in FRAMING]:
            del case.headers[each]
        headers = {} if caller == NOBODY else {"Authorization": f"Bearer {served.token(caller)}"}
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
        TALLY.note(name, CALLERS[caller], answer.status_code)
        assert answer.status_code < 500, answer.text
        code = answer.json()["code"] if answer.headers.get("content-type") == MEDIA_TYPE else None
        assert (wrong := undocumented(operation, answer.status_code, code)) is None, wrong
        case.validate_response(answer, checks=CHECKS)

    check()


def test_a_run_that_left_something_out_is_told_from_a_whole_one() -> None:
    tally, expected = Tally(), {"GET /a": ["auditor", "officer"], "GET /b": ["operator"]}
    tally.add([("GET /a", "auditor", 2, 0), ("GET /a", "employer", 1, 0)])
    assert tally.missing(expected, 4) == [
        "3 requests were sent, of 4",
        "GET /b was never tried",
        "officer was never tried",
        "operator was never tried",
        "GET /a was never tried as officer",
        "no request as auditor succeeded",
    ]

    for route, role in (("GET /a", "auditor"), ("GET /a", "officer"), ("GET /b", "operator")):
        tally.note(route, role, 200)

    assert tally.missing(expected, 6) == []
    assert tally.lines()[-1] == "     6 requests in all, 3 of them succeeded"
