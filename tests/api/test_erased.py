"""Every route about a case whose person was erased: an answer of its kind, never the person and never a failure."""

import json
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from domain.actors import Role
from proof.files import verify
from proof.verdicts import read_keys
from store import tables
from tests.api.bodies import BODIES
from tests.api.conftest import AUTHORITY_SECRET, Stage
from tests.api.test_access import GUARDED, ROLES, fill
from tests.api.walk import Walk
from tests.cases.contexts import registration_body
from tests.record.seal.sealed import seal_all

NAMED = ("44030419900307", "冯承泽", "feng@example.com", "13812345678", "C12345678", "HR-FENG-7")
_OF_ALL = ("/v1/registrations", "/v1/registrations/export.csv", "/v1/notices")
_SPEAKER = {
    Role.EMPLOYER: "employer-a",
    Role.OFFICER: "officer-1",
    Role.SUPERVISOR: "supervisor",
    Role.AUDITOR: "auditor",
    Role.OPERATOR: "operator",
    Role.PERSON: "person-1",
}
_QUERIES: dict[str, dict[str, str]] = {
    "/v1/registrations/{reference}/person": {"fields": "name_zh,identity_number"},
    "/v1/audit/counts": {"by": "act", "from": "2026-03-01T00:00:00+08:00", "to": "2026-05-01T00:00:00+08:00"},
    "/v1/audit/samples": {"seed": "s", "from": "2026-03-01T00:00:00+08:00", "to": "2026-05-01T00:00:00+08:00"},
    "/v1/audit/conflicts": {"from": "2026-03-01T00:00:00+08:00", "to": "2026-05-01T00:00:00+08:00"},
}


async def _refused(walk: Walk) -> tuple[str, Any, str]:
    """Return a case that was refused and sealed, the body it was asked for with, and the key of that request."""
    stage, name = walk.stage, uuid4().hex
    body = registration_body() | {"client_reference": "HR-FENG-7"}
    headers = {"Idempotency-Key": name}
    reference = str((await walk.call("employer-a", "POST", "/v1/registrations", body, headers=headers))["reference"])
    await walk.decide(reference, "refuse", "not_employed_there")
    await walk.confirm(reference)
    async with stage.context.database.begin() as connection:
        await connection.execute(tables.deliveries.update().values(status="sent"))
    await seal_all(stage.context)
    return reference, body, name


async def _erase(walk: Walk, reference: str) -> None:
    await walk.act("supervisor", reference, "erasure", {"reason": "person_asked"})
    await walk.act("supervisor-2", reference, "erasure/confirmation", {"action": "confirm"})
    await seal_all(walk.stage.context)


async def test_every_route_answers_about_an_erased_person(stage: Stage) -> None:
    walk = Walk(stage)
    reference, body, name = await _refused(walk)
    await _erase(walk, reference)
    living = await walk.register()
    seen: dict[str, set[int]] = {}
    for method, path in GUARDED:
        for role in sorted(ROLES[method, path] & set(_SPEAKER)):
            answer = await stage.as_(_SPEAKER[role]).send(
                method,
                fill(path, reference=reference),
                json=BODIES.get(f"{method} {path}"),
                params=_QUERIES.get(path),
                headers={"Idempotency-Key": uuid4().hex, "Purpose": "audit"},
            )
            await stage.settle()
            assert answer.status_code < 500, (method, path, role, answer.text)
            if method == "GET":
                # Lists that name the living one to its employer are looked at below.
                assert path in _OF_ALL or not any(word in answer.text for word in NAMED), (path, role)
            seen.setdefault(f"{method} {path}", set()).add(answer.status_code)
    here = "/v1/registrations/{reference}"
    assert seen[f"GET {here}"] == seen[f"GET {here}/receipts"] == seen[f"GET {here}/notices"] == {200}
    assert seen["GET /v1/registrations"] == {200}
    assert seen["GET /v1/audit/cases/{reference}/history"] == {200}
    assert seen["GET /v1/audit/cases/{reference}/reconciliation"] == {200}
    gone = (f"GET {here}/person", f"GET {here}/requests", "GET /v1/audit/cases/{reference}/re-evaluation",
            f"POST {here}/correction", f"POST {here}/departure", f"POST {here}/decision",
            f"POST {here}/permits/{{destination}}/lost", f"POST {here}/erasure",
            f"POST {here}/legal-holds")  # fmt: skip
    assert {route: seen[route] for route in gone} == {route: {410} for route in gone}
    await _check_answers(stage, walk, reference, living)
    again = {"json": body, "headers": {"Idempotency-Key": name}}
    repeated = await stage.as_("employer-a").send("POST", "/v1/registrations", **again)
    assert (repeated.status_code, repeated.json()["code"]) == (410, "facts_erased")
    told = {"outcome_id": "late", "case": f"{reference}/HK", "outcome": "accepted", "authority_number": "C-1",
            "occurred_at": stage.clock().isoformat()}  # fmt: skip
    assert (await walk.signed("/v1/authority/outcomes", told, AUTHORITY_SECRET)).status_code == 410


