"""Rows R1 to R8 of states.md: from the submission to the review, back to the employer, or to the lapse."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from domain.commands import CommandKind
from domain.errors import Refused
from programmes.talent_permit.registration import accept
from programmes.talent_permit.requests import RegistrationRequest
from store import tables
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, OFFICER, SUPERVISOR, key, registration_body
from tests.cases.driver import MENDED, Case, Park, china, open_park

STATE_WORKER = {"state_worker": True}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-02-10")) as park:  # a Tuesday
        yield park


async def _correct(case: Case, **parts: object) -> None:
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **(parts or MENDED))


async def test_r1_a_submission_starts_the_clock_and_tells_both(park: Park) -> None:
    case = await park.take_on()
    view = await case.view(EMPLOYER_A)
    assert (view["stage"], view["round"], view["clock"], view["holder"]) == ("received", 1, "running", "park")
    # Vector of states.md, section 1: received Tue 2026-02-10, limit 5: 02-24.
    assert (view["due_at"], view["due_kind"]) == ("2026-02-24T23:59:59+08:00", "park_decision")
    assert await case.told() == Counter({"registration_received/employer": 1, "registration_received/person": 1})
    assert await case.ledger() == ["submitted"]


async def test_a_limit_of_five_days_from_a_worked_sunday_before_the_festival(park: Park) -> None:
    park.clock.at = china("2026-02-15")
    assert await (await park.take_on()).due() == "2026-02-28"


async def test_r2_a_second_start_changes_nothing(park: Park) -> None:
    case = await park.take_on()
    await case.step()
    await case.step()
    assert await case.ledger() == ["submitted", "started", "assessed"]


async def test_r3_a_clear_case_goes_to_review(park: Park) -> None:
    case = await park.review()
    view = await case.view()
    assert (view["stage"], view["assessment"]) == ("under_review", "clear")
    assert list(await case.tasks()) == ["review"]
    assert (await case.last("assessed"))["rule_version"] == "2025-11-05"
    assert all(finding["source"] for finding in view["findings"])


async def test_r4_missing_and_failed_facts_come_back_in_one_list(park: Park) -> None:
    case = await park.review(employment={**STATE_WORKER, "contract_end": "2026-01-31"})
    view = await case.view(EMPLOYER_A)
    assert (view["stage"], view["clock"], view["holder"], view["due_kind"]) == (
        "correction_requested",
        "stopped",
        "employer",
        "correction",
    )
    assert {f["code"] for f in view["findings"] if f["outcome"] != "pass"} == {
        "consent_letter_missing",
        "employment_dates_wrong",
    }
    assert await case.tasks() == {}
    assert await case.told("correction_requested") == Counter(employer=1)
    assert (await case.row())["returns"] == 1


async def test_r4_the_correction_limit_is_counted_from_the_day_of_the_return(park: Park) -> None:
    case = await park.take_on(employment=STATE_WORKER)
    await case.at("2026-02-12")
    assert await case.due() == "2026-03-11"
    reminders = (await case.deadlines())["correction_reminder"]
    assert [str(r.date()) for r in reminders] == ["2026-03-02", "2026-03-06", "2026-03-10"]


async def test_r4_goes_to_review_once_the_returns_are_used_up(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    for _ in range(3):
        assert await case.stage() == "correction_requested"
        await case.do(EMPLOYER_A, CommandKind.CORRECT, employment={"position": "工程师"})
    assert await case.stage() == "under_review"
    assert (await case.view())["assessment"] == "incomplete"
    assert (await case.row())["returns"] == 3


async def test_r5_a_correction_lets_the_clock_go_on_with_the_days_used(park: Park) -> None:
    case = await park.take_on(employment=STATE_WORKER)
    await case.at("2026-02-12")
    park.clock.at = china("2026-02-25")
    await _correct(case)
    # Vector of states.md, section 1: returned 02-12, corrected 02-25: 02-28, a Saturday that is a workday.
    assert (await case.stage(), await case.due(), await case.round()) == ("under_review", "2026-02-28", 2)
    row = await case.row()
    assert (row["facts_version"], row["policy_version"]) == (2, "2025-11-05")
    assert await case.told("correction_received") == Counter(employer=1)
    assert "correction_over" not in await case.deadlines()
    assert str(row["accepted_at"].date()) == "2026-02-10"


async def test_r5_an_earlier_version_is_kept(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    await _correct(case)
    assert len(await park.rows(tables.applications)) == 2


async def test_r5_a_correction_of_the_identity_number_moves_the_case_to_the_other_person(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    before = (await case.row())["person_id"]
    await _correct(case, person={"identity_number": "33010619860128072X"}, **MENDED)
    assert await case.stage() == "under_review"
    assert (await case.row())["person_id"] != before
    assert (await case.view())["person"]["identity_number"].endswith("072X")
    await case.approve()
    assert await case.stage() == "approved"


async def test_r5_commands_stored_behind_a_changed_number_still_open_and_prove_their_actor(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    await case.store(EMPLOYER_A, CommandKind.CORRECT, person={"identity_number": "33010619860128072X"}, **MENDED)
    await case.store(EMPLOYER_A, CommandKind.WITHDRAW, reason="再说")
    await case.step()
    assert await case.stage() == "withdrawn"
    assert "request_refused" not in await case.ledger()


async def test_r5_a_number_of_a_person_registered_elsewhere_names_no_one(park: Park) -> None:
    await park.review(by=EMPLOYER_B, employment={"work_site": "SZP-101"}, identity_number="33010619860128072X")
    case = await park.review(employment=STATE_WORKER)
    code = await case.refused(EMPLOYER_A, CommandKind.CORRECT, person={"identity_number": "33010619860128072X"})
    assert code == "live_registration_exists"
    assert await case.stage() == "correction_requested"
    assert (await park.rows(tables.quotas))[0]["count"] == 1


async def test_r5_a_client_reference_in_use_is_refused(park: Park) -> None:
    await park.review(client_reference="A-1", identity_number="33010619860128072X")
    case = await park.review(employment=STATE_WORKER)
    assert await case.refused(EMPLOYER_A, CommandKind.CORRECT, client_reference="A-1") == "client_reference_taken"


async def test_r5_a_correction_that_does_not_hold_together_is_refused(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    code = await case.refused(EMPLOYER_A, CommandKind.CORRECT, employment={"contract_start": "2030-01-01"})
    assert code == "invalid"


async def test_r6_a_contest_brings_the_case_before_a_person_unchanged(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    await case.do(EMPLOYER_A, CommandKind.CONTEST, note="不是公职人员")
    assert (await case.stage(), await case.round()) == ("under_review", 2)
    assert (await case.tasks())["review"]["detail"]["contested"] is True
    assert (await case.row())["facts_version"] == 1
    assert await case.told("correction_received") == Counter(employer=1)


async def test_r7_reminders_fall_when_so_many_days_are_left(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    reminders = (await case.deadlines())["correction_reminder"]
    for moment in reminders:
        await case.at(str(moment.date()), "09:00")
    assert await case.told("correction_reminder") == Counter(employer=3)
    assert await case.stage() == "correction_requested"


async def test_r8_a_case_lapses_when_nothing_came_in_time(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    due = await case.due()
    await case.at(due, "23:59:59.999999")
    assert await case.stage() == "correction_requested"
    await case.after(microseconds=1)
    row = await case.row()
    assert (row["stage"], row["due_at"], row["clock"]) == ("lapsed", None, "stopped")
    assert await case.told("registration_lapsed") == Counter(employer=1, person=1)
    assert await case.deadlines() == {}
    assert case.course is not None
    assert case.course.finished


async def test_r8_loses_to_a_correction_stored_in_time_and_not_yet_applied(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    park.clock.at = china(await case.due(), "23:59:58")
    await case.store(EMPLOYER_A, CommandKind.CORRECT, **MENDED)
    await case.after(hours=3)
    assert await case.stage() == "under_review"


async def test_r8_a_correction_after_the_end_is_refused_although_no_timer_has_fired(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    park.clock.at = china(await case.due(), "23:59:59.5")
    await case.store(EMPLOYER_A, CommandKind.CORRECT, **MENDED)  # the whole last second is in time
    late = await park.review(employment=STATE_WORKER, identity_number="33010619860128072X")
    await late.at(await late.due(), "23:59:58")
    park.clock.at = china(await late.due(), "23:59:59") + timedelta(seconds=1)
    assert await late.refused(EMPLOYER_A, CommandKind.CORRECT, **MENDED) == "case_closed"


async def test_a_dry_run_stores_nothing_and_a_closed_case_allows_a_new_submission(park: Park) -> None:
    case = await park.review()
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    again = await park.take_on()
    assert again.reference != case.reference


async def test_a_second_live_registration_is_refused(park: Park) -> None:
    case = await park.take_on()
    with pytest.raises(Refused, match="live_registration_exists") as own:
        await park.take_on()
    assert case.reference in own.value.detail
    with pytest.raises(Refused) as elsewhere:
        await park.take_on(by=EMPLOYER_B)
    assert elsewhere.value.code == "live_registration_exists"
    assert case.reference not in elsewhere.value.detail


async def test_conflicts_with_other_employers_are_limited_to_twenty_a_day(park: Park) -> None:
    await park.take_on()
    for _ in range(20):
        with pytest.raises(Refused, match="live_registration_exists"):
            await park.take_on(by=EMPLOYER_B)
    with pytest.raises(Refused, match="too_many_requests"):
        await park.take_on(by=EMPLOYER_B)


async def test_r32_the_same_key_gets_the_first_answer_and_writes_nothing(park: Park) -> None:
    request = RegistrationRequest.model_validate(registration_body())
    named = key("POST /v1/registrations", "k-1")
    first = await accept(park.context, EMPLOYER_A, request, named)
    again = await accept(park.context, EMPLOYER_A, request, named)
    assert again.reference == first.reference
    assert len(await park.rows(tables.cases)) == 1


async def test_the_time_for_naming_defects_over_lets_the_case_count_as_complete(park: Park) -> None:
    case = await park.take_on(employment=STATE_WORKER)
    await case.set_row(stage="assessing")
    assert "defects_named" in await case.deadlines()
    late = await park.review(identity_number="33010619860128072X")
    await late.at("2026-02-25")
    assert (await late.row())["named_defects"] == {"complete": True}
    given = {"action": "return", "round": 1, "reasons": [{"code": "name_differs"}]}
    await late.claim("review", by=SUPERVISOR)
    assert await late.refused(OFFICER, CommandKind.DECIDE, **given) == "task_held"
    await late.do(SUPERVISOR, CommandKind.DECIDE, **given)
    assert await late.stage() == "correction_requested"
