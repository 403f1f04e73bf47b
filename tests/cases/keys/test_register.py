"""The register of keys: what each process says at its start, and what an operator is shown."""

import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from sqlalchemy import text

from cases.case.file import read_case
from cases.case.reads import get_case
from cases.health.gauges import read_gauges
from cases.keys import register as key_register
from cases.keys.register import KeyHolder, declare_lost, read_register, wait_for_signer
from cases.keys.rewrapping import watch_left, wrap_some
from domain.errors import KeyUnknown, Unavailable
from domain.service_keys import KeyKind, KeysRefusedError
from proof.statements import StatementKeyUnknown
from store import tables
from store.encryption import WrappedKey, unwrap
from store.keyring import Keyring
from tests.cases.contexts import OFFICER
from tests.cases.driver import Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


def _with(keyring: Keyring, kind: str, *, current: str | None = None) -> Keyring:
    """Return the keys with `n1` of a kind beside them, or writing."""
    keys = getattr(keyring, kind)
    added = {**keys.keys, "n1": keys.keys.get("n1") or secrets.token_bytes(32)}
    return replace(keyring, **{kind: replace(keys, current=current or keys.current, keys=added)})


def _holder(park: Park, keyring: Keyring | None = None, process: str = "worker") -> KeyHolder:
    return KeyHolder(replace(park.context, keyring=keyring or park.context.keyring), process)


async def _states(park: Park, kind: str) -> dict[str, str]:
    async with park.context.database.begin() as connection:
        return {row.key_id: row.state for row in (await read_register(connection))[kind]}


async def _execute(park: Park, statement: str) -> None:
    async with park.context.database.begin() as connection:
        await connection.execute(text(statement))


async def test_a_key_is_first_known_everywhere_and_then_current(park: Park) -> None:
    old = park.context.keyring
    api, worker = _holder(park, process="api"), _holder(park)
    await api.announce()
    await worker.announce()
    known = _with(old, "codec")
    current = _with(known, "codec", current="n1")
    with pytest.raises(KeysRefusedError, match=r"n1 of codec is not known everywhere yet.*api \d+ on .*worker \d+ on "):
        await _holder(park, current).announce()
    await _holder(park, known, "api").announce()
    await api.leave()
    assert await _states(park, "codec") == {"c1": "current", "n1": "known"}
    with pytest.raises(KeysRefusedError, match=r"worker \d+ on \S+ \(last heard of 0 s ago\) do not have it"):
        await _holder(park, current).announce()
    await worker.leave()
    await _holder(park, current).announce()
    assert await _states(park, "codec") == {"c1": "retired", "n1": "current"}
    # Whoever starts with the file of before may read all the same, and without the new key may not.
    assert [each.code for each in await _holder(park, known).announce()] == ["file_behind"]
    with pytest.raises(KeysRefusedError, match="lacks n1 of codec"):
        await _holder(park, old).announce()


async def test_a_process_that_was_killed_is_forgotten_and_one_that_lives_is_not(park: Park) -> None:
    killed = _holder(park)
    await killed.announce()
    current = _with(park.context.keyring, "seal", current="n1")
    await _execute(park, "UPDATE key_holders SET seen_at = clock_timestamp() - interval '50 s'")
    with pytest.raises(KeysRefusedError, match="last heard of 50 s ago"):
        await _holder(park, current).announce()
    await _execute(park, "UPDATE key_holders SET seen_at = clock_timestamp() - interval '61 s'")
    await _holder(park, current).announce()
    # It was only silent: it says again what it has, and learns that it must not go on.
    assert await killed.beat()
    await _execute(park, "DELETE FROM key_holders")
    assert not await killed.beat()
    with pytest.raises(KeysRefusedError, match="lacks n1 of seal"):
        await killed.announce()


async def test_the_keys_beside_the_first_current_one_count_as_if_they_had_written(park: Park) -> None:
    known = _with(park.context.keyring, "codec")
    await _holder(park, known).announce()
    assert await _states(park, "codec") == {"c1": "current", "n1": "retired"}
    with pytest.raises(KeysRefusedError, match="lacks n1 of codec"):
        await _holder(park).announce()
    await _holder(park, _with(known, "codec", current="n1")).announce()
    assert await _states(park, "codec") == {"c1": "retired", "n1": "current"}


async def test_whoever_still_writes_with_an_old_key_puts_off_the_day_from_which_it_may_go(park: Park) -> None:
    known = _with(park.context.keyring, "codec")
    behind = _holder(park, known)
    await behind.announce()
    await _holder(park, replace(known, codec=replace(known.codec, current="n1"))).announce()
    await _execute(park, "UPDATE service_keys SET retired_at = retired_at - interval '14 months' WHERE key_id = 'c1'")
    await behind.beat()
    async with park.context.database.begin() as connection:
        rows = {row.key_id: row for row in (await read_register(connection))["codec"]}
    assert rows["c1"].retired_at is not None
    assert rows["n1"].current_at is not None
    assert rows["c1"].retired_at > rows["n1"].current_at - timedelta(minutes=1)


