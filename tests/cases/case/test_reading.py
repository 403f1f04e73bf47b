"""A case that is only read shows exactly what the file of the case shows."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from cases.case.file import load_case
from cases.case.reading import read_cases
from cases.case.reads import list_cases
from cases.case.view import case_view
from domain.languages import Language
from tests.cases.contexts import EMPLOYER_A, OFFICER, shown
from tests.cases.driver import Case, Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _check(park: Park, case: Case) -> None:
    for actor in (EMPLOYER_A, OFFICER):
        async with park.context.database.begin(actor.tenant) as connection:
            file = await load_case(park.context, connection, case.reference, lock=False)
            (reading,) = await read_cases(park.context, connection, [case.reference], actor)
        for language in Language:
            seen = case_view(reading, actor, language)
            assert seen == case_view(file, actor, language)
            assert seen.programme == "talent_permit"


async def test_a_case_on_its_way_shows_alike(park: Park) -> None:
    case = await park.review()
    await _check(park, case)
    await case.decide("refuse", "employment_unproved", note="仅供内部")
    await _check(park, case)


async def test_permits_and_what_the_authority_said_show_alike(park: Park) -> None:
    case = await park.accepted()
    await case.answer("issued", valid_from="2026-03-10", valid_until="2029-03-09", stay_days=30, entries="multiple")
    await case.answer("refused", "MO", reason_text="内部原因")
    await _check(park, case)


async def test_an_approval_that_settles_shows_alike(park: Park) -> None:
    case = await park.review()
    await case.decide("approve")
    await _check(park, case)


async def test_a_short_case_leaves_out_the_findings_that_pass_and_nothing_else(park: Park) -> None:
    case = await park.accepted()
    for actor in (EMPLOYER_A, OFFICER):
        (whole,) = shown((await list_cases(park.context, actor, language=Language.EN))[0])
        (short,) = shown((await list_cases(park.context, actor, short=True, language=Language.EN))[0])
        assert whole["reference"] == case.reference
        assert {finding["outcome"] for finding in whole["findings"]} == {"pass"}
        assert short == _without_passing(whole)


async def test_a_short_case_keeps_what_stands_in_the_way(park: Park) -> None:
    await park.review(employment={"state_worker": True})
    (short,) = shown((await list_cases(park.context, OFFICER, short=True, language=Language.EN))[0])
    assert {finding["outcome"] for finding in short["findings"]} <= {"fail", "missing", "needs_person"}
    assert short["findings"]
    assert short["assessment"] == "incomplete"


def _without_passing(case: dict[str, Any]) -> dict[str, Any]:
    left = {name: value for name, value in case.items() if name != "findings"} | {
        "findings": [each for each in case["findings"] if each["outcome"] != "pass"]
    }
    left["permits"] = [
        {**p, "findings": [f for f in p["findings"] if f["outcome"] != "pass"]} if "findings" in p else p
        for p in case["permits"]
    ]
    return left
