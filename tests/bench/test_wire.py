"""The relay counts what a client says to PostgreSQL, and passes everything on unchanged."""

import asyncpg

from bench.wire import Relay
from sandbox.stack.postgres import PostgresServer


async def test_round_trips_of_a_transaction_are_counted_with_its_begin_and_commit(
    postgres: PostgresServer, database_url: str
) -> None:
    async with Relay("127.0.0.1", postgres.port) as relay:
        url = database_url.replace(f":{postgres.port}/", f":{relay.port}/")
        connection = await asyncpg.connect(url, server_settings={"application_name": "counted"})
        try:
            mark = relay.tally.mark()
            async with connection.transaction():
                assert await connection.fetchval("SELECT $1::int + 1", 41) == 42
        finally:
            await connection.close()
    (transaction,) = relay.tally.since(mark)
    assert transaction.application == "counted"
    assert transaction.committed
    assert transaction.round_trips == 3
    assert transaction.preparations == 1


async def test_statement_outside_a_transaction_counts_as_one(postgres: PostgresServer, database_url: str) -> None:
    async with Relay("127.0.0.1", postgres.port) as relay:
        connection = await asyncpg.connect(database_url.replace(f":{postgres.port}/", f":{relay.port}/"))
        try:
            mark = relay.tally.mark()
            await connection.execute("SELECT 1")
        finally:
            await connection.close()
    assert [each.statements for each in relay.tally.since(mark)] == [["SELECT SELECT 1"]]


async def test_what_a_connection_learns_once_about_types_is_a_preparation(
    postgres: PostgresServer, database_url: str
) -> None:
    async with Relay("127.0.0.1", postgres.port) as relay:
        connection = await asyncpg.connect(database_url.replace(f":{postgres.port}/", f":{relay.port}/"))
        try:
            mark = relay.tally.mark()
            assert await connection.fetchval("SELECT $1::macaddr8[]", []) == []
        finally:
            await connection.close()
    seen = relay.tally.since(mark)
    assert sum(each.round_trips for each in seen) == 1
    assert sum(each.preparations for each in seen) >= 2


async def test_rolled_back_transaction_is_no_commit(postgres: PostgresServer, database_url: str) -> None:
    async with Relay("127.0.0.1", postgres.port) as relay:
        connection = await asyncpg.connect(database_url.replace(f":{postgres.port}/", f":{relay.port}/"))
        try:
            mark = relay.tally.mark()
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("SELECT 1")
            await transaction.rollback()
        finally:
            await connection.close()
    assert [each.committed for each in relay.tally.since(mark)] == [False]
