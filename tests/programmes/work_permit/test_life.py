"""A work permit from the call of an employer to its end, by the real application, with time skipped."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest_asyncio
from temporalio.client import Client

from domain.errors import need
from domain.stages import Stage
from programmes.work_permit.tables import residence, work_permit
from tests.programmes.park import Park, served
from tests.programmes.work_permit.forms import PAPER
from tests.programmes.work_permit.room import REASONS, approved, enter, issued, take_on
from tests.workflows.world import MONDAY, open_world


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park


async def test_a_case_runs_from_intake_to_a_permit_that_expires(park: Park) -> None:
    case, here = await approved(park)
    assert case.handle.id == f"work-permit/{case.reference}"
    shown = await park.ask("employer-a", "GET", here)
    assert (shown["work_permit"]["stage"], shown["residence_permit"]["stage"]) == ("awaited", "entry_awaited")
    shown = await enter(park, here)
    assert (shown["work_permit"]["stage"], shown["work_permit"]["number"]) == ("issued", PAPER["number"])
    await park.ask("employer-a", "POST", f"{here}/entry", {"entered_on": "2026-03-01"}, expects=202)
    file = await case.until(lambda file: need(residence(file), "residence").entered_on is not None)
    assert str(need(residence(file), "residence").due_at) == "2026-04-01 00:00:00+08:00"
    await case.skip(timedelta(days=900))
    file = await case.until(lambda file: file.stage is Stage.ENDED)
    assert (need(work_permit(file), "permit").stage, file.row.end_reason) == ("expired", "work_permit_expired")
    assert str(file.row.ended_on) == "2027-12-31"
    acts = await case.acts()
    assert acts.count("work_permit_window_opened") == 1
    assert acts.count("reminded") >= 2
    await case.ended()


async def test_points_stand_declared_and_proved_side_by_side(park: Park) -> None:
    case, here = await take_on(park)
    seen = {"result": "proved", "value": "doctor", "seen_in": "the original", "round": 1}
    shown = await park.ask("officer-1", "POST", f"{here}/evidence/1/seen", seen)
    for reader in ("officer-1", "employer-a"):
        points = (await park.ask(reader, "GET", here))["points"]
        assert (points["declared"]["total"], points["declared"]["category"]) == (76, "B")
        assert (points["verified"]["total"], points["verified"]["category"]) == (20, "C")
        assert points["declared"]["standing"] != "confirmed"
        education = next(each for each in points["items"] if each["code"] == "education")
        assert (education["declared"], education["verified"]) == (20, 20)
    # Who saw it does not decide.
    decision = {"action": "approve", "round": shown["round"], "reasons": REASONS}
    refused = await park.ask("officer-1", "POST", f"{here}/decision", decision, expects=409)
    assert refused["code"] == "evidence_seen_by_decider"
    assert (await case.file()).stage is Stage.UNDER_REVIEW


async def test_a_paper_takes_effect_with_a_second_signature_alone(park: Park) -> None:
    _, here = await approved(park)
    odd = {**PAPER, "category": "A", "valid_until": "2031-01-05"}
    shown = await park.ask("officer-1", "POST", f"{here}/outcome", odd)
    # Five years end on the day before; a bound that is not law refuses nothing, and the signer is told.
    assert shown["entered"]["unusual"] == ["category", "valid_until"]
    assert (await park.ask("employer-a", "GET", here))["work_permit"]["number"] is None
    confirmation = {"action": "confirm", "round": shown["round"]}
    refused = await park.ask("officer-1", "POST", f"{here}/confirmation", confirmation, expects=409)
    assert refused["code"] == "same_signer"
    rejection = {"action": "reject", "round": shown["round"], "reasons": [{"code": "reason_not_supported"}]}
    shown = await park.ask("officer-2", "POST", f"{here}/confirmation", rejection)
    assert (shown["entered"], shown["work_permit"]["stage"]) == (None, "awaited")
    over = {**PAPER, "valid_from": "2025-01-01", "valid_until": "2026-03-01"}
    refused = await park.ask("officer-1", "POST", f"{here}/outcome", over, expects=422)
    assert [each["field"] for each in refused["errors"]] == ["valid_until"]
    shown = await enter(park, here)
    assert (shown["work_permit"]["stage"], shown["work_permit"]["valid_until"]) == ("issued", "2027-12-31")


async def test_a_refused_permit_ends_the_case_and_another_can_be_asked_for(park: Park) -> None:
    case, here = await approved(park)
    shown = await enter(park, here, {"outcome": "refused", "paper": "SZ-2"})
    assert (shown["stage"], shown["end_reason"]) == ("ended", "work_permit_refused")
    assert (shown["work_permit"]["stage"], shown["residence_permit"]["stage"]) == ("refused", "closed")
    assert {"work_permit_refused"} <= set(await case.notices())
    await take_on(park)


async def test_the_residence_permit_has_a_clock_of_its_own(park: Park) -> None:
    case, here = await issued(park)
    for path, given, field in (
        ("entry", {"entered_on": "2026-03-03"}, "entered_on"),
        ("entry", {}, "entered_on"),
    ):
        refused = await park.ask("employer-a", "POST", f"{here}/{path}", given, expects=422)
        assert [each["field"] for each in refused["errors"]] == [field]
    applied = {"applied_on": "2026-03-02"}
    refused = await park.ask("employer-a", "POST", f"{here}/residence-application", applied, expects=409)
    assert refused["code"] == "wrong_stage"
    await park.ask("employer-a", "POST", f"{here}/entry", {"entered_on": "2026-03-01"}, expects=202)
    await case.until(lambda file: need(residence(file), "residence").stage == "entered")
    early = await park.ask(
        "employer-a", "POST", f"{here}/residence-application", {"applied_on": "2026-02-28"}, expects=422
    )
    assert [each["field"] for each in early["errors"]] == ["applied_on"]
    await case.skip_to_day(date(2026, 3, 31))
    assert await case.open_tasks() == set()
    await case.skip_to_day(date(2026, 4, 1))
    assert await case.open_tasks() == {"work_permit_residence_late"}
    await park.ask("employer-a", "POST", f"{here}/residence-application", {"applied_on": "2026-04-01"}, expects=202)
    await case.until(lambda file: need(residence(file), "residence").stage == "applied")
    assert await case.open_tasks() == set()
    given = {"outcome": "issued", "decided_on": "2026-04-01", "valid_until": "2027-12-31"}
    await park.ask("employer-a", "POST", f"{here}/residence-outcome", given, expects=403)
    await park.ask("officer-1", "POST", f"{here}/residence-outcome", given, expects=202)
    file = await case.until(lambda file: need(residence(file), "residence").stage == "issued")
    assert need(work_permit(file), "permit").stage == "issued"
