"""Work lists over HTTP: choices and orders in the query, counts, and acts on several at once."""

from tests.api.conftest import Stage
from tests.api.walk import Walk


async def test_a_work_list_is_chosen_ordered_and_counted_by_the_query(stage: Stage) -> None:
    walk = Walk(stage)
    clear = await walk.register()
    asked = await walk.register(permit_card_number=None, permit_card_valid_until=None)
    officer = stage.as_("officer-1")
    page = (await officer.get("/v1/tasks", order="-findings", limit=1)).json()
    rest = (await officer.get("/v1/tasks", order="-findings", limit=1, cursor=page["next_cursor"])).json()
    assert [page["items"][0]["reference"], rest["items"][0]["reference"]] == [asked, clear]
    assert page["items"][0]["findings"]["needs_person"] == 1
    found = (await officer.get("/v1/tasks", assessment="clear")).json()["items"]
    assert [task["reference"] for task in found] == [clear]
    counted = (await officer.get("/v1/tasks/counts", assessment="needs_officer")).json()
    assert (counted["open"], counted["by_kind"][0]["kind"]) == (1, "review")
    other = await officer.get("/v1/tasks", order="findings", cursor=page["next_cursor"])
    assert other.json()["code"] == "cursor_invalid"
    wrong = (await officer.get("/v1/tasks", order="colour")).json()
    assert (wrong["code"], wrong["errors"][0]["field"]) == ("invalid", "order")
    assert wrong["errors"][0]["allowed"][:2] == ["priority", "assessment"]


async def test_a_task_that_somebody_decided_meanwhile_says_so(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    (task,) = (await stage.as_("officer-1").get("/v1/tasks")).json()["items"]
    assert (await stage.as_("officer-1").get(f"/v1/tasks/{task['id']}")).json() == task
    await walk.decide(reference, "approve", persona="officer-2")
    then = (await stage.as_("officer-1").get(f"/v1/tasks/{task['id']}")).json()
    assert (then["state"], then["holder"]) == ("done", "officer-2")
    assert (await stage.as_("employer-a").get(f"/v1/tasks/{task['id']}")).status_code == 403


async def test_a_supervisor_assigns_several_tasks_and_hears_of_each(stage: Stage) -> None:
    walk = Walk(stage)
    await walk.register()
    await walk.register()
    supervisor = stage.as_("supervisor")
    ids = [task["id"] for task in (await supervisor.get("/v1/tasks")).json()["items"]]
    missing = "00000000-0000-4000-8000-000000000000"
    await stage.as_("officer-2").post(f"/v1/tasks/{ids[0]}/release", {"reason": "conflict_of_interest"})
    body = {"tasks": [*ids, missing], "subject": "officer-2"}
    refused = await stage.as_("officer-1").post("/v1/tasks/assign", body)
    assert refused.status_code == 403
    answer = await supervisor.post("/v1/tasks/assign", body, key="a-1", headers={"Accept-Language": "zh-Hans"})
    items = answer.json()["items"]
    assert [(item["id"], item["status"]) for item in items] == [(ids[0], 403), (ids[1], 200), (missing, 404)]
    assert (items[0]["code"], "利益冲突" in items[0]["detail"]) == ("role_not_allowed", True)
    assert (items[1]["holder"], items[2]["code"]) == ("officer-2", "not_found")
    again = await supervisor.post("/v1/tasks/assign", body, key="a-1", headers={"Accept-Language": "zh-Hans"})
    assert again.json()["items"] == items
    counted = (await supervisor.get("/v1/tasks/counts")).json()
    assert [(row["holder"], row["open"]) for row in counted["by_holder"]] == [(None, 1), ("officer-2", 1)]
