"""Check codes: who issues and withdraws them, and how little whoever shows one is told."""

from datetime import timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import select

from store import tables
from tests.api.conftest import Stage
from tests.api.employer_change import MAIL, Change, registered
from tests.api.persons import sign_in


@pytest_asyncio.fixture
async def change(stage: Stage) -> Change:
    return await registered(stage)


def _path(reference: str, more: str = "") -> str:
    return f"/v1/registrations/{reference}/check-codes{more}"


async def _checked(stage: Stage, code: str) -> Any:
    return await stage.nobody.send("GET", f"/v1/check/{code}")


async def test_anyone_who_was_given_a_code_sees_what_is_in_force_and_no_more(change: Change) -> None:
    stage = change.stage
    issued = await stage.as_("employer-a").post(_path(change.old), {})
    assert issued.status_code == 201, issued.text
    code = issued.json()["code"]
    shown = await _checked(stage, code.lower().replace("-", ""))
    assert shown.status_code == 200, shown.text
    assert shown.headers["cache-control"] == "no-store"
    case = await change.walk.case("employer-a", change.old)
    said = shown.json()
    assert set(said) == {"programme", "in_force", "as_of", "number", "name", "parts"}
    assert (said["programme"], said["in_force"], said["number"]) == ("talent_permit", True, case["registration_number"])
    assert "○" in said["name"]
    assert change.old not in shown.text
    # The code is kept nowhere, and what is kept finds it by a key alone.
    async with stage.context.database.begin() as connection:
        (row,) = (await connection.execute(select(tables.check_codes))).mappings()
    assert code.encode() not in row["code_hash"]
    assert row["party"] == "employer"


async def test_a_code_that_is_wrong_or_withdrawn_or_none_is_answered_alike(change: Change) -> None:
    stage, employer = change.stage, change.stage.as_("employer-a")
    issued = (await employer.post(_path(change.old), {})).json()
    withdrawal = _path(change.old, f"/{issued['id']}/withdrawal")
    assert (await employer.post(withdrawal, {})).json()["withdrawn_at"] is not None
    assert (await employer.post(withdrawal, {})).json()["code"] == "already_decided"
    wrong = "00000-00000-00000-00001-" + "0"
    answers = [await _checked(stage, text) for text in (issued["code"], wrong, "7K2M9-QXA4B-0CDE1-FGH2J-K", "x", "%E6")]
    told = [(each.status_code, {**each.json(), "instance": ""}) for each in answers[:4]]
    assert told[0][0] == 404
    assert told == [told[0]] * 4
    # A person who was erased has no codes: the row is gone with the key.
    kept = await employer.post(_path(change.old), {})
    async with stage.context.database.begin() as connection:
        await connection.execute(tables.check_codes.delete())
    gone = await _checked(stage, kept.json()["code"])
    assert (gone.status_code, {**gone.json(), "instance": ""}) == told[0]


async def test_each_side_sees_and_withdraws_its_own_and_nobody_elses(change: Change) -> None:
    stage = change.stage
    by_link = await sign_in(stage, change.old, email=MAIL)
    employer, officer = stage.as_("employer-a"), stage.as_("officer-1")
    mine = (await by_link.post(_path(change.old), {})).json()
    by_document = await change.me().post(_path(change.old), {})
    assert by_document.status_code == 201, by_document.text
    theirs = (await employer.post(_path(change.old), {})).json()
    assert (await officer.post(_path(change.old), {})).status_code == 201
    seen = {}
    for name, caller in (("person", by_link), ("employer", employer), ("park", officer)):
        seen[name] = [each["by"] for each in (await caller.get(_path(change.old))).json()["items"]]
    assert seen["person"] == ["person", "person"]
    assert seen["employer"] == ["employer"]
    assert sorted(seen["park"]) == ["employer", "park", "person", "person"]
    refused = await employer.post(_path(change.old, f"/{mine['id']}/withdrawal"), {})
    assert refused.json()["code"] == "not_found"
    assert (await officer.post(_path(change.old, f"/{theirs['id']}/withdrawal"), {})).status_code == 200
    # Another employer, and a person without a case, have no such case.
    assert (await stage.as_("employer-b").post(_path(change.old), {})).json()["code"] == "case_unknown"
    assert (await stage.as_("employer-b").get(_path(change.old))).json()["code"] == "case_unknown"


async def test_what_is_not_in_force_has_no_code_and_what_has_ended_tells_nothing(change: Change) -> None:
    stage, employer = change.stage, change.stage.as_("employer-a")
    code = (await employer.post(_path(change.old), {})).json()["code"]
    body = {"last_day": stage.clock().date().isoformat(), "reason": "contract_ended"}
    left = await employer.post(f"/v1/registrations/{change.old}/departure", body)
    assert left.status_code in (200, 202), left.text
    await stage.settle()
    stage.clock.at += timedelta(days=3)
    stage._callers.clear()
    await change.step(change.old)
    said = (await _checked(stage, code)).json()
    assert (said["in_force"], said["number"], said["name"], said["parts"]) == (False, None, None, [])
    again = await stage.as_("employer-a").post(_path(change.old), {})
    assert again.json()["code"] == "wrong_stage"


async def test_twenty_codes_of_a_case_hold_at_a_time(change: Change) -> None:
    employer = change.stage.as_("employer-a")
    statuses = [(await employer.post(_path(change.old), {})).status_code for _ in range(21)]
    assert statuses == [201] * 20 + [409]
