"""What staff and auditors read of the words in which something was asked of a case."""

from typing import Any

from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.walk import Walk

PURPOSE = {"Purpose": "case_review"}


async def _contested(walk: Walk) -> str:
    reference = await walk.register()
    await walk.decide(reference, "return", "identity_number_wrong")
    await walk.act("employer-a", reference, "contest", {"note": "The photograph is the one of 2026."})
    return reference


async def _requests(stage: Stage, persona: str, reference: str, **query: Any) -> dict[str, Any]:
    path = f"/v1/registrations/{reference}/requests"
    answer = await stage.as_(persona).get(path, headers=PURPOSE, **query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_an_officer_reads_why_the_employer_contests_and_an_auditor_what_staff_noted(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await _contested(walk)
    number = (await walk.case("officer-1", reference))["round"]
    decided = {"action": "approve", "round": number, "reasons": [], "note": "Compared with the original."}
    await walk.act("officer-1", reference, "decision", decided)

    found = (await _requests(stage, "auditor", reference))["items"]

    assert [(each["kind"], each["role"], each["state"]) for each in found] == [
        ("start", "employer", "applied"),
        ("decide", "officer", "applied"),
        ("contest", "employer", "applied"),
        ("decide", "officer", "applied"),
    ]
    assert found[2]["content"] == {"note": "The photograph is the one of 2026."}
    assert found[3]["content"]["note"] == "Compared with the original."
    assert (await _requests(stage, "officer-2", reference))["items"] == found


async def test_a_change_shows_what_is_wanted(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.approve()
    await walk.act("employer-a", reference, "change", {"name_zh": "冯承择"})

    found = (await _requests(stage, "officer-1", reference))["items"]

    assert (found[-1]["kind"], found[-1]["content"]) == ("change", {"name_zh": "冯承择"})


async def test_the_pages_join_without_gap(stage: Stage) -> None:
    reference = await _contested(Walk(stage))
    whole = (await _requests(stage, "officer-1", reference))["items"]

    first = await _requests(stage, "officer-1", reference, limit=1)
    second = await _requests(stage, "officer-1", reference, limit=2, cursor=first["next_cursor"])

    assert first["items"] + second["items"] == whole
    assert second["next_cursor"] is None


async def test_the_reading_needs_a_purpose_and_the_person_hears_of_it(stage: Stage) -> None:
    reference = await _contested(Walk(stage))
    path = f"/v1/registrations/{reference}/requests"
    without = await stage.as_("officer-1").get(path)
    assert (without.status_code, without.json()["code"]) == (400, "purpose_missing")
    assert (await stage.as_("employer-a").get(path, headers=PURPOSE)).status_code == 403
    await _requests(stage, "officer-1", reference)
    me = await sign_in(stage, reference, email="feng@example.com")

    log = (await me.get("/v1/me/access-log", headers={"Accept-Language": "en"})).json()["items"]

    (row,) = [each for each in log if each["fields"] == ["requests"]]
    assert (row["purpose"], row["fields_text"]) == ("case_review", ["Requests and notes"])


async def test_an_unknown_case_and_a_foreign_cursor_are_refused(stage: Stage) -> None:
    walk = Walk(stage)
    reference, other = await _contested(walk), await _contested(walk)
    answer = await stage.as_("auditor").get("/v1/registrations/HT-0000-0000-0/requests", headers=PURPOSE)
    assert (answer.status_code, answer.json()["code"]) == (404, "case_unknown")
    cursor = (await _requests(stage, "officer-1", reference, limit=1))["next_cursor"]
    answer = await stage.as_("officer-1").get(
        f"/v1/registrations/{other}/requests", headers=PURPOSE, limit=1, cursor=cursor
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")
