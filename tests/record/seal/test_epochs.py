"""The log after a restore: it goes on under another name, and what was proved before still proves what it did."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from cases.shared.epochs import read_log_epochs
from cases.shared.views import document
from domain.actors import system
from proof.files import verify
from proof.receipts import canonical
from proof.verdicts import KnownKeys, Verdict, read_keys
from record.restores.declaring import declare_restore
from record.seal import log
from record.seal.check import Progress, check_next
from record.seal.proofs import prove_case, signers_of
from tests.cases.contexts import EMPLOYER_A
from tests.cases.driver import Case, Park, china, open_park
from tests.record.seal.sealed import seal_all
from tests.record.telling import receipts_of
from tests.rows import Rows


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _keys(park: Park) -> KnownKeys:
    names = await read_log_epochs(park.context)
    return read_keys(json.dumps(document(log.public_keys(park.context, names))))


async def _receipts(case: Case) -> bytes:
    return canonical(await receipts_of(case.park.context, EMPLOYER_A, case.reference))


async def _returned(park: Park, **given: Any) -> Case:
    case = await park.review(**given)
    await case.decide("return", "employment_unproved")
    await seal_all(park.context)
    return case


def _open(verdict: Verdict) -> str:
    return " ".join(step.says for step in verdict.steps if step.holds is None and step.code == "epoch")


async def test_what_was_proved_before_a_restore_proves_it_after_and_says_what_it_relies_on(
    park: Park, rows: Rows
) -> None:
    kept = await _returned(park)
    receipt_kept, old_keys = await _receipts(kept), await _keys(park)
    await seal_all(park.context)
    restored_size = (await log.find_checkpoint(park.context)).size
    await rows.back_up()
    lost = await _returned(park, identity_number="33010619860128072X")
    receipt_lost, last = await _receipts(lost), await log.find_checkpoint(park.context)
    await rows.restore()
    park.clock.at += timedelta(minutes=1)
    found = await declare_restore(park.context, system("restored"), last.note)
    assert (found.tree_size, found.lost_leaves) == (restored_size, last.size - restored_size)
    await seal_all(park.context)
    receipt_new, keys = await _receipts(kept), await _keys(park)

    # With the keys of before the old ones verify as they did, and nothing of the new log passes for one of the old.
    assert verify(receipt_kept, old_keys).holds
    assert verify(receipt_lost, old_keys).holds
    assert not verify(receipt_new, old_keys).holds
    # With the keys of now all of them do, and one that the new log does not continue says what it rests on.
    for receipt, relies in ((receipt_kept, ""), (receipt_lost, "rests on this checkpoint"), (receipt_new, "")):
        verdict = verify(receipt, keys)
        assert verdict.holds, verdict.failed
        assert relies in _open(verdict)
        assert bool(_open(verdict)) == bool(relies)
    assert f"{last.size} leaves" in _open(verify(receipt_lost, keys))
    assert verify(json.dumps(found.declaration).encode(), keys).holds
    altered = json.loads(json.dumps(found.declaration))
    altered["content"]["restored"]["size"] += 1
    assert not verify(json.dumps(altered).encode(), keys).holds


async def test_the_seal_goes_on_after_a_restore_and_is_found_whole(park: Park, rows: Rows) -> None:
    case = await _returned(park)
    await rows.back_up()
    await _returned(park, identity_number="33010619860128072X")
    await rows.restore()
    await declare_restore(park.context, system("restored"))
    await _returned(park, identity_number="33010619860128072X")
    names, progress = await read_log_epochs(park.context), Progress()
    assert [each.since for each in names] == [0, names[1].since]
    signers = signers_of(park.context.log_origin, park.context.keyring, names)
    found = []
    while not progress.is_whole:
        found += await check_next(park.context.database, signers, progress)
    assert found == []
    assert progress.leaf > names[1].since
    assert await prove_case(park.context, case.reference) == []
    # Each name stands for its own sizes: a checkpoint of before that bears the later name is none of this log's.
    swapped = signers_of(names[1].origin, park.context.keyring)
    assert {each.code for each in await check_next(park.context.database, swapped, Progress())} == {
        "checkpoint_altered"
    }
