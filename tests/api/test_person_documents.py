"""A token that asserts a person's document is a party of that person's cases, whatever addresses others put on them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from api.tokens import IssuerKeys, Tokens
from domain.actors import SESSION_ISSUER
from store.tables import cases, data_keys, ledger, person_documents
from tests.api.callers import AUDIENCE, ISSUER, Caller
from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import registration_body
from tests.json_logs import logging_as_json
from tests.privacy.sweep import places_of

OWN, FOREIGN, HK = "44030419900307123X", "33010619860128072X", "A123456(3)"
THEIRS = "hr@employer-b.example"
MINE = "/v1/me/registrations"


def _with(stage: Stage, number: object = OWN, kind: object = "resident_identity_card", **more: Any) -> Caller:
    """Return a person whose token asserts a document."""
    claims = stage.issuer.claims("person-1", stage.clock(), document_kind=kind, document_number=number, **more)
    return Caller(stage.client, stage.issuer.sign(claims))


async def _seen(caller: Caller) -> list[str]:
    answer = await caller.get(MINE)
    assert answer.status_code == 200, answer.text
    return sorted(each["reference"] for each in answer.json()["items"])


async def _rows(stage: Stage, query: Any) -> list[dict[str, Any]]:
    async with stage.context.database.begin() as connection:
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _two_cases(stage: Stage) -> tuple[str, str]:
    """Return a case that was withdrawn, and one that another employer entered with an address of its own."""
    old = await Walk(stage).register(identity_number=OWN)
    await stage.as_("employer-a").post(f"/v1/registrations/{old}/withdrawal", {})
    await stage.settle()
    body = registration_body(email=THEIRS, phone="+8613900000000")
    body["employment"]["work_site"] = "SZP-101"
    answer = await stage.as_("employer-b").post("/v1/registrations", body)
    assert answer.status_code == 202, answer.text
    await stage.settle()
    return old, str(answer.json()["reference"])


async def test_a_token_with_a_document_is_party_of_all_cases_of_its_person(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    old, false = await _two_cases(stage)
    both = sorted((old, false))
    with logging_as_json():
        me = _with(stage)
        assert await _seen(me) == await _seen(_with(stage, " 440304 19900307123x")) == both
        held = (await me.get("/v1/me/data")).json()
        assert sorted(each["reference"] for each in held["cases"]) == both
        assert any(fact["value"] == OWN for fact in held["cases"][0]["facts"][0]["facts"])
        readings = (await me.get("/v1/me/access-log")).json()["items"]
        assert {(each["reference"], each["role"]) for each in readings} == {(each, "person") for each in both}
        assert (await me.get("/v1/me/access-log/days")).status_code == 200
    assert OWN not in "".join(capsys.readouterr())

    (person,) = {row["person_id"] for row in await _rows(stage, select(cases.c.person_id))}
    signed = select(ledger).where(ledger.c.act == "signed_in", ledger.c.actor_role == "person")
    assert {(row["actor_issuer"], row["actor_subject"], row["detail"]["by"]) for row in await _rows(stage, signed)} == {
        (SESSION_ISSUER, str(person), "document")
    }
    assert len(await _rows(stage, signed)) == 2  # tokens, however often each was used
    assert await _seen(await sign_in(stage, false, email=THEIRS)) == [false]


async def test_another_number_or_kind_sees_nothing_and_is_kept_nowhere(stage: Stage) -> None:
    reference = await Walk(stage).register(identity_number=OWN)
    for number, kind in ((FOREIGN, "resident_identity_card"), (HK, "hk_identity_card")):
        other = _with(stage, number, kind)
        assert await _seen(other) == []
        assert (await other.get("/v1/me/data")).json()["cases"] == []
        assert (await other.get("/v1/me/access-log")).json()["items"] == []
        told = await other.post("/v1/me/complaints", {"reference": reference, "about": "other", "text": "x"})
        assert (told.status_code, told.json()["code"]) == (404, "case_unknown")
    assert await places_of(stage.context, [FOREIGN.encode(), b"A1234563"]) == set()


async def test_a_corrected_number_leaves_the_case_to_whom_it_is_of(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register(identity_number=OWN)
    await walk.decide(reference, "return", "identity_number_wrong")
    assert await _seen(_with(stage)) == [reference]
    right = identity_number(777)
    await walk.act("employer-a", reference, "correction", {"person": {"identity_number": right}})

    assert await _seen(_with(stage)) == []
    assert await _seen(_with(stage, right)) == [reference]


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"number": OWN},
        {"kind": "resident_identity_card"},
        {"number": 440304199003071, "kind": "resident_identity_card"},
        {"number": [OWN], "kind": "resident_identity_card"},
        {"number": OWN, "kind": "identity_card"},
        {"number": OWN, "kind": "residence_permit"},
        {"number": "440304199003071239", "kind": "resident_identity_card"},
        {"number": "L898902C3", "kind": "passport"},
        {"number": OWN, "kind": "resident_identity_card", "document_place": 1},
    ],
)
async def test_a_token_without_a_whole_document_is_no_party_and_is_told_so_without_its_number(
    stage: Stage, claims: dict[str, Any]
) -> None:
    caller = _with(stage, claims.pop("number", None), claims.pop("kind", None), **claims)
    answer = await caller.get(MINE)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert not any(number in answer.text for number in (OWN, "440304199003071239", "L898902C3"))


async def test_claims_are_read_only_where_they_are_named_and_of_persons_alone(stage: Stage) -> None:
    claims = stage.issuer.claims("person-1", stage.clock(), document_kind="resident_identity_card", document_number=OWN)
    wiring = stage.app.state.wiring
    keys: IssuerKeys = wiring.tokens._keys
    off = Tokens(keys, issuer=ISSUER, audience=AUDIENCE, clock=stage.clock)
    assert (await off.identify(f"Bearer {stage.issuer.sign(claims)}", "c")).document is None
    for role, more in (("officer", {}), ("employer", {"employer_id": "emp-a"})):
        token = stage.issuer.sign(claims | {"role": role} | more)
        assert (await wiring.tokens.identify(f"Bearer {token}", "c")).document is None
        assert (await Caller(stage.client, token).get(MINE)).status_code == 403
    me = _with(stage)
    assert (await me.get("/v1/registrations")).status_code == 403
    assert (await me.send("POST", "/v1/me/sign-out")).status_code == 401  # a token ends at its issuer


async def test_what_is_said_by_document_is_for_it_alone(stage: Stage) -> None:
    _, false = await _two_cases(stage)
    me = _with(stage)
    asked = {"reference": false, "about": "facts_wrong", "text": "我不在那裡工作"}
    assert (await me.post("/v1/me/complaints", asked)).status_code == 202
    by_address = await sign_in(stage, false, email=THEIRS)
    assert (await by_address.get("/v1/me/objections")).json()["items"] == []
    (waiting,) = (await stage.as_("officer-1").get("/v1/objections")).json()["items"]
    path = f"/v1/objections/{waiting['id']}/answer"
    answered = await stage.as_("officer-1").post(path, {"outcome": "upheld", "text": "已處理"})
    assert answered.status_code == 200, answered.text
    (mine,) = (await me.get("/v1/me/objections")).json()["items"]
    assert (mine["text"], mine["answer"]) == ("我不在那裡工作", "已處理")
    told = text("SELECT count(*) FROM notices WHERE kind = 'complaint_answered'")
    assert (await _rows(stage, told))[0]["count"] == 0  # the address is one that the employer gave


async def test_a_document_of_before_gets_kind_and_number_when_it_is_shown_and_nobody_has_it_once_erased(
    stage: Stage,
) -> None:
    reference = await Walk(stage).register(identity_number=OWN)
    (kept,) = await _rows(stage, select(person_documents))
    assert (kept["kind"], kept["place"]) == ("resident_identity_card", "CN")
    async with stage.context.database.begin() as connection:
        await connection.execute(update(person_documents).values(kind=None, place=None, number=None))
    assert await _seen(_with(stage)) == [reference]
    (shown,) = await _rows(stage, select(person_documents))
    assert {name for name, value in shown.items() if value != kept[name]} == {"number"}
    assert await places_of(stage.context, [OWN.encode()]) >= {"person_documents.number"}
    stage.clock.at += timedelta(hours=1)
    async with stage.context.database.begin() as connection:
        await connection.execute(update(data_keys).values(wrapped=None, destroyed_at=stage.clock.at))
    assert await _seen(_with(stage)) == []
