"""A new passport of a work permit: the person is found by both, and nobody becomes another by it."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from temporalio.client import Client

from domain.errors import need
from record.reconciliation.reconcile import list_differences
from store.tables import cases, person_documents
from tests.programmes.appraisal import people
from tests.programmes.park import Park, served
from tests.programmes.work_permit.forms import FORM
from tests.programmes.work_permit.room import decide_extension, issued, skip_to, take_on
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import MONDAY, Case, open_world

NEW: Final = {"kind": "passport", "place": "GB", "number": "987654321"}
OTHERS: Final = {**FORM, "person": {**FORM["person"], "document": NEW, "name_en": "Joan Other"}}


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park


async def _person_of(park: Park, case: Case) -> Any:
    (row,) = await park.world.rows(cases, reference=case.reference)
    return row["person_id"]


async def _ask_extension(park: Park, case: Case, here: str) -> None:
    await skip_to(case, "2027-11-15")
    asked = {"changes": {"new_passport": NEW, "email": "jane.new@example.com"}}
    await park.ask("employer-a", "POST", f"{here}/renewal", asked, expects=202)
    await case.until(lambda file: file.find_task("renewal") is not None)


async def _nothing_differs(park: Park) -> None:
    night = await nightly_round(park.world)
    assert ((await list_differences(park.world.context))[0], night.differing, night.unchecked) == ([], 0, 0)


async def test_a_later_case_by_the_passport_of_an_extension_is_the_same_persons(park: Park) -> None:
    case, here = await issued(park)
    await _ask_extension(park, case, here)
    assert (await case.notices()).count("contact_changed") == 1
    mine = await _person_of(park, case)
    assert len(await park.world.rows(person_documents, person_id=mine)) == 1
    await decide_extension(park, here, case)
    assert len(await park.world.rows(person_documents, person_id=mine)) == 2
    # By the new passport the person signs in, and has the one live case of the programme.
    me = park.caller("person-1", **{f"document_{name}": value for name, value in NEW.items()})
    (own,) = (await park.ask(me, "GET", "/v1/me/registrations"))["items"]
    assert own["reference"] == case.reference
    refused = await park.ask("employer-b", "POST", "/v1/work-permits", OTHERS, expects=409)
    assert refused["code"] == "live_registration_exists"
    given = people.form()
    given["person"] |= {"document": NEW, "birth_date": FORM["person"]["birth_date"]}
    later = await people.applied_by(park, me, given)
    assert await _person_of(park, later) == mine
    await _nothing_differs(park)


@pytest.mark.parametrize("way", ["extension", "change"])
async def test_a_passport_that_is_another_persons_is_not_taken(park: Park, way: str) -> None:
    other, _ = await take_on(park, OTHERS, by="employer-b")
    case, here = await issued(park)
    if way == "extension":
        await _ask_extension(park, case, here)
        decision = {"action": "grant", "renewal": 1, "reasons": [{"code": "document_seen"}]}
        refused = await park.ask("officer-1", "POST", f"{here}/renewal-decision", decision, expects=422)
    else:
        asked = {"new_passport": NEW, "happened_on": "2026-03-02"}
        await park.ask("employer-a", "POST", f"{here}/change", asked, expects=202)
        file = await case.until(lambda file: file.find_task("change") is not None)
        task = need(file.find_task("change"), "task").task_id
        answer = {"action": "take", "reasons": [{"code": "document_seen"}]}
        refused = await park.ask("officer-1", "POST", f"/v1/tasks/{task}/answer", answer, expects=422)
        assert (await case.file()).find_task("change") is not None
    assert [each["field"] for each in refused["errors"]] == ["action"]
    mine = await _person_of(park, case)
    assert len(await park.world.rows(person_documents, person_id=mine)) == 1
    assert await _person_of(park, other) != mine
    await _nothing_differs(park)


async def test_a_passport_of_a_change_that_is_taken_is_the_persons_too(park: Park) -> None:
    case, here = await issued(park)
    asked = {"new_passport": NEW, "happened_on": "2026-03-02"}
    await park.ask("employer-a", "POST", f"{here}/change", asked, expects=202)
    file = await case.until(lambda file: file.find_task("change") is not None)
    task = need(file.find_task("change"), "task").task_id
    await park.ask("officer-1", "POST", f"/v1/tasks/{task}/answer", {"action": "take"})
    found = await park.world.rows(person_documents, person_id=await _person_of(park, case))
    assert {row["place"] for row in found} == {"GB"}
    assert len(found) == 2
