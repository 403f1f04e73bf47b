"""The ledger: a chain for each case that anyone can count again, and rows that the application cannot change."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest
import pytest_asyncio
import rfc8785
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cases.case.file import read_case
from cases.case.state import case_state, state_hash
from proof.ledger_rows import GENESIS, HASHED, row_hash
from store.tables import commands, ledger
from tests.cases.driver import Park, china, open_park
from tests.record.seal.sealed import seal_all


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def test_every_hash_follows_from_the_rows_before_it(park: Park) -> None:
    await park.issued()
    refused = await park.review(identity_number="33010619860128072X")
    await refused.refuse()
    async with park.context.database.begin() as connection:
        query = select(ledger).order_by(ledger.c.chain, ledger.c.seq)
        rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    assert len(rows) > 20
    chain, seq, previous = "", 0, GENESIS
    for row in rows:
        if row["chain"] != chain:
            chain, seq, previous = row["chain"], 0, GENESIS
        seq += 1
        assert (row["seq"], row["previous"]) == (seq, previous)
        assert row["hash"] == row_hash(row)
        previous = row["hash"]


async def test_a_hash_covers_every_column_but_those_of_postgresql() -> None:
    assert set(HASHED) == set(ledger.c.keys()) - {"hash", "xid", "recorded_at"}


async def test_rows_lead_from_state_to_state_and_end_at_the_stored_one(park: Park) -> None:
    case = await park.issued()
    rows = await park.rows(ledger, ledger.c.chain == case.reference)
    rows.sort(key=lambda row: row["seq"])
    assert [row["before_hash"] for row in rows] == [None, *(row["after_hash"] for row in rows[:-1])]
    file = await read_case(park.context, case.reference)
    state = case_state(file.row, file.own_tables, file.own_rows)
    assert rows[-1]["after_hash"] == state_hash(file.person_key, state)
    assert rfc8785.dumps(json.loads(state)) == state
    assert (await case.step()).recorded == (rows[-1]["seq"], rows[-1]["hash"].hex())


async def test_a_decision_names_its_rule_and_the_statement_it_was_asked_by(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    decided, started = await case.last("decided"), await case.last("started")
    (command,) = await park.rows(commands, commands.c.reference == case.reference, commands.c.kind == "decide")
    assert decided["statement_hash"] == sha256(command["statement"].encode()).digest()
    pack = park.context.packs.of("talent_permit").version(decided["rule_version"])
    assert decided["rule_hash"].hex() == pack.content_hash
    assert (decided["outcome"], decided["reason_codes"]) == ("refuse", ["employment_unproved"])
    assert (started["statement_hash"], started["rule_version"]) == (None, None)


async def test_the_ledger_holds_no_name_number_or_note(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved", note="仅供内部的话")
    await case.confirm()
    async with park.context.database.begin() as connection:
        content = str((await connection.execute(select(ledger))).all())
    for secret in ("冯承泽", "44030419900307123X", "C12345678", "feng@example.com", "13812345678", "仅供内部"):
        assert secret not in content


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger SET act = 'x'", "DELETE FROM ledger", "TRUNCATE ledger"],
    ids=["update", "delete", "truncate"],
)
async def test_the_application_changes_no_row(park: Park, statement: str) -> None:
    await park.review()
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with park.context.database.begin() as connection:
            await connection.execute(text(statement))


@pytest.mark.parametrize("table", ["ledger", "seal_leaves", "seal_nodes", "checkpoints"])
async def test_not_even_the_owner_of_a_table_changes_a_row_while_its_triggers_are_on(
    park: Park, owner_url: str, table: str
) -> None:
    await park.review()
    await seal_all(park.context)
    column = {"ledger": "act", "checkpoints": "note"}.get(table, "hash")
    # The owner is under the row-level security of the table too, and would find no row to change.
    told = {"server_settings": {"hetao.tenant": "*"}}
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1), connect_args=told)
    owned = "SELECT tableowner = current_user FROM pg_tables WHERE tablename = :table"
    try:
        async with engine.connect() as connection:
            assert (await connection.execute(text(owned), {"table": table})).scalar_one()
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(DBAPIError, match="are never changed"):
                await _run(engine, statement)
    finally:
        await engine.dispose()


async def _run(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def test_a_fork_of_a_chain_is_refused(park: Park) -> None:
    case = await park.review()
    async with park.context.database.begin() as connection:
        query = select(ledger).where(ledger.c.chain == case.reference).order_by(ledger.c.seq).limit(1)
        first = dict((await connection.execute(query)).mappings().one())
    del first["xid"], first["recorded_at"]
    with pytest.raises(Exception, match="pk_ledger"):
        async with park.context.database.begin() as connection:
            await connection.execute(ledger.insert().values(first))
