"""Objecting to decisions and setting them aside, by the real application and the real engine, with time skipped."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select, update
from temporalio.client import Client

from cases.commands.watched import pass_watched
from domain.stages import Stage
from programmes import PROGRAMMES
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.tables import permit_rows
from record.reconciliation.reconcile import list_differences
from store.tables import cases, commands, deliveries, legal_holds, notices, objections, tasks
from tests.api.callers import Caller
from tests.cases.contexts import registration_body
from tests.e2e.people import identity_number
from tests.programmes.park import Park, served
from tests.programmes.toy.programme import TOY
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import MONDAY, Case, open_world

BOTH = {**PROGRAMMES, TOY.code: TOY}
NUMBER = identity_number(0)
UPHOLD = {"action": "uphold", "reasons": [{"code": "new_proof"}]}
REJECT = {"action": "reject", "reasons": [{"code": "grounds_unproved", "note": "The lease begins later."}]}
SIGN = {"action": "confirm"}


@pytest_asyncio.fixture
async def park(toy_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(toy_database, temporal_client, start=MONDAY, programmes=BOTH) as world,
        served(world, toy_database) as park,
    ):
        yield park


def me(park: Park, number: str = NUMBER) -> Caller:
    return park.caller("person-1", document_kind="resident_identity_card", document_number=number)


def _person(**more: Any) -> dict[str, Any]:
    return registration_body(identity_number=NUMBER, email="nana@example.com", **more)


async def _taken(park: Park, path: str, body: dict[str, Any], *, expects: int = 202) -> Case:
    taken = await park.ask("employer-a", "POST", f"/v1/{path}", body, expects=expects)
    case = Case(park.world, taken["reference"])
    park.world.started.append(case.reference)
    return case


async def _toy(park: Park) -> tuple[Case, str]:
    person = {"name_zh": "欧阳娜", "identity_number": NUMBER, "email": "nana@example.com"}
    case = await _taken(park, "toys", {"person": person, "wish": {"toy": "弹弓"}})
    await case.until_stage(Stage.UNDER_REVIEW)
    return case, f"/v1/toys/{case.reference}"


async def _registered(park: Park, **more: Any) -> tuple[Case, str]:
    case = await _taken(park, "registrations", _person(**more))
    await case.until_stage(Stage.UNDER_REVIEW)
    return case, f"/v1/registrations/{case.reference}"


async def _refuse(park: Park, here: str, *, round_: int = 1) -> None:
    decision = {"action": "refuse", "round": round_, "reasons": [{"code": "false_statement"}]}
    await park.ask("officer-1", "POST", f"{here}/decision", decision)
    await park.ask("officer-2", "POST", f"{here}/confirmation", {**SIGN, "round": round_})


async def _object(park: Park, here: str, against: str = "refusal", *, expects: int = 202, **more: Any) -> Any:
    asked = {"against": against, "grounds": "The premises were ours on that day.", **more}
    return await park.ask("employer-a", "POST", f"{here}/objection", asked, expects=expects)


async def _shown(park: Park, here: str, persona: str | Caller = "supervisor") -> Any:
    return await park.ask(persona, "GET", here)


async def _open_of(park: Park, here: str) -> str:
    (found,) = [each["id"] for each in (await _shown(park, here))["objections"] if each["state"] == "open"]
    return str(found)


async def _set_aside(park: Park, here: str, **more: Any) -> Any:
    """Set a decision aside by two supervisors who had no part in it; return the case as it is then."""
    asked = {"reasons": [{"code": "decided_in_error", "note": "The register was read wrongly."}], **more}
    proposed = await park.ask("supervisor", "POST", f"{here}/set-aside", asked)
    assert proposed["pending_act"] == "set_aside"
    return await park.ask("supervisor-2", "POST", f"{here}/confirmation", {**SIGN, "round": proposed["round"]})


async def _deliver(park: Park, case: Case, kind: str) -> None:
    """Let the letter of a kind be delivered by mail now, to both sides."""
    async with park.world.context.database.begin() as connection:
        ours = select(notices.c.notice_id).where(notices.c.reference == case.reference, notices.c.kind == kind)
        mails = deliveries.c.notice_id.in_(ours) & (deliveries.c.channel == "mail")
        values = {"status": "delivered", "settled_at": park.world.clock()}
        assert (await connection.execute(update(deliveries).where(mails).values(values))).rowcount


async def _nothing_differs(park: Park) -> None:
    night = await nightly_round(park.world)
    differ = (await list_differences(park.world.context))[0]
    assert differ == [], differ
    assert (night.differing, night.unchecked) == (0, 0)


async def test_a_refusal_is_objected_to_upheld_and_the_case_goes_on(park: Park) -> None:
    case, here = await _toy(park)
    await _refuse(park, here)
    await case.ended()
    (letter,) = await park.world.rows(notices, kind="registration_refused", recipient="employer")
    assert letter["reference"] == case.reference
    answered = await _object(park, here)
    (objection,) = answered["objections"] or (await _shown(park, here, "employer-a"))["objections"]
    assert (objection["against"], objection["by"], objection["state"]) == ("refusal", "employer", "open")
    assert "objection" in await case.open_tasks()
    listed = (await park.ask("officer-1", "GET", "/v1/objections"))["items"]
    assert [(each["kind"], each["text"]) for each in listed] == [("objection", "The premises were ours on that day.")]
    await park.ask(
        "supervisor",
        "POST",
        f"/v1/objections/{objection['id']}/answer",
        {"outcome": "upheld", "text": "-"},
        expects=409,
    )
    # Whoever decided or signed decides nothing about it.
    asked = {"objection": objection["id"], **UPHOLD}
    for persona in ("officer-1", "officer-2"):
        refused = await park.ask(persona, "POST", f"{here}/objection-decision", asked, expects=403)
        assert refused["code"] == "role_not_allowed"
    proposed = await park.ask("supervisor", "POST", f"{here}/objection-decision", asked)
    assert (proposed["stage"], proposed["pending_act"], proposed["round"]) == ("refused", "set_aside", 2)
    signature = {**SIGN, "round": 2}
    for persona, code in (("supervisor", "same_signer"), ("officer-1", "role_not_allowed")):
        refused = await park.ask(persona, "POST", f"{here}/confirmation", signature, expects=_status_of(code))
        assert refused["code"] == code
    seen = await park.ask("supervisor-2", "POST", f"{here}/confirmation", signature)
    assert (seen["stage"], seen["pending_act"], seen["clock"]) == ("under_review", None, "running")
    assert [each["state"] for each in seen["objections"]] == ["upheld"]
    assert await case.is_running()
    assert await case.open_tasks() == {"review"}
    assert (await case.notices()).count("decision_set_aside") == 2
    # The case is decided anew, and both decisions are in the ledger.
    await _refuse(park, here, round_=2)
    assert (await case.acts()).count("confirmed") == 2
    await _object(park, here)
    await _nothing_differs(park)


def _status_of(code: str) -> int:
    return {"same_signer": 409, "role_not_allowed": 403}[code]


async def test_an_objection_is_rejected_by_a_letter_and_is_once_a_side(park: Park) -> None:
    case, here = await _toy(park)
    await _refuse(park, here)
    await _object(park, here)
    objection = await _open_of(park, here)
    again = await _object(park, here, expects=409)
    assert (again["code"], again["objection"]) == ("objection_exists", objection)
    own = {"reference": case.reference, "against": "refusal", "grounds": "It was not me."}
    taken = await park.ask(me(park), "POST", "/v1/me/objections", own, expects=202)
    assert taken == {"reference": case.reference, "against": "refusal", "status": "received"}
    await case.until(lambda file: len(file.row.objections or []) == 2)
    (mine,) = (await park.ask(me(park), "GET", "/v1/me/objections"))["items"]
    assert (mine["kind"], mine["about"], mine["text"]) == ("objection", "refusal", "It was not me.")
    # The employer learns nothing of the person's, and the person's data has not the employer's among its own.
    assert len((await _shown(park, here, "employer-a"))["objections"]) == 1
    (own_case,) = (await park.ask(me(park), "GET", "/v1/me/registrations"))["items"]
    assert own_case["may_object"] == []

    rejected = await park.ask("supervisor", "POST", f"{here}/objection-decision", {"objection": objection, **REJECT})
    assert rejected["stage"] == "refused"
    states = {each["by"]: each["state"] for each in rejected["objections"]}
    assert states == {"employer": "rejected", "person": "open"}
    (told,) = await park.world.rows(notices, kind="objection_rejected")
    assert told["recipient"] == "employer"
    assert "objection" in await case.open_tasks()
    gone = {"reference": case.reference, "objection": mine["id"]}
    await park.ask(me(park), "POST", "/v1/me/objection-withdrawals", gone, expects=202)
    await case.until(lambda file: {each["state"] for each in file.row.objections or []} == {"rejected", "withdrawn"})
    assert "objection" not in await case.open_tasks()
    refused = await park.ask(
        "supervisor", "POST", f"{here}/objection-decision", {"objection": objection, **REJECT}, expects=409
    )
    assert refused["code"] == "already_decided"
    await _nothing_differs(park)


async def test_the_term_begins_with_the_delivery_of_the_letter(park: Park) -> None:
    case, here = await _toy(park)
    await _refuse(park, here)
    world = park.world
    days = world.context.limits.objection_calendar_days
    world.clock.reach(world.clock() + timedelta(days=days + 30))
    # Not delivered: no day has counted.
    await _object(park, here)
    await _withdraw(park, here)
    await _deliver(park, case, "registration_refused")
    own = {"reference": case.reference, "against": "refusal", "grounds": "It was not me."}
    world.clock.reach(world.clock() + timedelta(days=days + 1))
    late = await park.ask(me(park), "POST", "/v1/me/objections", own, expects=409)
    assert (late["code"], late["until"] is not None) == ("objection_term_over", True)
    async with world.context.database.begin() as connection:
        # As if it had come a day later: the last day is still a day on which one can object.
        later = world.clock() - timedelta(days=days)
        await connection.execute(update(deliveries).where(deliveries.c.status == "delivered").values(settled_at=later))
    await park.ask(me(park), "POST", "/v1/me/objections", own, expects=202)
    await case.until(lambda file: len(file.row.objections or []) == 2)


async def _withdraw(park: Park, here: str) -> None:
    asked = {"objection": await _open_of(park, here)}
    await park.ask("employer-b", "POST", f"{here}/objection-withdrawal", asked, expects=404)
    await park.ask("employer-a", "POST", f"{here}/objection-withdrawal", asked, expects=202)


async def test_what_cannot_be_objected_to_is_refused_and_changes_nothing(park: Park) -> None:
    case, here = await _toy(park)
    before = await _rows_of(park, case)
    for asked, status, code in (
        ({"against": "refusal", "grounds": "x"}, 409, "wrong_stage"),
        ({"against": "refusal"}, 422, "invalid"),
        ({"against": "refusal", "grounds": "  "}, 422, "invalid"),
    ):
        refused = await park.ask("employer-a", "POST", f"{here}/objection", asked, expects=status)
        assert refused["code"] == code, refused
    await park.ask("supervisor", "POST", f"{here}/set-aside", {"reasons": [{"code": "not_told"}]}, expects=409)
    assert await _rows_of(park, case) == before
    await _refuse(park, here)
    before = await _rows_of(park, case)
    grounds = {"grounds": "x"}
    for asked, status, code in (
        ({"against": "lapse", **grounds}, 404, "not_found"),
        ({"against": "whim", **grounds}, 422, "invalid"),
        ({"against": "refusal", "destination": "wood", **grounds}, 422, "invalid"),
    ):
        refused = await park.ask("employer-a", "POST", f"{here}/objection", asked, expects=status)
        assert refused["code"] == code, refused
    await park.ask("employer-b", "POST", f"{here}/objection", {"against": "refusal", **grounds}, expects=404)
    stranger = me(park, identity_number(1))
    own = {"reference": case.reference, "against": "refusal", **grounds}
    await park.ask(stranger, "POST", "/v1/me/objections", own, expects=404)
    await park.ask("officer-1", "POST", f"{here}/objection", {"against": "refusal", **grounds}, expects=403)
    nobody = {"objection": str(uuid4()), **REJECT}
    await park.ask("supervisor", "POST", f"{here}/objection-decision", nobody, expects=404)
    for codes, code in (((), "invalid"), (("false_statement",), "reason_not_allowed")):
        reasons = [{"code": each} for each in codes]
        refused = await park.ask("supervisor", "POST", f"{here}/set-aside", {"reasons": reasons}, expects=422)
        assert refused["code"] == code
    by_decider: dict[str, Any] = {"reasons": [{"code": "decided_in_error"}]}
    for persona in ("officer-1", "officer-2"):
        await park.ask(persona, "POST", f"{here}/set-aside", by_decider, expects=403)
    assert await _rows_of(park, case) == before


async def _rows_of(park: Park, case: Case) -> list[Any]:
    found = []
    for table in (cases, tasks, commands, objections, notices, legal_holds):
        found.append(sorted(map(str, await park.world.rows(table, reference=case.reference))))
    return found


async def test_no_decision_is_set_aside_over_another_live_case(park: Park) -> None:
    case, here = await _toy(park)
    await _refuse(park, here)
    await case.ended()
    other, there = await _toy(park)
    asked = {"reasons": [{"code": "decided_in_error"}]}
    proposed = await park.ask("supervisor", "POST", f"{here}/set-aside", asked)
    signature = {**SIGN, "round": proposed["round"]}
    refused = await park.ask("supervisor-2", "POST", f"{here}/confirmation", signature, expects=409)
    assert refused["code"] == "live_registration_exists"
    await park.ask("employer-a", "POST", f"{there}/withdrawal", {}, expects=202)
    await other.until_stage(Stage.WITHDRAWN)
    seen = await park.ask("supervisor-2", "POST", f"{here}/confirmation", signature)
    assert seen["stage"] == "under_review"
    person = {"name_zh": "欧阳娜", "identity_number": NUMBER}
    await _second(park, {"person": person, "wish": {"toy": "木马"}})
    await _nothing_differs(park)


async def _second(park: Park, body: dict[str, Any]) -> None:
    refused = await park.ask("employer-a", "POST", "/v1/toys", body, expects=409)
    assert refused["code"] == "live_registration_exists"


async def test_a_signature_that_is_not_given_leaves_the_decision_and_the_objection(park: Park) -> None:
    case, here = await _toy(park)
    await _refuse(park, here)
    await _object(park, here)
    objection = await _open_of(park, here)
    proposed = await park.ask("supervisor", "POST", f"{here}/objection-decision", {"objection": objection, **UPHOLD})
    refused = await park.ask(
        "supervisor-2", "POST", f"{here}/objection-decision", {"objection": objection, **REJECT}, expects=409
    )
    assert refused["code"] == "already_decided"
    not_given = {"action": "reject", "round": proposed["round"], "reasons": [{"code": "reason_not_supported"}]}
    seen = await park.ask("supervisor-2", "POST", f"{here}/confirmation", not_given)
    assert (seen["stage"], seen["pending_act"]) == ("refused", None)
    assert await _open_of(park, here) == objection
    # Neither is kept from this very decision by it.
    await park.ask("supervisor", "POST", f"{here}/objection-decision", {"objection": objection, **REJECT})
    assert (await case.stage()) is Stage.REFUSED
    await _nothing_differs(park)


async def test_an_objection_that_nobody_answers_goes_to_the_supervisors(park: Park) -> None:
    case, here = await _toy(park)
    await _refuse(park, here)
    await _object(park, here)
    world = park.world
    world.clock.reach(world.clock() + timedelta(days=40))
    await pass_watched(world.context, world.clock())
    (task,) = await world.rows(tasks, reference=case.reference, kind="objection")
    assert (task["queue"], task["overdue"], task["state"]) == ("supervisors", True, "open")
    assert (await case.notices()).count("escalated") == 1
    await pass_watched(world.context, world.clock())
    assert (await case.notices()).count("escalated") == 1


async def test_a_lapsed_registration_waits_for_its_correction_again(park: Park) -> None:
    case, here = await _registered(park)
    back = {
        "action": "return",
        "round": 1,
        "reasons": [{"code": "document_unreadable", "note": "Page two is missing."}],
    }
    await park.ask("officer-1", "POST", f"{here}/decision", back)
    await case.skip(timedelta(days=40))
    await case.until_stage(Stage.LAPSED)
    await case.ended()
    assert (await _shown(park, here, "employer-a"))["open_points"] == []
    own = {"reference": case.reference, "against": "lapse", "grounds": "Nobody told us."}
    (listed,) = (await park.ask(me(park), "GET", "/v1/me/registrations"))["items"]
    assert [each["against"] for each in listed["may_object"]] == ["lapse"]
    await park.ask(me(park), "POST", "/v1/me/objections", own, expects=202)
    await case.until(lambda file: len(file.row.objections or []) == 1)
    seen = await _set_aside(park, here)
    assert (seen["stage"], seen["due_kind"], seen["round"]) == ("correction_requested", "correction", 2)
    (point,) = seen["open_points"]
    assert point["note"] == "Page two is missing."
    assert [each["state"] for each in seen["objections"]] == ["upheld"]
    await park.ask("employer-a", "POST", f"{here}/correction", {"employment": {"position": "研究员"}}, expects=202)
    await case.until(lambda file: file.stage is Stage.UNDER_REVIEW)
    await _nothing_differs(park)


async def test_a_revoked_registration_is_in_force_again_and_the_authority_is_told(park: Park) -> None:
    case, here = await _registered(park)
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1})
    await case.until_permits(PermitStage.SUBMITTED)
    await case.issue()
    await _revoke(park, case, here)
    await case.until(lambda file: not file.calls)
    assert {each["what"] for each in park.world.authority.reports.values()} == {"registration_revoked"}
    await case.answer("MO", "revoked", authority_number="R-1")
    await _object(park, here, "revocation")
    seen = await _set_aside(park, here)
    assert (seen["stage"], seen["end_reason"], seen["ended_on"], seen["in_force"]) == ("approved", None, None, True)
    await case.until(lambda file: not file.calls)
    told = [each for each in park.world.authority.reports.values() if each["what"] == "registration_restored"]
    # The permit that the authority has ended stays ended.
    assert [each["case"] for each in told] == [f"{case.reference}/HK"]
    assert {key.value: row.stage for key, row in permit_rows(await case.file()).items()} == {
        "HK": "issued", "MO": "revoked",
    }  # fmt: skip
    # An officer says what becomes of it: it is asked for anew, with a term of its own, or left.
    ended = await _answer_ended(park, case, "ask_anew")
    assert (ended["destination"], ended["detail"]["stage"]) == ("MO", "revoked")
    await case.until_permits(PermitStage.SUBMITTED, "MO")
    assert f"permit/{case.reference}/MO/2" in park.world.authority.entries
    # What the authority ends after it was told so is an officer's as well.
    await case.skip(timedelta(hours=1))
    await case.answer("HK", "revoked", authority_number="R-1")
    await case.until_permits(PermitStage.REVOKED, "HK")
    assert (await _answer_ended(park, case, "leave"))["destination"] == "HK"
    assert "permit_ended" not in await case.open_tasks()
    assert permit_rows(await case.file())["HK"].stage == "revoked"  # type: ignore[index]
    # Revoked again, it is told again.
    await _revoke(park, case, here)
    await case.until(lambda file: not file.calls)
    again = [key for key, each in park.world.authority.reports.items() if each["what"] == "registration_revoked"]
    assert len(again) == 3  # twice of the one that was asked for anew, once of the one that was left
    await _nothing_differs(park)


async def _answer_ended(park: Park, case: Case, action: str) -> dict[str, Any]:
    """Answer the task about a permit that the authority ended, and return the task as it was listed."""
    listed = (await park.ask("officer-1", "GET", "/v1/tasks?kind=permit_ended"))["items"]
    (task,) = [each for each in listed if each["reference"] == case.reference]
    await park.ask("officer-1", "POST", f"/v1/tasks/{task['id']}/answer", {"action": action})
    return dict(task)


async def _revoke(park: Park, case: Case, here: str) -> None:
    proposed = await park.ask("officer-1", "POST", f"{here}/revocation", {"reasons": [{"code": "decided_in_error"}]})
    await park.ask("officer-2", "POST", f"{here}/confirmation", {**SIGN, "round": proposed["round"]})
    await case.until_stage(Stage.ENDED)


async def test_a_revocation_set_aside_before_sending_lets_the_permits_begin_anew(park: Park) -> None:
    world = park.world
    world.authority.away, world.authority.retry_after = True, 600
    case, here = await _registered(park)
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1})
    await case.until_permits(PermitStage.ELIGIBLE)
    last_day = (MONDAY + timedelta(days=30)).date().isoformat()
    await park.ask("employer-a", "POST", f"{here}/departure", {"last_day": last_day, "reason": "resigned"}, expects=202)
    await case.until(lambda file: file.row.ended_on is not None)
    await _revoke(park, case, here)
    world.authority.away = False
    seen = await _set_aside(park, here)
    assert (seen["stage"], seen["ended_on"], seen["end_reason"]) == ("approved", last_day, "resigned")
    await case.skip(timedelta(minutes=30), settle=False)
    await case.until_permits(PermitStage.SUBMITTED)
    await _nothing_differs(park)


async def test_a_withheld_permit_is_asked_about_again(park: Park) -> None:
    case, here = await _registered(park, permit_card_number=None, permit_card_valid_until=None)
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1})
    await case.until(lambda file: len(permit_rows(file)) == 2)
    withhold = {"action": "withhold", "reasons": [{"code": "permit_card_ends_early"}]}
    await park.ask("officer-1", "POST", f"{here}/permits/HK/eligibility", withhold)
    await park.ask("officer-2", "POST", f"{here}/permits/HK/confirmation", SIGN)
    missing = await _object(park, here, "withholding", expects=422)
    assert missing["errors"][0]["field"] == "destination"
    await _object(park, here, "withholding", destination="MO", expects=404)
    await _object(park, here, "withholding", destination="HK")
    await case.until(lambda file: len(file.row.objections or []) == 1)
    assert "objection" in await case.open_tasks()
    objection = await _open_of(park, here)
    proposed = await park.ask("supervisor", "POST", f"{here}/objection-decision", {"objection": objection, **UPHOLD})
    seen = await park.ask("supervisor-2", "POST", f"{here}/confirmation", {**SIGN, "round": proposed["round"]})
    assert [each["state"] for each in seen["objections"]] == ["upheld"]
    assert "objection" not in await case.open_tasks()
    assert permit_rows(await case.file())["HK"].stage is None  # type: ignore[index]
    send = {"action": "send", "reasons": [{"code": "document_seen"}]}
    await park.ask("officer-1", "POST", f"{here}/permits/HK/eligibility", send)
    await case.until_permits(PermitStage.SUBMITTED, "HK")
    await _object(park, here, "withholding", destination="HK", expects=404)
    await _nothing_differs(park)


async def test_an_open_objection_keeps_the_data(park: Park) -> None:
    case, here = await _toy(park)
    await _refuse(park, here)
    await _object(park, here)
    async with park.world.context.database.begin() as connection:
        await connection.execute(update(deliveries).values(status="sent"))
    refused = await park.ask("supervisor", "POST", f"{here}/erasure", {"reason": "person_asked"}, expects=409)
    assert refused["code"] == "case_not_at_rest"
    await _withdraw(park, here)
    async with park.world.context.database.begin() as connection:
        await connection.execute(update(deliveries).values(status="sent"))
    await park.ask("supervisor", "POST", f"{here}/erasure", {"reason": "person_asked"}, expects=202)
    await park.ask("supervisor-2", "POST", f"{here}/erasure/confirmation", {"action": "confirm"})
    (row,) = await park.world.rows(objections, reference=case.reference)
    assert row["body"] == b""


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
async def test_the_letter_says_how_and_until_when_to_object(park: Park, language: str) -> None:
    case, here = await _registered(park)
    await _refuse(park, here)
    (own,) = (await park.ask(me(park), "GET", "/v1/me/registrations", headers={"Accept-Language": language}))["items"]
    assert len(own["remedies"]) >= 2
    data = await park.ask(me(park), "GET", "/v1/me/data")
    (letter,) = [each for each in data["cases"][0]["notices"] if each["kind"] == "registration_refused"]
    assert "60" in letter["text"]
    assert case.reference in letter["subject"]
