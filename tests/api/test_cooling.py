"""Until a decision against somebody takes effect no way of reading tells of it, but those of staff and auditors."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from store.tables import notices
from tests.api.callers import Caller
from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import registration_body
from tests.record.seal.sealed import seal_all

MAIL = "feng@example.com"
OUTSIDE = ("employer", "person")
WEBHOOK = {"url": "https://hooks.example.com/in", "kinds": ["registration_refused", "registration_revoked"]}
# What changes with each reading, or with each act, whatever it is.
_MOVING = frozenset({"updated_at", "read_at", "created_at", "made_at", "exported_at", "as_of", "readings"})


def _still(told: Any) -> Any:
    """Return what was told without what any act or reading moves."""
    if isinstance(told, list):
        return [_still(each) for each in told]
    if isinstance(told, dict):
        return {name: _still(value) for name, value in told.items() if name not in _MOVING}
    return told


async def _told(stage: Stage, reference: str, me: Caller) -> dict[str, Any]:
    """Return what employer, person and anyone beside read of a case, by each way there is."""
    employer, other = stage.as_("employer-a"), stage.as_("employer-b")
    case = f"/v1/registrations/{reference}"
    found: dict[str, Any] = {}
    for way in (case, f"{case}/receipts", f"{case}/facts", "/v1/notices", "/v1/webhooks", "/v1/rosters"):
        answer = await employer.get(way)
        found[way] = (answer.status_code, answer.json())
    for stage_ in ("under_review", "awaiting_confirmation", "refused", "approved", "ended"):
        answer = await employer.get("/v1/registrations", stage=stage_)
        assert answer.status_code == 200, answer.text
        found[f"list {stage_}"] = answer.json()["items"]
    found["list short"] = (await employer.get("/v1/registrations", view="short")).json()["items"]
    found["export"] = (await employer.get("/v1/registrations/export.csv")).text
    (hook,) = (await employer.get("/v1/webhooks")).json()["items"]
    found["webhook"] = (await employer.get(f"/v1/webhooks/{hook['id']}/deliveries")).json()
    number = registration_body(identity_number=identity_number(101))
    for caller, site in ((employer, "SZP-001"), (other, "SZP-101")):
        body = {**number, "employment": {**number["employment"], "work_site": site}}
        for way in ("/v1/registrations/check", "/v1/registrations"):
            answer = await caller.send("POST", way, json=body, headers={"Idempotency-Key": uuid4().hex})
            told = {name: value for name, value in answer.json().items() if name not in ("instance", "request_id")}
            found[f"{way} {site}"] = (answer.status_code, told)
    for way in ("/v1/me/registrations", "/v1/me/objections", "/v1/me/access-log/days"):
        found[way] = (await me.get(way)).json()
    data = (await me.get("/v1/me/data")).json()
    found["/v1/me/data"] = data.get("cases", data)
    async with stage.context.database.begin() as connection:
        query = select(notices.c.kind, notices.c.recipient).where(notices.c.recipient.in_(OUTSIDE))
        found["all notices"] = sorted(map(tuple, await connection.execute(query)))
    return {way: _still(each) for way, each in found.items()}


async def _signed(walk: Walk, what: str) -> tuple[str, str]:
    """Bring a decision before its last signature; return the case, and the path that signs it."""
    if what == "refuse":
        reference = await walk.register()
        await walk.decide(reference, "refuse", "employment_unproved")
        return reference, "confirmation"
    if what == "revoke":
        reference = await walk.approve()
        await walk.answer(reference, "accepted")
        await walk.act("officer-1", reference, "revocation", {"reasons": [{"code": "decided_in_error"}]})
        return reference, "confirmation"
    reference = await walk.register(permit_card_number=None, permit_card_valid_until=None)
    await walk.decide(reference, "approve")
    await walk.pass_time(reference, timedelta(minutes=11))
    withhold = {"action": "withhold", "reasons": [{"code": "permit_card_ends_early"}]}
    await walk.act("officer-1", reference, "permits/{destination}/eligibility", withhold, destination="HK")
    return reference, "permits/HK/confirmation"


@pytest.mark.parametrize(
    ("what", "letter"),
    [("refuse", "registration_refused"), ("revoke", "registration_revoked"), ("withhold", "permit_withheld")],
)
async def test_every_way_of_reading_tells_the_same_until_it_takes_effect(stage: Stage, what: str, letter: str) -> None:
    walk = Walk(stage)
    await walk.call("employer-a", "PUT", "/v1/webhooks", WEBHOOK)
    reference, path = await _signed(walk, what)
    me = await sign_in(stage, reference, email=MAIL)
    before = await _told(stage, reference, me)
    round_ = (await walk.case("officer-1", reference))["round"]
    body = {"action": "confirm"} if what == "withhold" else {"action": "confirm", "round": round_}

    await walk.act("officer-2", reference, path, body)
    await walk.pass_time(reference, timedelta(minutes=9))

    after = await _told(stage, reference, me)
    for way in before:
        assert after[way] == before[way], way
    # Staff and auditors see it all.
    await seal_all(stage.context)
    for persona in ("officer-1", "auditor"):
        seen = await walk.case(persona, reference)
        shown = seen["permits"][0] if what == "withhold" else seen
        assert (shown["pending_act"], shown["settles_at"] is None) == (what, False)
    (receipt,) = [
        each["content"]["decision"]
        for each in await _receipts(walk, "auditor", reference)
        if each["content"]["decision"]["outcome"] == what
    ]
    assert not receipt["recalled"]

    await walk.pass_time(reference, timedelta(minutes=2))

    kinds = {each["kind"] for each in (await stage.as_("employer-a").get("/v1/notices")).json()["items"]}
    assert letter in kinds
    decided = (await me.get("/v1/me/registrations")).json()["items"][0]["decisions"]
    assert what in {each["outcome"] for each in decided}
    await seal_all(stage.context)
    out = {each["content"]["decision"]["outcome"] for each in await _receipts(walk, "employer-a", reference)}
    assert what in out
    assert await _differences(walk, reference) <= {"history_missing"}  # there is no Temporal here


async def _differences(walk: Walk, reference: str) -> set[str]:
    found = await walk.call("auditor", "GET", f"/v1/audit/cases/{reference}/reconciliation")
    return {each["code"] for each in found["differences"]}


async def _receipts(walk: Walk, persona: str, reference: str) -> list[Any]:
    path, places = "/v1/registrations/{reference}/receipts", {"reference": reference}
    items: list[Any] = (await walk.call(persona, "GET", path, places=places))["items"]
    return items


@pytest.mark.parametrize("what", ["refuse", "revoke", "withhold"])
async def test_what_was_taken_back_is_told_to_nobody_outside_and_stays_in_the_ledger(stage: Stage, what: str) -> None:
    walk = Walk(stage)
    reference, path = await _signed(walk, what)
    body = {"action": "confirm", "round": (await walk.case("officer-1", reference))["round"]}
    await walk.act("officer-2", reference, path, {"action": "confirm"} if what == "withhold" else body)
    recall = path.replace("confirmation", "recall")
    answer = await walk.act("officer-2", reference, recall, {"reason": "The wrong case."})
    assert answer["stage"] == ("under_review" if what == "refuse" else "approved")
    await walk.pass_time(reference, timedelta(minutes=30))
    await seal_all(stage.context)
    out = [each["content"]["decision"]["outcome"] for each in await _receipts(walk, "employer-a", reference)]
    assert what not in out
    kept = [each["content"]["decision"] for each in await _receipts(walk, "auditor", reference)]
    assert [each["recalled"] for each in kept if each["outcome"] == what] == [True]
    story = (await walk.call("auditor", "GET", f"/v1/audit/cases/{reference}/history"))["items"]
    assert [each["outcome"] for each in story if each["what"] == "recalled"] == [what]
    assert await _differences(walk, reference) <= {"history_missing"}  # there is no Temporal here


async def test_who_may_not_take_it_back_is_told_why_and_changes_nothing(stage: Stage) -> None:
    walk = Walk(stage)
    reference, _ = await _signed(walk, "refuse")
    await walk.sign(reference)
    path = f"/v1/registrations/{reference}/recall"
    for persona, status, code in (("officer-1", 403, "role_not_allowed"), ("employer-a", 403, "role_not_allowed")):
        answer = await stage.as_(persona).post(path, {"reason": "No."})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    answer = await stage.as_("officer-2").post(path, {})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")
    assert (await walk.case("officer-1", reference))["pending_act"] == "refuse"
    late = await stage.as_("employer-a").post(f"/v1/registrations/{reference}/withdrawal", {})
    assert (late.status_code, late.json()["code"]) == (409, "wrong_stage")
    assert "refus" not in late.text
    await walk.pass_time(reference, timedelta(minutes=11))
    late = await stage.as_("officer-2").post(path, {"reason": "Too late."})
    assert (late.status_code, late.json()["code"]) == (409, "case_closed")
