"""The way of a registration as its callers see it."""

from sqlalchemy import insert

from store.tables import quotas
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


async def test_past_the_days_conflicts_the_answer_says_for_how_long_in_the_callers_language(stage: Stage) -> None:
    row = {"employer_id": "emp-b", "what": "live_elsewhere", "day": stage.clock().date(), "count": 20}
    async with stage.context.database.begin() as connection:
        await connection.execute(insert(quotas).values(row))
    body = registration_body()
    answer = await stage.as_("employer-b").post("/v1/registrations", body, headers={"Accept-Language": "zh-Hans"})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == str(12 * 3600)  # from noon
    assert "明日零时" in answer.json()["detail"]
