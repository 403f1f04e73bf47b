"""Makes the dump of a version: `python -m tests.before.dump CHECKOUT FILE`, about two minutes.

CHECKOUT is a checkout of that version with its own environment (`make setup`). The stories are told to the stack that
it runs; then the database, Temporal's store, the keys, the books of the stand-ins, and what was handed out at that
time (an export, receipts, a checkpoint, the public keys) are packed into one file.
"""

import argparse
import asyncio
import io
import json
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from bench.embedded import Up
from sandbox.demo.api import Callers
from sandbox.stack.directory import running_stack
from sandbox.stack.postgres import PostgresServer
from tests.before.far_limits import write_far_limits
from tests.before.scenes import tell

# What was written by another hand than the stack's, or says nothing to a test.
_KEPT: Final = ("keys.json", "stack.json", "erasures.jsonl", "poisoned.txt")
_TABLES: Final = """
    SELECT c.relname AS name,
      (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns
    FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
    ORDER BY 1
"""
_SEQUENCES: Final = "SELECT sequencename AS name, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"


def main() -> None:
    """Make a dump as told on the command line."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("checkout", type=Path, help="a checkout of the version, with its environment")
    given.add_argument("file", type=Path, help="the dump, a .tar.xz")
    told = given.parse_args()
    with tempfile.TemporaryDirectory(prefix="hetao-before-") as folder, pytest.MonkeyPatch.context() as environment:
        for name, value in write_far_limits(told.checkout, Path(folder) / "policy").items():
            environment.setenv(name, value)
        _make(told.checkout.resolve(), Path(folder), told.file.resolve())


def _make(checkout: Path, folder: Path, file: Path) -> None:
    packed = folder / "packed"
    for part in (packed, packed / "handed_out", packed / "database"):
        part.mkdir()
    stack = folder / "stack"
    up = _up_of(checkout, stack)
    up.start()
    try:
        cases = asyncio.run(_tell(up, packed))
    except BaseException:
        shutil.copytree(stack / "logs", file.with_suffix(".logs"), dirs_exist_ok=True)
        raise
    finally:
        up.stop()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)
    _pack_database(stack, packed)
    _pack_files(stack, packed)
    about = {"commit": commit.stdout.strip(), "cases": cases}
    (packed / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    with tarfile.open(file, "w:xz", preset=9) as archive:
        archive.add(packed, ".")


def _up_of(checkout: Path, stack: Path) -> Up:
    return Up(stack, (str(checkout / ".venv/bin/python"), "-P", "-m", "cli", "up", "--json"))


async def _tell(up: Up, packed: Path) -> dict[str, str]:
    async with Callers(up.stack) as callers:
        try:
            cases = await tell(up, callers)
            await _hand_out(callers, cases, packed / "handed_out")
        finally:
            await up.close()
    return cases


async def _hand_out(callers: Callers, cases: dict[str, str], folder: Path) -> None:
    """Keep what the auditor is given at this time."""
    audit = "/v1/audit"
    (folder / "keys.json").write_bytes(await callers.content("auditor", f"{audit}/keys"))
    (folder / "checkpoint.json").write_bytes(await callers.content("auditor", f"{audit}/checkpoint"))
    export = await callers.content("auditor", f"{audit}/export", headers={"Purpose": "audit"})
    (folder / "export.ndjson").write_bytes(export)
    for name in ("refused", "issued", "ended"):
        (folder / f"receipts-{name}.json").write_bytes(
            await callers.content("auditor", f"/v1/registrations/{cases[name]}/receipts")
        )


def _pack_database(stack: Path, packed: Path) -> None:
    """Write each table as PostgreSQL copies it, with the revision of the schema and where the sequences stand."""
    server = PostgresServer(stack / "postgres", running_stack(stack).ports["postgres"])
    server.start()
    try:
        asyncio.run(_copy(server, packed / "database"))
    finally:
        server.stop()


async def _copy(server: PostgresServer, folder: Path) -> None:
    connection = await asyncpg.connect(server.url(role="postgres"))
    try:
        tables: dict[str, list[str]] = {}
        for table in await connection.fetch(_TABLES):
            content = io.BytesIO()
            await connection.copy_from_table(table["name"], columns=table["columns"], output=content)
            if content.getvalue():
                tables[table["name"]] = table["columns"]
                (folder / f"{table['name']}.copy").write_bytes(content.getvalue())
        about: dict[str, Any] = {
            "revision": await connection.fetchval("SELECT version_num FROM alembic_version"),
            # The log goes by transactions' numbers: the cluster that takes the rows begins above them.
            "transactions": await connection.fetchval("SELECT pg_current_xact_id()::text::bigint"),
            "sequences": {row["name"]: row["last_value"] for row in await connection.fetch(_SEQUENCES)},
            "tables": tables,
        }
        (folder / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    finally:
        await connection.close()


def _pack_files(stack: Path, packed: Path) -> None:
    """Copy the stores in SQLite, each without what it has left empty, and the small files beside them."""
    for name in _KEPT:
        shutil.copyfile(stack / name, packed / name)
    told = json.loads((packed / "stack.json").read_text())
    (packed / "stack.json").write_text(json.dumps({"secrets": told["secrets"]}, indent=1) + "\n")
    shutil.copytree(stack / "sandbox", packed / "sandbox", ignore=shutil.ignore_patterns("*.db*", "*.sqlite*"))
    for store in (stack / "temporal/temporal.db", *(stack / "sandbox").glob("*.db")):
        to = packed / store.relative_to(stack)
        to.parent.mkdir(exist_ok=True)
        with sqlite3.connect(store) as connection:
            connection.execute("VACUUM INTO ?", (str(to),))
        connection.close()


if __name__ == "__main__":
    main()
