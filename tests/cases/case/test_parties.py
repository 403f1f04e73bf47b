"""The parties of a case follow what happens to it, each with the time at which it came and went."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from cases.case.file import open_case
from cases.case.parties import DeclaredPart, add_party
from domain.commands import CommandKind
from domain.parties import Part, Party, person_tenant
from store import tables
from tests.cases.contexts import EMPLOYER_A
from tests.cases.driver import Case, Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def parties(case: Case) -> list[tuple[Any, ...]]:
    """Return the parties of a case: part, kind, who, since and until."""
    p = tables.case_parties.c
    rows = await case.park.rows(tables.case_parties, p.reference == case.reference)
    shown = [(row["part"], row["kind"], row["party_id"], row["since"], row["until"]) for row in rows]
    return sorted(shown, key=lambda row: (row[0], row[3]))


async def references(park: Park, tenant: str) -> set[str]:
    """Return the cases that a transaction sees."""
    async with park.context.database.begin(tenant) as connection:
        return set((await connection.execute(tables.cases.select())).scalars())


async def test_a_case_has_its_employer_as_owner_and_its_person_as_subject(park: Park) -> None:
    case = await park.take_on()
    taken_on, person = park.clock.at, (await case.row())["person_id"]
    assert await parties(case) == [
        ("owner", "employer", "emp-a", taken_on, None),
        ("subject", "person", str(person), taken_on, None),
    ]


async def test_a_corrected_identity_number_is_another_subject_from_then_on(park: Park) -> None:
    case = await park.review()
    taken_on, first = park.clock.at, (await case.row())["person_id"]
    await case.decide("return", "identity_number_wrong")
    park.clock.at += timedelta(hours=2)
    corrected = park.clock.at
    await case.do(EMPLOYER_A, CommandKind.CORRECT, person={"identity_number": "440304197001010012"})
    second = (await case.row())["person_id"]
    assert (await parties(case))[1:] == [
        ("subject", "person", str(first), taken_on, corrected),
        ("subject", "person", str(second), corrected, None),
    ]
    assert await references(park, person_tenant(first)) == set()
    assert await references(park, person_tenant(second)) == {case.reference}


async def test_a_party_that_a_programme_declares_is_added_with_the_case(park: Park) -> None:
    case = await park.review()
    added_by = frozenset({CommandKind.ANSWER_TASK})
    declared = DeclaredPart(part=Part.CONFIRMER, kind=Party.EMPLOYER, sees=frozenset({"cases"}), added_by=added_by)
    async with open_case(park.context, case.reference) as (file, _):
        with pytest.raises(ValueError, match="withdraw"):
            add_party(file, declared, "uni-c", park.clock.at, by=CommandKind.WITHDRAW)
        add_party(file, declared, "uni-c", park.clock.at, by=CommandKind.ANSWER_TASK)
    assert ("confirmer", "employer", "uni-c", park.clock.at, None) in await parties(case)
