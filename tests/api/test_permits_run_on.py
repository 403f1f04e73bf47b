"""Permits that run on under the next employer's case, or begin anew there, by the word of an officer (R58, R59)."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest_asyncio
from sqlalchemy import select

from store import tables
from tests.api.conftest import AUTHORITY_SECRET, Stage
from tests.api.employer_change import Change, registered

ISSUED = {
    "valid_from": "2026-03-02", "valid_until": "2027-03-01", "stay_days": 30, "entries": "multiple",
    "authority_number": "C-HK-1",
}  # fmt: skip


@pytest_asyncio.fixture
async def change(stage: Stage) -> Change:
    return await registered(stage)


async def issue(change: Change) -> None:
    """Let the authority issue the old case's permit for Hong Kong."""
    await change.walk.answer(change.old, "accepted")
    await change.walk.answer(change.old, "issued", **ISSUED)
    await change.step(change.old)


async def follow(change: Change, **employment: Any) -> str:
    """Let the person go to the other employer, approved at once; the last day is two days ahead."""
    new = await change.begin()
    assert (await change.approve(new)).status_code == 200
    confirmed = await change.answer({"action": "confirm", "last_day": "2026-03-04"})
    assert confirmed.status_code == 202, confirmed.text
    await change.pass_time(change.old, new, days=3)
    await change.step(new, change.old)
    return new


async def task_of(change: Change) -> Mapping[str, Any] | None:
    items = (await change.stage.as_("officer-1").get("/v1/tasks", kind="permit_move")).json()["items"]
    return items[0] if items else None


async def answer_task(change: Change, action: str, persona: str = "officer-1") -> Any:
    task = await task_of(change)
    assert task is not None
    answer = await change.stage.as_(persona).post(f"/v1/tasks/{task['id']}/answer", {"action": action})
    await change.stage.settle()
    return answer


async def permits(change: Change, reference: str, persona: str) -> dict[str, Mapping[str, Any]]:
    case = await change.walk.case(persona, reference)
    return {each["destination"]: each for each in case["permits"]}


async def told_of(change: Change, reference: str, place: str) -> set[str]:
    n = tables.notices.c
    query = select(n.kind).where(n.reference == reference, n.destination == place)
    async with change.stage.context.database.begin() as connection:
        return set((await connection.execute(query)).scalars())


async def calls(change: Change, reference: str) -> list[str]:
    c = tables.calls.c
    query = select(c.key).where(c.reference == reference, c.state == "due").order_by(c.key)
    async with change.stage.context.database.begin() as connection:
        return [key.replace(reference, "REF") for key in (await connection.execute(query)).scalars()]


async def says(change: Change, place: str, outcome: str, **more: Any) -> Any:
    """Let the authority answer on an entry by the name that it has for it."""
    content = {"outcome_id": uuid4().hex, "case": place, "outcome": outcome, "authority_number": "C-HK-1",
               "occurred_at": change.stage.clock().isoformat(), **more}  # fmt: skip
    return await change.walk.signed("/v1/authority/outcomes", content, AUTHORITY_SECRET)


