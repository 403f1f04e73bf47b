"""Operators let stuck cases go on."""

from cases.incidents import open_incident
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
