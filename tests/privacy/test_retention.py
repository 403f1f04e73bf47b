"""Retention: who was kept long enough is erased at night, in batches, and an idle night finds nothing to do."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from domain.actors import system
from domain.commands import CommandKind
from domain.erasure import HoldReason, LegalHoldRelease, LegalHoldRequest, ReleaseReason
from policy.packs import load_limits
from privacy import legal_holds, retention
from privacy.erasure_replay import note_missing
from store import tables
from tests.cases.contexts import EMPLOYER_A, NOON, SUPERVISOR, key
from tests.cases.driver import Case, Park, china, open_park
from tests.privacy.test_erasing import ended_case, hand_in, settle_notices

_STEP = system("erase_due")
_FIRST = UUID(int=0)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, NOON) as park:
        yield park


async def _round(park: Park, most: int = 1) -> int:
    """Do what the nightly step does, and return how many were erased."""
    last, erased = _FIRST, 0
    while persons := await retention.next_due(park.context, park.clock.at, last, most):
        for last in persons:
            erased += await retention.erase_due(park.context, _STEP, last)
    return erased


async def _withdrawn(park: Park) -> Case:
    case = await park.review()
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    await settle_notices(park)
    return case


def test_periods_are_dated_proposals_with_their_source() -> None:
    names = [name for name in load_limits().parameters if name.startswith("retention_") or name == "roster_rows_days"]
    assert len(names) == 4
    for name in names:
        parameter = load_limits().parameters[name]
        assert (parameter.status, "domain reference, section 12" in parameter.reference) == ("unconfirmed", True), name


@pytest.mark.parametrize(
    ("day", "years", "before"),
    [("2028-02-29", 2, "2026-02-28"), ("2028-02-29", 4, "2024-02-29"), ("2026-03-02", 3, "2023-03-02")],
)
def test_years_before(day: str, years: int, before: str) -> None:
    assert retention.years_before(date.fromisoformat(day), years) == date.fromisoformat(before)


async def test_the_withdrawn_go_after_two_years_and_the_registered_three_after_their_end(park: Park) -> None:
    withdrawn = await _withdrawn(park)
    park.identity_number = "440304197001010012"
    ended = await ended_case(park)
    park.identity_number = "33010619860128072X"
    live = await park.review()
    park.clock.at = china("2028-03-02", "00:00")
    assert await _round(park) == 0
    park.clock.at += timedelta(days=1)
    assert await _round(park) == 1
    assert await _round(park) == 0
    for day, others in (("2029-03-05", 0), ("2029-03-06", 1), ("2029-03-07", 0), ("2039-01-01", 0)):
        park.clock.at = china(day)
        assert await _round(park) == others, day
    shown = [(await case.view())["person"]["erased"] for case in (withdrawn, ended, live)]
    assert shown == [True, True, False]
    destroyed = await ended.last("key_destroyed")
    assert (destroyed["reason_codes"], destroyed["actor_subject"]) == (["retention_over"], "system:erase_due")
    assert park.context.erasure_list is not None
    assert len(await park.context.erasure_list.read()) == 2
    assert await note_missing(park.context, park.clock.at) == 0


async def test_one_case_that_lives_or_is_held_keeps_its_person(park: Park) -> None:
    case = await _withdrawn(park)
    again = await park.review()
    park.clock.at = china("2030-01-01")
    assert await _round(park) == 0
    await again.do(EMPLOYER_A, CommandKind.WITHDRAW)
    await settle_notices(park)
    park.clock.at = china("2033-01-01")
    asked = LegalHoldRequest(reason=HoldReason.INVESTIGATION, paper="9")
    hold = (await legal_holds.place(park.context, SUPERVISOR, case.reference, asked, key())).body
    assert await _round(park) == 0
    ends = LegalHoldRelease(reason=ReleaseReason.ORDER_LIFTED)
    await legal_holds.release(park.context, SUPERVISOR, case.reference, UUID(hold["id"]), ends, key())
    assert await _round(park) == 1
    assert (await again.view())["person"]["erased"] is True


async def test_a_hold_placed_after_the_list_was_made_still_wins(park: Park) -> None:
    case = await _withdrawn(park)
    park.clock.at = china("2030-01-01")
    (person_id,) = await retention.next_due(park.context, park.clock.at, _FIRST, 10)
    asked = LegalHoldRequest(reason=HoldReason.AUDIT, paper="10")
    await legal_holds.place(park.context, SUPERVISOR, case.reference, asked, key())
    assert await retention.erase_due(park.context, _STEP, person_id) is False
    (refused,) = await park.rows(tables.ledger, tables.ledger.c.act == "erasure_refused")
    assert refused["detail"] == {"asked": "retention_over", "kept_by": "legal_hold"}
    assert (await case.view())["person"]["erased"] is False


async def test_answers_and_rosters_go_after_thirty_days(park: Park) -> None:
    await hand_in(park, dry_run=True)
    await _withdrawn(park)
    park.clock.at += timedelta(days=30)
    assert await retention.forget_answers(park.context, park.clock.at) == 0
    assert await retention.empty_rosters(park.context, park.clock.at, 20) == 0
    park.clock.at += timedelta(seconds=1)
    assert await retention.forget_answers(park.context, park.clock.at) > 0
    assert await retention.forget_answers(park.context, park.clock.at) == 0
    assert await retention.empty_rosters(park.context, park.clock.at, 20) == 1
    assert await retention.empty_rosters(park.context, park.clock.at, 20) == 0
    assert {row["body"] for row in await park.rows(tables.roster_rows)} == {b""}
    (roster,) = await park.rows(tables.rosters)
    keys = await park.rows(tables.data_keys, tables.data_keys.c.key_id == roster["key_id"])
    assert [row["wrapped"] for row in keys] == [None]
