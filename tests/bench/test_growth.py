"""No read, write or poll looks through a table that grows, by PostgreSQL's own count of the rows it read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta

import pytest_asyncio

from bench.growth import WORKS, Register, open_register, tuples_read
from cases import commands, polling
from cases.deliveries import take_turn
from cases.sealing import seal
from cases.spreading import find_unspread
from cases.text_instead import text_instead
from domain.notices import Channel
from sandbox.postgres import PostgresServer

_CASES = 3_000
_WAITING_IN = 4
# Far more than a page with all its parts needs, and far fewer than a scan of a table or a sort of the inbox reads.
_MOST_ROWS = 450


@pytest_asyncio.fixture
async def register(postgres: PostgresServer, empty_database: str) -> AsyncIterator[Register]:
    """A register of some thousand cases, many of them waiting for an officer."""
    async with open_register(postgres, empty_database, _CASES, waiting_in=_WAITING_IN) as register:
        yield register


async def test_what_is_read_does_not_grow_with_the_register(register: Register) -> None:
    await _let_rest(register)
    assert await _too_much(register, _POLLS) == {}
    assert await _too_much(register, WORKS) == {}


async def _look_for_messages(register: Register) -> None:
    for channel in (Channel.MAIL, Channel.SMS, Channel.WEBHOOK):
        await take_turn(register.context, channel, (), register.context.clock(), 1)


async def _look_for_unsent(register: Register) -> None:
    await commands.lease_unsent(register.context, older_than=timedelta(seconds=5), most=200)
    await find_unspread(register.context, register.context.clock())


async def _look_for_late_answers(register: Register) -> None:
    await polling.pass_watched(register.context, register.context.clock())
    await polling.known_answers(register.context, ["a", "b"])


async def _look_for_unsealed(register: Register) -> None:
    assert await seal(register.context) == 0


async def _look_for_late_mail(register: Register) -> None:
    await text_instead(register.context, register.context.clock())


# What a worker asks again and again, whether there is work or not.
_POLLS: dict[str, Callable[[Register], Awaitable[None]]] = {
    "messages": _look_for_messages,
    "unsent": _look_for_unsent,
    "late answers": _look_for_late_answers,
    "unsealed": _look_for_unsealed,
    "late mail": _look_for_late_mail,
}


async def _let_rest(register: Register) -> None:
    """Let polls find nothing to do: every message is sent, and the last leaf of the seal is behind all rows."""
    await register.superuser.execute(
        "UPDATE deliveries SET status = 'sent', next_attempt = NULL; ANALYZE deliveries;"
        "INSERT INTO seal_leaves (index, chain, seq, xid, hash) SELECT 0, '', 0, max(xid) + 1, '' FROM ledger"
    )


async def _too_much(
    register: Register, works: Mapping[str, Callable[[Register], Awaitable[None]]]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return scans and rows read of each growing table by each kind of work that scanned it, or read too much of it."""
    found = {}
    for name, work in works.items():
        before = await tuples_read(register)
        await work(register)
        for table, (scans, rows) in (await tuples_read(register)).items():
            if scans > before[table][0] or rows - before[table][1] > _MOST_ROWS:
                found[name, table] = (scans - before[table][0], rows - before[table][1])
    return found
