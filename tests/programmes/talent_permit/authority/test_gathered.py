"""Answers about one case that come at the same moment: one transaction, one message, and one that is false alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from cases.shared.inboxes import Received
from domain.errors import Refused
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.authority.gathered import Gathering
from programmes.talent_permit.authority.outcomes import Said
from programmes.talent_permit.tables import permits
from store import tables
from tests.cases.driver import AUTHORITY, Case, Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


def _said(case: Case, destination: str, outcome: str, message_id: str, **more: object) -> Said:
    given = {
        "outcome_id": f"{outcome}-{destination}",
        "case": f"{case.reference}/{destination}",
        "outcome": outcome,
        "occurred_at": case.park.clock.at,
    }
    return Said(AUTHORITY, AuthorityAnswer.model_validate(given | more), message_id)


async def _take(park: Park, *said: Said, seconds: float = 0.3) -> list[Received | BaseException]:
    # A window that no pause of a busy machine closes too soon.
    gathering = Gathering(park.context, seconds=seconds)
    return await asyncio.gather(*(gathering.receive(each) for each in said), return_exceptions=True)


async def test_answers_on_both_destinations_are_one_transaction_and_one_message_to_the_workflow(park: Park) -> None:
    case = await park.submitted()
    both = ("HK", "MO")
    await _take(park, *(_said(case, each, "accepted", f"a-{each}") for each in both))
    taken = await _take(park, *(_said(case, each, "refused", f"r-{each}") for each in both))
    assert [each.reply.body for each in taken if isinstance(each, Received)] == [{"status": "recorded"}] * 2
    assert [isinstance(each, Received) and each.command_id is not None for each in taken] == [True, False]
    received = [row for row in await park.rows(tables.ledger) if row["act"] == "answer_received"]
    assert len({row["xid"] for row in received}) == 1
    await case.step()
    assert {permit["stage"] for permit in await park.rows(permits)} == {"refused"}


async def test_with_an_answer_on_each_destination_nothing_more_is_waited_for(park: Park) -> None:
    case = await park.submitted()
    said = [_said(case, each, "accepted", f"a-{each}") for each in ("HK", "MO")]
    taken = await asyncio.wait_for(_take(park, *said, seconds=3600), 30)
    assert [isinstance(each, Received) for each in taken] == [True, True]


async def test_a_repeat_in_the_same_moment_is_taken_once(park: Park) -> None:
    case = await park.submitted()
    said = _said(case, "HK", "accepted", "a-1")
    taken = await _take(park, said, said, Said(AUTHORITY, said.answer, "a-2"))
    words = [each.reply.body["status"] for each in taken if isinstance(each, Received)]
    assert words == ["recorded", "recorded", "already_recorded"]
    assert len(await park.rows(tables.answers)) == 1


async def test_one_that_cannot_be_taken_keeps_no_other_out(park: Park) -> None:
    case = await park.submitted(destinations=["HK"])
    taken = await _take(park, _said(case, "MO", "accepted", "a-1"), _said(case, "HK", "accepted", "a-2"))
    assert isinstance(taken[0], Refused)
    assert isinstance(taken[1], Received)
    assert [row["reason"] for row in await park.rows(tables.incidents)] == ["case_unknown"]
