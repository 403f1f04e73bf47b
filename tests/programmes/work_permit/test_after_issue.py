"""What becomes of a work permit once it is there: extended, changed, its contract over, cancelled."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta

import pytest
import pytest_asyncio
from temporalio.client import Client

from cases.case.renewals import under_way
from domain.errors import need
from domain.stages import Stage
from tests.api.callers import Caller
from tests.programmes.park import Park, served
from tests.programmes.work_permit.forms import FORM, PAPER
from tests.programmes.work_permit.room import (
    approved,
    enter,
    extend,
    extended_paper,
    issued,
    permit_of,
    skip_to,
    take_on,
)
from tests.workflows.world import MONDAY, Case, open_world

UNTIL = date(2027, 12, 31)


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park


def before_end(days: int) -> str:
    return (UNTIL - timedelta(days=days)).isoformat()


async def of_contract(park: Park, end: str) -> tuple[Case, str]:
    """Bring a case whose contract ends on a day to an issued permit."""
    case, here = await approved(park, {**FORM, "job": {**FORM["job"], "contract_end": end}})
    await enter(park, here)
    return case, here


def person(park: Park) -> Caller:
    return park.caller("person-1", document_kind="passport", document_number="123456789", document_place="GB")


async def test_an_extension_is_asked_from_the_ninetieth_day_and_is_late_after_the_thirtieth(park: Park) -> None:
    case, here = await issued(park)
    await skip_to(case, before_end(91))
    refused = await park.ask("employer-a", "POST", f"{here}/renewal", {}, expects=409)
    assert (refused["code"], refused["opens_on"]) == ("renewal_too_early", before_end(90))
    for days, outcome in ((90, "pass"), (30, "pass"), (29, "needs_person")):
        await skip_to(case, before_end(days))
        await park.ask("employer-a", "POST", f"{here}/renewal", {}, expects=202)
        await case.until(lambda file: file.find_task("renewal") is not None)
        shown = await park.ask("officer-1", "GET", here)
        found = {each["code"]: each["outcome"] for each in shown["renewal"]["findings"]}
        assert (days, found["work_permit_extension_late"]) == (days, outcome)
        await park.ask("employer-a", "POST", f"{here}/renewal-withdrawal", {}, expects=202)
        await case.until(lambda file: file.find_task("renewal") is None)
    await skip_to(case, "2028-01-02")
    await case.until(lambda file: file.stage is Stage.ENDED)
    refused = await park.ask("employer-a", "POST", f"{here}/renewal", {}, expects=409)
    assert refused["code"] == "case_closed"


async def test_the_paper_of_an_extension_gives_the_next_days_and_keeps_the_earlier(park: Park) -> None:
    case, here = await issued(park)
    await skip_to(case, before_end(60))
    await extend(park, here, case)
    shown = await enter(park, here, extended_paper())
    permit = shown["work_permit"]
    assert (permit["stage"], permit["valid_until"], permit["number"]) == ("issued", "2029-12-31", PAPER["number"])
    file = await case.until(lambda file: permit_of(file).stage == "issued")
    assert permit_of(file).earlier[0]["valid_until"] == UNTIL.isoformat()
    assert (await case.acts()).count("work_permit_extended") == 1
    await skip_to(case, "2028-01-10")
    file = await case.until(lambda file: file.stage is Stage.APPROVED)
    assert permit_of(file).stage == "issued"


async def test_a_permit_whose_extension_waits_does_not_end_by_its_last_day(park: Park) -> None:
    case, here = await issued(park)
    await skip_to(case, before_end(35))
    await extend(park, here, case)
    await skip_to(case, "2028-01-04")
    file = await case.file()
    assert (file.stage, permit_of(file).stage) == (Stage.APPROVED, "extending")
    await enter(park, here, {"outcome": "refused", "paper": "SZ-3"})
    file = await case.until(lambda file: file.stage is Stage.ENDED)
    assert (permit_of(file).stage, file.row.end_reason) == ("expired", "work_permit_expired")


async def test_a_change_that_is_reported_late_is_taken_and_shown_so(park: Park) -> None:
    case, here = await issued(park)
    await skip_to(case, "2026-03-16")  # ten working days after Monday 2 March, eleven after the Sunday before
    for number, (happened, late) in enumerate((("2026-03-02", False), ("2026-03-01", True)), start=1):
        change = {"position": f"Head of materials {number}", "happened_on": happened}
        await park.ask("employer-a", "POST", f"{here}/change", change, expects=202)
        file = await case.until(lambda file: file.find_task("change") is not None)
        shown = await park.ask("officer-1", "GET", f"{here}/change", headers={"Purpose": "case_review"})
        assert [each["late"] for each in shown["fields"]] == [late]
        task = need(file.find_task("change"), "task").task_id
        answer = {"action": "take", "reasons": [{"code": "document_seen"}]}
        await park.ask("officer-1", "POST", f"/v1/tasks/{task}/answer", answer)
        await case.until(lambda file: file.find_task("change") is None)
    file = await case.file()
    assert file.application.given_of("job.position") == "Head of materials 2"


async def test_the_contract_ends_and_the_tenth_working_day_is_told(park: Park) -> None:
    case, here = await of_contract(park, "2026-09-30")
    await skip_to(case, "2026-10-01")
    file = await case.until(lambda file: file.row.ended_on is not None)
    assert str(permit_of(file).due_at) == "2026-10-20 23:59:59+08:00"
    assert (await case.notices()).count("work_permit_cancellation_due") == 2  # the employer and the person
    await skip_to(case, "2026-10-20")
    await park.ask("employer-a", "POST", f"{here}/cancellation", {}, expects=202)
    file = await case.until(lambda file: file.find_task("work_permit_cancellation", "work_permit") is not None)
    assert file.find_task("work_permit_cancellation_late", "work_permit") is None
    again = await park.ask("employer-a", "POST", f"{here}/cancellation", {}, expects=409)
    assert again["code"] == "already_decided"
    shown = await enter(park, here, {"outcome": "cancelled", "paper": "SZ-9"})
    assert (shown["stage"], shown["work_permit"]["stage"]) == ("ended", "cancelled")
    assert (await case.until(lambda file: file.stage is Stage.ENDED)).row.end_reason == "work_permit_cancelled"
    await case.ended()


async def test_what_nobody_asked_by_the_tenth_day_an_officer_looks_at(park: Park) -> None:
    case, here = await of_contract(park, "2026-09-30")
    await skip_to(case, "2026-10-21")
    await case.until(lambda file: file.find_task("work_permit_cancellation_late", "work_permit") is not None)
    await park.ask("employer-a", "POST", f"{here}/cancellation", {}, expects=202)
    file = await case.until(lambda file: file.find_task("work_permit_cancellation", "work_permit") is not None)
    assert file.find_task("work_permit_cancellation_late", "work_permit") is not None  # shown to be late


@pytest.mark.parametrize(("today", "late"), [("2026-10-20", False), ("2026-10-21", True)])
async def test_an_early_end_that_is_asked_with_its_cancellation_counts_from_its_day(
    park: Park, today: str, late: bool
) -> None:
    case, here = await issued(park)
    await skip_to(case, today)
    missing = await park.ask("employer-a", "POST", f"{here}/cancellation", {}, expects=422)
    assert missing["errors"][0]["field"] == "ended_on"
    asked: Mapping[str, str] = {"ended_on": "2026-09-30"}
    await park.ask("employer-a", "POST", f"{here}/cancellation", asked, expects=202)
    file = await case.until(lambda file: file.find_task("work_permit_cancellation", "work_permit") is not None)
    assert (file.find_task("work_permit_cancellation_late", "work_permit") is not None) is late


async def test_the_person_asks_where_the_employer_let_the_time_pass_and_not_before(park: Park) -> None:
    case, _here = await of_contract(park, "2026-09-30")
    asked = {"reference": case.reference}
    await skip_to(case, "2026-10-20")
    refused = await park.ask(person(park), "POST", "/v1/me/work-permit-cancellations", asked, expects=403)
    assert refused["code"] == "role_not_allowed"
    await skip_to(case, "2026-10-21")
    await case.until(lambda file: file.find_task("work_permit_cancellation_late", "work_permit") is not None)
    await park.ask(person(park), "POST", "/v1/me/work-permit-cancellations", asked, expects=202)
    await case.until(lambda file: file.find_task("work_permit_cancellation", "work_permit") is not None)


async def test_the_person_contests_a_fact_that_was_recorded_of_them(park: Park) -> None:
    case, here = await take_on(park)
    seen = {"field": "job.local_average_wage_year", "value": "150000.00", "seen_in": "the yearbook", "round": 1}
    await park.ask("officer-1", "POST", f"{here}/facts", seen)
    asked = {"reference": case.reference, "fact": 1, "text": "That is the yearbook of another year."}
    await park.ask(person(park), "POST", "/v1/me/contests", asked, expects=202)
    await case.until(lambda file: file.find_task("fact_contested") is not None)


async def test_what_an_extension_was_to_change_is_put_back_when_it_is_corrected(park: Park) -> None:
    case, here = await issued(park)
    await skip_to(case, "2027-10-20")
    asked = {"changes": {"position": "Head of materials"}}
    await park.ask("employer-a", "POST", f"{here}/renewal", asked, expects=202)
    await case.until(lambda file: file.find_task("renewal") is not None)
    reasons = [{"code": "document_unreadable", "field": "job.position"}]
    sent_back = {"action": "return", "renewal": 1, "reasons": reasons}
    await park.ask("officer-1", "POST", f"{here}/renewal-decision", sent_back)
    known = (await case.file()).application.given_of("job.position")
    corrected = {"changes": {"position": known}}
    await park.ask("employer-a", "POST", f"{here}/renewal-correction", corrected, expects=202)
    file = await case.until(lambda file: file.find_task("renewal") is not None)
    assert need(under_way(file), "renewal").fields == []
