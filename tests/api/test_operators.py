"""Operators read what a stuck case needs, and let it go on."""

import orjson
from sqlalchemy import text

from cases.incidents.stopped import open_incident
from tests.api.conftest import Stage
from tests.cases.contexts import registration_body


async def test_a_resumed_case_is_told_to_try_its_failed_step_again(stage: Stage) -> None:
    case = (await stage.as_("employer-a").post("/v1/registrations", registration_body())).json()
    await stage.settle()
    await open_incident(stage.context, case["reference"], "tell_authority", "defect", stage.clock())
    operator = stage.as_("operator")
    (incident,) = (await operator.get("/v1/incidents")).json()["items"]

    answer = await operator.post(f"/v1/incidents/{incident['id']}/resume")
    await stage.settle()

    assert (answer.status_code, answer.json()["state"]) == (200, "resumed")
    assert stage.engine.resumed == [case["reference"]]
    assert (await operator.get("/v1/incidents")).json()["items"] == []


async def test_an_operator_reads_what_a_stuck_case_needs_and_not_whom_it_is_about(stage: Stage) -> None:
    body = registration_body()
    reference = (await stage.as_("employer-a").post("/v1/registrations", body)).json()["reference"]
    await stage.settle()
    place = "cases/decisions/settling.py:40 settle"
    incident_id = await open_incident(stage.context, reference, "advance", "KeyError", stage.clock(), place=place)
    async with stage.context.database.begin() as connection:
        # A time that nothing can read back, and a command that was stored before the step failed.
        for statement in (
            "UPDATE cases SET due_at = '9999-12-31 23:00:00+00' WHERE reference = :reference",
            "UPDATE commands SET state = 'stored', unanswered = true WHERE reference = :reference",
        ):
            await connection.execute(text(statement), {"reference": reference})

    answer = await stage.as_("operator").get(f"/v1/incidents/{incident_id}")

    incident = answer.json()
    assert answer.status_code == 200
    assert (incident["step"], incident["reason"], incident["place"]) == ("advance", "KeyError", place)
    case = incident["case"]
    assert (case["stage"], case["round"], case["workflow_id"]) == ("under_review", 1, f"registration/{reference}")
    assert case["due_at"] == "10000-01-01T07:00:00+08:00"
    assert [(each["kind"], each["state"], each["unanswered"]) for each in case["commands"]] == [
        ("start", "stored", True)
    ]
    assert {each["kind"] for each in case["tasks"]} == {"review", "stuck"}
    assert case["last_act"]["act"] == "incident_opened"
    shown = orjson.dumps(incident).decode()
    assert not [value for value in body["person"].values() if len(str(value)) > 2 and str(value) in shown]


async def test_a_case_that_is_still_broken_is_refused_in_words_with_what_is_wrong_and_stays_as_it_is(
    stage: Stage,
) -> None:
    case = (await stage.as_("employer-a").post("/v1/registrations", registration_body())).json()
    await stage.settle()
    incident_id = await open_incident(stage.context, case["reference"], "advance", "ValueError", stage.clock())
    async with stage.context.database.begin() as connection:
        await connection.execute(
            text("UPDATE deadlines SET at = '9999-12-31 23:00:00+00' WHERE reference = :reference"), case
        )
    operator = stage.as_("operator")

    answer = await operator.post(f"/v1/incidents/{incident_id}/resume")

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["reason"]) == (409, "still_broken", "ValueError")
    assert problem["place"].startswith("store/rows/base.py:")
    assert problem["detail"].endswith(f"What is wrong: ValueError, met at {problem['place']}.")
    (cause,) = (await operator.get("/v1/incident-causes")).json()["items"]
    assert (cause["incidents"], cause["first_references"]) == (1, [case["reference"]])
    resumed = await operator.post(f"/v1/incident-causes/{cause['id']}/resume")
    assert (resumed.status_code, resumed.json()["resuming"]) == (202, 1)
    assert stage.engine.resumed == []


async def test_an_incident_about_no_case_and_one_that_there_is_not(stage: Stage) -> None:
    operator = stage.as_("operator")
    headers = {"Content-Type": "application/json"}
    await stage.nobody.send("POST", "/v1/receipts", content=b"{}", headers=headers)
    (line,) = (await operator.get("/v1/incidents")).json()["items"]

    about_none = await operator.get(f"/v1/incidents/{line['id']}")
    unknown = await operator.get("/v1/incidents/00000000-0000-4000-8000-000000000000")

    assert about_none.json() == {**line, "case": None}
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
