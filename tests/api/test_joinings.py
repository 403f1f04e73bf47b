"""Two persons of the register who are one human: joined by two signatures, parted by two, and erased as one."""

from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from store import tables
from tests.api.callers import Caller
from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import registration_body
from tests.privacy.sweep import places_of

FIRST, SECOND = identity_number(501), identity_number(502)
PATH = "/v1/person-joinings"
PROOF = "两证同时出示，照片一致。"


def _by(stage: Stage, number: str) -> Caller:
    """Return a person whose token asserts an identity card."""
    claims = stage.issuer.claims(
        "person-1", stage.clock(), document_kind="resident_identity_card", document_number=number
    )
    return Caller(stage.client, stage.issuer.sign(claims))


async def _seen(stage: Stage, number: str) -> list[str]:
    answer = await _by(stage, number).get("/v1/me/registrations")
    assert answer.status_code == 200, answer.text
    return sorted(each["reference"] for each in answer.json()["items"])


async def _post(stage: Stage, persona: str, path: str, body: Any) -> Any:
    answer = await stage.as_(persona).post(path, body)
    await stage.settle()
    return answer


async def _rows(stage: Stage, table: Any, *where: Any) -> list[dict[str, Any]]:
    async with stage.context.database.begin() as connection:
        return [dict(row) for row in (await connection.execute(select(table).where(*where))).mappings()]


async def _two(stage: Stage) -> tuple[str, str]:
    """Return the live case of one person and the withdrawn one of another, who are one human."""
    walk = Walk(stage)
    old = await walk.register(identity_number=SECOND, email="old@example.com", phone=None, language="en")
    await walk.act("employer-a", old, "withdrawal", {})
    return await walk.register(identity_number=FIRST, email="new@example.com", phone="+8613812345678"), old


def _asked(kept: str, joined: str, more: dict[str, Any] | None = None) -> dict[str, Any]:
    by = {"kept": {"reference": kept}, "joined": {"reference": joined}}
    return by | {"reason": "other_document", "proof": PROOF} | (more or {})


async def _propose(stage: Stage, kept: str, joined: str, persona: str = "officer-1") -> str:
    answer = await _post(stage, persona, PATH, _asked(kept, joined))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def _sign(stage: Stage, joining_id: str, persona: str = "officer-2", action: str = "confirm") -> Any:
    return await _post(stage, persona, f"{PATH}/{joining_id}/confirmation", {"action": action})


async def _join(stage: Stage, kept: str, joined: str) -> str:
    joining_id = await _propose(stage, kept, joined)
    answer = await _sign(stage, joining_id)
    assert (answer.status_code, answer.json()["state"]) == (200, "done"), answer.text
    return joining_id


async def _part(stage: Stage, joining_id: str) -> None:
    asked = {"reason": "not_one_person", "proof": PROOF}
    answer = await _post(stage, "officer-2", f"{PATH}/{joining_id}/parting", asked)
    assert answer.status_code == 202, answer.text
    answer = await _sign(stage, answer.json()["id"], "officer-1")
    assert (answer.status_code, answer.json()["kind"]) == (200, "parting"), answer.text


async def _reconciled(stage: Stage, *references: str) -> None:
    for reference in references:
        answer = await stage.as_("auditor").get(f"/v1/audit/cases/{reference}/reconciliation")
        # No engine runs here, so that a history is missing.
        found = {each["code"] for each in answer.json()["differences"]} - {"history_missing"}
        assert (answer.status_code, found) == (200, set()), answer.text


