"""Changes of a toy, by the real application and the real engine: a second programme takes them by declaring them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import select
from temporalio.client import Client

from domain.notices import NoticeKind
from domain.stages import Stage
from programmes import PROGRAMMES
from record.reconciliation.reconcile import list_differences
from store.tables import ledger
from tests.e2e.people import identity_number
from tests.programmes.park import Park, served
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.tables import makings
from tests.programmes.toy.words import MakingStage
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import MONDAY, Case, open_world

BOTH = {**PROGRAMMES, TOY.code: TOY}
PROOF = {"kind": "letter", "issuer": "工坊", "date": "2026-03-01"}


@pytest_asyncio.fixture
async def park(toy_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(toy_database, temporal_client, start=MONDAY, programmes=BOTH) as world,
        served(world, toy_database) as park,
    ):
        yield park


async def _asked(park: Park) -> tuple[Case, str]:
    person = {"name_zh": "欧阳娜", "identity_number": identity_number(0), "email": "nana@example.com"}
    body = {"person": person, "wish": {"toy": "木马"}}
    taken = await park.ask("employer-a", "POST", "/v1/toys", body, expects=202)
    case = Case(park.world, taken["reference"])
    park.world.started.append(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    return case, f"/v1/toys/{case.reference}"


async def _change(park: Park, here: str, *, expects: int = 202, **asked: Any) -> Any:
    return await park.ask("employer-a", "POST", f"{here}/change", asked, expects=expects)


async def _answer(park: Park, case: Case, action: str, *, expects: int = 200, **more: Any) -> Any:
    (task,) = [each for each in (await case.file()).tasks if each.kind == "change"]
    path = f"/v1/tasks/{task.task_id}/answer"
    return await park.ask("officer-1", "POST", path, {"action": action, **more}, expects=expects)


async def _waits(case: Case) -> None:
    await case.until(lambda file: any(each.kind == "change" for each in file.tasks))


async def _rows(case: Case, act: str) -> list[dict[str, Any]]:
    async with case.world.context.database.begin() as connection:
        found = select(ledger.c.detail).where(ledger.c.reference == case.reference, ledger.c.act == act)
        return [dict(each.detail) for each in await connection.execute(found.order_by(ledger.c.seq))]


async def test_an_address_changes_at_once_and_a_workshop_through_an_officer(park: Park) -> None:
    case, here = await _asked(park)
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1})
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: file.row.settled and makings(file)["wood"].stage == MakingStage.MAKING)
    await _change(park, here, email="new@example.com", workshop="cloth", proof=PROOF, happened_on="2026-03-01")
    await _waits(case)
    file = await case.file()
    assert file.subject.email == "new@example.com"
    assert (await park.ask("employer-a", "GET", here))["pending_change"]["fields"] == ["workshop"]
    assert set(makings(file)) == {"wood"}

    seen = await park.ask("officer-1", "GET", f"{here}/change", headers={"Purpose": "case_review"})
    (field,) = seen["fields"]
    assert (field["field"], field["known"], field["wanted"]) == ("workshop", "wood", "cloth")
    assert (field["happened_on"], field["proof"]["kind"]) == ("2026-03-01", "letter")

    await _answer(park, case, "take")
    file = await case.until(lambda file: "cloth" in makings(file))
    assert {name: each.stage for name, each in makings(file).items()} == {"wood": "left", "cloth": "making"}
    assert {each.destination for each in file.deadlines.values() if each.kind == "toy_made"} == {"cloth"}
    at_once, taken = await _rows(case, "changed")
    assert (at_once["fields"], at_once["happened_on"]) == (["email"], "2026-03-01")
    assert (taken["fields"], taken["happened_on"]) == (["workshop"], {"workshop": "2026-03-01"})
    assert (await case.notices()).count(NoticeKind.CHANGE_TAKEN) == 2
    back = await _change(park, here, workshop="wood", expects=422)
    assert [(each["field"], each["code"]) for each in back["errors"]] == [("workshop", "unknown_value")]

    await case.skip(timedelta(days=9))
    await case.until(lambda file: makings(file)["cloth"].stage == MakingStage.MADE)
    await nightly_round(park.world)
    assert (await list_differences(park.world.context))[0] == []


async def test_a_toy_that_would_not_be_safe_is_taken_with_a_reason_alone_or_declined(park: Park) -> None:
    case, here = await _asked(park)
    late = await _change(park, here, toy="弹弓", happened_on="2026-04-01", expects=422)
    assert [each["field"] for each in late["errors"]] == ["happened_on"]
    same = await _change(park, here, toy="木马", expects=422)
    assert [each["field"] for each in same["errors"]] == ["toy"]
    await _change(park, here, toy="弹弓")
    await _waits(case)
    await _change(park, here, toy="飞镖", expects=409)
    seen = await park.ask("officer-1", "GET", f"{here}/change", headers={"Purpose": "case_review"})
    assert [(each["code"], each["now"], each["then"]) for each in seen["rules"]] == [("toy_not_safe", "pass", "fail")]
    refused = await _answer(park, case, "take", expects=422)
    assert (refused["code"], [each["field"] for each in refused["errors"]]) == ("reason_missing", ["reasons"])
    await _answer(park, case, "decline", expects=422)
    reasons = [{"code": "document_unreadable", "field": "wish.toy"}]
    await _answer(park, case, "decline", reasons=reasons)
    file = await case.until(lambda file: all(each.kind != "change" for each in file.tasks))
    assert (file.application.given_of("wish.toy"), file.round) == ("木马", 1)

    await _change(park, here, toy="弹弓")
    await _waits(case)
    await _answer(park, case, "take", reasons=[{"code": "document_seen"}])
    file = await case.until(lambda file: file.round == 2)
    assert file.application.given_of("wish.toy") == "弹弓"
    assert (await park.ask("officer-1", "GET", here))["findings"][0]["outcome"] == "fail"
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1}, expects=409)
    assert (await case.notices()).count(NoticeKind.CHANGE_DECLINED) == 1


async def test_a_person_or_another_employer_changes_no_toy(park: Park) -> None:
    case, here = await _asked(park)
    me = park.caller("person-1", document_kind="resident_identity_card", document_number=identity_number(0))
    asked = {"reference": case.reference, "name_en": "Nana"}
    await park.ask(me, "POST", "/v1/me/changes", asked, expects=404)
    await park.ask("employer-b", "POST", f"{here}/change", {"phone": "+85251234567"}, expects=404)
    await park.ask("officer-1", "POST", f"{here}/change", {"phone": "+85251234567"}, expects=403)
    assert "changed" not in await case.acts()
