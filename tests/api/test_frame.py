"""Correlation ids, limits on how much is asked, health, docs, and what is written down of a call."""

import asyncio
import base64
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from api.app import create_app
from api.limiting import Allowance
from cases.health.readiness import Readiness, Register
from domain.errors import Unavailable
from tests.api.callers import TestIssuer
from tests.api.conftest import Stage, set_stage, settings_for_tests
from tests.cases.contexts import registration_body
from tests.json_logs import logging_as_json

SECRET = "冯承泽"


async def test_a_correlation_id_is_taken_over_or_made(stage: Stage) -> None:
    given = await stage.nobody.send("GET", "/health/live", headers={"X-Correlation-ID": "job-2026-11-07.a"})
    strange = await stage.nobody.send("GET", "/health/live", headers={"X-Correlation-ID": b"a b\xe9<script>"})

    assert given.headers["x-correlation-id"] == "job-2026-11-07.a"
    assert re.fullmatch(r"[0-9a-f]{32}", strange.headers["x-correlation-id"])


async def test_two_tenants_may_send_the_same_correlation_id(stage: Stage) -> None:
    same = {"X-Correlation-ID": "same-for-all"}
    hook = {"url": "https://hr.example.com/hooks", "kinds": ["registration_approved"]}

    answers = [await stage.as_(name).put("/v1/webhooks", hook, headers=same) for name in ("employer-a", "employer-b")]

    assert [answer.status_code for answer in answers] == [201, 201]


async def test_the_access_log_names_routes_and_no_one(stage: Stage) -> None:
    with capture_logs() as lines:
        await stage.as_("employer-a").get("/v1/registrations", q=SECRET)
        await stage.as_("employer-a").get(f"/v1/registrations/{SECRET}")
        await stage.nobody.send("GET", f"/{SECRET}")
        await stage.nobody.send(SECRET.encode().hex().upper(), "/health/live")

    requests = [line for line in lines if line["event"] == "request"]
    assert [line["route"] for line in requests] == [
        "/v1/registrations",
        "/v1/registrations/{reference}",
        "unknown",
        "/health/live",
    ]
    assert requests[0]["role"] == "employer"
    assert SECRET not in json.dumps(lines, ensure_ascii=False, default=str)


async def test_calls_are_counted_by_template(stage: Stage) -> None:
    labels = {"method": "GET", "route": "/v1/registrations/{reference}", "status": "404"}
    before = REGISTRY.get_sample_value("hetao_http_requests_total", labels) or 0

    await stage.as_("employer-a").get("/v1/registrations/x")

    assert REGISTRY.get_sample_value("hetao_http_requests_total", labels) == before + 1


