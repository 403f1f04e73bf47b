"""The letter of a decision is foretold word for word, and nothing is decided by it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cases.case.file import read_case
from cases.decisions.foretelling import NO_NUMBER, LettersView, foretell_decision
from domain.decisions import DecisionRequest
from domain.errors import Refused
from domain.purposes import Purpose
from store import tables
from tests.cases.contexts import OFFICER
from tests.cases.driver import OFFICER_2, Case, Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _foretold(
    case: Case, action: str, *reasons: str, purpose: Purpose | None = Purpose.CASE_REVIEW
) -> LettersView:
    asked = {
        "action": action,
        "round": await case.round(),
        "reasons": [{"code": code, "note": "见函。"} for code in reasons],
    }
    return await foretell_decision(
        case.park.context, OFFICER, case.reference, DecisionRequest.model_validate(asked), purpose
    )


async def _written(case: Case, kind: str, to: str) -> dict[str, str]:
    """Return the mail of the notice that was written."""
    (notice,) = await case.notices(kind, to)
    file = await read_case(case.park.context, case.reference)
    mail: dict[str, str] = file.open("notices", "body", str(notice["notice_id"]), notice["body"])["mail"]
    return mail


@pytest.mark.parametrize(
    ("action", "reason", "kind"),
    [
        ("return", "identity_number_wrong", "correction_requested"),
        ("refuse", "work_site_outside_park", "registration_refused"),
    ],
)
async def test_the_letter_is_the_one_that_is_written(park: Park, action: str, reason: str, kind: str) -> None:
    case = await park.review()
    before = await park.rows(tables.cases)
    shown = await _foretold(case, action, reason)
    assert await park.rows(tables.cases) == before
    assert await case.notices(kind) == []
    assert shown.needs_second_signature == (action == "refuse")
    given = [{"code": reason, "note": "见函。"}]
    await case.do(OFFICER, "decide", action=action, round=await case.round(), reasons=given)
    if action == "refuse":
        await case.do(OFFICER_2, "confirm", action="confirm", round=await case.round())
        await case.after(minutes=30)
    for letter in (each for each in shown.letters if each.kind == kind):
        assert "见函。" in letter.text
        texts = await _written(case, kind, letter.to.value)
        assert (letter.subject, letter.text) == (texts["subject"], texts["text"]), letter.to
    assert {each.to.value for each in shown.letters} == {"employer"} | ({"person"} if action == "refuse" else set())


async def test_an_approval_is_foretold_without_a_number(park: Park) -> None:
    case = await park.review()
    shown = await _foretold(case, "approve")
    assert shown.letters
    assert any(NO_NUMBER in each.text for each in shown.letters)
    assert "000001" not in "".join(each.text for each in shown.letters)


async def test_it_is_refused_as_the_decision_would_be(park: Park) -> None:
    case = await park.review()
    for reasons, purpose, code in (
        ((), Purpose.CASE_REVIEW, "reason_missing"),
        (("work_site_outside_park",), None, "purpose_missing"),
    ):
        with pytest.raises(Refused) as refused:
            await _foretold(case, "refuse", *reasons, purpose=purpose)
        assert refused.value.code == code
