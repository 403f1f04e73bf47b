"""Work lists: what each task tells of its case, orders, choices and counts, alike for every page."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import update

from cases.shared.views import document
from cases.tasks import inbox
from domain.findings import FindingOutcome
from domain.stages import AssessmentOutcome
from domain.task_lists import Priority, TaskChoice, TaskOrder
from domain.tasks import TaskKind
from programmes.talent_permit.words import PermitTask
from store import tables
from tests.api.walk import identity_number
from tests.cases.contexts import EMPLOYER_B, OFFICER, SUPERVISOR, key
from tests.cases.driver import OFFICER_2, Case, Park, china, open_park

NUMBERS = [identity_number(serial) for serial in (101, 102, 103, 104)]
NO_CARD: dict[str, Any] = {"permit_card_number": None, "permit_card_valid_until": None}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


@pytest_asyncio.fixture
async def lists(park: Park) -> list[Case]:
    """Four tasks: a clear one, one with open questions, one that fails at another employer, and one of a permit."""
    clear = await park.review(identity_number=NUMBERS[0])
    asked = await park.review(identity_number=NUMBERS[1], **NO_CARD)
    failing = await park.review(
        by=EMPLOYER_B, identity_number=NUMBERS[2], employment={"contract_end": "2026-02-28", "work_site": "SZP-101"}
    )
    permit = await park.approved(identity_number=NUMBERS[3], **NO_CARD)
    return [clear, asked, failing, permit]


async def shown(park: Park, choice: TaskChoice | None = None, **more: Any) -> list[dict[str, Any]]:
    """Return a list as its JSON says it to an officer, page by page of one."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        items, after = await inbox.list_tasks(park.context, OFFICER, choice, after=after, limit=1, **more)
        found += map(document, items)
        if after is None:
            return found


async def test_a_task_tells_what_its_reader_chooses_by(park: Park, lists: list[Case]) -> None:
    by_case = {task["reference"]: task for task in await shown(park, TaskChoice(kind=TaskKind.REVIEW))}
    clear, asked, failing, _ = (by_case.get(case.reference) for case in lists)
    assert clear is not None
    assert asked is not None
    assert failing is not None
    assert (clear["assessment"], asked["assessment"], failing["assessment"]) == ("clear", *["needs_officer"] * 2)
    assert set(clear["findings"]) == set(FindingOutcome)
    assert (clear["findings"]["pass"] > 5, clear["findings"]["fail"]) == (True, 0)
    assert (asked["findings"]["needs_person"], failing["findings"]["fail"]) == (1, 1)
    assert clear["employer_name"] != failing["employer_name"]
    assert all(task["employer_name"] for task in by_case.values())
    assert clear["priority"] == "normal"
    assert clear["destination"] is None


async def test_a_task_of_a_permit_tells_the_findings_of_the_permit(park: Park, lists: list[Case]) -> None:
    found = await shown(park, TaskChoice(kind=PermitTask.PERMIT_ELIGIBILITY))
    assert [task["destinations"] for task in found] == [["HK", "MO"]]
    for task in found:
        outcome = (await lists[3].view())["permits"][0]["findings"]
        assert task["assessment"] == "needs_officer"
        assert sum(task["findings"].values()) == len(outcome)


async def test_a_claim_answers_with_the_same_task_that_the_list_shows(park: Park, lists: list[Case]) -> None:
    first = (await shown(park))[0]
    claimed = (await inbox.claim(park.context, OFFICER, UUID(first["id"]), key())).body
    (listed,) = await shown(park, TaskChoice(holder="me"))
    assert claimed == listed
    assert {**first, "holder": "officer-1", "held_since": claimed["held_since"]} == claimed


@pytest.mark.parametrize("order", TaskOrder)
async def test_every_order_shows_each_task_once_page_by_page(park: Park, lists: list[Case], order: TaskOrder) -> None:
    whole, _ = await inbox.list_tasks(park.context, OFFICER, order=order, limit=50)
    assert [task["id"] for task in await shown(park, order=order)] == [task.id for task in whole]
    assert len({task.id for task in whole}) == len(whole) == 4
    ranks = [each.value for each in AssessmentOutcome]
    keys: dict[TaskOrder, Any] = {
        TaskOrder.ASSESSMENT: lambda task: ranks.index(task["assessment"]),
        TaskOrder.FINDINGS: lambda task: sum(n for outcome, n in task["findings"].items() if outcome != "pass"),
        TaskOrder.EMPLOYER: lambda task: task["employer_name"].encode(),
        TaskOrder.DESTINATION: lambda task: next(iter(task["destinations"]), ""),
        TaskOrder.PRIORITY: lambda task: task["due_at"],
    }
    found = [keys[order.by](document(task)) for task in whole]
    assert found == sorted(found, reverse=order.is_down)


