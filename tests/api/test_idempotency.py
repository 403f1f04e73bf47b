"""Writes carry a key, and the same key and body give the first answer again."""

import asyncio

import pytest
from sqlalchemy import func, select

from store.tables import cases
from tests.api.conftest import Stage
from tests.api.walk import Walk
from tests.cases.contexts import registration_body

REGISTRATIONS = "/v1/registrations"


@pytest.mark.parametrize("key", [None, "", "a b", "é", "k" * 201, "a\tb"])
async def test_a_write_without_a_proper_key_is_refused(stage: Stage, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key.encode()}
    answer = await stage.as_("employer-a").send("POST", REGISTRATIONS, json=registration_body(), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


async def test_the_same_write_again_gets_the_first_answer(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    first = await employer.post(REGISTRATIONS, registration_body(), key="k-1")
    again = await employer.post(REGISTRATIONS, registration_body(), key="k-1")

    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert await count_cases(stage) == 1


async def test_the_same_key_with_another_body_is_refused(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    await employer.post(REGISTRATIONS, registration_body(), key="k-1")
    other = await employer.post(REGISTRATIONS, registration_body(name_zh="徐若澜"), key="k-1")

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_same_key_of_another_caller_or_case_is_another_key(stage: Stage) -> None:
    walk = Walk(stage)
    first, second = await walk.register(), await walk.register()
    employer = stage.as_("employer-a")

    answers = [await employer.post(f"{REGISTRATIONS}/{each}/withdrawal", {}, key="k-1") for each in (first, second)]

    assert [answer.json()["reference"] for answer in answers] == [first, second]


async def test_fifty_of_the_same_at_once_make_one_case(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    answers = await asyncio.gather(*(employer.post(REGISTRATIONS, registration_body(), key="k-1") for _ in range(50)))
    await stage.settle()

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"in_progress"}
    assert await count_cases(stage) == 1


async def test_a_decision_while_the_engine_is_away_is_pending_and_applied_later(stage: Stage) -> None:
    reference = await Walk(stage).register()
    officer = stage.as_("officer-1")
    stage.engine.away = True

    path, body = f"{REGISTRATIONS}/{reference}/decision", {"action": "approve", "round": 1}
    waiting = await officer.post(path, body, key="d-1")
    stage.engine.away = False
    applied = await officer.post(path, body, key="d-1")

    assert (waiting.status_code, waiting.json()["pending"]) == (202, True)
    assert waiting.json()["pending_because"] == "not_answered"
    assert (applied.status_code, applied.json()["stage"]) == (200, "approved")


async def test_a_decision_whose_update_failed_says_so_and_is_put_before_the_operator(stage: Stage) -> None:
    reference = await Walk(stage).register()
    stage.engine.failing = True
    stage.expects_defects = True
    path, body = f"{REGISTRATIONS}/{reference}/decision", {"action": "approve", "round": 1}
    waiting = await stage.as_("officer-1").post(path, body, key="d-1")
    assert (waiting.status_code, waiting.json()["pending"], waiting.json()["pending_because"]) == (202, True, "failed")
    (line,) = (await stage.as_("operator").get("/v1/incidents")).json()["items"]
    assert (line["kind"], line["step"], line["reason"], line["reference"]) == (
        "defect", "decide", "update_failed", reference,
    )  # fmt: skip


async def test_a_submission_while_the_engine_is_away_is_taken_on(stage: Stage) -> None:
    stage.engine.away = True
    answer = await stage.as_("employer-a").post(REGISTRATIONS, registration_body())

    assert (answer.status_code, answer.json()["stage"]) == (202, "received")


async def count_cases(stage: Stage) -> int:
    async with stage.context.database.begin() as connection:
        return int((await connection.execute(select(func.count()).select_from(cases))).scalar_one())
