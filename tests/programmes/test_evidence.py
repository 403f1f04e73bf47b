"""Evidence of a case by the real application: given, seen by another than who decides, and fallen before and after."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import select, text
from temporalio.client import Client

from cases.case.evidence import evidence_of, find_piece, proved
from domain.stages import Stage
from programmes import PROGRAMMES
from record.reconciliation.reconcile import list_differences
from store.tables import evidence
from tests.api.callers import Caller
from tests.e2e.people import identity_number
from tests.programmes.park import Park, served
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.tables import makings
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import MONDAY, Case, open_world

BOTH = {**PROGRAMMES, TOY.code: TOY}
NUMBER = identity_number(0)
AGE = {
    "item": "age",
    "kind": "birth_certificate",
    "issuer": "福田医院",
    "number": "B-77",
    "date": "2019-05-06",
    "value": 6,
}
CAREFUL = {"item": "careful", "kind": "word_of_parents", "issuer": "父母", "date": "2026-01-05"}
SEEN: dict[str, Any] = {"result": "proved", "seen_in": "原件", "round": 1}
FALLEN = {"reasons": [{"code": "evidence_revoked", "note": "The hospital has taken it back."}], "note": "for us"}


@pytest_asyncio.fixture
async def park(toy_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(toy_database, temporal_client, start=MONDAY, programmes=BOTH) as world,
        served(world, toy_database) as park,
    ):
        yield park


def _form(*pieces: dict[str, Any], number: str = NUMBER) -> dict[str, Any]:
    person = {"name_zh": "欧阳娜", "identity_number": number, "email": "nana@example.com"}
    return {"person": person, "wish": {"toy": "木马"}, "evidence": list(pieces)}


async def _toy(park: Park, *pieces: dict[str, Any]) -> tuple[Case, str]:
    taken = await park.ask("employer-a", "POST", "/v1/toys", _form(*(pieces or (AGE, CAREFUL))), expects=202)
    case = Case(park.world, taken["reference"])
    park.world.started.append(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    return case, f"/v1/toys/{case.reference}"


async def _see(
    park: Park, here: str, number: int = 1, by: str = "officer-1", *, expects: int = 200, **more: Any
) -> dict[str, Any]:
    said = SEEN | ({"value": 6} if number == 1 else {}) | more
    answer: dict[str, Any] = await park.ask(by, "POST", f"{here}/evidence/{number}/seen", said, expects=expects)
    return answer


async def _fall(park: Park, here: str, number: int = 1, *, expects: int = 200, **more: Any) -> dict[str, Any]:
    asked = {**FALLEN, **more}
    answer: dict[str, Any] = await park.ask(
        "officer-1", "POST", f"{here}/evidence/{number}/fallen", asked, expects=expects
    )
    return answer


def _codes(shown: dict[str, Any]) -> dict[str, str]:
    return {each["code"]: each["outcome"] for each in shown["findings"]}


async def _approve(park: Park, here: str, by: str = "officer-2", *, expects: int = 200, **more: Any) -> dict[str, Any]:
    decision = {"action": "approve", "round": 1, **more}
    answer: dict[str, Any] = await park.ask(by, "POST", f"{here}/decision", decision, expects=expects)
    return answer


async def test_what_is_declared_counts_once_an_officer_has_seen_it_and_another_decides(park: Park) -> None:
    case, here = await _toy(park)
    shown = await park.ask("employer-a", "GET", here)
    assert [(each["item"], each["result"], each["state"]) for each in shown["evidence"]] == [
        ("age", None, "given"), ("careful", None, "given"),
    ]  # fmt: skip
    assert "福田医院" not in str(shown["evidence"])
    assert _codes(await park.ask("officer-1", "GET", here))["toy_age_unproved"] == "fail"
    seen = await _see(park, here)
    assert _codes(seen)["toy_age_unproved"] == "pass"
    await _see(park, here, 2, by="supervisor")
    file = await case.file()
    assert proved(file) == {"age": 6, "careful": True}
    for by in ("officer-1", "supervisor"):
        assert (await _approve(park, here, by, expects=409))["code"] == "evidence_seen_by_decider"
    # Sending it back decides nothing, and is not kept from who saw the evidence.
    assert (await _approve(park, here))["stage"] == "approved"
    acts = await case.acts()
    assert acts.count("evidence_seen") == 2
    story = await park.ask("auditor", "GET", f"/v1/audit/cases/{case.reference}/history")
    assert "found that it proves" in str(story)
    night = await nightly_round(park.world)
    assert ((await list_differences(park.world.context))[0], night.differing, night.unchecked) == ([], 0, 0)


async def test_evidence_is_read_in_clear_for_a_purpose_and_by_its_owner_without(park: Park) -> None:
    case, here = await _toy(park)
    await _see(park, here, note="paper worn")
    (mine, _) = (await park.ask("employer-a", "GET", f"{here}/evidence"))["items"]
    assert (mine["issuer"], mine["number"], mine["value"], mine["proved"], mine["seen_in"]) == (
        "福田医院",
        "B-77",
        6,
        6,
        "原件",
    )
    assert (mine["note"], mine["seen_by"]) == (None, [])
    assert (await park.ask("auditor", "GET", f"{here}/evidence", expects=400))["code"] == "purpose_missing"
    (seen, _) = (await park.ask("auditor", "GET", f"{here}/evidence", headers={"Purpose": "audit"}))["items"]
    assert (seen["note"], seen["seen_by"]) == ("paper worn", ["officer-1"])
    await park.ask("employer-b", "GET", f"{here}/evidence", expects=404)
    rows = await park.world.rows(evidence, reference=case.reference)
    assert not any("福田".encode() in bytes(row["given"]) for row in rows)


async def test_what_cannot_be_said_or_given_is_refused_with_its_field_and_changes_nothing(park: Park) -> None:
    case, here = await _toy(park)
    said: list[tuple[int, dict[str, Any], int, str]] = [
        (1, {"value": 121}, 422, "'field': 'value'"),
        (1, {"value": "six"}, 422, "'field': 'value'"),
        (1, {"value": None}, 422, "'field': 'value'"),
        (2, {"value": 6}, 422, "'field': 'value'"),
        (1, {"result": "not_proved"}, 422, "unknown_value"),
        (3, {}, 404, "number"),
        (1, {"round": 2}, 409, "stale_round"),
    ]
    for number, more, expects, told in said:
        assert told in str(await _see(park, here, number, expects=expects, **more))
    assert {row["result"] for row in await park.world.rows(evidence, reference=case.reference)} == {None}
    given: list[tuple[dict[str, Any], str, str]] = [
        (AGE | {"value": 121}, "evidence[0].value", "unknown_value"),
        (CAREFUL | {"value": 1}, "evidence[0].value", "unknown_field"),
        (AGE | {"item": "height"}, "evidence[0].item", "unknown_value"),
        (AGE | {"date": "2019-02-30"}, "evidence[0].date", "impossible_date"),
        (AGE | {"issuer": ""}, "evidence[0].issuer", "required"),
    ]
    for piece, field, code in given:
        refused = await park.ask("employer-a", "POST", "/v1/toys", _form(piece), expects=422)
        assert [(each["field"], each["code"]) for each in refused["errors"]] == [(field, code)]
    twice = await park.ask("employer-a", "POST", "/v1/toys", _form(AGE, AGE | {"value": 7}), expects=422)
    assert [each["field"] for each in twice["errors"]] == ["evidence"]


async def test_what_is_left_out_when_given_again_counts_no_more_and_comes_back_with_what_was_said(park: Park) -> None:
    case, here = await _toy(park)
    await _see(park, here)
    other = AGE | {"issuer": "南山医院", "value": 7}
    await park.ask("employer-a", "POST", f"{here}/correction", {"evidence": [other], "round": 1}, expects=202)
    file = await case.until(lambda file: file.round == 2)
    assert [(row.item, row.state, row.result) for row in evidence_of(file)] == [
        ("age", "left_out", "proved"), ("careful", "left_out", None), ("age", "given", None),
    ]  # fmt: skip
    assert [each["fields"] for each in file.row.amendments or ()] == [["evidence"]]
    assert proved(file) == {}
    assert _codes(await park.ask("officer-1", "GET", here))["toy_age_unproved"] == "fail"
    assert (await _see(park, here, expects=409, round=2))["code"] == "wrong_stage"
    await park.ask("employer-a", "POST", f"{here}/correction", {"evidence": [AGE, CAREFUL], "round": 2}, expects=202)
    file = await case.until(lambda file: file.round == 3)
    assert len(evidence_of(file)) == 3
    assert proved(file) == {"age": 6}
    # What was proved may fall though it is not given any more: it may have been taken over elsewhere.
    await park.ask("employer-a", "POST", f"{here}/correction", {"evidence": [], "round": 3}, expects=202)
    await case.until(lambda file: file.round == 4)
    assert {each["result"] for each in (await _fall(park, here))["evidence"]} == {"fallen", None}


async def test_another_person_brings_the_evidence_under_their_key(park: Park) -> None:
    case, here = await _toy(park, AGE)
    await _see(park, here)
    back = {"action": "return", "round": 1, "reasons": [{"code": "identity_number_wrong"}]}
    assert (await park.ask("officer-1", "POST", f"{here}/decision", back))["stage"] == "correction_requested"
    other = {"person": {"identity_number": identity_number(1)}, "evidence": [AGE, CAREFUL]}
    await park.ask("employer-a", "POST", f"{here}/correction", other, expects=202)
    file = await case.until(lambda file: file.stage is Stage.UNDER_REVIEW)
    assert proved(file) == {"age": 6}
    assert len(evidence_of(file)) == 2


async def test_what_falls_before_the_decision_lets_the_case_be_looked_at_again(park: Park) -> None:
    case, here = await _toy(park)
    assert (await _fall(park, here, expects=409))["code"] == "wrong_stage"
    await _see(park, here)
    assert (await _fall(park, here, expects=422, reasons=[]))["code"] == "reason_missing"
    refuse = {"action": "refuse", "round": 1, "reasons": [{"code": "false_statement"}]}
    await park.ask("officer-2", "POST", f"{here}/decision", refuse)
    fallen = await _fall(park, here)
    assert (fallen["stage"], fallen["round"], fallen["pending_act"]) == ("under_review", 2, None)
    assert _codes(fallen)["toy_age_unproved"] == "fail"
    (piece, _) = fallen["evidence"]
    assert (piece["result"], piece["fallen_for"]) == ("fallen", ["evidence_revoked"])
    assert await case.open_tasks() == {"review"}
    file = await case.file()
    assert file.tasks[0].holder is not None
    assert file.tasks[0].holder.endswith("officer-2")
    # What was read wrongly can be put right.
    assert _codes(await _see(park, here, round=2))["toy_age_unproved"] == "pass"


async def test_what_falls_after_the_decision_opens_a_task_and_keeps_the_decision(park: Park) -> None:
    case, here = await _toy(park)
    await _see(park, here)
    await _approve(park, here)
    assert (await _see(park, here, expects=409, value=5))["code"] == "wrong_stage"
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: file.row.settled and not file.calls)
    fallen = await _fall(park, here)
    assert (fallen["stage"], fallen["in_force"], fallen["makings"][0]["stage"]) == ("approved", True, "stopped")
    assert await case.open_tasks() == {"evidence_fallen"}
    (task,) = (await park.ask("officer-2", "GET", "/v1/tasks", kind="evidence_fallen"))["items"]
    await park.ask("officer-2", "POST", f"/v1/tasks/{task['id']}/answer", {"action": "done"})
    file = await case.file()
    assert await case.open_tasks() == set()
    assert find_piece(file, 1).result == "fallen"  # type: ignore[union-attr]
    assert (await case.acts()).count("decided") == 1
    assert makings(file)["wood"].stage == "stopped"
    await case.idle()
    night = await nightly_round(park.world)
    assert ((await list_differences(park.world.context))[0], night.differing, night.unchecked) == ([], 0, 0)


async def test_a_piece_that_somebody_altered_is_found(park: Park) -> None:
    case, here = await _toy(park)
    await _see(park, here)
    await case.idle()
    async with park.world.context.database.begin() as connection:
        await connection.execute(text("UPDATE evidence SET result = 'not_proved' WHERE evidence_id = 1"))
    assert (await nightly_round(park.world)).differing == 1


async def test_a_person_is_shown_their_evidence_and_an_employer_that_of_others_is_not(park: Park) -> None:
    _, here = await _toy(park)
    await _see(park, here, note="paper worn")
    me: Caller = park.caller("person-1", document_kind="resident_identity_card", document_number=NUMBER)
    (own,) = (await park.ask(me, "GET", "/v1/me/data"))["cases"]
    assert [(each["issuer"], each["proved"], each["note"]) for each in own["evidence"]] == [
        ("福田医院", 6, None), ("父母", None, None),
    ]  # fmt: skip
    for tenant, rows in (("emp-a", 2), ("emp-b", 0)):
        async with park.world.context.database.begin(tenant) as connection:
            assert len((await connection.execute(select(evidence))).all()) == rows
    await park.ask("employer-a", "POST", f"{here}/evidence/1/seen", SEEN, expects=403)
