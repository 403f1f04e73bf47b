"""The sealer: what it takes in and in which order, what it names, and that nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from domain.actors import system
from domain.acts import Act
from domain.errors import Refused
from proof import merkle
from proof.checkpoints import open_checkpoint, parse_note, verifier_key
from record.seal import log
from record.seal.sealer import seal
from sandbox.stack.postgres import PostgresServer
from store import tables
from store.ledger import Entry, append, follow
from tests.cases.contexts import NOON
from tests.cases.driver import Park, china, open_park
from tests.record.seal.sealed import seal_all


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


def _entry(number: int = 0) -> Entry:
    return Entry(act=Act.STARTED, actor=system("test"), at=NOON, detail={"number": number})


async def _write(park: Park, chain: str, count: int = 1) -> None:
    async with park.context.database.begin() as connection:
        await append(connection, chain, [_entry(number) for number in range(count)])


async def _leaves(park: Park) -> list[tuple[str, int]]:
    leaves = tables.seal_leaves
    async with park.context.database.begin() as connection:
        rows = await connection.execute(select(leaves.c.chain, leaves.c.seq).order_by(leaves.c.index))
        return [(row.chain, row.seq) for row in rows]


async def test_every_row_is_sealed_once_and_proved_in_every_later_checkpoint(park: Park) -> None:
    await park.issued()
    first = await seal_all(park.context)
    early = await log.find_checkpoint(park.context)
    await _write(park, "more", 5)
    assert await seal_all(park.context) == 5
    assert await seal(park.context) == 0
    late = await log.find_checkpoint(park.context)
    rows = {(row["chain"], row["seq"]): row for row in await park.rows(tables.ledger)}
    assert (early.size, late.size) == (first, first + 5) == (len(rows) - 5, len(rows))
    assert sorted(await _leaves(park)) == sorted(rows)

    origin = park.context.log_origin
    keys = [verifier_key(origin, key) for key in park.context.keyring.sealing_keys().values()]
    for sealed in (early, late):
        checkpoint = open_checkpoint(parse_note(sealed.note), origin, keys).checkpoint
        assert (checkpoint.size, checkpoint.root) == (sealed.size, sealed.root)
    for chain, seq in list(rows)[::7]:
        found = await log.prove_inclusion(park.context, chain=chain, seq=seq)
        leaf = merkle.leaf_hash(bytes(rows[chain, seq]["hash"]))
        proof = [bytes.fromhex(each) for each in found.proof]
        assert merkle.verifies_inclusion(leaf, found.index, late.size, proof, late.root)
    grown = await log.prove_consistency(park.context, early.size, None)
    proof = [bytes.fromhex(each) for each in grown.proof]
    assert merkle.verifies_consistency(early.size, early.root, late.size, late.root, proof)


async def test_a_late_commit_is_not_skipped_and_holds_up_no_writer(park: Park) -> None:
    await _write(park, "before")
    await seal_all(park.context)
    async with park.context.database.begin() as late:
        await append(late, "late", [_entry()])
        await asyncio.wait_for(_write(park, "quick"), 2)
        # The quick one committed, but the late one may still come before it.
        assert await seal(park.context) == 0
    assert await seal_all(park.context) == 2
    assert (await _leaves(park))[-2:] == [("late", 1), ("quick", 1)]


async def test_one_seals_at_a_time(park: Park) -> None:
    await _write(park, "chain", 40)
    await asyncio.gather(*(seal(park.context, 25) for _ in range(4)))
    await seal_all(park.context)
    leaves = await _leaves(park)
    assert len(leaves) == len(set(leaves)) == len(await park.rows(tables.ledger))
    assert leaves[-40:] == [("chain", seq) for seq in range(1, 41)]


async def test_an_idle_sealer_writes_nothing(park: Park) -> None:
    await _write(park, "chain")
    await seal_all(park.context)
    before = [await park.rows(table) for table in (tables.checkpoints, tables.seal_leaves, tables.ledger)]
    for _ in range(5):
        assert await seal(park.context) == 0
    assert [await park.rows(table) for table in (tables.checkpoints, tables.seal_leaves, tables.ledger)] == before


async def test_rows_altered_before_they_are_sealed_are_named(
    park: Park, postgres: PostgresServer, database_name: str
) -> None:
    await _write(park, "content", 3)
    await _write(park, "gone", 3)
    await _write(park, "whole", 2)
    _as_owner(
        postgres,
        database_name,
        "UPDATE ledger SET act = 'approved' WHERE chain = 'content' AND seq = 3",
        "DELETE FROM ledger WHERE chain = 'gone' AND seq = 2",
    )
    await seal_all(park.context, left_out=1)
    leaves = await _leaves(park)
    assert ("content", 3) not in leaves
    assert {("content", 2), ("gone", 3), ("whole", 2)} <= set(leaves)
    named = await park.rows(tables.ledger, tables.ledger.c.act == Act.ROW_FOUND_ALTERED.value)
    found = [(row["detail"]["chain"], row["detail"]["seq"], row["detail"]["why"]) for row in named]
    assert found == [("content", 3, "content"), ("gone", 3, "previous")]
    assert [leaf for leaf in leaves if leaf[0] == "seal"] == [("seal", 1), ("seal", 2)]
    incidents = await park.rows(tables.incidents)
    assert [each["kind"] for each in incidents] == ["ledger_altered"] * 2


async def test_more_altered_rows_than_a_batch_takes_hold_up_nothing_behind_them(
    park: Park, postgres: PostgresServer, database_name: str
) -> None:
    """They are named once each and passed over, and the sealer does not turn around them without an end."""
    await _write(park, "altered", 7)
    _as_owner(postgres, database_name, "UPDATE ledger SET act = 'approved' WHERE chain = 'altered'")
    await _write(park, "whole", 3)
    async with asyncio.timeout(20):
        while not {("whole", 3), ("seal", 7)} <= set(await _leaves(park)):
            if not await seal(park.context, 2):
                await asyncio.sleep(0.01)  # the oldest transaction is that of the whole server
    assert "altered" not in {chain for chain, _ in await _leaves(park)}
    named = await park.rows(tables.ledger, tables.ledger.c.act == Act.ROW_FOUND_ALTERED.value)
    assert [(row["detail"]["chain"], row["detail"]["seq"]) for row in named] == [("altered", n) for n in range(1, 8)]


async def test_altered_rows_with_nothing_behind_them_leave_the_sealer_at_rest(
    park: Park, postgres: PostgresServer, database_name: str
) -> None:
    """The round that only names them has sealed nothing, and says so."""
    await seal_all(park.context)
    await _write(park, "altered", 4)
    _as_owner(postgres, database_name, "UPDATE ledger SET act = 'approved' WHERE chain = 'altered'")
    async with asyncio.timeout(20):
        while not await park.rows(tables.incidents):
            assert await seal(park.context, 2) == 0
            await asyncio.sleep(0.01)
    assert len(await park.rows(tables.incidents)) == 4


async def test_a_row_with_what_no_act_writes_is_named_and_stops_nothing(
    park: Park, postgres: PostgresServer, database_name: str
) -> None:
    await _write(park, "odd", 2)
    await _write(park, "whole", 2)
    odd = "UPDATE ledger SET detail = '{\"number\": 1e400}' WHERE chain = 'odd' AND seq = 2"
    _as_owner(postgres, database_name, odd)
    await seal_all(park.context, left_out=1)
    assert {("odd", 1), ("whole", 2)} <= set(await _leaves(park))
    named = await park.rows(tables.ledger, tables.ledger.c.act == Act.ROW_FOUND_ALTERED.value)
    assert [(row["detail"]["chain"], row["detail"]["seq"], row["detail"]["why"]) for row in named] == [
        ("odd", 2, "content")
    ]


async def test_a_row_put_in_with_a_hash_of_its_own_is_named_by_the_row_after_it(
    park: Park, postgres: PostgresServer, database_name: str
) -> None:
    await _write(park, "chain", 3)
    (row,) = await park.rows(tables.ledger, tables.ledger.c.chain == "chain", tables.ledger.c.seq == 2)
    forged = follow("chain", [_entry(7)], 1, bytes(row["previous"]))[0]
    _as_owner(
        postgres,
        database_name,
        f"UPDATE ledger SET detail = '{{\"number\": 7}}', hash = '\\x{forged['hash'].hex()}' "
        "WHERE chain = 'chain' AND seq = 2",
    )
    await seal_all(park.context)
    named = await park.rows(tables.ledger, tables.ledger.c.act == Act.ROW_FOUND_ALTERED.value)
    assert [(r["detail"]["chain"], r["detail"]["seq"]) for r in named] == [("chain", 3)]


async def test_the_application_changes_nothing_of_the_seal(park: Park) -> None:
    for table in ("seal_leaves", "seal_nodes", "checkpoints", "cosignatures", "stamps"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with park.context.database.begin() as connection:
                    await connection.execute(text(statement))


async def test_what_is_asked_past_the_tree_is_refused_by_its_field(park: Park) -> None:
    with pytest.raises(Refused, match="not_found"):
        await log.find_checkpoint(park.context)
    await _write(park, "chain", 3)
    await seal_all(park.context)
    size = (await log.find_checkpoint(park.context)).size
    await _write(park, "young")
    asked: list[tuple[dict[str, Any], str]] = [
        ({"index": size}, "index"),
        ({"index": 0, "size": size + 1}, "size"),
        ({"chain": "young", "seq": 1}, "not_sealed_yet"),
    ]
    for question, expected in asked:
        with pytest.raises(Refused) as refused:
            await log.prove_inclusion(park.context, **question)
        assert expected in (refused.value.code, *(error.field for error in refused.value.errors))
    for old, new, field in ((size + 1, None, "from"), (1, size + 1, "to"), (2, 1, "from")):
        with pytest.raises(Refused) as refused:
            await log.prove_consistency(park.context, old, new)
        assert [error.field for error in refused.value.errors] == [field]


def _as_owner(postgres: PostgresServer, database: str, *statements: str) -> None:
    postgres.run_sql("SET session_replication_role = replica; " + "; ".join(statements), database=database)
