"""Looking at PostgreSQL: each role gets in, may do what it has to and no more; schema, writing, clock."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from domain.checkups import Line, clock_line, fail, ok, warn
from domain.spellings import Cursor
from store.cluster import SEALER
from store.schema_version import own_version

OWNER: Final = "hetao_owner"
APPLICATION: Final = "hetao_app"
# PostgreSQL's own classes of what keeps a role out.
_SAID: Final[dict[type[Exception], tuple[str, str]]] = {
    asyncpg.InvalidPasswordError: ("PostgreSQL does not take this role's password", "mend the password in {setting}"),
    asyncpg.InvalidAuthorizationSpecificationError: (
        "PostgreSQL does not let this role in",
        "mend the role in {setting}, or pg_hba.conf",
    ),
    asyncpg.InvalidCatalogNameError: (
        "there is no database of this name",
        "mend {setting}, or make the database (deploy/postgres/roles.sh)",
    ),
    asyncpg.InsufficientPrivilegeError: (
        "this role may not connect to the database",
        "as superuser: GRANT CONNECT ON DATABASE … TO …",
    ),
    asyncpg.TooManyConnectionsError: ("PostgreSQL has no connection left", "raise max_connections, or end idle ones"),
}
_CONNECT_SECONDS: Final = 10.0
_ROLES: Final = """
    SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = ANY($1)
"""
# Table, right, and whether the role has to have it: what the fences of the record stand on.
_RIGHTS: Final = (
    (APPLICATION, "cases", "UPDATE", True),
    (APPLICATION, "ledger", "INSERT", True),
    (APPLICATION, "ledger", "UPDATE", False),
    (APPLICATION, "ledger", "DELETE", False),
    (APPLICATION, "seal_leaves", "INSERT", False),
    (SEALER, "ledger", "SELECT", True),
    (SEALER, "seal_leaves", "INSERT", True),
    (SEALER, "checkpoints", "INSERT", True),
    (SEALER, "incidents", "INSERT", True),
    (SEALER, "applications", "SELECT", False),
)
_UNFENCED: Final = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND relname = ANY($1) AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname
"""


async def look_at_role(setting: str, url: str, role: str) -> list[Line]:
    """Return whether a role gets in, as which it does, and that nothing sets it above the fences."""
    name = f"PostgreSQL as {role}"
    async with _connected(url) as reached:
        if isinstance(reached, Exception):
            return [_away(name, setting, reached)]
        row = await reached.fetchrow(
            "SELECT current_user AS name, rolsuper OR rolbypassrls AS is_above FROM pg_roles"
            " WHERE rolname = current_user"
        )
    assert row is not None
    if row["is_above"]:
        return [fail(name, "it is a superuser or passes over row-level security", f"give {setting} the role {role}")]
    if row["name"] != role:
        return [warn(name, f"it gets in as {row['name']}", f"give {setting} the role {role}, on which the grants are")]
    return [ok(name, "it gets in")]


