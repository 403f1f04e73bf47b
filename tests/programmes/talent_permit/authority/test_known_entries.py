"""Which entry in the authority's books stands for a call that is due after a restore, and which does not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest_asyncio
from sqlalchemy import update

from cases.calls import making
from cases.calls.making import Order
from domain.actors import system
from programmes.talent_permit.authority.known_entries import Found, Wanted, choose
from programmes.talent_permit.authority.list_entries import KnownEntry
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.tables import permits
from record.restores.declaring import declare_restore
from tests.cases.driver import Case, Park, china, open_park

LOST = "HT-0000-0000-E"
OTHER_PERSON = "33010619860128072X"


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


@pytest_asyncio.fixture
async def case(park: Park) -> Case:
    await declare_restore(park.context, system("restored"))
    return await park.approved()


async def _order(case: Case) -> Order:
    context, at = case.park.context, case.park.clock.at
    course = await making.current_course(context, case.reference)
    found = [each for call in course.calls for each in await making.find_orders(context, case.reference, call.key, at)]
    return next(order for order in found if order.destination == "HK")


def _wanted(case: Case) -> Wanted:
    name, person = f"{case.reference}/HK", case.park.identity_number
    return Wanted(key=f"permit/{name}", case=name, destination=Destination.HK, identity_number=person)


def _entry(park: Park, case: str, **given: Any) -> KnownEntry:
    said = {"entry_id": "E-1", "case": case, "destination": "HK", "person": {"identity_number": park.identity_number}}
    return KnownEntry.model_validate(said | given)


async def test_only_after_a_restore_the_authority_is_asked_first(park: Park) -> None:
    assert (await _order(await park.approved())).question is None
    await declare_restore(park.context, system("restored"))
    park.identity_number = OTHER_PERSON
    case = await park.approved()
    question = (await _order(case)).question
    assert question is not None
    assert question.message.body.model_dump(mode="json") == {
        "case": f"{case.reference}/HK", "destination": "HK", "identity_number": OTHER_PERSON,
    }  # fmt: skip


async def test_an_entry_stands_for_the_call_where_it_is_the_case_s_own_or_a_lost_one_s(case: Case) -> None:
    park, order = case.park, _wanted(case)
    own, of_lost = _entry(park, order.case), _entry(park, f"{LOST}/HK")
    assert await choose(park.context, order, []) is None
    assert await choose(park.context, order, [of_lost]) == Found(of_lost)
    assert await choose(park.context, order, [own, of_lost]) == Found(own)
    # Its answers are the case's, whatever became of it; a lost case's entry that is over holds nothing.
    over = _entry(park, order.case, state="refused")
    assert await choose(park.context, order, [over]) == Found(over)
    # Asked for anew, one that is over stands for nothing any more.
    assert await choose(park.context, replace(order, is_anew=True), [over]) is None
    assert await choose(park.context, replace(order, is_anew=True), [over, own]) == Found(own)
    assert await choose(park.context, order, [over, own]) == await choose(park.context, order, [own, over])
    assert await choose(park.context, order, [_entry(park, f"{LOST}/HK", state="withdrawn")]) is None
    # The call itself, whose answer was lost, is made again under its key.
    assert await choose(park.context, order, [_entry(park, order.case, idempotency_key=order.key)]) is None


async def test_an_entry_of_the_case_about_somebody_else_goes_before_an_officer(case: Case) -> None:
    park, order = case.park, _wanted(case)
    differs = _entry(park, order.case, person={"identity_number": OTHER_PERSON}, destination="MO")
    assert await choose(park.context, order, [differs]) == Found(differs, ("destination", "person.identity_number"))
    assert await choose(park.context, replace(order, passed_over=("E-1",)), [differs]) is None
    fits = _entry(park, order.case, entry_id="E-2")
    assert await choose(park.context, order, [fits, differs]) == Found(fits)
    of_lost = _entry(park, f"{LOST}/HK", person={"identity_number": OTHER_PERSON})
    assert await choose(park.context, order, [of_lost]) is None


async def test_an_entry_that_another_case_follows_or_that_is_no_case_s_of_ours_is_left_alone(case: Case) -> None:
    park, order = case.park, _wanted(case)
    former = await park.approved(identity_number=OTHER_PERSON)
    assert await choose(park.context, order, [_entry(park, f"{former.reference}/HK")]) is None
    assert await choose(park.context, order, [_entry(park, "someone-elses/HK")]) is None
    async with park.context.database.begin() as connection:
        p = permits
        stands = update(p).where(p.c.reference == former.reference, p.c.destination == "HK")
        await connection.execute(stands.values(entry_case=f"{LOST}/HK"))
    assert await choose(park.context, order, [_entry(park, f"{LOST}/HK")]) is None
