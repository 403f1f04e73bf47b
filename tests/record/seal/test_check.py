"""The seal checked again: what its owner alters, in whichever table, is found and named with its place."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from domain.actors import Actor, Role, system
from domain.acts import Act
from domain.languages import Language
from proof import checkpoints
from proof.ledger_rows import row_hash
from proof.merkle import leaf_hash, node_hash
from record.reconciliation.evidence import Difference
from record.reconciliation.reconcile import list_differences, place_text, show_reconciliation
from record.seal import check, log
from record.seal.check import Progress, check_next, end_round, keep_found
from record.seal.proofs import signers_of
from sandbox.stack.postgres import PostgresServer
from store import seal_walk, tables
from store.ledger import Entry, append
from tests.api.engines import NoHistories
from tests.cases.contexts import NOON
from tests.cases.driver import Park, china, open_park
from tests.record.seal.sealed import seal_all

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)
Owner = Callable[..., None]


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


@pytest.fixture
def owner(postgres: PostgresServer, database_name: str) -> Owner:
    """Whoever owns the cluster, past triggers and policies."""

    def run(*statements: str) -> None:
        postgres.run_sql("SET session_replication_role = replica; " + "; ".join(statements), database=database_name)

    return run


async def _write(park: Park, chain: str, count: int = 1) -> None:
    entries = [Entry(act=Act.CASE_READ, actor=system("test"), at=NOON, detail={"n": n}) for n in range(count)]
    async with park.context.database.begin() as connection:
        await append(connection, chain, entries)


async def _sealed(park: Park) -> None:
    """Seal readings, one checkpoint each, and then several in one: nine leaves after those of the samples."""
    await seal_all(park.context)
    for number in range(3):
        await _write(park, f"access/{number}")
        await seal_all(park.context)
    await _write(park, "policy/t", 4)
    await _write(park, "sign-in/t", 2)
    await seal_all(park.context)


async def _check(park: Park, most: int = check.STRETCH) -> list[Difference]:
    progress, found = Progress(), list[Difference]()
    while not progress.is_whole:
        found += await check_next(
            park.context.database, signers_of(park.context.log_origin, park.context.keyring), progress, most
        )
    return found


def _texts(found: list[Difference]) -> list[str]:
    return [f"{each.code} {place_text(each.place)}" for each in found]


async def _leaf(park: Park, chain: str, seq: int = 1) -> int:
    s = tables.seal_leaves.c
    (row,) = await park.rows(tables.seal_leaves, s.chain == chain, s.seq == seq)
    return int(row["index"])


async def _forged(park: Park, chain: str, seq: int = 1) -> tuple[bytes, tuple[str, ...]]:
    """Return a new hash of a row, and the statements by which it says something else under it, and its leaf too."""
    (row,) = await park.rows(tables.ledger, tables.ledger.c.chain == chain, tables.ledger.c.seq == seq)
    digest = row_hash({**row, "actor_subject": "somebody-else"})
    where = f"WHERE chain = '{chain}' AND seq = {seq}"
    return digest, (
        f"UPDATE ledger SET actor_subject = 'somebody-else', hash = '\\x{digest.hex()}' {where}",
        f"UPDATE seal_leaves SET hash = '\\x{digest.hex()}' {where}",
    )


@pytest.mark.parametrize("most", [1, 3, 1024])
async def test_an_untouched_seal_gives_nothing_however_it_is_cut(park: Park, most: int) -> None:
    assert await _check(park) == []
    await _sealed(park)
    await _write(park, "young")
    assert await _check(park, most) == []
    checked = Progress()
    await check_next(park.context.database, signers_of(park.context.log_origin, park.context.keyring), checked)
    assert checked.leaf == len(await park.rows(tables.seal_leaves)) == len(await park.rows(tables.ledger)) - 1


ALONE: dict[str, tuple[str, set[str]]] = {
    "a leaf": (
        "UPDATE seal_leaves SET hash = sha256('x') WHERE chain = 'access/1'",
        {"ledger_row_differs_from_seal table=ledger chain=access/1 seq=1", "seal_node_differs level=1"},
    ),
    "a leaf gone": (
        "DELETE FROM seal_leaves WHERE chain = 'access/1'",
        {"seal_leaf_missing table=seal_leaves leaf=", "ledger_row_unsealed table=ledger chain=access/1 seq=1"},
    ),
    "the last leaf gone": (
        "DELETE FROM seal_leaves WHERE index = {size} - 1",
        {"seal_leaf_missing table=seal_leaves"},
    ),
    "a leaf put in far beyond": (
        "INSERT INTO seal_leaves SELECT 1000000000000000, 'x', 1, xid, hash FROM seal_leaves WHERE index = 0",
        {"seal_leaf_unsigned table=seal_leaves leaf={size} to_leaf=1000000000000000"},
    ),
    "all leaves gone": (
        "DELETE FROM seal_leaves",
        {"seal_leaf_missing table=seal_leaves leaf=0"},
    ),
    "a node": (
        "UPDATE seal_nodes SET hash = sha256('x') WHERE level = 2 AND index = 0",
        {"seal_node_differs table=seal_nodes level=2 index=0 leaf=0 to_leaf=3"},
    ),
    "a node gone": (
        "DELETE FROM seal_nodes WHERE level = 2 AND index = 0",
        {"seal_node_missing table=seal_nodes level=2 index=0 leaf=0 to_leaf=3"},
    ),
    "a root": (
        "UPDATE checkpoints SET root = sha256('x') WHERE tree_size = {size}",
        {"checkpoint_altered size={size}"},
    ),
    "a signature": (
        """UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE tree_size <> {size} LIMIT 1)
           WHERE tree_size = {size}""",
        {"checkpoint_altered size={size}"},
    ),
    "the newest checkpoint gone": (
        "DELETE FROM checkpoints WHERE tree_size = {size}",
        {"seal_leaf_unsigned table=seal_leaves"},
    ),
    "a row of no case": (
        "UPDATE ledger SET actor_subject = 'x' WHERE chain = 'policy/t' AND seq = 4",
        {"ledger_row_differs_from_seal table=ledger chain=policy/t seq=4"},
    ),
    "a row that no act can have written": (
        "UPDATE ledger SET detail = '{{\"n\": 1e300}}' WHERE chain = 'policy/t' AND seq = 4",
        {"ledger_row_differs_from_seal table=ledger chain=policy/t seq=4"},
    ),
    "a row gone": (
        "DELETE FROM ledger WHERE chain = 'sign-in/t' AND seq = 2",
        {"sealed_row_missing table=ledger chain=sign-in/t seq=2"},
    ),
    "a row put in late": (
        """INSERT INTO ledger
           SELECT (jsonb_populate_record(l, '{{"chain": "access/9"}}')).* FROM ledger l WHERE chain = 'access/1'""",
        {"ledger_row_unsealed table=ledger chain=access/9 seq=1"},
    ),
}


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("most", [3, 1024])
async def test_one_table_altered_alone_is_named_where_it_stands(park: Park, owner: Owner, name: str, most: int) -> None:
    await _sealed(park)
    size = (await log.find_checkpoint(park.context)).size
    statement, expected = ALONE[name]
    owner(statement.format(size=size))
    texts = _texts(await _check(park, most))
    wanted = [each.format(size=size).split(" ") for each in expected]
    missed = [parts for parts in wanted if not any(all(part in text for part in parts) for text in texts)]
    # A node that is altered or gone differs from what is below it, and what is above it from the node.
    assert (missed, len(texts) <= len(expected) + 2) == ([], True), texts


async def test_a_row_and_its_leaf_altered_together_are_named_by_the_node_above_and_the_row_after(
    park: Park, owner: Owner
) -> None:
    await _sealed(park)
    _, statements = await _forged(park, "policy/t", 2)
    leaf = await _leaf(park, "policy/t", 2)
    owner(*statements)
    after, node = await _check(park)
    assert (node.code, node.place["level"], node.place["index"]) == ("seal_node_differs", 1, leaf // 2)
    assert "policy/t 2" in str(node.place["rows"]).split(", ")
    assert (after.code, after.place["chain"], after.place["seq"]) == ("ledger_chain_broken", "policy/t", 3)


async def test_a_row_altered_with_all_that_was_made_of_it_differs_from_the_root_that_was_signed(
    park: Park, owner: Owner
) -> None:
    await _sealed(park)
    digest, statements = await _forged(park, "access/1")
    leaf = await _leaf(park, "access/1")
    owner(*statements, *await _remade(park, leaf, digest))
    (found,) = await _check(park)
    # One checkpoint was signed for each reading, so that the first which differs tells the row.
    assert (found.code, found.place["size"], found.place["rows"]) == (
        "checkpoint_differs_from_tree", leaf + 1, "access/1 1",
    )  # fmt: skip


async def _remade(park: Park, leaf: int, content: bytes) -> list[str]:
    """Return the statements by which every node above a leaf follows from its new content."""
    hashes = {(row["level"], row["index"]): bytes(row["hash"]) for row in await park.rows(tables.seal_nodes)}
    leaves = {(0, row["index"]): leaf_hash(bytes(row["hash"])) for row in await park.rows(tables.seal_leaves)}
    known = hashes | leaves | {(0, leaf): leaf_hash(content)}
    level, statements = 1, []
    while (level, leaf >> level) in hashes:
        index = leaf >> level
        digest = known[level, index] = node_hash(known[level - 1, index * 2], known[level - 1, index * 2 + 1])
        statements.append(f"UPDATE seal_nodes SET hash = '\\x{digest.hex()}' WHERE level = {level} AND index = {index}")
        level += 1
    return statements


async def test_a_tree_signed_by_another_key_is_named(park: Park, owner: Owner) -> None:
    await _sealed(park)
    sealed = await log.find_checkpoint(park.context)
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"x")
    forged = checkpoints.sign(checkpoints.Checkpoint(park.context.log_origin, sealed.size, sealed.root), stranger)
    owner(f"UPDATE checkpoints SET note = '{forged}' WHERE tree_size = {sealed.size}")
    assert _texts(await _check(park)) == [f"checkpoint_altered table=checkpoints size={sealed.size}"]


async def test_a_round_keeps_what_differs_once_names_it_to_the_operator_and_takes_it_off_when_mended(
    park: Park, owner: Owner
) -> None:
    await _sealed(park)
    owner("CREATE TABLE kept AS SELECT * FROM seal_nodes WHERE level = 1 AND index = 0")
    owner("UPDATE seal_nodes SET hash = sha256('x') WHERE level = 1 AND index = 0")
    for night in range(2):
        assert await _round(park, night) >= 1
    listed, _ = await list_differences(park.context)
    assert {(each.reference, each.code) for each in listed} == {("seal", "seal_node_differs")}
    incidents = await park.rows(tables.incidents)
    assert {(each["kind"], each["step"], each["reference"]) for each in incidents} == {
        ("record_differs", "seal_node_differs", None)
    }
    assert len(incidents) == len(listed)
    owner("UPDATE seal_nodes n SET hash = kept.hash FROM kept WHERE (n.level, n.index) = (1, 0)", "DROP TABLE kept")
    assert await _round(park, 2) == 0
    assert await list_differences(park.context) == ([], None)
    told = await park.rows(tables.ledger, tables.ledger.c.act == Act.RECONCILED.value)
    assert {row["chain"] for row in told} == {f"reconciliation/night-{night}" for night in range(3)}


async def test_a_seal_that_is_gone_is_named_up_to_a_limit_and_counted_beyond(
    park: Park, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "MOST_NAMED", 5)
    await _sealed(park)
    owner("UPDATE seal_leaves SET hash = sha256('x')")
    assert await _round(park, 0) > 5
    assert len(await park.rows(tables.incidents)) == 5


async def _round(park: Park, night: int) -> int:
    context, at, progress = park.context, NOON + timedelta(days=night), Progress()
    while not progress.is_whole:
        found = await check_next(context.database, signers_of(context.log_origin, context.keyring), progress, 3)
        await keep_found(context, found, at, progress)
    await end_round(context, system("check_seal"), f"night-{night}", at, progress)
    return progress.differences


async def test_a_case_is_proved_into_the_checkpoint_and_what_does_not_hold_is_named(park: Park, owner: Owner) -> None:
    case = await park.review()
    await seal_all(park.context)
    await _write(park, "access/1")
    await seal_all(park.context)
    chain = case.reference
    assert await _shown(park, chain) == []
    last = max(row["seq"] for row in await park.rows(tables.ledger, tables.ledger.c.chain == chain))
    leaf = await _leaf(park, chain, last)
    _, forged = await _forged(park, chain, last)
    size = (await log.find_checkpoint(park.context)).size
    # Nothing bears witness to the last row but the seal; it is altered together with its leaf.
    for statements, expected in (
        (forged, f"seal_node_differs table=seal_nodes level=1 index={leaf // 2} leaf={leaf & ~1} to_leaf={leaf | 1}"),
        (("UPDATE checkpoints SET root = sha256('x')",), f"checkpoint_altered table=checkpoints size={size}"),
        (("UPDATE seal_nodes SET hash = sha256('x') WHERE level = 2",), "seal_node_differs table=seal_nodes level=2"),
    ):
        owner(*(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}" for table in _SEALED))
        owner(*statements)
        texts = await _shown(park, chain)
        assert any(expected in text for text in texts), (expected, texts)
        owner(*(each.format(table=table) for table in _SEALED for each in _PUT_BACK))
    assert await _shown(park, chain) == []


_SEALED = ("ledger", "seal_leaves", "seal_nodes", "checkpoints")
_PUT_BACK = (
    "TRUNCATE {table} CASCADE",
    "INSERT INTO {table} SELECT * FROM kept_{table}",
    "DROP TABLE kept_{table}",
)


async def _shown(park: Park, reference: str) -> list[str]:
    shown = await show_reconciliation(park.context, NoHistories(), AUDITOR, reference, Language.EN)
    # There is no Temporal here, whose histories would be missed.
    return [
        f"{each.code} {place_text(each.place)}" for each in shown.differences if not each.code.startswith("history_")
    ]


async def test_reading_a_stretch_is_a_walk_over_indexes(park: Park) -> None:
    await _sealed(park)
    async with park.context.database.begin() as connection:
        for name in ("enable_seqscan", "enable_bitmapscan"):
            await connection.execute(text(f"SET LOCAL {name} = off"))
        given = {"xid": 1, "chain": "a", "seq": 1, "last_xid": 9, "last_chain": "z", "last_seq": 9, "most": 5}
        plan = await connection.execute(text(f"EXPLAIN {seal_walk._UNSEALED.text}"), given)
        lines = [row[0] for row in plan]
    assert any("ix_ledger_sealing" in line for line in lines), lines
    assert any("ROW(xid, chain, seq) <=" in line and "Index Cond" in line for line in lines), lines
