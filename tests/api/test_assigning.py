"""Assigning a task: only to somebody who has signed in as staff."""

import pytest

from tests.api.conftest import Stage
from tests.api.walk import Walk


@pytest.mark.parametrize("subject", ["officer-2", "supervisor-2"])
async def test_a_task_is_assigned_to_whoever_has_signed_in_as_staff(stage: Stage, subject: str) -> None:
    await Walk(stage).register()
    task = (await stage.as_("supervisor").get("/v1/tasks")).json()["items"][0]
    await stage.as_(subject).get("/v1/tasks")

    answer = await stage.as_("supervisor").post(f"/v1/tasks/{task['id']}/assign", {"subject": subject})

    assert (answer.status_code, answer.json()["holder"]) == (200, subject)


@pytest.mark.parametrize("subject", ["officer-2", "OFFICER-1", "employer-a", "auditor", "system"])
async def test_a_task_is_not_assigned_to_whoever_was_never_seen_as_staff(stage: Stage, subject: str) -> None:
    await Walk(stage).register()
    for caller in ("officer-1", "employer-a", "auditor"):
        await stage.as_(caller).get("/v1/reasons")
    task = (await stage.as_("supervisor").get("/v1/tasks")).json()["items"][0]

    headers = {"Accept-Language": "zh-Hans"}
    answer = await stage.as_("supervisor").post(f"/v1/tasks/{task['id']}/assign", {"subject": subject}, headers=headers)
    after = (await stage.as_("supervisor").get("/v1/tasks")).json()["items"][0]

    assert (answer.status_code, answer.json()["code"]) == (422, "assignee_unknown")
    assert "请对方先登录一次" in answer.json()["detail"]
    assert after == task
