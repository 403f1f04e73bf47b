"""Drafts: kept for whoever writes them, changed by one tab at a time, and gone with time or with their person."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio
from sqlalchemy import select

from privacy import retention
from store import tables
from store.forgetting import forget
from tests.api.callers import Caller
from tests.api.conftest import Stage
from tests.api.employer_change import MAIL, NUMBER, Change, registered
from tests.api.persons import sign_in

PATH = "/v1/drafts"
FORM = {"programme": "talent_permit", "content": {"person": {"name_zh": "曹雪", "identity_number": NUMBER.lower()}}}


@pytest_asyncio.fixture
async def change(stage: Stage) -> Change:
    return await registered(stage)


async def _begun(caller: Caller, **more: Any) -> dict[str, Any]:
    answer = await caller.post(PATH, {**FORM, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    begun: dict[str, Any] = answer.json()
    return begun


async def _put(caller: Caller, draft: str, content: Any, etag: str | None) -> Any:
    headers = {"Idempotency-Key": uuid4().hex} | ({} if etag is None else {"If-Match": etag})
    return await caller.send("PUT", f"{PATH}/{draft}", json={"content": content}, headers=headers)


async def test_of_two_tabs_the_second_is_told_and_changes_nothing(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    draft = (await _begun(employer))["id"]
    first = await _put(employer, draft, {"person": {"name_zh": "曹雪芹"}}, '"1"')
    assert (first.status_code, first.headers["etag"], first.json()["version"]) == (200, '"2"', 2), first.text
    second = await _put(employer, draft, {"person": {"name_zh": "其他"}}, '"1"')
    assert (second.status_code, second.json()["code"]) == (409, "draft_changed")
    assert (await _put(employer, draft, {}, None)).json()["code"] == "malformed"
    shown = await employer.get(f"{PATH}/{draft}")
    assert (shown.json()["content"], shown.headers["etag"]) == ({"person": {"name_zh": "曹雪芹"}}, '"2"')
    assert shown.headers["cache-control"] == "no-store"
    # What is kept is sealed, the number in it a keyed hash.
    async with stage.context.database.begin() as connection:
        (row,) = (await connection.execute(select(tables.drafts))).mappings()
    assert "曹雪芹".encode() not in row["body"]


async def test_a_draft_is_seen_by_its_owner_alone(change: Change) -> None:
    stage, me = change.stage, change.me()
    decision = {"programme": "talent_permit", "kind": "decision", "reference": change.old, "content": {"note": "x"}}
    officer = stage.as_("officer-1")
    kept = await officer.post(PATH, decision)
    assert kept.status_code == 201, kept.text
    ids = {"employer": (await _begun(stage.as_("employer-a")))["id"], "person": (await _begun(me))["id"]}
    ids["officer"] = kept.json()["id"]
    callers = {"employer": stage.as_("employer-a"), "person": me, "officer": officer}
    others = [stage.as_("employer-b"), stage.as_("officer-2"), stage.as_("supervisor")]
    for name, caller in callers.items():
        listed = (await caller.get(PATH)).json()["items"]
        assert [each["id"] for each in listed] == [ids[name]]
        for draft in ids.values():
            assert (await caller.get(f"{PATH}/{draft}")).status_code == (200 if draft == ids[name] else 404)
    for caller in others:
        assert (await caller.get(PATH)).json()["items"] == []
        assert {(await caller.get(f"{PATH}/{draft}")).status_code for draft in ids.values()} == {404}
        assert {(await _put(caller, draft, {}, '"1"')).status_code for draft in ids.values()} == {404}
    # The session of a link shows one address alone, and keeps no drafts.
    by_link = await sign_in(stage, change.old, email=MAIL)
    assert (await by_link.get(PATH)).status_code == 403
    # Each keeps drafts of what is theirs to write.
    assert (await officer.post(PATH, FORM)).json()["errors"][0]["field"] == "kind"
    assert (await me.post(PATH, decision)).json()["errors"][0]["field"] == "kind"
    assert (await officer.post(PATH, {**decision, "reference": "HT-0000-0000-E"})).json()["code"] == "case_unknown"


async def test_who_has_no_case_yet_keeps_a_draft_too(stage: Stage) -> None:
    claims = {"document_kind": "resident_identity_card", "document_number": NUMBER}
    token = stage.issuer.sign(stage.issuer.claims("person-1", stage.clock(), **claims))
    nobody_yet = Caller(stage.client, token)
    draft = (await _begun(nobody_yet, programme="appraisal"))["id"]
    assert (await nobody_yet.get(f"{PATH}/{draft}")).json()["content"] == FORM["content"]
    token = stage.issuer.sign(stage.issuer.claims("person-1", stage.clock()))
    assert (await Caller(stage.client, token).get(PATH)).status_code == 403


async def test_a_draft_goes_thirty_days_after_its_last_change_or_when_it_is_deleted(stage: Stage) -> None:
    employer, officerless = stage.as_("employer-a"), stage.as_("employer-b")
    draft, other = (await _begun(employer))["id"], (await _begun(officerless))["id"]
    key = {"Idempotency-Key": uuid4().hex}
    assert (await officerless.send("DELETE", f"{PATH}/{draft}", headers=key)).status_code == 204
    assert (await employer.get(f"{PATH}/{draft}")).status_code == 200
    key = {"Idempotency-Key": uuid4().hex}
    assert (await officerless.send("DELETE", f"{PATH}/{other}", headers=key)).status_code == 204
    assert (await officerless.get(f"{PATH}/{other}")).status_code == 404
    stage.clock.at += timedelta(days=30)
    stage._callers.clear()
    assert (await stage.as_("employer-a").get(f"{PATH}/{draft}")).status_code == 404
    assert await retention.forget_answers(stage.context, stage.clock()) > 0
    async with stage.context.database.begin() as connection:
        assert (await connection.execute(select(tables.drafts))).all() == []


async def test_whoever_is_erased_takes_along_what_names_them_in_drafts_of_others(change: Change) -> None:
    stage = change.stage
    about, of_another = (
        await _begun(stage.as_("employer-b")),
        await _begun(stage.as_("employer-b"), content={"person": {"identity_number": "33010619860128072X"}}),
    )
    mine = await _begun(change.me(), content={"note": "no number here"})
    async with stage.context.database.begin() as connection:
        query = select(tables.drafts.c.key_id).where(tables.drafts.c.draft_id == UUID(mine["id"]))
        own_key = (await connection.execute(query)).scalar_one()
        person_id = (await connection.execute(select(tables.cases.c.person_id))).scalar_one()
    async with stage.context.database.begin() as connection:
        await forget(
            connection,
            keys=[],
            persons=[person_id],
            references=[change.old],
            at=stage.clock(),
            own=stage.context.own_tables,
        )
    async with stage.context.database.begin() as connection:
        left = set((await connection.execute(select(tables.drafts.c.draft_id))).scalars())
        wrapped = select(tables.data_keys.c.wrapped).where(tables.data_keys.c.key_id == own_key)
        assert (await connection.execute(wrapped)).scalar_one() is None
    assert left == {UUID(of_another["id"])}
    assert about["id"] != of_another["id"]


async def test_what_is_too_much_is_refused(stage: Stage) -> None:
    refused = await stage.as_("employer-a").post(PATH, {**FORM, "content": {"note": "x" * 70_000}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "content")
    refused = await stage.as_("employer-a").post(PATH, {**FORM, "programme": "none"})
    assert refused.json()["errors"][0]["field"] == "programme"
