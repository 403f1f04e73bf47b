"""Erasures outlive a restore: an old dump, loaded again, is followed by the list that no restore touches."""

import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from domain.actors import system
from domain.commands import CommandKind
from domain.erasure import HoldReason, LegalHoldRelease, LegalHoldRequest, ReleaseReason
from domain.errors import Defect, Unavailable
from privacy import legal_holds
from privacy.erasure_completion import complete
from privacy.erasure_replay import note_missing, replay
from sandbox.stack.postgres import SUPERUSER, PostgresServer, binaries
from store import tables
from store.database import Database
from store.erasure_list import ErasureList
from tests.cases.contexts import EMPLOYER_A, NOON, SUPERVISOR, key
from tests.cases.driver import Case, Park, open_park
from tests.privacy.sweep import places_of
from tests.privacy.test_erasing import WORDS, ended_case, erase, settle_notices, sign

_REPLAY = system("erasure_replay")


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, NOON) as park:
        yield park


def dump(postgres: PostgresServer, database: str, into: Path) -> None:
    """Back the database up."""
    url = postgres.url(role=SUPERUSER, database=database)
    subprocess.run([str(binaries() / "pg_dump"), "-Fc", "-f", str(into), url], check=True)


def restore(postgres: PostgresServer, database: str, backup: Path) -> None:
    """Load a backup into an empty database."""
    url = postgres.url(role=SUPERUSER, database=database)
    subprocess.run([str(binaries() / "pg_restore"), "--exit-on-error", "-d", url, str(backup)], check=True)


async def test_a_restored_dump_is_unreadable_again_once_the_list_is_followed(
    park: Park, postgres: PostgresServer, database_name: str, empty_database: str, tmp_path: Path
) -> None:
    case = await ended_case(park)
    number, card = "440304197001010012", "C87654321"
    other = await park.review(identity_number=number, permit_card_number=card, name_zh="李思远", email=None, phone=None)
    held = LegalHoldRequest(reason=HoldReason.AUDIT, paper="7")
    hold = (await legal_holds.place(park.context, SUPERVISOR, case.reference, held, key())).body
    dump(postgres, database_name, tmp_path / "backup")
    ends = LegalHoldRelease(reason=ReleaseReason.MATTER_CLOSED)
    await legal_holds.release(park.context, SUPERVISOR, case.reference, UUID(hold["id"]), ends, key())
    await erase(park, case)
    restore(postgres, empty_database, tmp_path / "backup")
    database = Database(postgres.url(database=empty_database))
    try:
        old = Park(replace(park.context, database=database), park.clock)
        assert await places_of(old.context, WORDS)
        looked = await replay(old.context, _REPLAY, only_look=True)
        assert (looked.listed, looked.erased_again, looked.unlisted) == (1, 1, 0)
        done = await replay(old.context, _REPLAY)
        assert (done.erased_again, done.held, done.live) == (1, [], [])
        assert await places_of(old.context, WORDS) == set()
        again = await replay(old.context, _REPLAY)
        assert (again.listed, again.erased_again) == (1, 0)
        acts = [row for row in await old.rows(tables.ledger) if row["act"] == "key_destroyed"]
        assert [(row["outcome"], row["reference"]) for row in acts] == [("erased_again", case.reference)]
        assert (await Case(old, other.reference).view())["person"]["erased"] is False
    finally:
        await database.close()


async def test_a_hold_that_was_never_released_keeps_the_person_at_a_replay(
    park: Park, postgres: PostgresServer, database_name: str, empty_database: str, tmp_path: Path
) -> None:
    case = await ended_case(park)
    dump(postgres, database_name, tmp_path / "backup")
    await erase(park, case)
    restore(postgres, empty_database, tmp_path / "backup")
    database = Database(postgres.url(database=empty_database))
    try:
        old = Park(replace(park.context, database=database), park.clock)
        held = LegalHoldRequest(reason=HoldReason.LITIGATION, paper="8")
        await legal_holds.place(old.context, SUPERVISOR, case.reference, held, key())
        assert (await replay(old.context, _REPLAY)).held == [case.reference]
        assert await places_of(old.context, WORDS)
    finally:
        await database.close()


async def test_an_erasure_on_the_list_that_was_never_committed_erases_no_case_that_came_later(park: Park) -> None:
    case = await ended_case(park)
    entry_of = park.context.erasure_list
    assert entry_of is not None
    await erase(park, case)
    (entry,) = await entry_of.read()
    again = await park.review()
    person_id = (await again.row())["person_id"]
    await entry_of.append(entry.model_copy(update={"person_id": person_id}))
    found = await replay(park.context, _REPLAY)
    assert found.held == [case.reference]
    assert (await again.view())["person"]["erased"] is False


async def test_a_list_that_was_altered_or_cut_in_the_middle_is_not_followed(park: Park, tmp_path: Path) -> None:
    case = await ended_case(park)
    await erase(park, case)
    kept = park.context.erasure_list
    assert kept is not None
    (entry,) = await kept.read()
    path = tmp_path / "erasures.jsonl"
    files = ErasureList(path, park.context.keyring)
    for _ in range(3):
        await files.append(entry)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines) + b'{"entry": {"erasu')  # a crash in the middle of a line
    assert len(await files.read()) == 3
    await files.append(entry)
    assert len(await files.read()) == 4
    altered = lines[1].replace(entry.reason.value.encode(), b"court_ordered")
    for broken in ([lines[0], lines[2]], [lines[0], altered, lines[2]], [lines[1]]):
        path.write_bytes(b"".join(broken))
        with pytest.raises(Defect, match="erasure_list_altered"):
            await files.read()


async def test_a_list_that_is_missing_after_an_erasure_stops_all_that_needs_it_until_it_is_completed(
    park: Park, tmp_path: Path
) -> None:
    first = await ended_case(park)
    number, card = "440304197001010012", "C87654321"
    second = await park.review(
        identity_number=number, permit_card_number=card, name_zh="李思远", email=None, phone=None
    )
    await second.do(EMPLOYER_A, CommandKind.WITHDRAW)
    await settle_notices(park)
    await erase(park, first)
    path = tmp_path / "elsewhere" / "erasures.jsonl"
    path.parent.mkdir()
    moved = Park(replace(park.context, erasure_list=ErasureList(path, park.context.keyring)), park.clock)
    with pytest.raises(Unavailable, match="erasure_list_missing"):
        await replay(moved.context, _REPLAY)
    with pytest.raises(Unavailable, match="erasure_list_missing"):
        await erase(moved, Case(moved, second.reference))
    assert not path.exists()
    await note_missing(moved.context, NOON)
    (incident,) = await park.rows(tables.incidents)
    assert (incident["kind"], incident["reason"]) == ("erasures", "erasure_list_missing")
    assert await complete(moved.context) == 1
    assert await complete(moved.context) == 0
    assert park.context.erasure_list is not None
    assert await ErasureList(path, park.context.keyring).read() == await park.context.erasure_list.read()
    await sign(moved, Case(moved, second.reference))
    found = await replay(moved.context, _REPLAY)
    assert (found.listed, found.erased_again, found.unlisted) == (2, 0, 0)
    assert await note_missing(moved.context, NOON) == 0
    (incident,) = await park.rows(tables.incidents)
    assert (incident["state"], incident["closed_reason"]) == ("ended", "replayed")
