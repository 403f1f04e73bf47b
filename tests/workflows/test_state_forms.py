"""The hash of a case's state names its form, so that tables may change and rows of before still be compared."""

import pytest
from sqlalchemy import text

from cases.case import state
from domain.spellings import STATE_FORMS, StateForm
from domain.stages import Stage
from record.reconciliation.reconcile import reconcile_case
from store.tables import ledger
from temporal.histories import TemporalHistories
from tests.workflows.world import Case, World

# As a later version may have it: other names for the parts, and one column that is hashed no more.
SECOND = StateForm(
    case="case",
    case_names=tuple(name for name in STATE_FORMS[1].case_names if name != "undertaking_version"),
    tracks="tracks",
    track_names=STATE_FORMS[1].track_names,
    track_key="destination",
    own="talent_permits",
)


async def _differences(case: Case) -> list[str]:
    _, found = await reconcile_case(case.world.context, TemporalHistories(case.world.client), case.reference)
    return [each.code for each in found]


async def _told(case: Case) -> set[object]:
    rows = await case.world.rows(ledger, chain=case.reference)
    return {row["detail"].get("state_form") for row in rows if row["after_hash"] is not None}


async def test_a_row_without_a_number_is_of_the_first_form_and_a_later_one_names_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, other = await world.submit(), await world.submit(identity_number="33010619860128072X")
    for each in (case, other):
        await each.until_stage(Stage.UNDER_REVIEW)
    assert (await _told(case), await _differences(case)) == ({None}, [])
    monkeypatch.setitem(STATE_FORMS, 2, SECOND)
    monkeypatch.setattr(state, "STATE_FORM", 2)
    await case.decide("return", "employment_dates_wrong")
    assert await _told(case) == {None, 2}
    assert (await _differences(case), await _differences(other)) == ([], [])
    for each, column in (
        (case, "cases SET due_kind = 'correction '"),
        (other, "talent_permits SET contract_end = NULL"),
    ):
        async with world.context.database.begin() as connection:
            change = text(f"UPDATE {column} WHERE reference = :r")
            await connection.execute(change, {"r": each.reference})
    assert await _differences(case) == await _differences(other) == ["register_state_altered"]


async def test_a_form_that_is_not_known_here_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATE_FORMS, 2, SECOND)
    monkeypatch.setattr(state, "STATE_FORM", 2)
    case = await world.submit()
    await case.until_stage(Stage.UNDER_REVIEW)
    assert await _differences(case) == []
    monkeypatch.undo()
    assert await _differences(case) == ["state_form_unknown"]
