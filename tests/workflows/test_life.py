"""The years after an approval: permits that expire, employment that ends, and a history that stays short."""

from datetime import date, datetime, timedelta

from domain.clock import CHINA, day_of
from domain.stages import Stage
from programmes.talent_permit.permit_requests import RevocationRequest
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.tables import permit_rows
from programmes.talent_permit.words import PermitCommand
from tests.cases.contexts import registration_body
from tests.workflows.histories import events, runs
from tests.workflows.world import EMPLOYER_A, OFFICER, OFFICER_2, Case, World

# Goals for a straight approval to two issued permits, the fresh run at rest included.
MOST_EVENTS, MOST_WORKFLOW_TASKS, MOST_ACTIVITIES = 45, 8, 4
THIRTEEN_MONTHS = timedelta(days=396)


async def _issued(world: World, **employment: str) -> Case:
    body = registration_body()
    body["employment"] |= employment
    case = await world.submit(body=body)
    await case.approve()
    await case.issue()
    await case.idle()
    return case


async def test_straight_approval_costs_few_events(world: World) -> None:
    case = await _issued(world)
    names = [event.WhichOneof("attributes") for event in await events(case)]
    tasks = names.count("workflow_task_completed_event_attributes")
    activities = names.count("activity_task_scheduled_event_attributes")
    counted = (len(names), tasks, activities)
    assert len(names) <= MOST_EVENTS, counted
    assert tasks <= MOST_WORKFLOW_TASKS, counted
    assert activities <= MOST_ACTIVITIES, counted
    assert len(await runs(case)) == 2


async def test_permit_lives_three_years_and_expires_by_itself(world: World) -> None:
    case = await _issued(world, contract_end="2035-12-31")
    until = (await case.permit()).valid_until
    assert until == date(2029, 3, 1)
    months_asleep = await events(case)
    await case.skip(timedelta(days=31))
    assert len(await events(case)) == len(months_asleep)
    await case.skip_to_day(until - timedelta(days=20))
    reminders = [n for n in await case.notices() if n == "permit_expiring"]
    assert len(reminders) == 2 * 2 * 3
    await case.skip_to_day(until)
    assert (await case.permit()).stage == PermitStage.ISSUED
    await case.skip(timedelta(hours=13))
    file = await case.until_permits(PermitStage.EXPIRED)
    assert file.stage is Stage.APPROVED
    await _has_short_runs(case)


async def _has_short_runs(case: Case) -> None:
    """Each reminder begins a new run, and no run is older than thirteen months."""
    histories = await runs(case)
    # Issue, two yearly rests, three reminders; the last run carries the expiry.
    assert len(histories) >= 6
    for history in histories:
        first, last = history.events[0], history.events[-1]
        assert last.event_time.ToDatetime() - first.event_time.ToDatetime() <= THIRTEEN_MONTHS
        assert len(history.events) < 60


async def test_departure_after_a_year_ends_registration_and_permits(world: World) -> None:
    case = await _issued(world)
    await case.skip_to(datetime(2027, 3, 15, 12, tzinfo=CHINA))
    await case.ask(EMPLOYER_A, PermitCommand.DEPART, {"last_day": "2027-03-31", "reason": "resigned"})
    assert await case.stage() is Stage.APPROVED
    await case.skip_to(datetime(2027, 3, 31, 23, 0, tzinfo=CHINA))
    assert await case.stage() is Stage.APPROVED
    await case.skip(timedelta(hours=2))
    file = await case.until(lambda file: file.stage is Stage.ENDED and not file.calls)
    assert (file.row.ended_on, file.row.end_reason) == (date(2027, 3, 31), "resigned")
    what = "registration_ended"
    assert sorted(world.authority.reports) == [f"report/{case.reference}/{d}/{what}" for d in ("HK", "MO")]
    await case.answer("HK", "revoked", authority_number="R-1")
    assert await case.is_running()
    await case.answer("MO", "revoked", authority_number="R-2")
    await case.ended()
    assert {"departure_recorded", "registration_ended", "permit_reported", "permit_revoked"} <= set(
        await case.notices()
    )


