"""The ledger: a chain for each case that anyone can count again, and rows that the application cannot change."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from domain.actors import Actor, Role
from domain.acts import Act
from store.ledger import GENESIS, Entry, entry_hash
from store.tables import ledger
from tests.cases.driver import Park, china, open_park


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
        actor = Actor(
            issuer=row["actor_issuer"],
            subject=row["actor_subject"],
            role=Role(row["actor_role"]),
            correlation_id=row["correlation_id"],
        )
        entry = Entry(Act(row["act"]), actor, row["at"], employer_id=row["employer_id"])
        seq += 1
        assert (row["seq"], row["previous"]) == (seq, previous)
        assert row["hash"] == entry_hash(chain, seq, entry, row["detail"], previous)
        previous = row["hash"]


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


async def test_a_fork_of_a_chain_is_refused(park: Park) -> None:
    case = await park.review()
    async with park.context.database.begin() as connection:
        query = select(ledger).where(ledger.c.chain == case.reference).order_by(ledger.c.seq).limit(1)
        first = dict((await connection.execute(query)).mappings().one())
    with pytest.raises(Exception, match="pk_ledger"):
        async with park.context.database.begin() as connection:
            await connection.execute(ledger.insert().values(first))
