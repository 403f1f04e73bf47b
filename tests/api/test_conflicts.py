"""A declared conflict of interest binds every act of staff on the case, and nobody judges what they decided."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from domain.actors import STAFF
from programmes import PROGRAMMES
from programmes.talent_permit.programme import TALENT_PERMIT
from tests.api.any_case import Cases
from tests.api.bodies import BODIES
from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.test_access import GUARDED, ROLES, fill
from tests.api.walk import Walk

MAIL, PHONE = "feng@example.com", "+8613812345678"
# Each names one case by itself, or by something of the case.
OF_A_CASE = ("{reference}", "{task_id}", "{objection_id}", "{hold_id}")
# To give a task back is how a conflict is declared.
RELEASE = "POST /v1/tasks/{task_id}/release"
# What opens personal data to a reader.
OPENING = {f"GET /v1/{each.path}/{{reference}}/{of}" for each in PROGRAMMES.values() for of in ("person", "requests")}


def acts_of_staff() -> Iterator[tuple[str, str]]:
    """Return every route by which staff acts on a case, or opens personal data of it."""
    for method, path in GUARDED:
        is_act = method != "GET" or f"{method} {path}" in OPENING
        if is_act and any(place in path for place in OF_A_CASE) and STAFF & ROLES[method, path]:
            yield method, path


async def declare(stage: Stage, persona: str, task_id: str) -> None:
    """Declare a conflict of interest on the case of a task."""
    answer = await stage.as_(persona).post(f"/v1/tasks/{task_id}/release", {"reason": "conflict_of_interest"})
    assert answer.status_code == 200, answer.text


async def test_a_conflict_of_interest_binds_every_act_of_staff_on_the_case(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.approve()
    me = await sign_in(stage, reference, email=MAIL)
    complaint = await me.post("/v1/me/complaints", {"reference": reference, "about": "handling", "text": "Slow."})
    held = await walk.act("supervisor-2", reference, "legal-holds", {"reason": "litigation", "paper": "2026-0042"})
    await walk.act("employer-a", reference, "change", {"contract_end": "2029-12-31"})
    (task,) = (await stage.as_("supervisor").get("/v1/tasks", kind="change")).json()["items"]
    await stage.as_("officer-2").get("/v1/tasks")  # to whom a task would be assigned, once seen
    await declare(stage, "supervisor", task["id"])
    references = {TALENT_PERMIT.path: reference}
    for programme in PROGRAMMES.values():
        if programme is not TALENT_PERMIT:
            other = references[programme.path] = await Cases(walk, programme).ready()
            waiting = (await stage.as_("supervisor").get("/v1/tasks")).json()["items"]
            await declare(stage, "supervisor", next(each["id"] for each in waiting if each["reference"] == other))
    places = {
        "reference": reference, "task_id": task["id"], "hold_id": held["id"], "objection_id": complaint.json()["id"],
    }  # fmt: skip
    tried: dict[str, Any] = {}
    for method, path in acts_of_staff():
        query = {"fields": "name_zh"} if path.endswith("/person") else None
        answer = await stage.as_("supervisor").send(
            method,
            fill(path, **places | {"reference": references.get(path.split("/")[2], reference)}),
            json=BODIES.get(f"{method} {path}"),
            params=query,
            headers={"Idempotency-Key": f"conflict {path}".replace(" ", "-"), "Purpose": "case_review"},
        )
        tried[f"{method} {path}"] = (answer.status_code, answer.json().get("code"))
    assert tried.pop(RELEASE)[0] == 200
    assert {path: found for path, found in tried.items() if found != (403, "role_not_allowed")} == {}
    assert {"departure", "lost", "hold", "legal-holds", "erasure", "assign", "claim", "answer", "decision"} <= {
        path.rpartition("/")[2] for path in tried
    }
    assert (await stage.as_("supervisor").get("/v1/objections")).json()["items"] == []
    assert len((await stage.as_("supervisor-2").get("/v1/objections")).json()["items"]) == 1


def acts_on_an_employer() -> Iterator[tuple[str, str]]:
    """Return every route by which staff changes an employer, or signs for a change, or changes where it is."""
    for method, path in GUARDED:
        is_of_one = "{employer_id}" in path or path == "/v1/premises"
        if method != "GET" and is_of_one and STAFF & ROLES[method, path]:
            yield method, path


async def test_a_conflict_on_a_live_case_binds_every_act_on_its_employer(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    body = {"premises": [{"code": "SZP-001", "address": "深圳市福田区示例路1号", "valid_from": "2026-04-01"}]}
    bodies = {**BODIES, "PUT /v1/premises": body}
    left = {"standing": "left_park", "valid_from": "2026-03-02"}
    await walk.call(
        "supervisor-2", "POST", "/v1/employers/{employer_id}/standing", left, places={"employer_id": "emp-a"}
    )
    (task,) = (await stage.as_("supervisor").get("/v1/tasks", kind="review")).json()["items"]
    await declare(stage, "supervisor", task["id"])

    async def tried(employer_id: str = "emp-a") -> dict[str, Any]:
        found = {}
        for method, path in acts_on_an_employer():
            key = {"Idempotency-Key": uuid4().hex}
            answer = await stage.as_("supervisor").send(
                method, fill(path, employer_id=employer_id), json=bodies[f"{method} {path}"], headers=key
            )
            found[f"{method} {path}"] = (answer.status_code, answer.json().get("code"))
        return found

    refused = await tried()
    assert set(refused) == {
        "PUT /v1/employers/{employer_id}",
        "POST /v1/employers/{employer_id}/standing",
        "POST /v1/employers/{employer_id}/standing/confirmation",
        "PUT /v1/premises",
    }
    assert set(refused.values()) == {(403, "role_not_allowed")}, refused
    bodies["PUT /v1/premises"] = BODIES["PUT /v1/premises"]
    assert (403, "role_not_allowed") not in (await tried("emp-b")).values()  # nothing of another employer is bound
    await walk.decide(reference, "refuse", "not_employed_there", persona="officer-1")
    await walk.confirm(reference)
    assert (403, "role_not_allowed") not in (await tried()).values()  # nor of this one, once the case has closed


async def test_a_conflict_is_told_as_such_in_every_language(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    (task,) = (await stage.as_("officer-1").get("/v1/tasks")).json()["items"]
    await declare(stage, "officer-1", task["id"])
    for language, word in (("en", "conflict of interest"), ("zh-Hans", "利益冲突"), ("zh-Hant", "利益衝突")):
        path = f"/v1/registrations/{reference}/decision"
        answer = await stage.as_("officer-1").post(
            path, {"action": "approve", "round": 1}, headers={"Accept-Language": language}
        )
        assert (answer.status_code, word in answer.json()["detail"]) == (403, True), answer.text


async def test_who_declares_a_conflict_gives_back_all_that_they_hold_of_the_case(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    await walk.act("employer-a", reference, "change", {"contract_end": "2029-12-31"})
    tasks = (await stage.as_("officer-1").get("/v1/tasks")).json()["items"]
    for task in tasks:
        await stage.as_("officer-1").post(f"/v1/tasks/{task['id']}/claim")
    await declare(stage, "officer-1", tasks[0]["id"])
    shown = (await stage.as_("officer-2").get("/v1/tasks")).json()["items"]
    assert [task["holder"] for task in shown] == [None, None]
    assert (await walk.decide(reference, "approve", persona="officer-2"))["stage"] == "approved"


async def test_what_was_asked_before_a_conflict_was_declared_is_not_done_after_it(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    (task,) = (await stage.as_("officer-1").get("/v1/tasks")).json()["items"]
    stage.engine.away = True
    path = f"/v1/registrations/{reference}/decision"
    asked = await stage.as_("officer-1").post(path, {"action": "approve", "round": 1})
    assert (asked.status_code, asked.json()["pending"]) == (202, True)
    await declare(stage, "officer-1", task["id"])
    stage.engine.away = False
    await stage.engine.nudge(reference, "")
    assert (await walk.case("officer-2", reference))["stage"] == "under_review"


async def test_nobody_answers_a_complaint_about_their_own_decision(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.approve(permit_card_valid_until="2026-12-31")  # by officer-1, signed by officer-2
    me = await sign_in(stage, reference, email=MAIL)
    kept = await me.post("/v1/me/complaints", {"reference": reference, "about": "handling", "text": "Wrong."})
    path = f"/v1/objections/{kept.json()['id']}/answer"
    for persona in ("officer-1", "officer-2"):
        own = await stage.as_(persona).post(path, {"outcome": "not_upheld", "text": "All is well."})
        assert (own.status_code, own.json()["code"]) == (403, "role_not_allowed"), (persona, own.text)
        assert "decisions on this case" in own.json()["detail"]
    answer = await stage.as_("supervisor").post(path, {"outcome": "upheld", "text": "Mended."})
    assert answer.status_code == 200, answer.text


async def test_nobody_answers_a_complaint_about_a_reading_of_theirs(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    opened = await stage.as_("officer-1").get(
        f"/v1/registrations/{reference}/person", fields="phone", headers={"Purpose": "case_review"}
    )
    assert opened.status_code == 200
    me = await sign_in(stage, reference, email=MAIL)
    kept = await me.post("/v1/me/complaints", {"reference": reference, "about": "reading", "text": "Who read it?"})
    for persona in ("officer-1", "officer-2"):
        await stage.as_(persona).get("/v1/objections")  # which reads the complaint, and nothing of its subject
    path = f"/v1/objections/{kept.json()['id']}/answer"
    own = await stage.as_("officer-1").post(path, {"outcome": "not_upheld", "text": "It was needed."})
    other = await stage.as_("officer-2").post(path, {"outcome": "not_upheld", "text": "It was needed."})
    assert (own.status_code, own.json()["code"], other.status_code) == (403, "role_not_allowed", 200)


async def test_a_departure_that_an_officer_reports_is_answered_with_202_and_waits(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.approve()
    path = f"/v1/registrations/{reference}/departure"
    body = {"last_day": "2026-12-31", "reason": "resigned"}
    asked = await stage.as_("officer-1").post(path, body, key="d-1")
    assert (asked.status_code, asked.json()["pending_act"], asked.json()["ended_on"]) == (202, "departure", None)
    again = await stage.as_("officer-1").post(path, body, key="d-1")
    assert (again.status_code, again.text) == (202, asked.text)
    (task,) = (await stage.as_("officer-2").get("/v1/tasks", kind="confirm")).json()["items"]
    assert task["reference"] == reference
    signed = await walk.confirm(reference, persona="supervisor")
    assert (signed["ended_on"], signed["pending_act"]) == ("2026-12-31", None)
