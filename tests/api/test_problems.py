"""What bad input gets: a problem document that says what to do, and a ledger row for a refused act."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from store.tables import cases, ledger
from tests.api.conftest import Stage
from tests.cases.contexts import registration_body

REGISTRATIONS = "/v1/registrations"
NUMBER = "44030419900307123X"


def changed(part: str, **fields: Any) -> dict[str, Any]:
    """Return a registration with some fields of a part changed; a field changed to `...` is left out."""
    body = registration_body()
    target = body if part == "" else body[part]
    for name, value in fields.items():
        if value is ...:
            target.pop(name)
        else:
            target[name] = value
    return body


BODIES = [
    ("unknown_field", changed("", colour="red"), "colour", "unknown_field"),
    ("unknown_field_inside", changed("person", colour="red"), "person.colour", "unknown_field"),
    ("missing", changed("person", name_zh=...), "person.name_zh", "required"),
    ("missing_part", changed("", employment=...), "employment", "required"),
    ("null", changed("person", name_zh=None), "person.name_zh", "required"),
    ("wrong_type", changed("person", name_zh=7), "person.name_zh", "wrong_type"),
    ("text_for_flag", changed("employment", state_worker="no"), "employment.state_worker", "wrong_type"),
    ("check_digit", changed("person", identity_number="440304199003071239"), "person.identity_number", "check_digit"),
    ("no_such_day", changed("person", identity_number="440304199002311235"), "person.identity_number", None),
    (
        "impossible_date",
        changed("employment", contract_start="2026-02-30"),
        "employment.contract_start",
        "impossible_date",
    ),
    ("date_as_number", changed("employment", contract_start=20260201), "employment.contract_start", "wrong_type"),
    ("date_order", changed("employment", contract_end="2020-01-01"), "employment.contract_end", "date_order"),
    ("too_long", changed("person", name_zh="冯" * 101), "person.name_zh", "too_long"),
    ("control", changed("person", name_zh="冯\u0007承"), "person.name_zh", "bad_characters"),
    ("bidi", changed("person", name_en="a\u202eb"), "person.name_en", "bad_characters"),
    ("unknown_enum", changed("employment", employment_kind="gig"), "employment.employment_kind", "unknown_value"),
    ("unknown_destination", changed("", destinations=["HK", "TW"]), "destinations[1]", "unknown_value"),
    ("twice", changed("", destinations=["HK", "HK"]), "destinations", "unknown_value"),
    ("none", changed("", destinations=[]), "destinations", "required"),
    ("phone", changed("person", phone="12"), "person.phone", "bad_phone"),
    ("email", changed("person", email="a@b@c"), "person.email", "bad_email"),
    ("list_for_body", [registration_body()], "", "wrong_type"),
]


@pytest.mark.parametrize(("body", "field", "code"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
async def test_a_wrong_field_is_named_with_its_code(stage: Stage, body: Any, field: str, code: str | None) -> None:
    answer = await stage.as_("employer-a").post(REGISTRATIONS, body)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid"), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}
    assert problem["errors"][0]["field"] == field
    assert code is None or problem["errors"][0]["code"] == code
    async with stage.context.database.begin() as connection:
        assert (await connection.execute(select(cases.c.reference))).all() == []


RAW = [
    ("broken", b'{"person":', 400, "malformed"),
    ("not_utf8", b'{"client_reference":"\xff"}', 400, "malformed"),
    ("nan", b'{"client_reference":NaN}', 400, "malformed"),
    ("infinity", b'{"client_reference":-Infinity}', 400, "malformed"),
    ("large_float", b'{"client_reference":1e999}', 400, "malformed"),
    ("large_whole", b'{"client_reference":' + b"9" * 5000 + b"}", 400, "malformed"),
    ("unsafe_whole", b'{"client_reference":9007199254740993}', 400, "malformed"),
    ("deep", b"[" * 100_000, 400, "malformed"),
    ("deep_closed", b'{"a":' * 200 + b"1" + b"}" * 200, 400, "malformed"),
    ("twice", b'{"client_reference":"a","client_reference":"b"}', 400, "malformed"),
    ("surrogate", b'{"client_reference":"\\ud800"}', 400, "malformed"),
    ("surrogate_name", b'{"\\udfff":1}', 400, "malformed"),
    ("nul", b'{"client_reference":"a\\u0000b"}', 422, "invalid"),
    ("bom", b"\xef\xbb\xbf{}", 400, "malformed"),
    ("empty", b"", 422, "invalid"),
    ("too_large", b'{"client_reference":"' + b"a" * (1024 * 1024) + b'"}', 413, "body_too_large"),
]


@pytest.mark.parametrize(("raw", "status", "code"), [case[1:] for case in RAW], ids=[case[0] for case in RAW])
async def test_a_body_that_is_no_plain_json_is_refused(stage: Stage, raw: bytes, status: int, code: str) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = await stage.as_("employer-a").send("POST", REGISTRATIONS, content=raw, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_body_that_streams_past_the_limit_is_cut_off(stage: Stage) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 64 * 1024 * 1024:
            sent += 65_536
            yield b" " * 65_536

    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = await stage.as_("employer-a").send("POST", REGISTRATIONS, content=endless(), headers=headers)

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/json2", "multipart/form-data; boundary=x"]
)
async def test_a_body_of_another_media_type_is_refused(stage: Stage, kind: str) -> None:
    answer = await stage.as_("employer-a").send(
        "POST", REGISTRATIONS, content=b"{}", headers={"Content-Type": kind, "Idempotency-Key": "k"}
    )

    assert (answer.status_code, answer.json()["code"]) == (415, "media_type_unknown")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/v1/registrations/%zz", 400),
        ("/v1/registrations/%ff", 400),
        ("/v1/registrations/a%00b", 400),
        ("/v1/registrations?q=%", 400),
        ("/v1/registrations?q=%c3%28", 400),
        ("/v1/registrations?q=a%0ab", 400),
        ("/v1/registrations?limit=0", 422),
        ("/v1/registrations?limit=201", 422),
        ("/v1/registrations?limit=1&limit=2", 422),
        ("/v1/registrations?colour=red", 422),
        ("/v1/registrations?stage=gone", 422),
        ("/v1/registrations?updated_after=yesterday", 422),
        ("/v1/registrations?updated_after=2026-01-01T00:00:00", 422),
        ("/v1/registrations?cursor=abc", 400),
        ("/v1/registrations/HT-0000-0000-1", 404),
        ("/v1/registrations/", 404),
        ("/v1/rosters/7", 404),
        ("/v1/nothing", 404),
    ],
)
async def test_a_wrong_address_is_a_problem_document(stage: Stage, address: str, status: int) -> None:
    scope_path, _, query = address.partition("?")
    answer = await raw_get(stage, scope_path.encode(), query.encode())

    assert answer[0] == status, answer
    assert set(answer[1]) == {"type", "title", "status", "detail", "code", "errors"}


async def raw_get(stage: Stage, path: bytes, query: bytes) -> tuple[int, dict[str, Any]]:
    """Send a GET whose address the HTTP client would mend."""
    from urllib.parse import unquote

    token = stage.issuer.sign(stage.issuer.claims("employer-a", stage.clock()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": unquote(path.decode()),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("permits.test", 443),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await stage.app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return sent[0]["status"], json.loads(body)


async def test_a_method_that_a_route_does_not_know_is_405(stage: Stage) -> None:
    answer = await stage.as_("employer-a").send("DELETE", REGISTRATIONS)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,en;q=0.5", "zh-Hans"),
        ("zh-HK", "zh-Hant"),
        ("fr, zh-Hant;q=0.8, en;q=0.9", "en"),
        ("", "en"),
        ("en;q=x, zh", "zh-Hans"),
        ("*", "en"),
    ],
)
async def test_messages_are_in_the_callers_language(stage: Stage, accepted: str, language: str) -> None:
    answer = await stage.nobody.send("GET", REGISTRATIONS, headers={"Accept-Language": accepted})

    assert answer.headers["content-language"] == language
    assert answer.json()["code"] == "token_missing"


async def test_no_answer_repeats_an_identity_number(stage: Stage) -> None:
    body = changed("person", identity_number=NUMBER + "0", name_zh=NUMBER + "\u0007", email=NUMBER)
    body[NUMBER] = NUMBER
    answer = await stage.as_("employer-a").post(REGISTRATIONS, body)

    assert answer.status_code == 422
    assert NUMBER not in answer.text


async def test_a_refused_act_leaves_one_ledger_row_without_values(stage: Stage) -> None:
    answer = await stage.as_("employer-a").post(REGISTRATIONS, changed("person", name_zh="冯" * 101))

    assert answer.status_code == 422
    async with stage.context.database.begin() as connection:
        query = select(ledger).where(ledger.c.act == "request_refused")
        (row,) = (await connection.execute(query)).mappings().all()
    assert row["actor_subject"] == "employer-a"
    assert (row["outcome"], row["reason_codes"]) == ("refused", ["invalid"])
    assert row["detail"] == {"route": "POST /v1/registrations"}


async def test_a_reach_for_a_case_of_another_employer_leaves_a_row(stage: Stage) -> None:
    reference = (await stage.as_("employer-a").post(REGISTRATIONS, registration_body())).json()["reference"]
    for asked in (reference, "no-reference"):
        assert (await stage.as_("employer-b").get(f"{REGISTRATIONS}/{asked}")).json()["code"] == "case_unknown"

    async with stage.context.database.begin() as connection:
        query = select(ledger).where(ledger.c.act == "request_refused")
        (row,) = (await connection.execute(query)).mappings().all()
    assert (row["actor_subject"], row["reference"], row["reason_codes"]) == ("employer-b", reference, ["case_unknown"])
    assert row["detail"] == {"route": "GET /v1/registrations/{reference}"}
