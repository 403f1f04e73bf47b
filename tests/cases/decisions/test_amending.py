"""Row R5a of states.md: what is given again under review, before the decision."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from cases.case.difference_reads import list_differences
from cases.shared.context import Context
from domain.commands import CommandKind
from domain.errors import Refused
from domain.purposes import Purpose
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import MENDED, OFFICER_2, Case, Park, china, open_park

ELSEWHERE: dict[str, Any] = {"employment": {"work_site": "别处"}}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _amend(case: Case, round_: int | None = None, **parts: Any) -> None:
    await case.do(EMPLOYER_A, CommandKind.CORRECT, round=round_ or await case.round(), **parts)


async def _refused(case: Case, **asked: Any) -> Refused:
    """Return what an amendment is refused with; nothing is changed by it."""
    before = await case.row(), await case.ledger(), await case.tasks()
    with pytest.raises(Refused) as refused:
        await case.do(EMPLOYER_A, CommandKind.CORRECT, **asked)
    assert (await case.row(), await case.ledger(), await case.tasks()) == before
    return refused.value


async def test_the_holder_keeps_the_task_and_the_clock_runs_on(park: Park) -> None:
    case = await park.review()
    await case.claim("review")
    due, task = await case.due(), await case.task_id("review")
    await case.at("2026-03-03")
    await _amend(case, **ELSEWHERE)
    row, tasks = await case.row(), await case.tasks()
    assert (row["stage"], row["round"], row["clock"], row["holder"]) == ("under_review", 2, "running", "park")
    assert await case.due() == due
    assert (tasks["review"]["task_id"], tasks["review"]["holder"]) == (task, "test officer-1")
    assert (tasks["review"]["round"], tasks["review"]["detail"]) == (2, {"amended": [2]})
    assert row["assessment"] == "needs_officer"
    assert (await case.ledger())[-2:] == ["corrected", "assessed"]
    assert (await case.last("corrected"))["fields"] == ["employment.work_site"]
    assert [r["policy_version"] for r in await park.rows(tables.assessments)] == [row["policy_version"]] * 2
    await case.decide("approve", "document_seen")
    assert await case.stage() == "approved"


async def test_staff_sees_the_difference_and_opens_old_and_new(park: Park) -> None:
    case = await park.review()
    await _amend(case, **ELSEWHERE)
    await _amend(case, employment={"work_site": "SZP-001"}, person={"name_zh": "冯承"})
    first, second = (await case.view())["differences"]
    assert (first["round"], first["fields"]) == (2, ["employment.work_site"])
    (came,) = first["findings"]
    assert came == {"code": came["code"], "before": "pass", "after": "needs_person"}
    assert second["fields"] == ["person.name_zh", "employment.work_site"]
    assert second["findings"] == [{**came, "before": "needs_person", "after": "pass"}]
    assert "differences" not in await case.view(EMPLOYER_A)
    with pytest.raises(Refused, match="purpose_missing"):
        await _opened(park.context, case, None)
    opened = await _opened(park.context, case, Purpose.CASE_REVIEW)
    assert [(f.field, f.before, f.after) for f in opened[0].fields] == [("employment.work_site", "SZP-001", "别处")]
    assert {f.field: f.after for f in opened[1].fields} == {"person.name_zh": "冯承", "employment.work_site": "SZP-001"}
    (read,) = await park.rows(tables.ledger, tables.ledger.c.act == "personal_data_read")
    assert (read["purpose"], read["detail"]["fields"]) == ("case_review", ["work_site", "name_zh"])


async def _opened(context: Context, case: Case, purpose: Purpose | None) -> Any:
    return await list_differences(context, OFFICER, case.reference, purpose)


async def test_a_decision_on_the_round_of_before_is_refused_and_says_what_happened(park: Park) -> None:
    case = await park.review()
    await _amend(case, **ELSEWHERE)
    with pytest.raises(Refused) as refused:
        await case.do(OFFICER, CommandKind.DECIDE, action="approve", round=1)
    assert (refused.value.code, refused.value.words) == ("stale_round", "amended_meanwhile")
    assert await case.stage() == "under_review"


async def test_what_is_stored_first_stands(park: Park) -> None:
    case = await park.review()
    await case.store(EMPLOYER_A, CommandKind.CORRECT, round=1, **ELSEWHERE)
    with pytest.raises(Refused, match="stale_round"):
        await case.store(OFFICER, CommandKind.DECIDE, action="approve", round=1)
    with pytest.raises(Refused, match="stale_round"):  # the same, sent twice
        await case.store(EMPLOYER_A, CommandKind.CORRECT, round=1, **ELSEWHERE)
    await case.step()
    assert await case.round() == 2
    await case.store(OFFICER, CommandKind.DECIDE, action="approve", round=2)
    with pytest.raises(Refused, match="wrong_stage"):
        await case.store(EMPLOYER_A, CommandKind.CORRECT, round=2, employment={"work_site": "SZP-001"})
    await case.step()
    assert await case.stage() == "approved"


async def test_a_round_is_asked_for_under_review_alone(park: Park) -> None:
    case = await park.review()
    refused = await _refused(case, **ELSEWHERE)
    assert (refused.code, [(e.field, e.code) for e in refused.errors]) == ("invalid", [("round", "required")])
    assert (await _refused(case, round=2, **ELSEWHERE)).code == "stale_round"
    await case.decide("return", "document_unreadable")
    assert (await _refused(case, round=2, **ELSEWHERE)).code == "stale_round"
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **ELSEWHERE)
    assert (await case.row())["amendments"] is None


@pytest.mark.parametrize("by_two", [True, False], ids=["a proposal waits", "an approval settles"])
async def test_nothing_is_given_again_while_the_park_decides(park: Park, *, by_two: bool) -> None:
    case = await park.review()
    await (case.decide("refuse", "employment_unproved") if by_two else case.decide("approve"))
    refused = await _refused(case, round=1, **ELSEWHERE)
    assert (refused.code, refused.words) == ("wrong_stage", "being_decided")


async def test_a_rejected_proposal_lets_it_be_given_again(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await case.confirm("reject", "reason_not_supported")
    await _amend(case, **ELSEWHERE)
    row = await case.row()
    assert (row["round"], row["rejected"]["act"]) == (3, "refuse")
    assert (await case.tasks())["review"]["holder"] == "test officer-1"


async def test_a_case_stays_that_of_its_person(park: Park) -> None:
    case = await park.review()
    refused = await _refused(case, round=1, person={"identity_number": "33010619860128072X"})
    assert [(e.field, e.words) for e in refused.errors] == [("person.identity_number", "another_person")]


async def test_what_changes_nothing_is_refused(park: Park) -> None:
    case = await park.review()
    refused = await _refused(case, round=1, employment={"work_site": "SZP-001"})
    assert (refused.code, refused.words) == ("invalid", "nothing_differs")


async def test_nobody_puts_a_decision_off_for_ever(park: Park) -> None:
    case = await park.review()
    for number in range(park.context.limits.amendments_allowed):
        await _amend(case, employment={"position": f"研究员{number}"})
    refused = await _refused(case, round=4, **ELSEWHERE)
    assert (refused.code, refused.facts) == ("amendment_not_allowed", {"amendments_allowed": 3})
    await case.decide("return", "document_unreadable")  # asked for by an officer, it is given all the same
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **ELSEWHERE)
    assert await case.round() == 5


async def test_what_is_missing_now_is_for_an_officer_to_send_back(park: Park) -> None:
    case = await park.review(employment={"state_worker": True} | MENDED["employment"])
    await _amend(case, employment={"consent_letter": None})
    row = await case.row()
    assert (row["stage"], row["assessment"], row["returns"], row["clock"]) == (
        "under_review",
        "incomplete",
        0,
        "running",
    )
    await case.decide("approve", "document_seen")  # over what is missing two people approve
    assert await case.stage() == "awaiting_confirmation"


async def test_a_hold_keeps_nobody_from_giving_again(park: Park) -> None:
    case = await park.review()
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    await _amend(case, **ELSEWHERE)
    assert (await case.row())["hold"]["reason"] == "legal_question"


async def test_the_employer_is_told_that_the_review_goes_on(park: Park) -> None:
    case = await park.review()
    await _amend(case, **ELSEWHERE)
    (told,) = await case.notices("correction_received")
    assert told["occasion"] == "2"


async def test_a_conflict_keeps_the_values_from_an_officer(park: Park) -> None:
    case = await park.review()
    await _amend(case, **ELSEWHERE)
    async with park.context.database.begin() as connection:
        declared = {"reference": case.reference, "subject": "test officer-2", "employer_id": "emp-a"}
        await connection.execute(tables.conflicts.insert().values(**declared, declared_at=park.clock.at))
    with pytest.raises(Refused, match="role_not_allowed"):
        await list_differences(park.context, OFFICER_2, case.reference, Purpose.CASE_REVIEW)
