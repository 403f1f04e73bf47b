"""The way of a registration as its callers see it."""

from tests.api.conftest import Stage
from tests.cases.contexts import registration_body


async def test_a_submission_is_taken_on_and_assessed(stage: Stage) -> None:
    employer = stage.as_("employer-a")

    answer = await employer.post("/v1/registrations", registration_body())
    await stage.settle()

    assert answer.status_code == 202, answer.text
    reference = answer.json()["reference"]
    assert answer.headers["location"] == f"/v1/registrations/{reference}"
    assert stage.engine.started == [reference]
    case = (await employer.get(f"/v1/registrations/{reference}")).json()
    assert case["stage"] == "under_review"
    assert case["person"]["identity_number"] == "4403**********123X"
