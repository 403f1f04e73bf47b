"""From a person's application to the certificate, and what becomes of it: suspended, restored, withdrawn, over."""

from datetime import timedelta

from domain.references import is_approval_number
from programmes.appraisal.tables import recognition
from programmes.appraisal.words import RecognitionStage
from record.reconciliation.reconcile import list_differences
from tests.programmes.appraisal.people import POINTS, STAR, answered, applied, form, me, proved, recognised
from tests.programmes.park import Park
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import Case


async def _stands(case: Case, stage: RecognitionStage) -> None:
    await case.until(lambda file: (row := recognition(file)) is not None and row.stage == stage)


async def test_a_person_is_recognised_by_points_that_another_than_the_decider_saw(park: Park) -> None:
    case = await applied(park)
    here = f"/v1/appraisals/{case.reference}"
    decision = {"action": "approve", "round": 1}
    refused = await park.ask("officer-1", "POST", f"{here}/decision", decision, expects=409)
    assert "employer" in refused["detail"]
    (part,) = (await park.ask("employer-a", "GET", "/v1/appraisals/employment"))["items"]
    assert part | {"due_at": None} == {
        "reference": case.reference, "name": "CHAN Ka Yan", "position": "研究員", "work_start": "2026-01-05",
        "stage": "asked", "due_at": None, "last_day": None,
    }  # fmt: skip
    await answered(park, case)
    await proved(park, case)
    refused = await park.ask("officer-2", "POST", f"{here}/decision", decision, expects=409)
    assert refused["code"] == "evidence_seen_by_decider"
    done = await park.ask("officer-1", "POST", f"{here}/decision", decision)
    assert done["stage"] == "approved"
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await _stands(case, RecognitionStage.VALID)
    await case.idle()
    seen = await park.ask(me(park), "GET", here)
    given = seen["recognition"]
    assert is_approval_number(given["certificate"])
    assert given["certificate"].startswith("HA-2026-")
    assert (given["valid_from"], given["valid_until"], given["standing"]) == ("2026-03-02", "2029-03-01", "sample")
    assert (await case.notices()).count("appraisal_recognised") == 1
    (mine,) = (await park.ask(me(park), "GET", "/v1/me/registrations"))["items"]
    assert mine["recognition"]["certificate"] == given["certificate"]
    story = await park.ask("auditor", "GET", f"/v1/audit/cases/{case.reference}/history")
    assert "certificate of recognition was given" in str(story)
    night = await nightly_round(park.world)
    assert (await list_differences(park.world.context))[0] == []
    assert (night.cases, night.differing, night.unchecked) == (1, 0, 0)


async def test_whoever_is_of_the_mainland_or_asks_for_a_closed_route_is_told_where_to_go(park: Park) -> None:
    mainland = {"kind": "resident_identity_card", "number": "44030419900307123X"}
    body = form()
    body["person"] |= {"document": mainland}
    by = me(park, document_kind=mainland["kind"], document_number=mainland["number"])
    refused = await park.ask(by, "POST", "/v1/appraisals", body, expects=422)
    assert (refused["code"], [each["field"] for each in refused["errors"]]) == ("wrong_programme", ["person.document"])
    assert "/v1/registrations" in refused["errors"][0]["message"]
    refused = await park.ask(me(park), "POST", "/v1/appraisals", form("recommendation"), expects=422)
    assert "not open yet" in refused["errors"][0]["message"]
    above = [*POINTS[:-1], POINTS[-1] | {"value": "40.01"}]
    refused = await park.ask(me(park), "POST", "/v1/appraisals", form(evidence=above), expects=422)
    assert "40" in refused["errors"][0]["message"]
    assert (await park.ask(me(park), "GET", "/v1/appraisals"))["items"] == []


async def test_evidence_that_falls_before_the_decision_goes_to_an_officer(park: Park) -> None:
    case = await applied(park)
    await answered(park, case)
    await proved(park, case)
    here = f"/v1/appraisals/{case.reference}"
    fallen = {"reasons": [{"code": "evidence_revoked"}]}
    await park.ask("officer-2", "POST", f"{here}/evidence/4/fallen", fallen)
    seen = await park.ask("officer-1", "GET", here)
    found = {each["code"]: each["outcome"] for each in seen["findings"]}
    assert (seen["stage"], found["appraisal_points_not_proved"]) == ("under_review", "needs_person")


