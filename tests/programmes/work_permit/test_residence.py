"""The residence permit once it is refused, and once the work permit beside it is extended."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from domain.errors import need
from programmes.work_permit.tables import ResidenceRow, residence
from tests.programmes.park import Park, served
from tests.programmes.work_permit.room import enter, extend, extended_paper, issued, skip_to
from tests.workflows.world import MONDAY, Case, open_world

UNTIL = "2027-12-31"


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park


async def _row(case: Case) -> ResidenceRow:
    return need(residence(await case.file()), "residence")


async def _until(case: Case, stage: str) -> None:
    await case.until(lambda file: need(residence(file), "residence").stage == stage)


async def _apply(park: Park, case: Case, here: str, day: str) -> None:
    await park.ask("employer-a", "POST", f"{here}/residence-application", {"applied_on": day}, expects=202)
    await _until(case, "applied")


async def _answer(park: Park, case: Case, here: str, day: str, until: str | None = None) -> None:
    given = {"outcome": "refused", "decided_on": day}
    if until is not None:
        given |= {"outcome": "issued", "valid_until": until}
    await park.ask("officer-1", "POST", f"{here}/residence-outcome", given, expects=202)
    await case.until(lambda file: need(residence(file), "residence").decided_on == date.fromisoformat(day))


async def _applied(park: Park, *, answered: str | None = None) -> tuple[Case, str]:
    """Bring a case to a permit whose person came on 1 March and applied on 2 March, and was answered that day."""
    case, here = await issued(park)
    await park.ask("employer-a", "POST", f"{here}/entry", {"entered_on": "2026-03-01"}, expects=202)
    await _until(case, "entered")
    await _apply(park, case, here, "2026-03-02")
    if answered is not None:
        await _answer(park, case, here, "2026-03-02", answered)
    return case, here


async def _told(park: Park, case: Case, kind: str) -> dict[str, Any]:
    """Return the newest notice of a kind to the employer, in Chinese; the person is told as often."""
    found = await park.ask("employer-a", "GET", "/v1/notices", reference=case.reference)
    mine = [each for each in found["items"] if each["kind"] == kind]
    assert (await case.notices()).count(kind) == 2 * len(mine)
    newest: dict[str, Any] = mine[0]
    return newest


async def test_both_are_told_of_a_refusal_and_until_when_another_can_be_applied_for(park: Park) -> None:
    case, here = await _applied(park)
    await _answer(park, case, here, "2026-03-02")
    await _until(case, "refused")
    told = str(await _told(park, case, "work_permit_residence_refused"))
    assert "2026年3月31日" in told  # thirty days from 1 March, the last of them in
    early = {"applied_on": "2026-03-01"}
    refused = await park.ask("employer-a", "POST", f"{here}/residence-application", early, expects=422)
    assert "上一次的答复" in refused["errors"][0]["message"] or "last answer" in refused["errors"][0]["message"]
    await skip_to(case, "2026-04-01")
    await _apply(park, case, here, "2026-03-20")
    await _answer(park, case, here, "2026-04-01")
    assert "期限已过" in str(await _told(park, case, "work_permit_residence_refused"))
    await _apply(park, case, here, "2026-04-01")
    await _answer(park, case, here, "2026-04-01", UNTIL)
    await _until(case, "issued")


@pytest.mark.parametrize(
    "given",
    [
        {"outcome": "issued"},
        {"outcome": "refused", "valid_until": UNTIL},
        {"outcome": "issued", "valid_until": "2026-03-01"},
    ],
)
async def test_an_answer_on_a_residence_permit_is_whole(park: Park, given: dict[str, str]) -> None:
    case, here = await _applied(park)
    await park.ask("officer-1", "POST", f"{here}/residence-outcome", {"decided_on": "2026-03-02", **given}, expects=422)
    assert (await _row(case)).stage == "applied"


@pytest.mark.parametrize(
    ("signed_on", "last", "told"),
    [("2027-11-30", "2027-12-01", "2027年12月1日"), ("2027-12-02", UNTIL, "2027年12月31日")],
)
async def test_an_extension_of_the_work_permit_begins_the_clock_anew(
    park: Park, signed_on: str, last: str, told: str
) -> None:
    case, here = await _applied(park, answered=UNTIL)
    await skip_to(case, "2027-11-15")
    await extend(park, here, case)
    await skip_to(case, signed_on)
    await enter(park, here, extended_paper())
    await _until(case, "extension_due")
    row = await _row(case)
    assert str(need(row.due_at, "due_at").date()) > last
    assert told in str(await _told(park, case, "work_permit_residence_extension_due"))
    shown = (await park.ask("employer-a", "GET", here))["residence_permit"]
    assert (shown["stage"], shown["valid_until"]) == ("extension_due", UNTIL)
    await _apply(park, case, here, signed_on)
    await _answer(park, case, here, signed_on, "2029-12-31")
    await _until(case, "issued")
    assert (await _row(case)).due_at is None
    assert (await case.notices()).count("work_permit_residence_issued") == 4
    assert await case.open_tasks() == set()


async def test_what_is_not_applied_for_in_time_an_officer_looks_at_and_a_refusal_keeps_the_days(park: Park) -> None:
    case, here = await _applied(park, answered=UNTIL)
    await skip_to(case, "2027-11-15")
    await extend(park, here, case)
    await enter(park, here, extended_paper())
    await skip_to(case, "2027-12-02")
    assert await case.open_tasks() == {"work_permit_residence_late"}
    assert (await case.notices()).count("work_permit_residence_overdue") == 2
    await _apply(park, case, here, "2027-12-02")
    await _answer(park, case, here, "2027-12-02")
    row = await _row(case)
    assert (row.stage, str(row.valid_until)) == ("refused", UNTIL)
    assert "2027年12月31日" in str(await _told(park, case, "work_permit_residence_refused"))
    assert await case.open_tasks() == set()


async def test_one_that_lasts_as_long_as_the_extended_permit_is_not_followed_anew(park: Park) -> None:
    case, here = await _applied(park, answered="2029-12-31")
    await skip_to(case, "2027-11-15")
    await extend(park, here, case)
    await enter(park, here, extended_paper())
    await case.idle()
    assert (await _row(case)).stage == "issued"
    assert "work_permit_residence_extension_due" not in await case.notices()


async def test_one_that_is_answered_after_the_extension_and_ends_before_it_is_followed_on(park: Park) -> None:
    case, here = await _applied(park)
    await skip_to(case, "2027-11-15")
    await extend(park, here, case)
    await enter(park, here, extended_paper())
    await _answer(park, case, here, "2027-11-15", UNTIL)
    await _until(case, "extension_due")
    await skip_to(case, "2028-01-05")
    await enter(park, here, {"outcome": "cancelled", "paper": "SZ-7"})
    assert (await _row(case)).stage == "closed"