async def test_a_permit_runs_on_under_the_next_case(change: Change) -> None:
    await issue(change)
    new = await follow(change)
    assert await change.stages(change.old, new) == [("ended", False), ("approved", False)]
    # Nobody is told of its end before an officer has said what holds, and nothing is asked for twice.
    assert "permit_reported" not in await told_of(change, change.old, "HK")
    assert not [key for key in await calls(change, change.old) if "registration_ended" in key]
    assert [key for key in await calls(change, new) if "HK" in key] == []
    task = await task_of(change)
    assert task is not None
    assert (task["reference"], task["answers"]) == (new, ["move", "start_anew"])
    assert task["detail"]["permits"]["HK"] == {
        "stage": "issued", "authority_number": "C-HK-1", "valid_from": "2026-03-02", "valid_until": "2027-03-01",
    }  # fmt: skip
    assert (task["detail"]["gap_days"], task["detail"]["issues_anew"]) == (0, "unconfirmed")
    assert (await change.walk.case("officer-1", new))["holder"] == "park"

    moved = await answer_task(change, "move")
    assert moved.status_code == 200, moved.text
    here, there = await permits(change, new, "employer-b"), await permits(change, change.old, "employer-a")
    assert {name: here["HK"][name] for name in ISSUED} == ISSUED
    assert (here["HK"]["stage"], here["HK"]["in_force"], len(here["HK"]["terms"])) == ("issued", True, 1)
    assert (there["HK"]["stage"], there["HK"]["end_reason"]) == ("ended", "moved_within_park")
    assert await told_of(change, new, "HK") == {"permit_moved"}
    assert not await told_of(change, change.old, "HK") & {"permit_reported", "permit_closed"}
    assert "report/REF/HK/entry_changed/1" in await calls(change, new)
    await change.step(change.old, new)
    await change.reconciled(change.old, new)

    # The authority goes on calling it by the name that it has: what it says is about the new case now.
    replaced = await says(change, f"{change.old}/HK", "replaced", **ISSUED | {"authority_number": "C-HK-2"})
    assert replaced.status_code == 200, replaced.text
    await change.step(new, change.old)
    assert (await permits(change, new, "employer-b"))["HK"]["authority_number"] == "C-HK-2"
    assert (await permits(change, change.old, "employer-a"))["HK"]["authority_number"] == "C-HK-1"
    await change.reconciled(change.old, new)
    # It is reminded of and expires where it runs.
    await change.pass_time(change.old, new, days=370)
    assert (await permits(change, new, "employer-b"))["HK"]["stage"] == "expired"
    assert "permit_expired" not in await told_of(change, change.old, "HK")
    await change.reconciled(change.old, new)


async def test_a_permit_that_begins_anew_is_reported_as_at_any_end(change: Change) -> None:
    await issue(change)
    new = await follow(change)
    assert (await answer_task(change, "start_anew")).status_code == 200
    await change.step(change.old, new)
    assert (await permits(change, new, "employer-b"))["HK"]["stage"] == "eligible"
    assert (await permits(change, change.old, "employer-a"))["HK"]["reported_at"] is not None
    assert "permit_reported" in await told_of(change, change.old, "HK")
    assert "report/REF/HK/registration_ended" in await calls(change, change.old)
    assert await task_of(change) is None
    await change.reconciled(change.old, new)


async def test_nobody_answers_in_time(change: Change) -> None:
    await issue(change)
    new = await follow(change)
    await change.pass_time(change.old, days=60)
    assert "report/REF/HK/registration_ended" in await calls(change, change.old)
    late = await answer_task(change, "move")
    assert (late.status_code, late.json()["code"]) == (409, "wrong_stage")
    assert (await permits(change, new, "employer-b")).get("HK") is None
    assert (await answer_task(change, "start_anew")).status_code == 200
    await change.step(change.old, new)
    assert await calls(change, change.old) == ["report/REF/HK/registration_ended"]
    await change.reconciled(change.old, new)


async def test_a_held_answer_keeps_a_permit_where_it_is(change: Change) -> None:
    await issue(change)
    await follow(change)
    held = await says(change, f"{change.old}/HK", "issued", **ISSUED | {"valid_until": "2026-09-01"})
    assert held.json()["status"] == "held"
    refused = await answer_task(change, "move")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_decided")
    assert (await permits(change, change.old, "employer-a"))["HK"]["stage"] == "issued"


async def test_the_next_case_closes_before_it_is_approved(change: Change) -> None:
    await issue(change)
    new = await change.begin()
    await change.answer({"action": "confirm", "last_day": "2026-03-04"})
    await change.pass_time(change.old, new, days=3)
    assert "permit_reported" not in await told_of(change, change.old, "HK")
    await change.walk.act("employer-b", new, "withdrawal", {})
    await change.step(change.old)
    assert "report/REF/HK/registration_ended" in await calls(change, change.old)
    await change.reconciled(change.old, new)


async def test_days_between_the_two_leave_nothing_to_move(change: Change) -> None:
    await issue(change)
    # The day after the last day is 5 March.
    change.more = {"contract_start": "2026-03-06"}
    await follow(change)
    assert "permit_reported" in await told_of(change, change.old, "HK")
    assert "report/REF/HK/registration_ended" in await calls(change, change.old)
    assert await task_of(change) is None
