"""What refusals tell staff: who holds the task, which reasons a use has, what is allowed; in three languages."""

import pytest

from domain.languages import Language
from domain.reasons import Use, of_use
from domain.words import joined
from programmes import PROGRAMMES
from programmes.talent_permit.reasons import DEPARTURE_REASONS, REASONS
from store.tables import employer_standings
from tests.api.conftest import Stage
from tests.api.walk import Walk
from texts.reasons import reason_sentence

WORDS = joined(each.words for each in PROGRAMMES.values())


@pytest.mark.parametrize("language", Language)
async def test_a_held_task_says_who_holds_it(stage: Stage, language: Language) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    (task,) = (await stage.as_("officer-1").get("/v1/tasks")).json()["items"]
    await stage.as_("officer-1").post(f"/v1/tasks/{task['id']}/claim")
    said = {"Accept-Language": language.value}
    officer = stage.as_("officer-2")
    for answer in (
        await officer.post(f"/v1/tasks/{task['id']}/claim", headers=said),
        await officer.post(f"/v1/tasks/{task['id']}/release", {}, headers=said),
        await officer.post(f"/v1/registrations/{reference}/decision", {"action": "approve", "round": 1}, headers=said),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["holder"]) == (409, "task_held", "officer-1")
        assert "officer-1" in problem["detail"]


@pytest.mark.parametrize("language", Language)
async def test_a_wrong_reason_says_what_it_is_for_and_which_would_do(stage: Stage, language: Language) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    said, path = {"Accept-Language": language.value}, f"/v1/registrations/{reference}/decision"
    words = {Language.EN: "refuse a registration", Language.ZH_HANS: "不予备案", Language.ZH_HANT: "不予備案"}
    for given, code in (([], "missing"), ([{"code": "resigned"}], "not_allowed"), ([{"code": "nothing"}], "unknown")):
        body = {"action": "refuse", "round": 1, "reasons": given}
        problem = (await stage.as_("officer-1").post(path, body, headers=said)).json()
        assert (problem["code"], problem["use"]) == (f"reason_{code}", "F")
        assert problem["allowed"] == list(of_use(Use.REFUSE, REASONS))
        assert words[language] in problem["detail"]
        assert "/v1/reasons?use=F" in problem["detail"]