async def test_by_any_document_the_person_sees_the_cases_of_both_as_they_were(stage: Stage) -> None:
    new, old = await _two(stage)
    signed_in = await sign_in(stage, old, email="old@example.com")
    before = {ref: await _rows(stage, tables.ledger, tables.ledger.c.chain == ref) for ref in (new, old)}
    sealed = [row["body"] for row in await _rows(stage, tables.applications)]
    assert (await _seen(stage, FIRST), await _seen(stage, SECOND)) == ([new], [old])

    joining_id = await _join(stage, new, old)

    both = sorted((new, old))
    assert await _seen(stage, FIRST) == await _seen(stage, SECOND) == both
    held = (await _by(stage, SECOND).get("/v1/me/data")).json()
    given = {fact["value"] for each in held["cases"] for fact in each["facts"][0]["facts"]}
    assert {FIRST, SECOND, "old@example.com"} <= given
    assert (await signed_in.get("/v1/me/registrations")).status_code == 401
    # An address still opens the cases on which it stands, and no more.
    by_address = await sign_in(stage, old, email="old@example.com")
    assert [each["reference"] for each in (await by_address.get("/v1/me/registrations")).json()["items"]] == [old]
    # Nothing is sealed or hashed anew; each chain goes on with rows that say what was done.
    assert [row["body"] for row in await _rows(stage, tables.applications)] == sealed
    for reference, part_of in ((new, "kept"), (old, "joined")):
        chain = await _rows(stage, tables.ledger, tables.ledger.c.chain == reference)
        assert chain[: len(before[reference])] == before[reference]
        assert [row["act"] for row in chain[len(before[reference]) :]] == ["joining_proposed", "persons_joined"]
        assert chain[-1]["detail"]["as"] == part_of
        other = ({new, old} - {reference}).pop()
        assert other not in str(chain)
        story = await stage.as_("auditor").get(
            f"/v1/audit/cases/{reference}/history", headers={"Accept-Language": "en"}
        )
        assert "Two persons of the register were joined" in story.text
    assert (await stage.as_("officer-1").get(f"/v1/registrations/{old}")).status_code == 200
    await _reconciled(stage, new, old)
    view = (await stage.as_("auditor").get(f"{PATH}/{joining_id}")).json()
    assert (view["kept"], view["joined"], view["proof"], view["state"]) == (new, old, PROOF, "done")
    assert (view["proposed_by"], view["decided_by"]) == ("officer-1", "officer-2")


async def test_each_address_of_both_is_told_once_in_the_language_of_its_case(stage: Stage) -> None:
    new, old = await _two(stage)
    await _join(stage, new, old)
    told = await _rows(stage, tables.notices, tables.notices.c.kind == "persons_joined")
    assert {(row["reference"], row["recipient"], row["language"]) for row in told} == {
        (new, "person", "zh-Hans"),
        (old, "person", "en"),
    }
    ids = [row["notice_id"] for row in told]
    sent = await _rows(stage, tables.deliveries, tables.deliveries.c.notice_id.in_(ids))
    assert sorted(row["channel"] for row in sent) == ["mail", "mail", "sms"]
    assert not await _rows(stage, tables.notices, tables.notices.c.kind == "hand_over_requested")
    me = await sign_in(stage, old, email="old@example.com")
    (own,) = [
        each for each in (await me.get("/v1/me/data")).json()["cases"][0]["notices"] if each["kind"] == "persons_joined"
    ]
    assert "joined them" in own["text"]
    assert new not in own["text"]


async def test_a_case_by_either_document_is_the_person_s_and_a_second_live_one_is_refused(stage: Stage) -> None:
    new, old = await _two(stage)
    await _join(stage, new, old)
    again = await stage.as_("employer-a").post("/v1/registrations", registration_body(identity_number=SECOND))
    assert (again.status_code, again.json()["code"]) == (409, "live_registration_exists")
    assert new in again.json()["detail"]
    await Walk(stage).act("employer-a", new, "withdrawal", {})
    third = await Walk(stage).register(identity_number=SECOND)
    assert await _seen(stage, FIRST) == sorted((new, old, third))
    await _reconciled(stage, third)


