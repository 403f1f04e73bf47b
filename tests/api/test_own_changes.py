"""What a person has changed of their own over HTTP: taken on, shown with its day, answered, and told whose it was."""

from domain.languages import Language
from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.walk import Walk

MAIL = "feng@example.com"
CARD = {"permit_card_number": "C87654321", "permit_card_valid_until": "2037-01-31"}
ENGLISH = {"Accept-Language": Language.EN.value}


async def test_a_person_has_their_card_changed_and_reads_what_became_of_it(stage: Stage) -> None:
    walk = Walk(stage)
    reference, other = await walk.approve(), await walk.register()
    me = await sign_in(stage, reference, email=MAIL)
    strange = await me.post("/v1/me/changes", {"reference": other, **CARD})
    assert (strange.status_code, strange.json()["code"]) == (404, "case_unknown")
    employers = await me.post("/v1/me/changes", {"reference": reference, "position": "所长"})
    assert (employers.status_code, employers.json()["errors"][0]["code"]) == (422, "unknown_field")
    none = await me.post("/v1/me/changes", {"reference": reference})
    assert none.status_code == 422

    asked = await me.post("/v1/me/changes", {"reference": reference.lower(), **CARD}, key="c-1")
    await stage.settle()
    again = await me.post("/v1/me/changes", {"reference": reference.lower(), **CARD}, key="c-1")

    assert (asked.status_code, again.text) == (202, asked.text)
    assert asked.json() == {"reference": reference, "fields": sorted(CARD), "status": "received"}
    (mine,) = (await me.get("/v1/me/registrations", headers=ENGLISH)).json()["items"]
    assert mine["pending_change"]["fields"] == sorted(CARD)
    assert mine["pending_change"]["due_at"].startswith("2026-03-09")
    twice = await me.post("/v1/me/changes", {"reference": reference, **CARD})
    assert (twice.status_code, twice.json()["code"]) == (409, "already_decided")
    assert (
        "waits for an officer"
        in (await me.post("/v1/me/changes", {"reference": reference, **CARD}, headers=ENGLISH)).text
    )
    officer = stage.as_("officer-1")
    assert (await officer.get(f"/v1/registrations/{reference}/change")).status_code == 400
    seen = await officer.get(f"/v1/registrations/{reference}/change", headers={"Purpose": "case_review"})
    assert [each["wanted"] for each in seen.json()["fields"]] == list(CARD.values())
    (task,) = (await officer.get("/v1/tasks", kind="change")).json()["items"]
    assert "C8765" not in str(task)
    answer = await officer.post(f"/v1/tasks/{task['id']}/answer", {"action": "take"})
    assert answer.status_code == 200, answer.text
    await stage.settle()

    held = (await me.get("/v1/me/data", headers=ENGLISH)).json()["cases"][0]
    assert [(each["version"], each["given_by"]) for each in held["facts"]][1] == (2, "you")
    assert "change_taken" in [each["kind"] for each in held["notices"]]
    gone = await officer.get(f"/v1/registrations/{reference}/change", headers={"Purpose": "case_review"})
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