async def test_a_refusal_at_the_step_says_the_same_as_one_at_the_door(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    stage.engine.away = True
    path, body = f"/v1/registrations/{reference}/decision", {"action": "approve", "round": 1}
    asked = await stage.as_("officer-1").post(path, body, key="d-1")
    assert asked.status_code == 202
    (task,) = (await stage.as_("officer-2").get("/v1/tasks")).json()["items"]
    await stage.as_("officer-2").post(f"/v1/tasks/{task['id']}/claim")
    stage.engine.away = False
    problem = (await stage.as_("officer-1").post(path, body, key="d-1")).json()
    assert (problem["code"], problem["holder"]) == ("task_held", "officer-2")


async def test_a_departure_names_the_reasons_that_it_can_be_reported_with(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.approve()
    body = {"last_day": "2026-03-31", "reason": "revoked"}
    problem = (await stage.as_("employer-a").post(f"/v1/registrations/{reference}/departure", body)).json()
    assert (problem["code"], problem["use"], set(problem["allowed"])) == (
        "reason_not_allowed",
        "E",
        {reason.value for reason in DEPARTURE_REASONS},
    )


async def test_a_field_of_few_words_names_them(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    path = f"/v1/registrations/{reference}/decision"
    answer = await stage.as_("officer-1").post(
        path, {"action": "approved", "round": 1}, headers={"Accept-Language": "zh-Hans"}
    )
    (wrong,) = answer.json()["errors"]
    assert (wrong["field"], wrong["code"], wrong["allowed"]) == (
        "action", "unknown_value", ["approve", "return", "refuse"],
    )  # fmt: skip
    assert "approve、return" in wrong["message"]
    assert "approved" not in answer.text


async def test_a_task_that_takes_other_answers_names_them(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    await walk.act("employer-a", reference, "change", {"contract_end": "2029-12-31"})
    (task,) = (await stage.as_("officer-1").get("/v1/tasks", kind="change")).json()["items"]
    answer = await stage.as_("officer-1").post(f"/v1/tasks/{task['id']}/answer", {"action": "uphold"})
    (wrong,) = answer.json()["errors"]
    assert (wrong["field"], wrong["allowed"]) == ("action", ["take", "decline"]) == ("action", task["answers"])


@pytest.mark.parametrize("use", WORDS.uses)
async def test_the_reasons_of_a_use_are_published_by_themselves(stage: Stage, use: str) -> None:
    found = (await stage.as_("officer-1").get("/v1/reasons", use=use)).json()["items"]
    assert [reason["code"] for reason in found] == list(of_use(use, WORDS.reasons))
    assert all(use in reason["uses"] for reason in found)
    wrong = (await stage.as_("officer-1").get("/v1/reasons", use="Z")).json()
    assert wrong["errors"][0]["allowed"] == list(WORDS.uses)


async def test_a_bulk_approval_says_of_each_case_why_it_was_refused(stage: Stage) -> None:
    walk = Walk(stage)
    clear, stale, unclear = (
        await walk.register(),
        await walk.register(),
        await walk.register(permit_card_number=None, permit_card_valid_until=None),
    )
    held = await walk.register()
    by_case = {
        task["reference"]: task["id"] for task in (await stage.as_("officer-2").get("/v1/tasks")).json()["items"]
    }
    await stage.as_("officer-2").post(f"/v1/tasks/{by_case[held]}/claim")
    wanted = [(clear, 1), (stale, 2), (unclear, 1), (held, 1), ("nothing", 1)]
    body = [{"reference": reference, "round": number} for reference, number in wanted]
    answer = await stage.as_("officer-1").post("/v1/decisions", body)
    items = answer.json()["items"]
    assert [item["status"] for item in items] == [200, 409, 409, 409, 404]
    assert [item.get("code") for item in items] == [None, "stale_round", "wrong_stage", "task_held", "not_found"]
    assert "round 1" in items[1]["detail"]
    assert "clear" in items[2]["detail"]
    assert (items[3]["holder"], "officer-2" in items[3]["detail"]) == ("officer-2", True)
    assert all(item["detail"] for item in items[1:])
    chinese = await stage.as_("officer-1").post("/v1/decisions", body[3:4], headers={"Accept-Language": "zh-Hans"})
    assert "现由 officer-2 办理" in chinese.json()["items"][0]["detail"]


async def test_a_suspension_says_why_where_a_reason_is_given(stage: Stage) -> None:
    path = "/v1/employers/emp-a/standing"
    body = {
        "standing": "suspended", "valid_from": "2026-03-02", "note": "只供内部",
        "reasons": [{"code": "other_authority_asked", "note": "市场监管部门来函"}],
    }  # fmt: skip
    wrong = await stage.as_("supervisor").post(path, {**body, "reasons": [{"code": "resigned"}]})
    assert (wrong.status_code, wrong.json()["use"]) == (422, "H")
    done = await stage.as_("supervisor").post(path, body)
    assert (done.status_code, done.json()["reasons"]) == (200, ["other_authority_asked"])
    await stage.settle()
    (told,) = (await stage.as_("employer-a").get("/v1/notices", kind="employer_suspended")).json()["items"]
    assert reason_sentence("other_authority_asked", Language.ZH_HANS) in told["text"]
    assert "市场监管部门来函" in told["text"]
    assert "只供内部" not in told["text"]
    seen = (await stage.as_("employer-a").get("/v1/employers/emp-a")).json()["standings"]
    assert [each["reasons"] for each in seen] == [["other_authority_asked"]]
    async with stage.context.database.begin() as connection:
        stored = str((await connection.execute(employer_standings.select())).all())
    assert "来函" not in stored
    assert "只供内部" not in stored
    back = await stage.as_("supervisor").post(path, {"standing": "good", "valid_from": "2026-03-02"})
    assert (back.status_code, back.json()["reasons"]) == (200, [])
