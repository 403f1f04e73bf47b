"""Rows R16 to R21, R30 and R31 of states.md: withdrawal, holds, limits, standing, and what nobody may do."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio

from cases.commands import resume
from cases.commands.advance import advance
from cases.incidents import stopped
from cases.shared import sign_ins
from cases.tasks import inbox
from domain.commands import CommandKind
from domain.errors import Refused
from store import tables
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, OFFICER, SUPERVISOR, key
from tests.cases.driver import MENDED, OFFICER_2, Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def test_r16_a_withdrawal_closes_tasks_timers_and_holds(park: Park) -> None:
    case = await park.review()
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW, reason="另有安排")
    row = await case.row()
    assert (row["stage"], row["hold"], row["due_at"]) == ("withdrawn", None, None)
    assert await case.tasks() == {}
    assert await case.deadlines() == {}
    assert await case.told("registration_withdrawn") == Counter(employer=1, person=1)


async def test_r16_a_proposal_not_yet_confirmed_never_takes_effect(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await case.store(EMPLOYER_A, CommandKind.WITHDRAW)
    # The first recorded stands; the other is refused, whether or not the first is applied yet.
    assert await case.refused(OFFICER_2, CommandKind.CONFIRM, action="confirm", round=1) == "case_closed"
    await case.step()
    assert await case.stage() == "withdrawn"


async def test_r16_every_open_stage_can_be_withdrawn(park: Park) -> None:
    received = await park.take_on()
    await received.store(EMPLOYER_A, CommandKind.WITHDRAW)
    await received.step()
    assert await received.stage() == "withdrawn"
    returned = await park.review(employment={"state_worker": True})
    await returned.do(EMPLOYER_A, CommandKind.WITHDRAW)
    assert await returned.stage() == "withdrawn"


async def test_an_officer_who_decided_while_the_engine_was_away_is_told_by_a_task(park: Park) -> None:
    case = await park.review()
    await case.store(OFFICER, CommandKind.DECIDE, action="approve", round=1)
    # As when the withdrawal was recorded first and both were asked at once.
    async with park.context.database.begin() as connection:
        await connection.execute(
            tables.cases.update().where(tables.cases.c.reference == case.reference).values(stage="withdrawn")
        )
    await case.after(minutes=5)
    assert "decision_not_taken" in await case.tasks()
    assert (await case.ledger())[-1] == "request_refused"


async def test_r17_a_hold_blocks_decision_and_confirmation_and_never_the_clock(park: Park) -> None:
    case = await park.review()
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question", note="待法务")
    assert await case.refused(OFFICER, CommandKind.DECIDE, action="approve", round=1) == "on_hold"
    again = {"action": "place", "reason": "legal_question"}
    assert await case.refused(OFFICER_2, CommandKind.HOLD, **again) == "on_hold"
    assert (await case.row())["clock"] == "running"
    await case.do(OFFICER_2, CommandKind.HOLD, action="release", reason="legal_question")
    await case.decide("refuse", "employment_unproved")
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    assert await case.refused(OFFICER_2, CommandKind.CONFIRM, action="confirm", round=1) == "on_hold"


async def test_r17_a_hold_is_looked_at_again_every_ten_working_days(park: Park) -> None:
    case = await park.review()
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    assert [str(d.date()) for d in (await case.deadlines())["hold_review"]] == ["2026-03-16"]
    await case.at("2026-03-16", "09:00")
    assert await case.told("hold_review_due") == Counter(park=1)
    assert [str(d.date()) for d in (await case.deadlines())["hold_review"]] == ["2026-03-30"]


async def test_r17_a_review_date_may_be_named(park: Park) -> None:
    case = await park.review()
    await case.claim("review")
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question", review_on="2026-03-03")
    await case.at("2026-03-03", "09:00")
    assert await case.told("hold_review_due") == Counter(holder=1)


async def test_r18_the_holder_or_the_queue_is_reminded_at_half_and_four_fifths(park: Park) -> None:
    case = await park.review()
    assert [str(d) for d in (await case.deadlines())["review_reminder"]] == [
        "2026-03-05 09:00:00+08:00",
        "2026-03-06 09:00:00+08:00",
    ]
    await case.at("2026-03-05", "09:00")
    assert await case.told("due_soon") == Counter(park=1)
    await case.claim("review")
    await case.at("2026-03-06", "09:00")
    assert await case.told("due_soon") == Counter(park=1, holder=1)


async def test_r19_past_the_limit_supervisors_have_it_and_nothing_is_decided(park: Park) -> None:
    case = await park.review()
    await case.at("2026-03-10", "00:00")
    task = (await case.tasks())["review"]
    assert (await case.stage(), task["queue"], task["overdue"]) == ("under_review", "supervisors", True)
    assert await case.told("escalated") == Counter(supervisors=1)
    assert await case.told("decision_delayed") == Counter(employer=1, person=1)
    assert await case.refused(OFFICER, CommandKind.DECIDE, action="approve", round=1) == "task_held"
    with pytest.raises(Refused, match="not_found"):
        await case.claim("review")
    await sign_ins.record(park.context, OFFICER, b"token")
    await inbox.assign(park.context, SUPERVISOR, await case.task_id("review"), "officer-1", key())
    await case.approve()
    assert await case.stage() == "approved"


async def test_r19_passing_the_limit_ends_no_claim_but_a_claim_without_an_act_returns_to_the_supervisors(
    park: Park,
) -> None:
    case = await park.review()
    park.clock.at = china("2026-03-09")
    await case.claim("review")
    await case.at("2026-03-10", "00:00")
    task = (await case.tasks())["review"]
    assert (task["holder"], task["queue"], task["overdue"]) == ("test officer-1", "officers", True)
    park.clock.at = china("2026-03-11", "00:00")
    await park.watch()
    task = (await case.tasks())["review"]
    assert (task["holder"], task["queue"]) == (None, "supervisors")


async def test_r19_a_proposal_past_the_limit_goes_to_a_supervisor(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await case.at("2026-03-10")
    assert (await case.tasks())["confirm"]["queue"] == "supervisors"
    assert await case.refused(OFFICER_2, CommandKind.CONFIRM, action="confirm", round=1) == "task_held"
    await case.confirm(by=SUPERVISOR)
    assert await case.stage() == "refused"


async def test_r20_a_suspension_holds_and_stands_beside_an_officers_hold(park: Park) -> None:
    case = await park.review()
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    await case.set_standing("suspended", date(2026, 3, 2))
    assert (await case.row())["standing_hold"]
    await case.do(OFFICER, CommandKind.HOLD, action="release", reason="legal_question")
    assert await case.refused(OFFICER, CommandKind.DECIDE, action="approve", round=1) == "on_hold"
    with pytest.raises(Refused, match="employer_not_in_good_standing"):
        await park.take_on(identity_number="33010619860128072X")
    await case.after(hours=24)
    await case.set_standing("good", date(2026, 3, 3))
    await case.approve()
    assert await case.stage() == "approved"


async def test_r20_the_hold_begins_with_the_review_and_corrections_are_still_taken(park: Park) -> None:
    case = await park.review(employment={"state_worker": True})
    await case.set_standing("suspended", date(2026, 3, 2))
    assert not (await case.row())["standing_hold"]
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **MENDED)
    row = await case.row()
    assert (row["stage"], row["standing_hold"]) == ("under_review", True)
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    assert await case.stage() == "withdrawn"


async def test_r21_an_employer_that_left_makes_a_finding_fail_and_an_officer_decides(park: Park) -> None:
    case = await park.review()
    await case.set_standing("left_park", date(2026, 3, 2))
    view = await case.view()
    failed = {f["code"] for f in view["findings"] if f["outcome"] == "fail"}
    assert view["stage"] == "under_review"
    assert "employer_not_in_park" in failed
    await case.decide("refuse", "employer_not_in_park")
    await case.confirm()
    assert await case.stage() == "refused"


async def test_r21_a_contested_case_sees_that_its_employer_left(park: Park) -> None:
    case = await park.review(employment={"state_worker": True})
    await case.set_standing("left_park", date(2026, 3, 2))
    assert await case.stage() == "correction_requested"
    await case.do(EMPLOYER_A, CommandKind.CONTEST, note="不是公职人员")
    assert "employer_not_in_park" in {f["code"] for f in (await case.view())["findings"] if f["outcome"] == "fail"}


async def test_another_tenants_case_is_unknown(park: Park) -> None:
    case = await park.review()
    with pytest.raises(Refused, match="case_unknown"):
        await case.view(EMPLOYER_B)
    assert await case.refused(EMPLOYER_B, CommandKind.WITHDRAW) == "case_unknown"


async def test_r31_a_stuck_case_is_the_operators_and_goes_on_after_resume(park: Park) -> None:
    case = await park.review()
    await stopped.open_incident(park.context, case.reference, "advance", "defect", park.clock.at)
    await stopped.open_incident(park.context, case.reference, "advance", "defect", park.clock.at)
    assert {kind: task["queue"] for kind, task in (await case.tasks()).items()}["stuck"] == "operators"
    (incident,) = await park.rows(tables.incidents)
    await resume.resume(park.context, SUPERVISOR, incident["incident_id"], key())
    await advance(park.context, case.reference, park.clock.at)
    assert "stuck" not in await case.tasks()
    assert (await case.ledger())[-1] == "incident_resumed"


async def test_a_calendar_that_moves_a_provisional_date_is_told(park: Park) -> None:
    case = await park.review()
    await case.set_row(due_at=china("2026-03-10", "23:59:59"), due_provisional=True)
    await case.system(CommandKind.RECOUNT)
    assert await case.due() == "2026-03-09"
    assert await case.told("due_date_changed") == Counter(employer=1)
    await case.system(CommandKind.RECOUNT)
    assert await case.told("due_date_changed") == Counter(employer=1)
