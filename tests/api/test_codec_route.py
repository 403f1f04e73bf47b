"""The codec route, asked as Temporal's web UI asks: across origins, from a browser, with its own headers and query."""

import base64
import re
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from temporalio.api.common.v1 import Payload

from sandbox.stack.temporal_server import binary
from temporal.codec import Codec
from tests.api.conftest import CODEC_TOKEN, Stage

ORIGIN = "http://127.0.0.1:8233"
# As the web UI of the wheel sends it; a test below compares.
QUERY = "?preserveStorageRefs=true"
ASKED = {"Content-Type": "application/json", "X-Namespace": "default"}
BY_TOKEN = f"/codec/{CODEC_TOKEN}/decode"
FOR_OPERATORS = "/codec/decode"


def shown(payload: Payload) -> dict[str, Any]:
    """Return a payload as JSON, as Temporal's HTTP interface gives it to the web UI."""
    return {
        "metadata": {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()},
        "data": base64.b64encode(payload.data).decode(),
    }


async def sealed(stage: Stage) -> bytes:
    """Return the body of the web UI's request for one payload of ours and one that was never encrypted."""
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'"x"')
    (ours,) = await Codec(stage.context.keyring.codec).encode([plain])
    return orjson.dumps({"payloads": [shown(ours), shown(plain)]})


async def ask(stage: Stage, path: str, headers: dict[str, str]) -> tuple[httpx.Response, httpx.Response]:
    """Send what a browser sends for the web UI: the question whether it may, then the request."""
    names = ",".join(sorted(name.lower() for name in headers))
    asking = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": names}
    asked = await stage.nobody.send("OPTIONS", path + QUERY, headers=asking)
    content = await sealed(stage)
    return asked, await stage.nobody.send("POST", path + QUERY, content=content, headers={"Origin": ORIGIN} | headers)


def may_be_read(asked: httpx.Response, answer: httpx.Response, headers: dict[str, str]) -> bool:
    """Whether a browser lets the page of the web UI send the request and read the answer."""
    allowed = {name.strip() for name in asked.headers.get("access-control-allow-headers", "").split(",")}
    return (
        asked.is_success
        and {name.lower() for name in headers} <= allowed
        and all(each.headers.get("access-control-allow-origin") == ORIGIN for each in (asked, answer))
    )


async def test_the_web_ui_of_the_embedded_stack_reads_payloads_by_the_token_of_the_path(stage: Stage) -> None:
    asked, answer = await ask(stage, BY_TOKEN, ASKED)

    assert answer.status_code == 200, answer.text
    assert [base64.b64decode(each["data"]) for each in answer.json()["payloads"]] == [b'"x"', b'"x"']
    assert may_be_read(asked, answer, ASKED)


async def test_the_web_ui_reads_payloads_with_the_token_of_an_operator(stage: Stage) -> None:
    token = stage.issuer.sign(stage.issuer.claims("operator", stage.clock()))
    headers = ASKED | {"Authorization": f"Bearer {token}", "Authorization-Extras": "id-token"}
    asked, answer = await ask(stage, FOR_OPERATORS, headers)

    assert answer.status_code == 200, answer.text
    assert [base64.b64decode(each["data"]) for each in answer.json()["payloads"]] == [b'"x"', b'"x"']
    assert may_be_read(asked, answer, headers)


@pytest.mark.parametrize("persona", ["officer-1", "supervisor", "auditor", "employer-a", None])
async def test_nobody_but_an_operator_reads_payloads_and_the_web_ui_may_read_the_refusal(
    stage: Stage, persona: str | None
) -> None:
    caller = stage.as_(persona) if persona else stage.nobody
    answer = await caller.send("POST", FOR_OPERATORS + QUERY, content=await sealed(stage), headers=ASKED)

    assert answer.status_code == (403 if persona else 401)
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("path", ["/codec/another-token/decode", f"/codec/{CODEC_TOKEN}/encode", "/codec/encode"])
async def test_there_is_no_other_token_and_nothing_that_encodes(stage: Stage, path: str) -> None:
    operator = await stage.as_("operator").send("POST", path, content=await sealed(stage), headers=ASKED)

    assert operator.status_code == 404
    assert (await stage.nobody.send("OPTIONS", path)).status_code in (404, 405)


@pytest.mark.parametrize(
    "body",
    [
        {"payloads": "x"},
        {},
        {"payloads": [{"metadata": {"encoding": "YmluYXJ5L2hldGFvLWFlcy1nY20="}, "data": "AAAA"}]},
        {"payloads": [{"metadata": {"encoding": "$"}, "data": "?"}]},
    ],
)
async def test_what_cannot_be_read_is_refused(stage: Stage, body: Any) -> None:
    assert (await stage.nobody.send("POST", BY_TOKEN, json=body)).status_code == 422


def test_the_web_ui_in_the_wheel_asks_as_these_tests_do() -> None:
    bundle = Path(binary()).read_bytes()
    at = bundle.index(b"preserveStorageRefs=true")
    script = bundle[at - 1500 : at + 1500].decode("utf-8", "replace")

    assert f"/${{o}}{QUERY}" in script
    assert set(re.findall(r'"(Content-Type|X-[A-Za-z]+|Authorization[-A-Za-z]*)"', script)) == {
        "Content-Type", "X-Namespace", "Authorization-Extras",
    }  # fmt: skip
    assert ".Authorization=`Bearer ${" in script