async def test_revocation_takes_effect_with_the_second_signature_and_is_reported(world: World) -> None:
    case = await _issued(world)
    asked = RevocationRequest.model_validate({"reasons": [{"code": "false_statement"}]})
    reply = await case.ask(OFFICER, PermitCommand.REVOKE, asked)
    assert (reply.body["stage"], reply.body["pending_act"]) == ("approved", "revoke")
    assert (await case.confirm("reject", "facts_incomplete")).body["pending_act"] is None
    await case.ask(OFFICER, PermitCommand.REVOKE, asked)
    assert (await case.confirm("confirm", actor=OFFICER_2)).body["stage"] == "ended"
    await case.until(lambda file: not file.calls)
    assert {body["what"] for body in world.authority.reports.values()} == {"registration_revoked"}
    await case.answer("HK", "revoked", authority_number="R-1")
    await case.answer("MO", "kept")
    await case.ended()
    assert (await case.permit("MO")).stage == PermitStage.ISSUED


async def test_contract_that_ends_is_asked_about(world: World) -> None:
    case = await _issued(world, contract_end="2026-06-30")
    await case.skip_to_day(date(2026, 6, 1))
    assert {"contract_ending"} <= set(await case.notices())
    await case.skip_to_day(date(2026, 7, 20))
    assert "employment_check" in await case.open_tasks()
    assert await case.stage() is Stage.APPROVED
    assert day_of(world.clock()) == date(2026, 7, 20)


async def test_employer_that_leaves_the_park_ends_its_registrations_by_one_report(world: World) -> None:
    case = await _issued(world)
    await (await world.employer_leaves()).result()
    file = await case.until_stage(Stage.ENDED)
    assert file.row.end_reason == "employer_left_park"
    ((key, report),) = world.authority.reports.items()
    assert key.startswith("report/employer/emp-a/")
    assert report["cases"] == [f"{case.reference}/HK", f"{case.reference}/MO"]
    await case.answer("HK", "revoked", authority_number="R-1")
    await case.answer("MO", "revoked", authority_number="R-2")
    await case.ended()


async def test_pending_revocation_holds_sending_back_and_its_rejection_lets_it_go_on(world: World) -> None:
    world.authority.away, world.authority.retry_after = True, 600
    case = await world.submit()
    await case.decide("approve")
    await case.until_permits(PermitStage.ELIGIBLE)
    asked = RevocationRequest.model_validate({"reasons": [{"code": "decided_in_error"}]})
    await case.ask(OFFICER, PermitCommand.REVOKE, asked)
    world.authority.away = False
    await case.skip(timedelta(minutes=30), settle=False)
    await case.idle()
    assert world.authority.entries == {}
    await case.confirm("reject", "facts_incomplete")
    await case.until_permits(PermitStage.SUBMITTED)


async def test_revocation_before_sending_closes_the_permits_unsent(world: World) -> None:
    world.authority.away, world.authority.retry_after = True, 600
    case = await world.submit()
    await case.decide("approve")
    await case.until_permits(PermitStage.ELIGIBLE)
    asked = RevocationRequest.model_validate({"reasons": [{"code": "decided_in_error"}]})
    await case.ask(OFFICER, PermitCommand.REVOKE, asked)
    await case.confirm("confirm")
    world.authority.away = False
    await case.skip(timedelta(minutes=30), settle=False)
    await case.ended()
    file = await case.file()
    assert {(p.stage, p.end_reason) for p in permit_rows(file).values()} == {("ended", "registration_ended")}
    assert world.authority.entries == world.authority.reports == {}


async def test_permit_that_is_not_clear_waits_for_an_officer_and_is_withheld_by_two(world: World) -> None:
    body = registration_body(permit_card_number=None, permit_card_valid_until=None)
    case = await world.submit(body=body)
    await case.decide("approve")
    await case.until(lambda file: len(permit_rows(file)) == 2)
    assert await case.open_tasks() == {"permit_eligibility"}
    reason = [{"code": "permit_card_ends_early"}]
    withhold = {"destination": "HK", "action": "withhold", "reasons": reason}
    await case.ask(OFFICER, PermitCommand.ELIGIBILITY, withhold)
    await case.ask(OFFICER_2, PermitCommand.PERMIT_CONFIRM, {"destination": "HK", "action": "confirm"})
    send = {"destination": "MO", "action": "send", "reasons": [{"code": "document_seen"}]}
    await case.ask(OFFICER, PermitCommand.ELIGIBILITY, send)
    file = await case.until_permits(PermitStage.SUBMITTED, "MO")
    assert [p.end_reason for p in permit_rows(file).values() if p.stage == "ended"] == ["not_eligible"]
    assert list(world.authority.entries) == [f"permit/{case.reference}/MO"]
