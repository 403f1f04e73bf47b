"""Complaints and disputes of a signed-in person: kept with their act, seen by staff, answered, and of no employer."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select, text

from store.tables import ledger, notices
from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import registration_body

MAIL, PHONE = "feng@example.com", "+8613812345678"
WORDS, ANSWER = "姓名寫錯了並且沒有人回覆", "已更正姓名"


async def _acts(stage: Stage) -> dict[str, list[str]]:
    """Return the acts of the ledger with the chains that they stand in."""
    found: dict[str, list[str]] = {}
    async with stage.context.database.begin() as connection:
        for act, chain in await connection.execute(select(ledger.c.act, ledger.c.chain)):
            found.setdefault(act, []).append(chain)
    return found


async def test_a_complaint_is_kept_with_its_act_answered_by_staff_and_told_to_the_person_alone(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    me = await sign_in(stage, reference, email=MAIL)
    body = {"reference": reference, "about": "facts_wrong", "text": WORDS}

    taken = await me.post("/v1/me/complaints", body, key="c-1")
    again = await me.post("/v1/me/complaints", body, key="c-1")
    other = await me.post("/v1/me/complaints", {**body, "text": "Another."}, key="c-1")

    assert (taken.status_code, again.text) == (202, taken.text)
    assert other.json()["code"] == "idempotency_key_reused"
    assert taken.json()["due_at"].startswith("2026-03-23")  # fifteen working days from 2 March
    assert len((await _acts(stage))["complaint_received"]) == 1
    for persona, status in (("employer-a", 403), ("operator", 403), ("auditor", 200), ("officer-1", 200)):
        assert (await stage.as_(persona).get("/v1/objections")).status_code == status, persona
    stage.clock.at += timedelta(days=22)
    stage._callers.clear()  # their tokens are over
    (waiting,) = (await stage.as_("officer-1").get("/v1/objections")).json()["items"]
    assert (waiting["text"], waiting["overdue"], waiting["state"]) == (WORDS, True, "open")
    path = f"/v1/objections/{waiting['id']}/answer"
    answered = await stage.as_("officer-1").post(path, {"outcome": "upheld", "text": ANSWER})
    assert answered.status_code == 200, answered.text
    twice = await stage.as_("officer-2").post(path, {"outcome": "not_upheld", "text": "No."})
    assert (twice.status_code, twice.json()["code"]) == (409, "already_decided")
    assert (await stage.as_("officer-1").get("/v1/objections")).json()["items"] == []
    by_phone = await sign_in(stage, reference, phone=PHONE)
    assert (await by_phone.get("/v1/me/objections")).json()[
        "items"
    ] == []  # the words are for the address that said them
    me = await sign_in(stage, reference, email=MAIL)
    (mine,) = (await me.get("/v1/me/objections")).json()["items"]
    assert (mine["answer"], mine["outcome"], mine["answered_by_role"]) == (ANSWER, "upheld", "officer")
    assert "officer-1" not in str(mine)
    log = (await me.get("/v1/me/access-log")).json()["items"]
    assert ("complaint", ["objections"]) in [(row["purpose"], row["fields"]) for row in log]
    async with stage.context.database.begin() as connection:
        query = select(notices.c.recipient).where(notices.c.kind == "complaint_answered")
        assert (await connection.execute(query)).scalars().all() == ["person"]
        for table in ("ledger", "objections", "idempotency", "notices"):
            stored = "\n".join((await connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars())
            assert not [w for w in (WORDS, ANSWER, WORDS.encode().hex()) if w in stored], table


async def test_nobody_objects_in_the_name_of_another(stage: Stage) -> None:
    walk = Walk(stage)
    mine, other = await walk.register(), await walk.register()
    me = await sign_in(stage, mine, email=MAIL)
    for reference in (other, "HT-0000-0000-E", "no reference"):
        complaint = {"reference": reference, "about": "other", "text": WORDS}
        for path, body in (("complaints", complaint), ("disputes", {"reference": reference, "text": WORDS})):
            answer = await me.post(f"/v1/me/{path}", body)
            assert (answer.status_code, answer.json()["code"]) == (404, "case_unknown"), (path, reference)
    assert not {"complaint_received", "dispute_received"} & set(await _acts(stage))
    answer = await stage.as_("officer-1").post(f"/v1/objections/{uuid4()}/answer", {"outcome": "upheld", "text": "x"})
    assert answer.status_code == 404


async def test_a_disputed_departure_goes_before_an_officer_whose_answer_the_person_sees(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.approve()
    me = await sign_in(stage, reference, email=MAIL)
    body = {"reference": reference.lower(), "text": WORDS}
    early = await me.post("/v1/me/disputes", body)
    assert (early.status_code, early.json()["code"]) == (409, "wrong_stage")
    await walk.act("employer-a", reference, "departure", {"last_day": "2026-12-31", "reason": "resigned"})

    first = await me.post("/v1/me/disputes", body, key="d-1")
    await stage.settle()
    again = await me.post("/v1/me/disputes", body, key="d-1")
    more = await me.post("/v1/me/disputes", body, key="d-2")

    assert (first.status_code, again.text) == (202, first.text)
    assert (more.status_code, more.json()["code"]) == (409, "already_decided")
    acts = await _acts(stage)
    assert (len(acts["dispute_received"]), acts["departure_disputed"]) == (1, [reference])
    (shown,) = (await me.get("/v1/me/registrations")).json()["items"]
    assert shown["departure"]["disputed"] is True
    (waiting,) = (await stage.as_("officer-1").get("/v1/objections")).json()["items"]
    assert (waiting["kind"], waiting["text"]) == ("dispute", WORDS)
    wrong = await stage.as_("officer-1").post(
        f"/v1/objections/{waiting['id']}/answer", {"outcome": "upheld", "text": "x"}
    )
    assert wrong.json()["code"] == "wrong_stage"
    (task,) = (await stage.as_("officer-1").get("/v1/tasks", kind="departure_disputed")).json()["items"]
    answer = await stage.as_("officer-1").post(f"/v1/tasks/{task['id']}/answer", {"action": "set_aside"})
    assert answer.status_code == 200, answer.text
    (mine,) = (await me.get("/v1/me/objections")).json()["items"]
    assert (mine["state"], mine["outcome"]) == ("answered", "set_aside")


async def test_a_contested_fact_goes_before_another_officer_whose_answer_the_person_sees(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register(permit_card_valid_until="2026-12-31")
    seen = {"field": "person.permit_card_valid_until", "value": "2036-05-31", "seen_in": "The card.", "round": 1}
    for _ in range(2):
        await walk.act("officer-1", reference, "facts", seen)
    me = await sign_in(stage, reference, email=MAIL)
    (shown,) = (await me.get("/v1/me/registrations")).json()["items"]
    assert [(each["number"], each["state"]) for each in shown["recorded_facts"]] == [(1, "replaced"), (2, "stands")]
    gone = await me.post("/v1/me/contests", {"reference": reference, "fact": 1, "text": WORDS})
    assert (gone.status_code, gone.json()["code"]) == (409, "wrong_stage")

    body = {"reference": reference, "fact": 2, "text": WORDS}
    first = await me.post("/v1/me/contests", body, key="f-1")
    await stage.settle()
    again = await me.post("/v1/me/contests", body, key="f-1")
    more = await me.post("/v1/me/contests", body, key="f-2")

    assert (first.status_code, again.text) == (202, first.text)
    assert (more.status_code, more.json()["code"]) == (409, "already_decided")
    (waiting,) = (await stage.as_("officer-2").get("/v1/objections")).json()["items"]
    assert (waiting["kind"], waiting["about"], waiting["text"]) == ("dispute", "fact/2", WORDS)
    by_phone = await sign_in(stage, reference, phone=PHONE)
    assert WORDS not in (await by_phone.get("/v1/me/data")).text  # they are for the address that said them
    assert WORDS in (await me.get("/v1/me/data")).text
    (task,) = (await stage.as_("officer-2").get("/v1/tasks", kind="fact_contested")).json()["items"]
    own = await stage.as_("officer-1").post(f"/v1/tasks/{task['id']}/answer", {"action": "uphold"})
    assert (own.status_code, own.json()["code"]) == (409, "same_signer")
    answer = await stage.as_("officer-2").post(f"/v1/tasks/{task['id']}/answer", {"action": "set_aside"})
    assert answer.status_code == 200, answer.text
    (mine,) = (await me.get("/v1/me/objections")).json()["items"]
    assert (mine["state"], mine["outcome"]) == ("answered", "set_aside")


async def test_a_person_reports_a_lost_card_of_their_own_case_alone(stage: Stage) -> None:
    walk = Walk(stage)
    reference, other = await walk.approve(), await walk.register()
    await walk.answer(reference, "accepted")
    dates = {"valid_from": "2026-03-02", "valid_until": "2029-03-01", "stay_days": 30, "entries": "multiple"}
    await walk.answer(reference, "issued", **dates)
    me = await sign_in(stage, reference, email=MAIL)
    body = {"reference": reference.lower(), "destination": "HK", "lost_on": "2026-03-02"}
    for given in (other, "HT-0000-0000-E"):
        strange = await me.post("/v1/me/lost-cards", body | {"reference": given})
        assert (strange.status_code, strange.json()["code"]) == (404, "case_unknown")
    to_come = await me.post("/v1/me/lost-cards", body | {"lost_on": "2027-03-01"})
    assert (to_come.status_code, to_come.json()["errors"][0]["field"]) == (422, "lost_on")
    none = await me.post("/v1/me/lost-cards", body | {"destination": "MO"})
    assert (none.status_code, none.json()["code"]) == (409, "wrong_stage")

    first = await me.post("/v1/me/lost-cards", body, key="l-1")
    await stage.settle()
    again = await me.post("/v1/me/lost-cards", body, key="l-1")

    assert (first.status_code, again.text) == (202, first.text)
    assert first.json() == {"reference": reference, "destination": "HK", "status": "received"}
    assert (await _acts(stage))["card_lost"] == [reference]
    permits = (await walk.case("employer-a", reference))["permits"]
    assert {each["destination"]: each["card_lost_on"] for each in permits} == {"HK": "2026-03-02", "MO": None}


async def test_an_objection_of_an_erased_person_has_no_words(stage: Stage) -> None:
    body = registration_body(identity_number=identity_number(901))
    reference = (await stage.as_("employer-a").post("/v1/registrations", body)).json()["reference"]
    await stage.settle()
    me = await sign_in(stage, reference, email=MAIL)
    await me.post("/v1/me/complaints", {"reference": reference, "about": "erasure", "text": WORDS})
    async with stage.context.database.begin() as connection:
        gone = "UPDATE data_keys SET wrapped = NULL WHERE key_id IN (SELECT key_id FROM persons)"
        await connection.execute(text(gone))
    (waiting,) = (await stage.as_("officer-1").get("/v1/objections")).json()["items"]
    assert waiting["text"] is None
    path = f"/v1/objections/{waiting['id']}/answer"
    answer = await stage.as_("officer-1").post(path, {"outcome": "upheld", "text": "x"})
    assert (answer.status_code, answer.json()["code"]) == (410, "facts_erased")