async def look_at_schema(url: str, tables: list[str]) -> list[Line]:
    """Return version, roles, rights, fences, writing and clock, as the application sees them."""
    async with _connected(url) as reached:
        if isinstance(reached, Exception):
            return []  # said by the role's own line
        version = await _version(reached)
        lines = [_version_line(version), await _roles(reached)]
        if version == own_version():
            lines += [await _rights(reached), await _fences(reached, tables)]
        return [*lines, await _writing(reached, has_tables=version is not None), await _clock(reached)]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator["asyncpg.Connection[Any] | Exception"]:
    try:
        plain = url.replace("postgresql+asyncpg://", "postgresql://", 1)
        connection = await asyncpg.connect(plain, timeout=_CONNECT_SECONDS, command_timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        yield error
        return
    try:
        yield connection
    finally:
        await connection.close(timeout=_CONNECT_SECONDS)


def _away(name: str, setting: str, error: Exception) -> Line:
    for kind, (says, to_do) in _SAID.items():
        if isinstance(error, kind):
            return fail(name, says, to_do.format(setting=setting))
    if isinstance(error, asyncpg.PostgresError):
        return fail(name, f"PostgreSQL refuses ({type(error).__name__})", f"look at PostgreSQL's log and {setting}")
    if isinstance(error, OSError | TimeoutError):
        return fail(name, "PostgreSQL does not answer", f"start it, or mend host and port in {setting}")
    return fail(name, "the address cannot be read", f"mend {setting}")


async def _version(connection: "asyncpg.Connection[Any]") -> str | None:
    try:
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        return None
    return found


def _version_line(version: str | None) -> Line:
    own = own_version()
    if version is None:
        return fail("schema", "the database has no tables yet", "run `hetao migrate`")
    if version < own:
        return fail("schema", f"it is {version}, and this code needs {own}", "run `hetao migrate`, then start again")
    if version > own:
        return warn("schema", f"it is {version}, ahead of this code's {own}", "bring this process to the newer code")
    return ok("schema", own)


async def _roles(connection: "asyncpg.Connection[Any]") -> Line:
    wanted = [OWNER, APPLICATION, SEALER]
    found = {row["rolname"]: row for row in await connection.fetch(_ROLES, wanted)}
    missing = [each for each in wanted if each not in found]
    if missing:
        return fail("roles", f"missing: {', '.join(missing)}", 'docs/operations.md, "Roles of the database"')
    above = [name for name, row in found.items() if row["rolsuper"] or row["rolbypassrls"]]
    if above:
        to_do = "as superuser: ALTER ROLE … NOSUPERUSER NOBYPASSRLS"
        return fail("roles", f"above the fences: {', '.join(above)}", to_do)
    return ok("roles", "owner, application and sealer are there, none above the fences")


async def _rights(connection: "asyncpg.Connection[Any]") -> Line:
    wrong = []
    for role, table, right, has in _RIGHTS:
        found = await connection.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table, right)
        if found is not has:
            wrong.append(f"{role} {'may not' if has else 'may'} {right} {table}")
    if wrong:
        to_do = "find out who changed the grants; those of the migrations are the right ones"
        return fail("grants", "; ".join(wrong), to_do)
    return ok("grants", "each role may do what it has to, and no more")


async def _fences(connection: "asyncpg.Connection[Any]", tables: list[str]) -> Line:
    open_ = [row["relname"] for row in await connection.fetch(_UNFENCED, tables)]
    if open_:
        to_do = "as owner: ALTER TABLE … ENABLE, and FORCE, ROW LEVEL SECURITY; find out who took it away"
        return fail("row-level security", f"off or not forced: {', '.join(open_)}", to_do)
    return ok("row-level security", f"forced on {len(tables)} tables")


async def _writing(connection: "asyncpg.Connection[Any]", *, has_tables: bool) -> Line:
    name = "PostgreSQL takes writes"
    if await connection.fetchval("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"):
        return fail(name, "it is a standby, or read-only", "point the address at the writer, or promote the standby")
    if not has_tables:
        return ok(name, "not a standby")
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL hetao.tenant = '*'; SET LOCAL lock_timeout = '2s'")
            await connection.execute(
                f"INSERT INTO cursors (name, value, at) VALUES ('{Cursor.WRITTEN}', '', now())"
                " ON CONFLICT (name) DO UPDATE SET at = excluded.at"
            )
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        to_do = "make room on its disk; PostgreSQL's log says what it lacks"
        return fail(name, f"a write failed ({type(error).__name__})", to_do)
    return ok(name, "one was committed")


async def _clock(connection: "asyncpg.Connection[Any]") -> Line:
    before = time.monotonic()
    host = datetime.now(UTC)
    theirs: datetime = await connection.fetchval("SELECT clock_timestamp()")
    taken = timedelta(seconds=time.monotonic() - before)
    return clock_line("clock of PostgreSQL", theirs - (host + taken / 2))
