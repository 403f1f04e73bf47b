"""The database: pooled connections of the application role, a transaction at a time, each bound to one tenant."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from domain.actors import PARK
from domain.errors import Refused, Unavailable
from store.statements import beginning_of_transaction, trace_statements

_NAME = re.compile(r"\*|(?:person/)?[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Errors of PostgreSQL that pass by themselves: connection, resources, shutdown, serialisation, deadlock, lock timeout,
# a standby, and a transaction that was idle for too long.
_PASSING = ("08", "53", "57", "40001", "40P01", "55P03", "25006", "25P03")

_NO_PLACE: Final = Counter(
    "hetao_database_pool_timeouts", "Times that no connection to PostgreSQL got free within five seconds."
)

# Two requests under one idempotency key at once; see `cases.shared.idempotency`.
_IDEMPOTENCY_KEY = "pk_idempotency"

# Where a statement is long and no values of its own make another plan better, planning it each time, as PostgreSQL may
# decide by its own estimates, takes many times as long as carrying it out.
_PLANNED_ONCE: Final = "; SET LOCAL plan_cache_mode = force_generic_plan"

# What the driver says where a connection was cut in the middle of a message.
_BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError)


class Database:
    """Transactions of the application role on one PostgreSQL."""

    def __init__(
        self, url: str, *, pool_size: int = 10, application: str = "hetao", stands_for: str | None = None
    ) -> None:
        """Make the pool.

        Args:
            url: where PostgreSQL is.
            pool_size: how many connections there are at most.
            application: the name that PostgreSQL shows for them.
            stands_for: the tenant that all statements outside a transaction are made for, where a process works for
                one alone; without it they see no row.
        """
        self._stands_for = stands_for
        told = {
            "application_name": f"{application}-{os.getpid()}",
            "timezone": "Asia/Shanghai",
            # The register is in memory or on a solid-state disk, where a page at random costs hardly more than
            # the next one; PostgreSQL reckons with four times as much and sorts what it could walk.
            "random_page_cost": "1.1",
        }
        self.engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_recycle=1800,
            pool_pre_ping=False,
            # What an error says of the values of a statement would be said in a log as well.
            hide_parameters=True,
            json_serializer=dump_json,
            json_deserializer=load_json,
            # Transactions are begun and ended here, in `begin`; the dialect adds none of its own.
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": 5,
                "command_timeout": 30,
                "server_settings": told if stands_for is None else told | {"hetao.tenant": stands_for},
            },
        )

        trace_statements(self.engine.sync_engine)

    @asynccontextmanager
    async def begin(
        self,
        tenant: str = PARK,
        *,
        case: str | None = None,
        employer: str | None = None,
        locks: Sequence[str] = (),
        planned_once: bool = False,
    ) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that sees the rows of one tenant only, or of all for the park.

        Args:
            tenant: whose rows it sees.
            case: the reference of a case whose row it locks before it reads anything.
            employer: the id of an employer whose standing cannot change until it ends.
            locks: further statements, without parameters, that take locks.
            planned_once: whether its statements are planned once on a connection, for any values that they are given.

        Raises:
            Unavailable: when PostgreSQL is away, overloaded or gave up on a lock.
        """
        async with _classified(), self.engine.connect() as connection:
            driver = await _begin(connection, _beginning(tenant, case, employer, locks, planned_once=planned_once))
            try:
                yield connection
                await driver.execute("COMMIT")
            except BaseException:
                await _roll_back(connection, driver)
                raise

    @asynccontextmanager
    async def statement(self, tenant: str = PARK) -> AsyncIterator[AsyncConnection]:
        """Open a connection for one statement, which is a transaction of its own where the process may say so.

        A worker stands for the park alone, and so its single statements need neither `BEGIN` nor `COMMIT`.

        Raises:
            Unavailable: when PostgreSQL is away, overloaded or gave up on a lock.
        """
        if tenant != self._stands_for:
            async with self.begin(tenant) as connection:
                yield connection
            return
        async with _classified(), self.engine.connect() as connection:
            await _live_driver(connection)
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