async def test_what_is_refused_is_counted_by_reason(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(reason: str) -> float:
        return REGISTRY.get_sample_value("hetao_http_refused_total", {"reason": reason}) or 0

    async def away(*_args: object, **_named: object) -> None:
        raise Unavailable("database")

    reasons = ("case_unknown", "token_missing", "malformed", "database")
    before = [told(reason) for reason in reasons]
    await stage.as_("employer-a").get("/v1/registrations/HT-0000-0000-0")
    await stage.nobody.send("GET", "/v1/registrations")
    await stage.nobody.send("GET", "/v1/registrations?q=%zz")
    monkeypatch.setattr("cases.case.reads.list_cases", away)
    await stage.as_("employer-a").get("/v1/registrations")
    assert [told(reason) for reason in reasons] == [count + 1 for count in before]


async def test_calls_in_progress_are_told_while_they_last(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> float | None:
        return REGISTRY.get_sample_value("hetao_http_requests_in_progress")

    seen: list[float | None] = []

    async def look(*_args: object, **_named: object) -> None:
        seen.append(told())
        raise Unavailable("database")

    before = told()
    monkeypatch.setattr("cases.case.reads.list_cases", look)
    await stage.as_("employer-a").get("/v1/registrations")
    assert seen == [(before or 0) + 1]
    assert told() == before


def test_a_log_line_holds_classes_and_places_of_an_error_but_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as_json():
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("elsewhere").exception("failed")

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["error"], line["process"]) == ("failed", ["builtins.ValueError"], "api")
    assert SECRET not in json.dumps(line, ensure_ascii=False)


@pytest_asyncio.fixture
async def narrow(clean_database: str, issuer_of_tests: TestIssuer) -> AsyncIterator[Stage]:
    """An application that takes little."""
    allowance = Allowance(caller_a_minute=3, tenant_a_minute=5, at_once=4)  # of which one address has two
    async with set_stage(clean_database, issuer_of_tests, allowance) as stage:
        yield stage


async def test_a_caller_who_asks_too_much_is_told_when_to_come_again(narrow: Stage) -> None:
    statuses = [(await narrow.as_("officer-1").get("/v1/reasons")).status_code for _ in range(4)]
    last = await narrow.as_("officer-1").get("/v1/reasons")
    other = await narrow.as_("officer-2").get("/v1/reasons")

    assert statuses == [200, 200, 200, 429]
    assert last.json()["code"] == "too_many_requests"
    assert 1 <= int(last.headers["retry-after"]) <= 60
    assert other.status_code == 200


async def test_a_crowd_is_turned_away_and_health_still_answers(narrow: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = asyncio.Event()

    async def slow(*_: object, **__: object) -> None:
        await blocked.wait()
        raise Unavailable("test")

    monkeypatch.setattr("cases.case.reads.list_cases", slow)
    waiting = [asyncio.create_task(narrow.as_(name).get("/v1/registrations")) for name in ("officer-1", "officer-2")]
    await asyncio.sleep(0.05)
    crowd = await narrow.as_("supervisor").get("/v1/registrations")
    health = await narrow.nobody.send("GET", "/health/live")
    blocked.set()
    answers = await asyncio.gather(*waiting)

    assert (crowd.status_code, crowd.headers["retry-after"]) == (503, "1")
    assert health.status_code == 200
    assert [answer.status_code for answer in answers] == [503, 503]
    assert (await narrow.as_("supervisor").get("/v1/reasons")).status_code == 200


async def test_readiness_looks_at_postgresql_and_temporal(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = await stage.nobody.send("GET", "/health/ready")
    stage.engine.away = True
    degraded = await stage.nobody.send("GET", "/health/ready")
    monkeypatch.setattr(type(stage.context.database), "begin", lambda *_, **__: _away())
    away = await stage.nobody.send("GET", "/health/ready")
    stage.engine.away = False
    told = []
    for register in (Register.READ_ONLY, Register.OLD):
        monkeypatch.setattr(Readiness, "look", _stands(register))
        told.append(await stage.nobody.send("GET", "/health/ready"))
    submitted = await stage.as_("employer-a").post("/v1/registrations", registration_body())

    assert ready.json() == {"status": "ready", "postgresql": "up", "temporal": "up"}
    assert (degraded.status_code, degraded.json()["temporal"]) == (200, "away")
    assert (away.status_code, away.json()["code"]) == (503, "engine_unavailable")
    assert submitted.status_code == 503
    assert submitted.headers["retry-after"]
    assert (told[0].status_code, told[0].json()) == (
        200,
        {"status": "degraded", "postgresql": "read_only", "temporal": "up"},
    )
    assert (told[1].status_code, told[1].json()["code"]) == (503, "engine_unavailable")
    assert "hetao migrate" in told[1].json()["detail"]


def _stands(register: Register) -> Callable[[Readiness], Awaitable[Register]]:
    async def look(_: Readiness) -> Register:
        return register

    return look


def _away() -> None:
    raise Unavailable("database")


async def test_the_docs_pages_name_no_other_host(stage: Stage) -> None:
    for path in ("/docs", "/docs/problems"):
        page = await stage.nobody.send("GET", path)
        assert page.status_code == 200
        assert re.findall(r"(?:src|href)=[\"'](?:https?:)?//", page.text) == []
    assert (await stage.nobody.send("GET", "/docs/assets/..%2fcore.py")).status_code == 404


async def test_no_page_has_a_script_or_style_of_its_own_that_its_policy_does_not_name(stage: Stage) -> None:
    for path in ("/docs", "/docs/problems", "/me"):
        page = await stage.nobody.send("GET", path)
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy, path
        assert "default-src 'none'" in policy
        assert re.findall(r"\son[a-z]+=|style=", page.text) == []
        inline = re.findall(
            r"<(script|style)(?: [^>]*)?>([^<]+)</", page.text.replace('type="application/json"', "data")
        )
        for kind, content in inline:
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert path == "/me", (path, kind)
            assert f"{kind}-src 'sha256-{digest}'" in policy or content.startswith("{"), (path, kind)
        for part in re.findall(r"(?:src|href)=\"(/[^\"]+)\"", page.text):
            found = await stage.nobody.send("GET", part)
            assert found.status_code == 200, part
            assert found.headers["x-content-type-options"] == "nosniff"


async def test_browsers_are_told_to_come_by_tls_only_where_the_public_address_is_https(stage: Stage) -> None:
    answers = [await stage.nobody.send("GET", path) for path in ("/health/live", "/docs", "/v1/registrations")]

    assert {answer.headers["strict-transport-security"] for answer in answers} == {"max-age=31536000"}


@pytest.mark.parametrize("changed", [{"public_url": "http://127.0.0.1:8080"}, {"hsts_seconds": 0}])
async def test_nothing_is_said_of_tls_where_there_is_none_or_none_is_wanted(changed: dict[str, object]) -> None:
    settings = settings_for_tests("postgresql://nobody@127.0.0.1/none").model_copy(update=changed)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(settings)), base_url="http://x") as client:
        answer = await client.get("/docs/assets/none")

    assert "strict-transport-security" not in answer.headers