async def test_a_list_is_chosen_by_each_of_what_its_tasks_tell(park: Park, lists: list[Case]) -> None:
    everything = await shown(park)
    choices: list[tuple[TaskChoice, Any]] = [
        (TaskChoice(assessment=each), lambda task, each=each: task["assessment"] == each) for each in AssessmentOutcome
    ]
    choices += [
        (TaskChoice(finding=each), lambda task, each=each: task["findings"][each] > 0) for each in FindingOutcome
    ]
    choices += [(TaskChoice(priority=each), lambda task, each=each: task["priority"] == each) for each in Priority]
    choices += [
        (TaskChoice(destination="HK"), lambda task: "HK" in task["destinations"]),
        (TaskChoice(destination="MO"), lambda task: "MO" in task["destinations"]),
        (TaskChoice(destination="none"), lambda task: task["destinations"] == []),
        (TaskChoice(employer_id="emp-b"), lambda task: task["employer_id"] == "emp-b"),
    ]
    for choice, belongs in choices:
        expected = [task["id"] for task in everything if belongs(task)]
        for order in (TaskOrder.PRIORITY, TaskOrder.FINDINGS_DOWN):
            found = [task["id"] for task in await shown(park, choice, order=order)]
            assert sorted(found) == sorted(expected), (choice, order)
        counted = await inbox.count_tasks(park.context, OFFICER, choice)
        assert counted.open == len(expected), choice


async def test_what_is_due_today_or_tomorrow_is_urgent_and_after_that_overdue(park: Park) -> None:
    case = await park.review()
    due = (await case.tasks())["review"]["due_at"]  # Monday 9 March, 23:59:59
    assert str(due.date()) == "2026-03-09"
    for day, priority in (("2026-03-05", "normal"), ("2026-03-06", "urgent"), ("2026-03-09", "urgent")):
        park.clock.at = china(day)
        (task,) = await shown(park)
        assert (task["priority"], task["overdue"]) == (priority, False), day
    park.clock.at = china("2026-03-10")
    (task,) = await shown(park, TaskChoice(priority=Priority.OVERDUE))
    assert task["priority"] == "overdue"


async def test_counts_say_how_many_by_kind_by_holder_and_by_urgency(park: Park, lists: list[Case]) -> None:
    await lists[0].claim("review", by=OFFICER_2)
    async with park.context.database.begin() as connection:
        late = update(tables.tasks).where(tables.tasks.c.reference == lists[1].reference).values(overdue=True)
        await connection.execute(late)
    counted = await inbox.count_tasks(park.context, OFFICER)
    assert (counted.open, counted.free, counted.overdue) == (4, 3, 1)
    assert counted.overdue + counted.urgent + counted.normal == 4
    kinds = {row.kind: (row.open, row.free, row.overdue) for row in counted.by_kind}
    assert kinds == {"review": (3, 2, 1), "permit_eligibility": (1, 1, 0)}
    assert [(row.holder, row.open) for row in counted.by_holder] == [(None, 3), ("officer-2", 1)]
    mine = await inbox.count_tasks(park.context, OFFICER_2, TaskChoice(holder="me"))
    assert (mine.open, [row.holder for row in mine.by_holder]) == (1, ["officer-2"])


async def test_every_choice_can_be_read_in_every_order_and_role(park: Park) -> None:
    await park.review()
    assessments, findings = (None, AssessmentOutcome.CLEAR), (None, FindingOutcome.PASS)
    for assessment, finding, priority, destination in product(
        assessments, findings, (None, Priority.NORMAL), (None, "none")
    ):
        choice = TaskChoice(assessment=assessment, finding=finding, priority=priority, destination=destination)
        for actor, order in product((OFFICER, SUPERVISOR), TaskOrder):
            items, _ = await inbox.list_tasks(park.context, actor, choice, order=order)
            assert len(items) == 1, (choice, order)