async def _check_answers(stage: Stage, walk: Walk, reference: str, living: str) -> None:
    for persona in ("employer-a", "officer-1", "auditor"):
        page = (await walk.call(persona, "GET", "/v1/registrations"))["items"]
        shown = {case["reference"]: case["person"]["erased"] for case in page}
        assert (shown[reference], shown[living]) == (True, False)
    export = (await stage.as_("employer-a").get("/v1/registrations/export.csv")).text.splitlines()
    (gone,) = [line for line in export if reference in line]
    told = await stage.as_("employer-a").get("/v1/notices", reference=reference)
    assert not any(word in text for word in NAMED for text in (gone, told.text))
    found = await walk.call("employer-a", "GET", "/v1/registrations", params={"q": "冯承泽"})
    names = {case["reference"] for case in found["items"]}
    assert living in names
    assert reference not in names
    place = {"reference": reference}
    compared = await walk.call("auditor", "GET", "/v1/audit/cases/{reference}/reconciliation", places=place)
    # The histories of this stage are empty, which is all that is wrong.
    assert {each["code"] for each in compared["differences"]} <= {"history_missing"}
    story = await walk.call(
        "auditor", "GET", "/v1/audit/cases/{reference}/history", places=place, headers={"Accept-Language": "en"}
    )
    assert "The person's key was destroyed; the personal data can be read no more." in str(story["items"])
    async with stage.context.database.begin() as connection:
        query = select(tables.ledger.c.act).where(tables.ledger.c.chain == reference)
        acts = list((await connection.execute(query.order_by(tables.ledger.c.seq))).scalars())
    assert acts[-2:] == ["erasure_proposed", "key_destroyed"]


async def test_an_export_verifies_before_and_after_an_erasure_and_names_nobody(stage: Stage) -> None:
    walk, asked = Walk(stage), {"headers": {"Purpose": "audit"}}
    reference, _, _ = await _refused(walk)
    before = (await stage.as_("auditor").get("/v1/audit/export", case=reference, **asked)).content
    await _erase(walk, reference)
    after = (await stage.as_("auditor").get("/v1/audit/export", case=reference, **asked)).content
    keys = read_keys((await stage.nobody.get("/v1/audit/keys")).text)
    assert verify(before, keys).holds
    assert verify(after, keys).holds
    assert not any(word.encode() in each for word in NAMED for each in (before, after))
    old, new = (_rows(each) for each in (before, after))
    assert all(row in new for row in old)
    assert {"erasure_proposed", "key_destroyed"} <= {row["act"] for row in new if row not in old}


def _rows(content: bytes) -> list[Any]:
    lines = (json.loads(line) for line in content.splitlines())
    return [line["row"] for line in lines if "row" in line]
