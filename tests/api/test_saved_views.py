"""Saved views: each its owner's alone, at most fifty, and nothing in them that may be a name."""

from typing import Any
from uuid import uuid4

from tests.api.conftest import Stage

PATH = "/v1/saved-views"
VIEW: dict[str, Any] = {"name": "今天到期", "list": "inbox", "filter": {"kind": "review", "holder": "me"}}


async def test_a_view_is_its_owners_alone(stage: Stage) -> None:
    officer, other = stage.as_("officer-1"), stage.as_("officer-2")
    saved = await officer.post(PATH, VIEW)
    assert saved.status_code == 201, saved.text
    (shown,) = (await officer.get(PATH)).json()["items"]
    assert (shown["name"], shown["filter"]) == (VIEW["name"], VIEW["filter"])
    assert (await other.get(PATH)).json()["items"] == []
    gone = f"{PATH}/{saved.json()['id']}"
    assert (await other.send("DELETE", gone, headers={"Idempotency-Key": uuid4().hex})).status_code == 204
    assert len((await officer.get(PATH)).json()["items"]) == 1
    assert (await officer.send("DELETE", gone, headers={"Idempotency-Key": uuid4().hex})).status_code == 204
    assert (await officer.get(PATH)).json()["items"] == []


async def test_what_may_be_a_name_is_not_kept(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    for wrong in ({"q": "x"}, {"stage": "曹雪"}, {"cursor": "x"}):
        refused = await employer.post(PATH, {"name": "x", "list": "cases", "filter": wrong})
        assert refused.status_code == 422, refused.text
    assert (await employer.post(PATH, VIEW)).json()["errors"][0]["field"] == "list"
    kept = await employer.post(PATH, {"name": "x", "list": "cases", "filter": {"needs": "employer"}})
    assert kept.status_code == 201, kept.text


async def test_at_most_fifty_are_kept(stage: Stage) -> None:
    officer = stage.as_("officer-1")
    assert [(await officer.post(PATH, VIEW)).status_code for _ in range(51)] == [201] * 50 + [409]