async def test_parting_gives_back_what_came_and_what_was_begun_since(stage: Stage) -> None:
    new, old = await _two(stage)
    joining_id = await _join(stage, new, old)
    await Walk(stage).act("employer-a", new, "withdrawal", {})
    third = await Walk(stage).register(identity_number=SECOND, email="old@example.com")
    signed_in = await sign_in(stage, new, email="new@example.com")

    await _part(stage, joining_id)

    assert (await signed_in.get("/v1/me/registrations")).status_code == 401
    assert (await _seen(stage, FIRST), await _seen(stage, SECOND)) == ([new], sorted((old, third)))
    assert {row["joined_key"] for row in await _rows(stage, tables.cases)} == {None}
    assert {row["joined_key"] for row in await _rows(stage, tables.person_documents)} == {None}
    assert {row["joined_to"] for row in await _rows(stage, tables.persons)} == {None}
    await _reconciled(stage, new, old, third)
    fourth = await Walk(stage).register(identity_number=FIRST)
    assert await _seen(stage, FIRST) == sorted((new, fourth))
    twice = await _post(stage, "officer-1", f"{PATH}/{joining_id}/parting", {"reason": "not_one_person", "proof": "x"})
    assert (twice.status_code, twice.json()["code"]) == (409, "wrong_stage")
    assert len(await _rows(stage, tables.notices, tables.notices.c.kind == "persons_parted")) == 3


async def test_of_three_who_were_joined_each_gets_back_its_own(stage: Stage) -> None:
    new, old = await _two(stage)
    third = identity_number(503)
    oldest = await Walk(stage).register(identity_number=third)
    await Walk(stage).act("employer-a", oldest, "withdrawal", {})
    inner = await _join(stage, old, oldest)
    outer = await _join(stage, new, old)
    assert await _seen(stage, third) == sorted((new, old, oldest))
    # The first joining is undone while the second stands, and then the second.
    await _part(stage, inner)
    assert (await _seen(stage, third), await _seen(stage, SECOND)) == ([oldest], sorted((new, old)))
    await _part(stage, outer)
    assert [await _seen(stage, each) for each in (FIRST, SECOND, third)] == [[new], [old], [oldest]]
    await _reconciled(stage, new, old, oldest)


async def test_an_erasure_of_the_person_erases_both(stage: Stage) -> None:
    new, old = await _two(stage)
    joining_id = await _join(stage, new, old)
    walk = Walk(stage)
    await walk.act("employer-a", new, "withdrawal", {})
    async with stage.context.database.begin() as connection:
        await connection.execute(update(tables.deliveries).values(status="sent"))
    await walk.act("supervisor", old, "erasure", {"reason": "person_asked"})
    await walk.act("supervisor-2", old, "erasure/confirmation", {"action": "confirm"})
    words = [each.encode() for each in (FIRST, SECOND, "old@example.com", "new@example.com", PROOF)]
    assert await places_of(stage.context, words) == set()
    for reference in (new, old):
        view = (await stage.as_("officer-1").get(f"/v1/registrations/{reference}")).json()
        assert view["erased_at"]
    assert (await _seen(stage, FIRST), await _seen(stage, SECOND)) == ([], [])
    shown = (await stage.as_("auditor").get(f"{PATH}/{joining_id}")).json()
    assert (shown["state"], shown["proof"]) == ("done", None)
    refused = await _post(
        stage, "officer-2", f"{PATH}/{joining_id}/parting", {"reason": "not_one_person", "proof": "x"}
    )
    assert (refused.status_code, refused.json()["code"]) == (410, "facts_erased")


async def test_who_proposes_does_not_sign_and_only_they_withdraw(stage: Stage) -> None:
    new, old = await _two(stage)
    joining_id = await _propose(stage, new, old)
    assert (await _sign(stage, joining_id, "officer-1")).json()["code"] == "same_signer"
    assert (await _post(stage, "officer-2", f"{PATH}/{joining_id}/withdrawal", None)).json()["code"] == (
        "role_not_allowed"
    )
    assert (await _post(stage, "officer-2", PATH, _asked(old, new))).json()["code"] == "wrong_stage"
    assert (await _sign(stage, joining_id, action="reject")).json()["state"] == "rejected"
    assert (await _sign(stage, joining_id, "supervisor")).json()["code"] == "wrong_stage"
    second = await _propose(stage, new, old)
    gone = await _post(stage, "officer-1", f"{PATH}/{second}/withdrawal", None)
    assert (gone.status_code, gone.json()["state"]) == (200, "withdrawn")
    assert (await _seen(stage, FIRST), await _seen(stage, SECOND)) == ([new], [old])
    listed = (await stage.as_("officer-1").get(PATH, reference=old)).json()["items"]
    assert {each["state"] for each in listed} == {"withdrawn", "rejected"}
    await _reconciled(stage, new, old)


_BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"joined": {"reference": "HT-0000-0000-E"}}, "joined.reference"),
    ({"kept": {"document": {"kind": "hk_identity_card", "number": "A123456(3)"}}}, "kept.document"),
    ({"joined": {}}, "joined"),
    ({"kept": {"reference": "x", "document": {"kind": "hk_identity_card", "number": "A123456(3)"}}}, "kept"),
    ({"kept": {"document": {"kind": "resident_identity_card", "number": "1"}}}, "kept.document.number"),
    ({"reason": "friends"}, "reason"),
    ({"proof": ""}, "proof"),
    ({"joined": {"document": {"kind": "resident_identity_card", "number": FIRST}}}, "joined"),
)


async def test_bad_input_names_the_field_and_changes_nothing(stage: Stage) -> None:
    new, old = await _two(stage)
    before = await _rows(stage, tables.ledger, tables.ledger.c.reference.in_([new, old]))
    for more, field in _BAD:
        answer = await _post(stage, "officer-1", PATH, _asked(new, old, more))
        assert answer.status_code == 422, answer.text
        assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert await _rows(stage, tables.ledger, tables.ledger.c.reference.in_([new, old])) == before
    assert await _rows(stage, tables.person_joinings) == []


async def test_what_stands_in_the_way_is_said(stage: Stage) -> None:
    walk = Walk(stage)
    new = await walk.register(identity_number=FIRST)
    old = await walk.register(identity_number=SECOND)
    answer = await _post(stage, "officer-1", PATH, _asked(new, old))
    assert (answer.status_code, answer.json()["code"]) == (409, "live_registration_exists")
    assert all(each in answer.json()["errors"][0]["message"] for each in (new, old))
    await walk.act("employer-a", old, "withdrawal", {})
    hold = await walk.act("supervisor", old, "legal-holds", {"reason": "litigation", "paper": "7"})
    assert (await _post(stage, "officer-1", PATH, _asked(new, old))).json()["code"] == "legal_hold"
    release = "legal-holds/{hold_id}/release"
    await walk.act("supervisor", old, release, {"reason": "matter_closed"}, hold_id=hold["id"])
    joining_id = await _propose(stage, new, old)
    # A hold that comes between proposal and signature.
    await walk.act("supervisor", old, "legal-holds", {"reason": "litigation", "paper": "8"})
    assert (await _sign(stage, joining_id)).json()["code"] == "legal_hold"
    assert await _seen(stage, SECOND) == [old]
    for persona in ("employer-a", "auditor", "person-1"):
        assert (await _post(stage, persona, PATH, _asked(new, old))).status_code == 403
    assert (await stage.as_("officer-1").get(f"{PATH}/{uuid4()}")).status_code == 404


async def test_a_repeat_under_the_same_key_joins_once(stage: Stage) -> None:
    new, old = await _two(stage)
    joining_id = await _propose(stage, new, old)
    headers = {"Idempotency-Key": uuid4().hex}
    path = f"{PATH}/{joining_id}/confirmation"
    first, second = [
        await stage.as_("officer-2").send("POST", path, json={"action": "confirm"}, headers=headers) for _ in range(2)
    ]
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (200, first.json())
    acts = [row["act"] for row in await _rows(stage, tables.ledger, tables.ledger.c.chain == old)]
    assert acts.count("persons_joined") == 1
