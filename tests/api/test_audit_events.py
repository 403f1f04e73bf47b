"""What auditors ask of the ledger: search, counts, export, samples, conflicts; and what bad questions get."""

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import any_, func, literal, select

from domain.actors import Actor, Role
from domain.acts import Act
from proof.ledger_rows import hash_of
from store.ledger import Entry, append
from store.tables import ledger
from tests.api.callers import TestIssuer
from tests.api.conftest import Stage, quiet, set_stage
from tests.api.walk import Walk

RANGE = {"from": "2026-03-01T00:00:00+08:00", "to": "2026-04-01T00:00:00+08:00"}
EXPORT = {"headers": {"Purpose": "audit"}}


@pytest_asyncio.fixture
async def stage(clean_database: str, issuer_of_tests: TestIssuer) -> AsyncIterator[Stage]:
    """A register with one case approved and one refused by two people, and an auditor who has signed in.

    A sign-in is a row too, which an open transaction of another test would hold back from the first question only.
    """
    async with set_stage(clean_database, issuer_of_tests) as built:
        walk = Walk(built)
        await walk.decide(await walk.register(), "approve")
        refused = await walk.register()
        await walk.decide(refused, "refuse", "not_employed_there", "employment_unproved")
        await walk.confirm(refused)
        await ask(built, "events", limit=1)
        yield built


async def register_another(stage: Stage) -> None:
    """Register a person whom the fixture did not."""
    walk = Walk(stage)
    walk._serial = 500
    await walk.register()


