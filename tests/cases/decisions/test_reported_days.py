"""Days that somebody reports of a case are held against what the case knows: in JSON, in rosters, by every role."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from cases.case.file import open_case
from domain.actors import Actor
from domain.commands import CommandKind
from domain.errors import Refused
from domain.languages import Language
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.words import PermitCommand
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import PERSON, Case, Park, china, open_park
from texts.problems import REFUSALS

MONDAY = date(2026, 3, 2)
OPEN_ENDED = {"contract_end": None}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def why(case: Case, actor: Actor, kind: str, **body: Any) -> tuple[str, str, str, str]:
    """Return code, field, field code and particular reason of a refusal; nothing of the case has changed by it."""
    before = await case.row()
    with pytest.raises(Refused) as refused:
        await case.do(actor, kind, **body)
    assert {**await case.row(), "version": 0, "updated_at": 0} == {**before, "version": 0, "updated_at": 0}
    (wrong,) = refused.value.errors
    assert wrong.words in REFUSALS["particulars"]
    return refused.value.code, wrong.field, wrong.code, wrong.words


async def test_a_last_day_lies_within_the_contract(park: Park) -> None:
    case = await park.issued()
    departs = {"reason": "resigned"}
    for actor in (EMPLOYER_A, OFFICER):
        early = await why(case, actor, PermitCommand.DEPART, last_day="1999-01-01", **departs)
        assert early == ("invalid", "last_day", "date_order", "before_contract")
        late = await why(case, actor, PermitCommand.DEPART, last_day="2029-01-01", **departs)
        assert late == ("invalid", "last_day", "date_order", "after_contract")
    assert (await case.permit())["reported_at"] is None
    await case.depart("2028-12-31")


async def test_a_last_day_long_ago_needs_an_officer(park: Park) -> None:
    case = await park.issued()
    limit = limits_in(park.context).departure_back_days
    assert limit > limits_in(park.context).departure_report_days
    calendar_day = MONDAY - timedelta(days=120)
    far = await why(case, EMPLOYER_A, PermitCommand.DEPART, last_day=str(calendar_day), reason="resigned")
    assert far == ("invalid", "last_day", "date_order", "too_far_back")
    view = await case.depart(str(calendar_day), by=OFFICER)
    assert (view["pending_act"], view["pending"]["late"]) == ("departure", True)
    await case.confirm()
    row = await case.row()
    assert (row["stage"], row["ended_on"]) == ("ended", calendar_day)


async def test_the_limit_of_a_last_day_is_a_number_of_working_days(park: Park) -> None:
    case = await park.approved()
    last_day, limit = date(2026, 3, 16), limits_in(park.context).departure_back_days
    async with open_case(park.context, case.reference) as (file, _connection):
        over, still = (file.calendar.working_day(last_day, limit + more) for more in (1, 0))
    park.clock.at = china(str(over))
    far = await why(case, EMPLOYER_A, PermitCommand.DEPART, last_day=str(last_day), reason="resigned")
    assert far[3] == "too_far_back"
    park.clock.at = china(str(still))
    await case.depart(str(last_day))
    assert (await case.last("departure_reported"))["late"] is True


async def test_a_last_day_to_come_is_bounded_where_the_contract_has_no_end(park: Park) -> None:
    case = await park.approved(employment=OPEN_ENDED)
    far = await why(case, EMPLOYER_A, PermitCommand.DEPART, last_day="2062-03-31", reason="resigned")
    assert far == ("invalid", "last_day", "date_order", "too_far_ahead")
    await case.depart("2026-12-31")


async def test_work_beyond_the_contracts_end_ends_on_a_day_that_is_there(park: Park) -> None:
    case = await park.approved(employment={"contract_end": "2026-06-30"})
    await case.at("2026-07-15")
    task_id = await case.task_id("employment_check")
    departed = {"task_id": task_id, "action": "departed"}
    ahead = await why(case, OFFICER, CommandKind.ANSWER_TASK, last_day="2026-07-16", **departed)
    assert ahead == ("invalid", "last_day", "date_order", "after_contract")
    assert (await why(case, OFFICER, CommandKind.ANSWER_TASK, last_day="1999-01-01", **departed))[
        3
    ] == "before_contract"
    await case.do(OFFICER, CommandKind.ANSWER_TASK, last_day="2026-07-10", **departed)


async def test_a_new_end_of_the_contract_has_to_come_yet(park: Park) -> None:
    case = await park.approved(employment={"contract_end": "2026-06-30"})
    over = await why(case, EMPLOYER_A, CommandKind.CHANGE, contract_end="2026-03-01")
    assert over == ("invalid", "contract_end", "date_order", "contract_over")
    await case.at("2026-07-15")
    renewed = {"task_id": await case.task_id("employment_check"), "action": "new_contract_end"}
    assert (await why(case, OFFICER, CommandKind.ANSWER_TASK, contract_end="2026-07-14", **renewed))[
        3
    ] == "contract_over"
    await case.do(OFFICER, CommandKind.ANSWER_TASK, contract_end="2026-07-15", **renewed)


async def test_a_contract_does_not_end_before_the_last_day_that_was_reported(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-06-30")
    assert (await why(case, EMPLOYER_A, CommandKind.CHANGE, contract_end="2026-06-29"))[3] == "before_departure"


@pytest.mark.parametrize("actor", [PERSON, EMPLOYER_A, OFFICER], ids=lambda actor: actor.role.value)
async def test_a_card_is_lost_between_the_issue_of_the_permit_and_today(park: Park, actor: Actor) -> None:
    case = await park.issued(destinations=["HK"])
    park.clock.at += timedelta(days=3)
    lost = {"destination": "HK"}
    assert (await why(case, actor, PermitCommand.CARD_LOST, lost_on="2026-03-01", **lost))[3] == "before_issue"
    assert (await why(case, actor, PermitCommand.CARD_LOST, lost_on="1999-01-01", **lost))[3] == "before_issue"
    assert (await why(case, actor, PermitCommand.CARD_LOST, lost_on="2026-03-06", **lost))[3] == "in_future"
    await case.do(actor, PermitCommand.CARD_LOST, lost_on="2026-03-02", **lost)


async def test_a_hold_is_looked_at_again_on_a_day_to_come_and_not_too_late(park: Park) -> None:
    case = await park.review()
    held = {"action": "place", "reason": "legal_question"}
    for day, particular in (("2026-03-02", "not_to_come"), ("1999-01-01", "not_to_come"), ("2199-12-31", "too_late")):
        refused = await why(case, OFFICER, CommandKind.HOLD, review_on=day, **held)
        assert refused == ("invalid", "review_on", "date_order", particular)
    await case.do(OFFICER, CommandKind.HOLD, review_on="2026-03-03", **held)


def test_why_a_day_is_refused_is_said_in_three_languages() -> None:
    for name, sentence in REFUSALS["particulars"].items():
        assert len({sentence.in_language(language) for language in Language}) == len(Language), name
