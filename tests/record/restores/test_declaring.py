"""A restore of the database that is declared: a new epoch, numbers and references that were given, the log."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import update

from cases.case.file import read_case
from cases.commands import intake
from cases.health.restore_watch import look_at_restore, note_undeclared, say_nothing_lost
from cases.shared import lost_cases
from cases.shared.context import Context
from domain.actors import system
from domain.checkups import Health
from domain.errors import Refused
from domain.references import REFERENCE_BYTES, reference_from
from proof.checkpoints import open_checkpoint, parse_note, verifier_key
from proof.declarations import Declaration
from record.restores.declaring import SKIPPED_NUMBERS, Restored, declare_restore, find_lost_cases
from record.restores.telling import keep_telling_epochs
from record.seal.log import find_checkpoint
from store.tables import cursors, epochs, incidents, ledger
from tests.cases.driver import Park, china, open_park
from tests.record.seal.sealed import seal_all

ACTOR = system("restored")


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _declare(park: Park, note: str | None = None, *, again: bool = False) -> Restored:
    return await declare_restore(park.context, ACTOR, note, again=again)


async def test_a_declared_restore_is_an_epoch_in_the_ledger_and_in_every_course(park: Park) -> None:
    case = await park.review()
    assert (await read_case(park.context, case.reference)).course().epoch == 0
    found = await _declare(park)
    assert found.is_new
    assert found.epoch == int(park.clock.at.timestamp())
    assert (await read_case(park.context, case.reference)).course().epoch == found.epoch
    (row,) = await park.rows(ledger, ledger.c.act == "restored")
    assert row["detail"]["epoch"] == found.epoch
    assert row["detail"]["signature"] == found.declaration["signature"]


async def test_declaring_it_twice_is_once_until_something_was_written(park: Park) -> None:
    first = await _declare(park)
    park.clock.at += timedelta(minutes=1)
    second = await _declare(park)
    assert (second.epoch, second.is_new) == (first.epoch, False)
    await park.take_on()
    third = await _declare(park)
    assert (third.is_new, third.epoch > first.epoch) == (True, True)
    assert (await _declare(park, again=True)).epoch > third.epoch


async def test_a_backup_made_right_after_a_declaration_is_another_restore(park: Park) -> None:
    first = await _declare(park)
    async with park.context.database.begin() as connection:
        await connection.execute(update(cursors).where(cursors.c.name == "cluster").values(value="1/00000001"))
    assert (await _declare(park)).epoch > first.epoch


async def test_an_epoch_declared_on_an_older_backup_is_newer_than_the_one_that_the_backup_lacks(park: Park) -> None:
    first = await _declare(park)
    later = replace(park.context, clock=lambda: park.clock.at + timedelta(hours=1))
    # What a second restore to before the first one has: no row of it.
    second = await declare_restore(later, ACTOR, again=True)
    assert second.epoch - first.epoch == 3600


async def test_numbers_and_calls_of_an_approval_after_a_restore_are_none_that_were_given(park: Park) -> None:
    before = await park.approved()
    number = (await read_case(park.context, before.reference)).row.registration_number or ""
    found = await _declare(park)
    again = await park.approved(identity_number="33010619860128072X")
    file = await read_case(park.context, again.reference)
    assert int((file.row.registration_number or "").split("-")[2]) > int(number.split("-")[2]) + SKIPPED_NUMBERS
    assert {call.key for call in file.calls} == {
        f"permit/{again.reference}/{each}@{found.epoch}" for each in ("HK", "MO")
    }
    # What was due before the restore is sent under its own key, so that the authority takes it once.
    kept = await read_case(park.context, before.reference)
    assert {call.key for call in kept.calls} == {f"permit/{before.reference}/{each}" for each in ("HK", "MO")}


async def test_the_reference_of_a_lost_case_is_not_given_again(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    lost, free = bytes(REFERENCE_BYTES), bytes([1] * REFERENCE_BYTES)
    await _declare(park)

    async def listed() -> AsyncIterator[list[str]]:
        yield [f"registration/{reference_from('HT', lost)}", "notification/mail"]

    assert await find_lost_cases(park.context, listed()) == [reference_from("HT", lost)]
    drawn = iter([lost, free])
    monkeypatch.setattr(intake, "reference_from", lambda _prefix, _entropy: reference_from("HT", next(drawn)))
    case = await park.take_on()
    assert case.reference == reference_from("HT", free)
    assert not await lost_cases.note_gone(park.context, case.reference)


async def test_the_log_goes_on_under_a_name_of_its_own(park: Park) -> None:
    await park.review()
    await seal_all(park.context)
    restored = await find_checkpoint(park.context)
    found = await _declare(park)
    assert found.origin == f"hetao-permits/ledger#{found.epoch}"
    await seal_all(park.context)
    newest = await find_checkpoint(park.context)
    assert newest.size == restored.size + 1
    keys = [verifier_key(found.origin, each) for each in park.context.keyring.sealing_keys().values()]
    assert open_checkpoint(parse_note(newest.note), found.origin, keys).checkpoint.size == newest.size
    declared = Declaration.read(json.loads(json.dumps(found.declaration)), _keys(park.context))
    assert (declared.restored.size, declared.known) == (restored.size, None)


async def test_a_log_that_lost_nothing_keeps_its_name(park: Park) -> None:
    await park.review()
    await seal_all(park.context)
    newest = await find_checkpoint(park.context)
    found = await _declare(park, newest.note)
    assert (found.origin, found.lost_leaves) == ("hetao-permits/ledger", 0)


async def test_a_checkpoint_that_contradicts_the_restored_tree_is_refused(park: Park) -> None:
    await park.review()
    await seal_all(park.context)
    older = await find_checkpoint(park.context)
    await park.review(identity_number="33010619860128072X")
    await seal_all(park.context)
    for note, why in (
        (older.note, "find a newer one"),
        (older.note.replace("hetao-permits", "other-permits"), "cannot be taken"),
    ):
        with pytest.raises(Refused) as refused:
            await _declare(park, note)
        assert why in refused.value.detail
    assert await park.rows(epochs) == []


def _keys(context: Context) -> list:
    return [verifier_key(context.log_origin, each) for each in context.keyring.sealing_keys().values()]


async def _elsewhere(park: Park) -> None:
    """Let the register have been in another database before."""
    async with park.context.database.begin() as connection:
        await connection.execute(update(cursors).where(cursors.c.name == "cluster").values(value="1/00000001"))


async def test_a_database_that_came_from_elsewhere_under_a_worker_is_seen_and_said_by_the_doctor(park: Park) -> None:
    assert (await look_at_restore(park.context)).health is Health.OK
    is_over, rounds = False, 0

    def is_stopping() -> bool:
        nonlocal rounds
        rounds += 1
        return is_over

    telling = asyncio.create_task(
        keep_telling_epochs(park.context, _NoWorkflows(), is_stopping=is_stopping, every=0.001)
    )
    async with asyncio.timeout(20):
        while rounds < 3:  # noqa: ASYNC110 - the worker has looked by then, and tells nobody
            await asyncio.sleep(0.01)
        assert await park.rows(incidents) == []
        await _elsewhere(park)
        while not (shown := await park.rows(incidents)):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        is_over = True
        await telling
    assert [(row["reason"], row["state"]) for row in shown] == [("restore_undeclared", "open")]
    line = await look_at_restore(park.context)
    assert line.health is Health.FAIL
    assert "not 1/00000001" in line.says
    assert "`hetao restored`" in line.to_do
    await asyncio.gather(*(note_undeclared(park.context) for _ in range(3)))
    assert len(await park.rows(incidents)) == 1
    await _declare(park)
    assert (await look_at_restore(park.context)).health is Health.OK


class _NoWorkflows:
    """A Temporal in which nothing runs."""

    async def ids(self, *, is_open: bool = False) -> AsyncIterator[list[str]]:
        nothing: list[list[str]] = []
        for page in nothing:
            yield page

    async def tell(self, workflow_id: str) -> bool:
        return False


async def test_a_database_that_came_from_elsewhere_is_shown_until_somebody_says_what_it_lost(park: Park) -> None:
    assert not await note_undeclared(park.context)
    assert not await note_undeclared(park.context)
    for says in (_declare(park, again=True), say_nothing_lost(park.context, ACTOR)):
        await _elsewhere(park)
        assert await note_undeclared(park.context)
        assert await note_undeclared(park.context)
        (shown,) = await park.rows(incidents, incidents.c.state == "open")
        assert shown["reason"] == "restore_undeclared"
        await says
        assert not await note_undeclared(park.context)
        assert await park.rows(incidents, incidents.c.state == "open") == []
    (whole,) = await park.rows(ledger, ledger.c.outcome == "nothing_lost")
    assert whole["act"] == "restored"