async def ask(stage: Stage, what: str, **query: Any) -> Any:
    await quiet(stage)
    answer = await stage.as_("auditor").get(f"/v1/audit/{what}", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refusal(stage: Stage, what: str, *, persona: str = "auditor", **query: Any) -> tuple[int, str, list[str]]:
    answer = await stage.as_(persona).get(f"/v1/audit/{what}", **query)
    problem = answer.json()
    return answer.status_code, problem["code"], [error["field"] for error in problem["errors"]]


async def stored(stage: Stage, *where: Any) -> list[dict[str, Any]]:
    async with stage.context.database.begin() as connection:
        return [dict(row) for row in (await connection.execute(select(ledger).where(*where))).mappings()]


async def test_each_filter_finds_just_its_rows(stage: Stage) -> None:
    (confirmed,) = await stored(stage, ledger.c.act == "confirmed")
    reference = confirmed["reference"]
    filters: list[tuple[dict[str, str], Any]] = [
        ({"act": "decided"}, ledger.c.act == "decided"),
        ({"actor": "officer-2"}, ledger.c.actor_subject == "officer-2"),
        ({"issuer": "https://id.test", "role": "officer"}, ledger.c.actor_role == "officer"),
        ({"role": "system"}, ledger.c.actor_role == "system"),
        ({"employer_id": "emp-a"}, ledger.c.employer_id == "emp-a"),
        ({"outcome": "refuse"}, ledger.c.outcome == "refuse"),
        ({"reason_code": "employment_unproved"}, literal("employment_unproved") == any_(ledger.c.reason_codes)),
        ({"rule_version": "2025-11-05"}, ledger.c.rule_version == "2025-11-05"),
        ({"case": reference, "role": "system"}, (ledger.c.reference == reference) & (ledger.c.actor_role == "system")),
        ({"act": "decided", "outcome": "approve"}, (ledger.c.act == "decided") & (ledger.c.outcome == "approve")),
        ({"destination": "HK"}, ledger.c.destination == "HK"),
        (RANGE, ledger.c.at >= stage.clock().replace(day=1, hour=0)),
        ({"from": RANGE["to"]}, ledger.c.act == "none"),
    ]
    for query, where in filters:
        found = (await ask(stage, "events", limit=200, **query))["items"]
        rows = await stored(stage, where)
        assert {(row["chain"], row["seq"]) for row in found} == {(row["chain"], row["seq"]) for row in rows}, query
        times = [row["at"] for row in found]
        assert times == sorted(times, reverse=True)


async def test_pages_hold_every_row_once_and_none_that_commits_late(stage: Stage) -> None:
    whole = await ask(stage, "events", limit=200)
    page = await ask(stage, "events", limit=7)
    found = page["items"]
    await register_another(stage)
    while page["next_cursor"]:
        page = await ask(stage, "events", limit=7, cursor=page["next_cursor"])
        found += page["items"]
    assert found == whole["items"]


async def test_rows_of_an_open_transaction_hold_back_what_came_after(stage: Stage) -> None:
    before = (await ask(stage, "events", limit=200))["items"]
    async with stage.context.database.begin() as connection:
        # Any transaction that has an id and is still open.
        await connection.execute(select(func.pg_current_xact_id()))
        await register_another(stage)
        now = (await stage.as_("auditor").get("/v1/audit/events", limit=200)).json()["items"]
        assert {row["hash"] for row in now} <= {row["hash"] for row in before}
    assert len((await ask(stage, "events", limit=200))["items"]) > len(before)


async def test_a_page_that_looked_at_enough_ends_early_and_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("record.search.LOOKED_AT", 3)
    wanted = await stored(stage, ledger.c.act == "submitted", ledger.c.outcome.is_(None))
    page = await ask(stage, "events", role="employer", act="submitted", limit=1)
    pages, found = 1, page["items"]
    while page["next_cursor"]:
        page = await ask(stage, "events", role="employer", act="submitted", limit=1, cursor=page["next_cursor"])
        pages, found = pages + 1, found + page["items"]
    assert sorted(row["hash"] for row in found) == sorted(row["hash"].hex() for row in wanted)
    assert pages > 1


async def test_counts_are_those_of_the_rows(stage: Stage) -> None:
    assert (await stage.as_("officer-1").get("/v1/registrations")).status_code == 200  # one row that lists two cases
    (case, _) = sorted({row["reference"] for row in await stored(stage, ledger.c.act == "submitted")})
    opened = await stage.as_("auditor").get(
        f"/v1/registrations/{case}/person", fields="position", headers={"Purpose": "audit"}
    )
    assert opened.status_code == 200
    await ask(stage, "events", limit=1)
    rows = await stored(stage, ledger.c.at >= stage.clock().replace(day=1, hour=0))
    for by, of in {
        "act": lambda row: [row["act"]],
        "actor": lambda row: [f"{row['actor_issuer']} {row['actor_subject']}"],
        "role": lambda row: [row["actor_role"]],
        "employer_id": lambda row: [row["employer_id"]],
        "outcome": lambda row: [row["outcome"]],
        "reason_code": lambda row: row["reason_codes"],
        "rule_version": lambda row: [row["rule_version"]],
        "destination": lambda row: [row["destination"]],
        "day": lambda row: ["2026-03-02"],
        "month": lambda row: ["2026-03"],
        "case": lambda row: sorted({row["reference"], *row["detail"].get("cases", ())} - {None}),
    }.items():
        counted = await ask(stage, "counts", by=by, **RANGE)
        keys = [key for row in rows for key in of(row)]
        assert {item["key"]: item["count"] for item in counted["items"]} == {key: keys.count(key) for key in keys}, by
        assert counted["total"] == len(keys)
    refusals = await ask(stage, "counts", by="actor", outcome="refuse", **RANGE)
    assert {item["key"].split()[1] for item in refusals["items"]} == {"officer-1", "officer-2", "system:advance"}


async def test_bad_questions_get_a_clear_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    turned = {"from": RANGE["to"], "to": RANGE["from"]}
    long = {"from": "2026-01-01T00:00:00+08:00", "to": "2027-06-01T00:00:00+08:00"}
    page = await ask(stage, "events", limit=1)
    for what, query, expected in [
        ("events", {"act": "forged"}, (422, "invalid", ["act"])),
        ("events", turned, (422, "invalid", ["from"])),
        ("events", {"actor": "a b"}, (422, "invalid", ["actor"])),
        ("events", {"outcome": "x' OR 1=1"}, (422, "invalid", ["outcome"])),
        ("events", {"from": "0001-01-01T00:00:00+14:00"}, (422, "invalid", ["from"])),
        ("events", {"cursor": "AAAA"}, (400, "cursor_invalid", [])),
        ("events", {"cursor": page["next_cursor"], "act": "decided"}, (400, "cursor_invalid", [])),
        ("events", {"case": "HT-0000-0000-E"}, (404, "case_unknown", [])),
        ("events", {"case": "nothing"}, (404, "case_unknown", [])),
        ("events", {"kind": "x"}, (422, "invalid", ["kind"])),
        ("counts", {"by": "act"}, (422, "invalid", ["from"])),
        ("counts", {"by": "colour", **RANGE}, (422, "invalid", ["by"])),
        ("counts", {"by": "act", **long}, (422, "invalid", ["to"])),
        ("export", turned | EXPORT, (422, "invalid", ["from"])),
        ("export", {}, (400, "purpose_missing", [])),
        ("export", {"after": "AAAA"} | EXPORT, (400, "cursor_invalid", [])),
        ("samples", RANGE, (422, "invalid", ["seed"])),
        ("samples", {"seed": "a b", **RANGE}, (422, "invalid", ["seed"])),
        ("conflicts", turned, (422, "invalid", ["from"])),
    ]:
        assert await refusal(stage, what, **query) == expected, (what, query)
    for persona in ("officer-1", "supervisor", "operator", "employer-a", "authority", "person-1"):
        assert (await refusal(stage, "events", persona=persona))[:2] == (403, "role_not_allowed")
    monkeypatch.setattr("record.search.MOST_COUNTED", 3)
    assert await refusal(stage, "counts", by="act", **RANGE) == (422, "invalid", ["to"])


async def test_an_export_can_be_counted_again_line_by_line(stage: Stage) -> None:
    await ask(stage, "events", limit=1)  # signs in
    await quiet(stage)
    wanted = await stored(stage)
    answer = await stage.as_("auditor").get("/v1/audit/export", **EXPORT)
    assert answer.headers["content-type"] == "application/x-ndjson"
    manifest, *rows, end = _lines(answer.content)
    assert (manifest["made_by"]["subject"], manifest["purpose"], manifest["asked"]) == ("auditor", "audit", {})
    assert {row["hash"] for row in rows} == {row["hash"].hex() for row in wanted}
    assert all(hash_of(row["row"]).hex() == row["hash"] for row in rows)
    lines = [line for line in answer.content.splitlines(keepends=True) if b'"type":"row"' in line]
    assert (end["rows"], end["rows_hash"]) == (len(rows), sha256(b"".join(lines)).hexdigest())
    begun, complete = sorted(await stored(stage, ledger.c.act == "exported"), key=lambda row: row["seq"])
    assert [row["outcome"] for row in (begun, complete)] == ["begun", "complete"]
    assert (complete["chain"], complete["purpose"]) == (manifest["chain"], "audit")
    assert (complete["detail"]["rows"], complete["detail"]["rows_hash"]) == (end["rows"], end["rows_hash"])


async def test_an_export_that_broke_off_is_resumed_where_it_was(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("record.export._AT_ONCE", 5)
    await quiet(stage)
    whole = _lines((await stage.as_("auditor").get("/v1/audit/export", **EXPORT)).content)
    places = [n for n, line in enumerate(whole) if line["type"] == "resume"]
    after = whole[places[1]]["after"]
    await register_another(stage)
    rest = _lines((await stage.as_("auditor").get("/v1/audit/export", after=after, **EXPORT)).content)
    assert rest[0]["resumed"] is True
    before = whole[places[1] - 1]["row"]
    continues = rest[0]["continues"]
    assert (continues["chain"], continues["rows"]) == (whole[0]["chain"], 10)
    assert [continues["after"][name] for name in ("chain", "seq")] == [before["chain"], before["seq"]]
    assert whole[0]["continues"] is None
    begun = [row["detail"] for row in await stored(stage, ledger.c.chain == rest[0]["chain"])]
    assert {detail["continues"] for detail in begun} == {whole[0]["chain"]}
    assert _rows(rest) == _rows(whole[places[1] :])
    assert len(_rows(whole[: places[1]])) == 10
    other = await stage.as_("auditor").get("/v1/audit/export", after=after, act="decided", **EXPORT)
    assert other.json()["code"] == "cursor_invalid"


async def test_an_export_whose_reader_goes_stands_in_the_ledger_as_broken_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("record.export._AT_ONCE", 2)
    gone = asyncio.Event()
    token = stage.as_("auditor")._headers["Authorization"]
    scope = {
        "type": "http", "method": "GET", "path": "/v1/audit/export", "raw_path": b"/v1/audit/export", "scheme": "https",
        "query_string": b"", "headers": [(b"authorization", token.encode()), (b"purpose", b"audit")], "state": {},
        "http_version": "1.1", "server": ("t", 443), "client": ("t", 1),
        "asgi": {"version": "3.0", "spec_version": "2.3"},
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if b'"resume"' in message.get("body", b""):
            gone.set()
            await asyncio.sleep(0.2)

    await stage.app(scope, receive, send)  # type: ignore[arg-type]
    await stage.settle()
    rows = sorted(await stored(stage, ledger.c.act == "exported"), key=lambda row: row["seq"])
    assert [row["outcome"] for row in rows] == ["begun", "broken_off"]


async def test_a_sample_is_the_same_for_the_same_seed_and_stands_in_the_ledger(stage: Stage) -> None:
    first = await ask(stage, "samples", seed="q1", size=2, **RANGE, **EXPORT)
    again = await ask(stage, "samples", seed="q1", size=2, **RANGE)
    assert first == again
    assert (first["population"], len(first["items"])) == (3, 2)
    orders = {tuple(r["hash"] for r in (await ask(stage, "samples", seed=f"s{n}", **RANGE))["items"]) for n in range(9)}
    assert len(orders) > 1
    row = min(await stored(stage, ledger.c.act == "sampled"), key=lambda row: row["recorded_at"])
    hashes = b"".join(bytes.fromhex(item["hash"]) for item in first["items"])
    assert (row["detail"]["rows_hash"], row["purpose"]) == (sha256(hashes).hexdigest(), "audit")


async def test_a_second_signature_of_the_proposer_is_named(stage: Stage) -> None:
    found = await ask(stage, "conflicts", **RANGE)
    assert (found["signatures"], found["same_signer"], found["decisions"], found["pairs"]) == (1, [], 3, [])
    (proposed,) = await stored(stage, ledger.c.act == "decided", ledger.c.outcome == "refuse")
    # The engine refuses it, so that only one who writes rows behind it can bring it about.
    forged = Entry(
        Act.CONFIRMED,
        Actor(issuer=proposed["actor_issuer"], subject=proposed["actor_subject"], role=Role.OFFICER),
        stage.clock(),
        reference=proposed["reference"],
        employer_id=proposed["employer_id"],
        outcome="refuse",
    )
    async with stage.context.database.begin() as connection:
        await append(connection, proposed["chain"], [forged])
    found = await ask(stage, "conflicts", **RANGE)
    named = [(row["case"], row["act"], row["outcome"], row["seq"]) for row in found["same_signer"]]
    (last,) = await stored(stage, ledger.c.chain == proposed["chain"], ledger.c.act == "confirmed",
                           ledger.c.actor_subject == proposed["actor_subject"])  # fmt: skip
    assert named == [(proposed["reference"], "confirmed", "refuse", last["seq"])]
    assert (found["signatures"], found["decisions"]) == (2, 4)


async def test_a_reading_of_cases_is_one_row_that_lists_them(stage: Stage) -> None:
    officer, employer = stage.as_("officer-1"), stage.as_("employer-a")
    for path in ("/v1/registrations", "/v1/tasks?kind=confirm", "/v1/tasks"):
        assert (await officer.get(path)).status_code == 200
        assert (await employer.get("/v1/registrations")).status_code == 200
    reference = (await employer.get("/v1/registrations", limit=1)).json()["items"][0]["reference"]
    for path in ("", "/notices"):
        assert (await officer.get(f"/v1/registrations/{reference}{path}")).status_code == 200
    rows = await stored(stage, ledger.c.act == "case_read", ledger.c.chain.like("access/%"))
    assert {row["actor_role"] for row in rows} == {"officer"}
    assert {row["detail"]["what"] for row in rows} == {"case", "cases", "notices"}
    (listed,) = [row for row in rows if row["detail"]["what"] == "cases"]
    assert len(listed["detail"]["cases"]) == 2
    assert listed["employer_id"] == "emp-a"
    found = await ask(stage, "events", act="case_read", case=reference, limit=200)
    assert listed["hash"].hex() in {item["hash"] for item in found["items"]}


async def test_the_first_use_of_a_token_is_one_sign_in(stage: Stage) -> None:
    async def use(**claims: Any) -> None:
        token = stage.issuer.sign(stage.issuer.claims("supervisor", stage.clock(), **claims))
        answer = await stage.nobody.get("/v1/reasons", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200

    for claims in ({"sid": "s1"}, {"sid": "s1"}, {"sid": "s2"}, {"jti": "j1"}, {"jti": "j1"}, {"jti": None}):
        await use(**claims)
    stage.app.state.wiring._signed_in.clear()  # as another copy of the API, which has seen none of them
    await use(sid="s1")
    rows = await stored(stage, ledger.c.act == "signed_in", ledger.c.actor_subject == "supervisor")
    assert len(rows) == 4


def _lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def _rows(lines: list[dict[str, Any]]) -> list[str]:
    return [line["hash"] for line in lines if line["type"] == "row"]