async def test_the_key_file_of_another_installation_is_refused(park: Park) -> None:
    await _holder(park).announce()
    strangers = replace(park.context.keyring, lookup=secrets.token_bytes(32))
    with pytest.raises(KeysRefusedError, match="1 of lookup is another key"):
        await _holder(park, strangers).announce()


async def test_data_keys_are_wrapped_again_until_the_old_key_may_go(park: Park) -> None:
    case = await park.review()
    old = park.context.keyring
    await _holder(park).announce()
    known = _with(old, "kek")
    current = replace(park.context, keyring=replace(known, kek=replace(known.kek, current="n1")))
    # Who has a key that the register does not have as current yet wraps nothing, and nobody wraps back.
    assert await wrap_some(current) == 0
    await _execute(park, "DELETE FROM key_holders")
    await KeyHolder(current, "worker").announce()
    assert await wrap_some(replace(park.context, keyring=known)) == 0
    rows = await park.rows(tables.data_keys)
    left = len([row for row in rows if row["wrapped"] is not None])
    assert (await watch_left(current))["k1"] == left
    assert _gauge("k1") == left
    without = replace(known, kek=replace(known.kek, current="n1", keys={"n1": known.kek.keys["n1"]}))
    with pytest.raises(KeysRefusedError, match="lacks k1 of kek, and something is still under it"):
        await _holder(park, without).announce()
    done = 0
    while some := await wrap_some(current, most=3):
        assert some <= 3
        done += some
    assert done == left
    assert await watch_left(current) == {}
    assert _gauge("k1") == 0
    await _holder(park, without).announce()
    again = {row["key_id"]: row for row in await park.rows(tables.data_keys)}
    for row in rows:
        new = again[row["key_id"]]
        before = unwrap(old, WrappedKey(row["key_id"], row["kek_id"], row["wrapped"]))
        assert unwrap(without, WrappedKey(new["key_id"], new["kek_id"], new["wrapped"])) == before
    park.context = replace(park.context, keyring=without)
    await case.approve()


async def test_wrapping_again_passes_over_what_another_worker_has_and_over_what_was_erased(park: Park) -> None:
    await park.review()
    await _execute(park, "UPDATE data_keys SET wrapped = NULL WHERE key_id = (SELECT key_id FROM data_keys LIMIT 1)")
    known = _with(park.context.keyring, "kek")
    context = replace(park.context, keyring=replace(known, kek=replace(known.kek, current="n1")))
    await KeyHolder(context, "worker").announce()
    rows = await park.rows(tables.data_keys)
    held, *_ = [row["key_id"] for row in rows if row["wrapped"] is not None]
    erased = [row["key_id"] for row in rows if row["wrapped"] is None]
    async with park.context.database.begin() as connection:
        lock = text("SELECT 1 FROM data_keys WHERE key_id = :key_id FOR UPDATE")
        await connection.execute(lock, {"key_id": held})
        while await wrap_some(context):
            pass
    kept = {row["key_id"] for row in await park.rows(tables.data_keys) if row["kek_id"] == "k1"}
    assert kept == {held, *erased}


async def test_a_key_of_which_no_copy_is_left_is_given_up_by_word_alone(park: Park) -> None:
    known = _with(park.context.keyring, "archive")
    await _holder(park, known).announce()
    current = replace(known, archive=replace(known.archive, current="n1"))
    await _execute(park, "DELETE FROM key_holders")
    await _holder(park, current).announce()
    without = replace(current, archive=replace(current.archive, keys={"n1": current.archive.keys["n1"]}))
    with pytest.raises(KeysRefusedError, match="hetao keys lost archive a1"):
        await _holder(park, without).announce()
    async with park.context.database.begin() as connection:
        assert not await declare_lost(connection, KeyKind.ARCHIVE, "n1")
        assert not await declare_lost(connection, KeyKind.ARCHIVE, "a9")
        assert not await declare_lost(connection, KeyKind.KEK, "k9")
        assert await declare_lost(connection, KeyKind.ARCHIVE, "a1")
    await _holder(park, without).announce()


async def test_a_signature_by_a_key_that_others_have_waits_and_one_by_a_key_that_nobody_had_is_refused(
    park: Park,
) -> None:
    await _holder(park, _with(park.context.keyring, "statement")).announce()
    async with park.context.database.begin() as connection:
        with pytest.raises(KeyUnknown):
            await wait_for_signer(park.context, connection, StatementKeyUnknown("n1"))
        await wait_for_signer(park.context, connection, StatementKeyUnknown("made-up"))


