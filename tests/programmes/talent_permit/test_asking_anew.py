"""A permit that has ended is asked for once more (P53): its own entry, key, term and notices, and the old ones kept."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from cases.calls import making
from domain.commands import CommandKind
from domain.errors import Refused
from domain.languages import Language
from record.re_evaluation import evaluate_again
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import Case, Park, china, open_park

BOTH = ["HK", "MO"]
NEW: dict[str, Any] = {"authority_number": "C-MO-0002", "valid_from": "2026-06-10", "valid_until": "2029-06-09"}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _take(case: Case, *destinations: str) -> None:
    await case.do(EMPLOYER_A, CommandKind.CHANGE, destinations=list(destinations))
    task_id = await case.task_id("change")
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=task_id, action="take")


async def _due(case: Case) -> list[str]:
    course = await making.current_course(case.park.context, case.reference)
    return sorted(call.key.replace(case.reference, "REF") for call in course.calls)


async def _terms(case: Case) -> list[tuple[int, str, str | None]]:
    seen = await case.view(EMPLOYER_A)
    (permit,) = [each for each in seen["permits"] if each["destination"] == "MO"]
    return [(term["number"], term["stage"], term["authority_number"]) for term in permit["terms"]]


async def _given_up(case: Case, says: str) -> None:
    await _take(case, "HK")
    await case.make_calls()
    await case.answer(says, "MO")


async def test_one_given_up_after_its_issue_is_added_again_with_a_term_and_a_key_of_its_own(park: Park) -> None:
    case = await park.submitted()
    await case.answer("issued", "MO", authority_number="C-MO-0001")
    await _given_up(case, "cancelled")
    await case.at("2026-06-01")
    await _take(case, *BOTH)
    permit = await case.permit("MO")
    assert (permit["stage"], permit["end_reason"], permit["decided_on"]) == ("eligible", None, None)
    assert await _due(case) == ["permit/REF/MO/2"]
    assert await _terms(case) == [(1, "ended", "C-MO-0001"), (2, "eligible", None)]
    await case.make_calls()
    # What is late of the one before is an officer's, and ends nothing of the new one.
    assert await case.answer("revoked", "MO", authority_number="C-MO-0001", outcome_id="late") == (202, "held")
    assert "authority_conflict/MO" in await case.tasks()
    assert await case.answer("accepted", "MO") == (200, "recorded")
    await case.answer("issued", "MO", **NEW)
    assert await _terms(case) == [(1, "ended", "C-MO-0001"), (2, "issued", "C-MO-0002")]
    assert (await case.permit("MO"))["authority_number"] == "C-MO-0002"
    assert await case.told("permit_submitted", "MO") == Counter(employer=2, person=2)
    assert await case.told("permit_issued", "MO") == Counter(employer=2, person=2)
    assert (await evaluate_again(park.context, OFFICER, case.reference, Language.EN)).same


async def test_one_given_up_again_is_told_again(park: Park) -> None:
    case = await park.submitted()
    await _given_up(case, "withdrawn")
    await _take(case, *BOTH)
    assert await _terms(case) == [(1, "ended", None), (2, "eligible", None)]
    await case.make_calls()
    await case.after(hours=1)
    await _take(case, "HK")
    assert await _due(case) == ["report/REF/MO/destination_given_up/2"]
    await case.make_calls()
    await case.answer("withdrawn", "MO")
    assert [stage for _, stage, _ in await _terms(case)] == ["ended", "ended"]
    assert await case.told("permit_closed", "MO") == Counter(employer=2, person=2)


async def test_one_closed_before_it_was_sent_has_its_first_key(park: Park) -> None:
    case = await park.approved()
    await _take(case, "HK")
    await _take(case, *BOTH)
    assert await _due(case) == ["permit/REF"]
    await case.make_calls()
    assert await case.told("permit_submitted", "MO") == Counter(employer=1, person=1)


async def test_one_that_the_authority_refused_is_asked_anew_by_naming_what_is_held(park: Park) -> None:
    case = await park.submitted()
    await case.answer("refused", "MO", reason_code="9", reason_text="不符")
    await _take(case, *BOTH)
    assert await _due(case) == ["permit/REF/MO/2"]
    seen = next(each for each in (await case.view())["permits"] if each["destination"] == "MO")
    assert seen["terms"][0]["authority_reason"]["text"] == "不符"
    assert seen.get("authority_reason") is None
    await case.make_calls()
    await case.after(hours=1)
    await case.answer("refused", "MO", reason_code="9", reason_text="仍不符")
    assert [stage for _, stage, _ in await _terms(case)] == ["refused", "refused"]
    assert (await case.permit())["stage"] == "submitted"


async def test_what_runs_is_not_asked_for_once_more(park: Park) -> None:
    case = await park.submitted(destinations=["HK"])
    with pytest.raises(Refused) as caught:
        await case.do(EMPLOYER_A, CommandKind.CHANGE, destinations=["HK"])
    assert caught.value.words == "destinations_held"


async def test_adding_another_asks_not_for_one_that_ended(park: Park) -> None:
    case = await park.submitted(destinations=["HK"])
    await case.answer("refused")
    await _take(case, *BOTH)
    assert await _due(case) == ["permit/REF/MO"]
    assert (await case.permit())["stage"] == "refused"


async def test_asked_anew_and_closed_unsent_the_new_term_ends_too(park: Park) -> None:
    case = await park.submitted()
    await _given_up(case, "withdrawn")
    await _take(case, *BOTH)
    await _take(case, "HK")
    assert await _due(case) == []
    assert await _terms(case) == [(1, "ended", None), (2, "ended", None)]
    assert await case.told("permit_closed", "MO") == Counter(employer=2, person=2)
