"""Pages of lists and their cursors."""

import base64
from typing import Any

import pytest

from api.cursors import Cursors
from domain.errors import Refused
from tests.api.conftest import Stage
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import registration_body

KEY = b"k" * 32


async def register_three(stage: Stage) -> list[str]:
    walk = Walk(stage)
    return [await walk.register() for _ in range(3)]


async def test_pages_hold_every_case_once_in_order(stage: Stage) -> None:
    references = set(await register_three(stage))
    employer = stage.as_("employer-a")

    found: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await employer.get("/v1/registrations", **query)).json()
        found += [item["reference"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert cursor is None
    assert len(found) == 3
    assert set(found) == references


async def test_staff_finds_a_person_within_the_employer_it_names(stage: Stage) -> None:
    walk = Walk(stage)
    wanted, _ = await walk.register(name_zh="温书言"), await walk.register()
    officer, path = stage.as_("officer-1"), "/v1/registrations"

    found = (await officer.get(path, q="温书言", employer_id="emp-a")).json()["items"]
    elsewhere = (await officer.get(path, q="温书言", employer_id="emp-b")).json()["items"]
    all_of_one = (await officer.get(path, employer_id="emp-a")).json()["items"]
    nowhere = await officer.get(path, q="温书言")
    own = (await stage.as_("employer-a").get(path, q="温书言")).json()["items"]
    foreign = (await stage.as_("employer-a").get(path, q="温书言", employer_id="emp-b")).json()["items"]

    assert [case["reference"] for case in found] == [case["reference"] for case in own] == [wanted]
    assert (elsewhere, foreign, len(all_of_one)) == ([], [], 2)
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "invalid")
    assert [error["field"] for error in nowhere.json()["errors"]] == ["employer_id"]


async def test_a_look_up_finds_what_was_sent_in_another_normal_form(stage: Stage) -> None:
    walk = Walk(stage)
    wanted = await walk.register(name_zh="\uf90a秀兰")  # kept as U+91D1
    other, number = await walk.register(name_zh="José"), identity_number(102)
    employer, path = stage.as_("employer-a"), "/v1/registrations"

    for q, reference in (
        ("\uf90a秀兰", wanted),
        ("金秀兰 ", wanted),
        ("Jose\u0301", other),
        (_wide(number[-4:]), other),
    ):
        found = (await employer.get(path, q=q)).json()["items"]
        assert [case["reference"] for case in found] == [reference], q

    blank = await employer.get(path, q="\u3164")
    assert [(error["field"], error["code"]) for error in blank.json()["errors"]] == [("q", "bad_characters")]


async def test_a_client_reference_is_found_in_another_normal_form(stage: Stage) -> None:
    employer, path = stage.as_("employer-a"), "/v1/registrations"
    body = registration_body() | {"client_reference": "Cafe\u0301-1"}
    assert (await employer.post(path, body)).status_code == 202

    for sent in ("Cafe\u0301-1", "Café-1", " Café-1 "):
        assert len((await employer.get(path, client_reference=sent)).json()["items"]) == 1, sent


def _wide(text: str) -> str:
    """Return a text in full width."""
    return "".join(chr(ord(mark) + 0xFEE0) for mark in text)


async def test_a_page_of_tasks_goes_on_where_the_last_ended(stage: Stage) -> None:
    await register_three(stage)
    officer = stage.as_("officer-1")
    first = (await officer.get("/v1/tasks", limit=2)).json()
    second = (await officer.get("/v1/tasks", limit=2, cursor=first["next_cursor"])).json()

    ids = [task["id"] for task in first["items"] + second["items"]]
    assert len(set(ids)) == 3
    assert second["next_cursor"] is None


async def test_a_cursor_serves_its_own_list_query_and_caller_only(stage: Stage) -> None:
    await register_three(stage)
    employer = stage.as_("employer-a")
    cursor = (await employer.get("/v1/registrations", limit=1)).json()["next_cursor"]

    others: list[Any] = [
        await employer.get("/v1/registrations", limit=1, cursor=cursor, stage="approved"),
        await employer.get("/v1/registrations", limit=1, cursor=cursor[:-1] + ("A" if cursor[-1] != "A" else "B")),
        await employer.get("/v1/registrations", limit=1, cursor=cursor + "A"),
        await employer.get("/v1/registrations", limit=1, cursor="é"),
        await stage.as_("employer-b").get("/v1/registrations", limit=1, cursor=cursor),
        await stage.as_("officer-1").get("/v1/tasks", limit=1, cursor=cursor),
    ]
    assert {answer.status_code for answer in others} == {400}
    assert {answer.json()["code"] for answer in others} == {"cursor_invalid"}
    assert (await employer.get("/v1/registrations", limit=2, cursor=cursor)).status_code == 200


def test_every_altered_byte_of_a_cursor_is_noticed() -> None:
    cursors = Cursors(KEY)
    cursor = cursors.write(["a", 1], binding=("list", "emp-a"))
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    for at in range(len(raw)):
        altered = bytearray(raw)
        altered[at] ^= 1
        with pytest.raises(Refused):
            cursors.read(base64.urlsafe_b64encode(altered).decode().rstrip("="), binding=("list", "emp-a"))
    assert cursors.read(cursor, binding=("list", "emp-a")) == ("a", 1)