async def test_evidence_that_falls_after_it_suspends_at_once_and_keeps_the_decision(park: Park) -> None:
    case = await recognised(park)
    here = f"/v1/appraisals/{case.reference}"
    fallen = {"reasons": [{"code": "evidence_revoked"}]}
    seen = await park.ask("officer-2", "POST", f"{here}/evidence/4/fallen", fallen)
    assert (seen["stage"], seen["recognition"]["stage"]) == ("approved", "suspended")
    assert seen["recognition"]["suspended_for"] == ["appraisal_evidence_fallen"]
    assert "evidence_fallen" in {task.kind for task in (await case.file()).tasks}
    # Two withdraw it; nothing cools off in this world.
    asked = {"reasons": [{"code": "false_statement"}]}
    assert (await park.ask("officer-1", "POST", f"{here}/revocation", asked))["pending_act"] == "appraisal_revoke"
    await park.ask("officer-1", "POST", f"{here}/confirmation", {"action": "confirm", "round": 2}, expects=409)
    await park.ask("supervisor", "POST", f"{here}/confirmation", {"action": "confirm", "round": 2})
    await _stands(case, RecognitionStage.REVOKED)
    await case.idle()
    ended = await park.ask(me(park), "GET", here)
    assert (ended["stage"], ended["end_reason"]) == ("ended", "appraisal_revoked")
    assert "appraisal_revoked" in await case.notices()
    await nightly_round(park.world)
    assert (await list_differences(park.world.context))[0] == []


async def test_a_withdrawal_that_is_set_aside_gives_the_recognition_back_as_it_stood(park: Park) -> None:
    case = await recognised(park, route="achievement", evidence=STAR)
    here = f"/v1/appraisals/{case.reference}"
    await park.ask("officer-1", "POST", f"{here}/revocation", {"reasons": [{"code": "false_statement"}]})
    await park.ask("supervisor", "POST", f"{here}/confirmation", {"action": "confirm", "round": 2})
    await _stands(case, RecognitionStage.REVOKED)
    await case.idle()
    objected = {"against": "revocation", "grounds": "The paper is genuine; its issuer says so."}
    await park.ask(me(park), "POST", f"{here}/objection", objected, expects=202)
    await case.until(lambda file: file.find_task("objection") is not None)
    (open_one,) = (await park.ask("supervisor-2", "GET", here))["objections"]
    upheld = {"action": "uphold", "reasons": [{"code": "new_proof"}], "objection": open_one["id"]}
    await park.ask("officer-1", "POST", f"{here}/objection-decision", upheld, expects=403)
    await park.ask("officer-2", "POST", f"{here}/objection-decision", upheld)
    sign = {"action": "confirm", "round": (await case.file()).round}
    done = await park.ask("supervisor-2", "POST", f"{here}/confirmation", sign)
    assert (done["stage"], done["recognition"]["stage"]) == ("approved", "valid")
    await case.idle()
    told = await case.notices()
    assert (told.count("decision_set_aside"), told.count("appraisal_restored")) == (1, 1)
    await nightly_round(park.world)
    assert (await list_differences(park.world.context))[0] == []
    await case.skip(timedelta(days=3 * 365 + 2))
    await _stands(case, RecognitionStage.EXPIRED)


async def test_an_employment_that_ends_suspends_and_another_in_the_park_lifts_it(park: Park) -> None:
    case = await recognised(park, route="achievement", evidence=STAR)
    here = f"/v1/appraisals/{case.reference}"
    await answered(park, case, "left", body={"last_day": "2026-03-01"})
    await _stands(case, RecognitionStage.SUSPENDED)
    refused = await park.ask("officer-1", "POST", f"{here}/restoration", {}, expects=409)
    assert "change of the employer" in refused["detail"]
    await park.ask(me(park), "POST", f"{here}/change", {"employer": "emp-b"}, expects=202)
    await case.until(lambda file: file.find_task("change") is not None)
    (task,) = [each for each in (await case.file()).tasks if each.kind == "change"]
    await park.ask("officer-1", "POST", f"/v1/tasks/{task.task_id}/answer", {"action": "take"})
    await park.ask("employer-a", "GET", f"{here}/employment", expects=404)
    await answered(park, case, "confirmed", by="employer-b")
    await _stands(case, RecognitionStage.VALID)
    assert (await case.notices()).count("appraisal_asked") == 2


async def test_a_recognition_is_over_after_its_last_day_and_its_case_ends(park: Park) -> None:
    case = await recognised(park, route="achievement", evidence=STAR)
    await case.skip(timedelta(days=3 * 365 + 2))
    await _stands(case, RecognitionStage.EXPIRED)
    await case.skip(timedelta(days=40))
    await case.until(lambda file: file.row.stage == "ended")
    await case.idle()
    told = await case.notices()
    assert (told.count("appraisal_expiring"), told.count("appraisal_expired")) == (3, 1)
