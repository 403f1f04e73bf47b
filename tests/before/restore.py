"""Makes a stack's directory out of a dump, with the database at the schema that it was dumped at."""

import asyncio
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from alembic import command

from sandbox.stack.ports import free_port
from sandbox.stack.postgres import OWNER, SUPERUSER, PostgresServer
from store.migrate import configuration
from tests.services import POSTGRES_SETTINGS

DUMPS: Final = sorted(Path(__file__).parent.glob("*.tar.xz"))
# The stand-in that fails a step on purpose is left out: the case goes on once it is resumed.
_NOT_RESTORED: Final = ("poisoned.txt",)
_ALL_TABLES: Final = """
    SELECT string_agg(quote_ident(relname), ', ') FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
"""


@dataclass(frozen=True)
class Before:
    """A dump that was unpacked: the directory of its stack, its cases by scene, and what was handed out then."""

    stack: Path
    cases: dict[str, str]
    handed_out: Path


def restore(dump: Path, stack: Path) -> Before:
    """Unpack a dump into the directory of a stack that does not run yet."""
    with tarfile.open(dump) as archive:
        archive.extractall(stack, filter="data")
    for name in _NOT_RESTORED:
        (stack / name).unlink(missing_ok=True)
    for path in (stack, *stack.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    known = json.loads((stack / "stack.json").read_text())
    known["ports"] = {"issuer": free_port()}
    (stack / "stack.json").write_text(json.dumps(known))
    server = PostgresServer(stack / "postgres", free_port(frozenset(known["ports"].values())), POSTGRES_SETTINGS)
    server.start()
    try:
        about = json.loads((stack / "database/about.json").read_text())
        command.upgrade(configuration(server.url(role=OWNER)), about["revision"])
        asyncio.run(_fill(server, stack / "database", about))
        asyncio.run(_name_issuer(server, known["ports"]["issuer"]))
    finally:
        server.stop()
    return Before(stack, json.loads((stack / "about.json").read_text())["cases"], stack / "handed_out")


async def _fill(server: PostgresServer, folder: Path, about: dict[str, Any]) -> None:
    """Copy the rows back as they were, past all triggers, and let sequences and transactions go on from there."""
    connection = await asyncpg.connect(server.url(role=SUPERUSER))
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(f"TRUNCATE {await connection.fetchval(_ALL_TABLES)}")
        for table, columns in about["tables"].items():
            await connection.copy_to_table(table, columns=columns, source=folder / f"{table}.copy")
        for sequence, value in about["sequences"].items():
            if value is not None:
                await connection.fetchval("SELECT setval($1::text::regclass, $2)", sequence, value)
        until = int(about["transactions"])
        # An upgrade keeps its cluster; rows that came to another one would be a restore that nobody declared.
        await connection.execute("DELETE FROM cursors WHERE name = 'cluster'")
        await connection.execute(
            f"DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint < {until} LOOP COMMIT; END LOOP; END $$"
        )
    finally:
        await connection.close()


async def _name_issuer(server: PostgresServer, port: int) -> None:
    """Let callers be those of before, though the stand-in that vouches for them has another address now."""
    connection = await asyncpg.connect(server.url(role=SUPERUSER))
    try:
        named = f"http://127.0.0.1:{port} "
        await connection.execute(
            "UPDATE idempotency SET subject = regexp_replace(subject, '^http://127\\.0\\.0\\.1:[0-9]+ ', $1)", named
        )
    finally:
        await connection.close()