async def test_a_key_that_does_not_come_is_one_line_for_the_operator(
    park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = _holder(park)
    await holder.announce()
    with pytest.raises(KeyUnknown):
        park.context.keyring.kek.find("k9")
    await holder.beat()
    assert await park.rows(tables.incidents) == []
    monkeypatch.setattr(key_register, "_MISSED_SECONDS", 0.0)
    park.context.keyring.kek.missed.seen["k9"] = (0.0, time.monotonic() + 60)
    await holder.beat()
    await holder.beat()
    (line,) = await park.rows(tables.incidents)
    assert (line["kind"], line["step"], line["reason"]) == ("key_unknown", "kek", "k9")
    park.context.keyring.kek.missed.seen.clear()


async def test_a_case_under_a_key_that_is_not_here_holds_up_no_list_and_no_other_case(park: Park) -> None:
    case = await park.review()
    other = await park.review(identity_number="33010619860128072X")
    file = await read_case(park.context, case.reference)
    await _execute(park, f"UPDATE data_keys SET kek_id = 'k9' WHERE key_id = '{file.person_key.key_id}'")
    with pytest.raises(KeyUnknown):
        await case.approve()
    seen = await get_case(park.context, OFFICER, case.reference)
    assert (seen.person.name_zh, seen.person.erased) == (None, False)
    await other.approve()
    assert await other.stage() == "approved"


async def _waits(park: Park, kind: str = "kek") -> float:
    """Return how many days the next step of a rotation has waited, as the gauge of a worker says it."""
    await read_gauges(park.context, with_stages=False)
    return (REGISTRY.get_sample_value("hetao_key_rotation_waits_seconds", {"kind": kind}) or 0) // 86400


async def test_a_rotation_that_was_begun_and_not_ended_is_seen_to_wait_at_each_step(park: Park) -> None:
    old = park.context.keyring
    await _holder(park).announce()
    assert await _waits(park) == 0
    # Added and not made current.
    known = _with(old, "kek")
    holder = _holder(park, known)
    await holder.announce()
    await _execute(park, "UPDATE service_keys SET known_at = known_at - interval '3 days' WHERE key_id = 'n1'")
    assert (await _waits(park), await _waits(park, "codec")) == (3, 0)
    # Taken back: no process has it any more.
    await _execute(park, "DELETE FROM key_holders")
    assert await _waits(park) == 0
    # Made current, and the old one neither gone nor without data keys; a process behind puts its day off in vain.
    current = replace(known, kek=replace(known.kek, current="n1"))
    await _holder(park, current).announce()
    assert await _waits(park) == 0
    await _execute(park, "UPDATE service_keys SET current_at = current_at - interval '5 days' WHERE key_id = 'n1'")
    assert await _waits(park) == 5
    # Ended: it is out of every file.
    await _execute(park, "DELETE FROM key_holders")
    while await wrap_some(replace(park.context, keyring=current)):
        pass
    await _holder(park, replace(current, kek=replace(current.kek, keys={"n1": current.kek.keys["n1"]}))).announce()
    assert await _waits(park) == 0


async def test_a_rotation_of_keys_that_go_by_time_waits_again_when_the_time_is_over(park: Park) -> None:
    known = _with(park.context.keyring, "cursor")
    await _holder(park, known).announce()
    behind = _holder(park, replace(known, cursor=replace(known.cursor, current="n1")))
    await behind.announce()
    await _execute(park, "UPDATE service_keys SET current_at = current_at - interval '9 days' WHERE key_id = 'n1'")
    # The first process still writes with the old one.
    assert await _waits(park, "cursor") == 9
    await _execute(park, "DELETE FROM key_holders WHERE holds -> 'cursor' ->> 'current' <> 'n1'")
    assert await _waits(park, "cursor") == 0
    old = "UPDATE service_keys SET retired_at = retired_at - interval '4 days' WHERE kind = 'cursor' AND key_id <> 'n1'"
    await _execute(park, old)
    assert await _waits(park, "cursor") == 3  # a day it has to stay


async def test_an_older_schema_is_waited_for(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_register, "read_register", _older)
    with pytest.raises(Unavailable, match="schema_older"):
        await _holder(park).announce()


async def _older(connection: object) -> object:
    return await connection.execute(text("SELECT FROM no_such_table"))  # type: ignore[attr-defined]


def _gauge(key_id: str) -> float | None:
    return REGISTRY.get_sample_value("hetao_keys_left", {"kind": "kek", "key_id": key_id})