@asynccontextmanager
async def _classified() -> AsyncIterator[None]:
    """Let what goes wrong with PostgreSQL be unavailable where it passes by itself."""
    try:
        yield
    except (OSError, TimeoutError, PoolTimeoutError, asyncpg.PostgresError, *_BROKEN) as error:
        if isinstance(error, PoolTimeoutError):
            _NO_PLACE.inc()
        if isinstance(error, asyncpg.PostgresError) and not error.sqlstate.startswith(_PASSING):
            raise
        raise Unavailable("database") from error
    except DBAPIError as error:
        if constraint_of(error) == _IDEMPOTENCY_KEY:
            raise Refused("in_progress", "The same request is still running; ask again in a moment.") from error
        if is_passing(error):
            raise Unavailable("database") from error
        raise


def _beginning(
    tenant: str, case: str | None, employer: str | None, locks: Sequence[str], *, planned_once: bool = False
) -> str:
    """Return what begins a transaction: one message, so that neither tenant nor lock costs a round trip of its own.

    What is read afterwards is read by a later statement, which sees all that was committed before the lock was had.
    """
    begin = f"BEGIN; SET LOCAL hetao.tenant = {_literal(tenant)}"
    if planned_once:
        begin += _PLANNED_ONCE
    if case is not None:
        begin += f"; SELECT FROM cases WHERE reference = {_literal(case)} FOR UPDATE"
    if employer is not None:
        begin += f"; SELECT FROM employers WHERE employer_id = {_literal(employer)} FOR KEY SHARE"
    return "; ".join((begin, *locks))


def _literal(name: str) -> str:
    """Return a tenant, an employer's id or a reference as an SQL literal; they have no other characters."""
    if not _NAME.fullmatch(name):
        raise ValueError("a name is made of letters, digits, dots, hyphens and underscores")
    return f"'{name}'"


async def _live_driver(connection: AsyncConnection) -> Any:
    """Return the driver's connection; pooled ones that PostgreSQL has left are thrown away on the way."""
    driver = (await connection.get_raw_connection()).driver_connection
    while driver is not None and driver.is_closed():
        await connection.invalidate()
        driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    return driver


async def _begin(connection: AsyncConnection, beginning: str) -> Any:
    """Begin a transaction and return the driver's connection."""
    driver = await _live_driver(connection)
    try:
        with beginning_of_transaction():
            await driver.execute(beginning)
    except BaseException:
        await connection.invalidate()
        raise
    return driver


async def _roll_back(connection: AsyncConnection, driver: Any) -> None:
    """End a transaction that failed; a connection on which even that fails is thrown away."""
    try:
        await asyncio.shield(driver.execute("ROLLBACK"))
    except BaseException:
        await connection.invalidate()
        raise


def is_passing(error: DBAPIError) -> bool:
    """Return whether the error says that PostgreSQL is away or busy, so that trying again is right."""
    broken = isinstance(getattr(error.orig, "__cause__", None), _BROKEN)
    if error.connection_invalidated or broken or isinstance(error, InterfaceError):
        return True
    state = sqlstate(error)
    return state.startswith(_PASSING) or (not state and isinstance(error, OperationalError))


def sqlstate(error: DBAPIError) -> str:
    """Return PostgreSQL's error class, or an empty string where the error did not come from the server."""
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")


def constraint_of(error: DBAPIError) -> str:
    """Return the name of the constraint that refused a row, or an empty string."""
    cause = getattr(error.orig, "__cause__", None)
    return str(getattr(cause, "constraint_name", None) or "")


def load_json(content: str | bytes) -> Any:
    """Return the value of a JSON column; a number that no double holds, which only another's hand writes, is infinite.

    A row that cannot be read would hide itself, and hold up whatever reads rows in their order.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content)


def dump_json(value: Any) -> str:
    """Serialise JSON: dates and times in ISO form, bytes as PostgreSQL writes them."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(type(value).__name__)
