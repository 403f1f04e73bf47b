"""A permit card without its last day: the employer is asked at once from a version on, and earlier cases are not."""

from collections.abc import AsyncIterator

import pytest_asyncio

from domain.actors import Actor, Role
from domain.commands import CommandKind
from domain.languages import Language
from record.re_evaluation import evaluate_again
from tests.cases.contexts import EMPLOYER_A
from tests.cases.driver import Park, china, open_park

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-11-29")) as park:
        yield park


async def test_the_employer_is_asked_at_once_and_the_answer_clears_the_case(park: Park) -> None:
    park.clock.at = china("2026-12-01")
    case = await park.review(permit_card_valid_until=None)
    assert await case.stage() == "correction_requested"
    view = await case.view(EMPLOYER_A)
    assert (view["policy_version"], view["assessment"]) == ("2026-11-30", "incomplete")
    (missing,) = [finding for finding in view["findings"] if finding["outcome"] != "pass"]
    assert (missing["code"], missing["outcome"]) == ("permit_card_ends_early", "missing")
    assert missing["fields"] == ["person.permit_card_valid_until"]
    await case.do(EMPLOYER_A, CommandKind.CORRECT, person={"permit_card_valid_until": "2036-01-01"})
    assert await case.stage() == "under_review"
    assert (await case.view())["assessment"] == "clear"


async def test_a_case_accepted_before_keeps_its_version_and_is_found_the_same_again(park: Park) -> None:
    case = await park.review(permit_card_valid_until=None)
    assert await case.stage() == "under_review"
    await case.at("2026-12-02")
    again = await evaluate_again(park.context, AUDITOR, case.reference, Language.EN)
    (run,) = again.assessments
    assert (again.same, run.rule_version) == (True, "2025-11-05")
    (found,) = [each for each in run.now or () if each.code == "permit_card_ends_early"]
    assert found.outcome == "needs_person"
    assert [used["name"] for used in found.parameters] == ["permit_term_years", "card_must_outlive_term"]
