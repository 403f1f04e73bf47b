"""The commands `hetao backup …`: the database, Temporal's histories, keys and erasure list, each where it belongs."""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli_policy import settings_of

if TYPE_CHECKING:
    from sandbox.stack import Stack
    from settings import Settings

DESCRIPTION: Final = "backup.json"
KEYS: Final = "keys.json"
ERASURES: Final = "erasures.jsonl"
HISTORIES: Final = "temporal.db"
_FORMAT: Final = 1
_NAME: Final = "%Y%m%dT%H%M%SZ"

app = typer.Typer(help="Back up the database, the histories, the keys and the list of erasures.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")]
Tools = Annotated[Path | None, typer.Option("--tools", help="Directory of PostgreSQL's programs, if not to be found.")]


@app.callback()
def _backup() -> None:
    """Back up the database, the histories, the keys and the list of erasures."""


@app.command()
def take(
    to: Annotated[Path, typer.Argument(help="Directory of backups; this one gets a folder of its own in it.")],
    keys_to: Annotated[Path, typer.Option(help="Directory for the copy of the key file, apart from the others.")],
    erasures_to: Annotated[
        Path, typer.Option(help="Directory for the copy of the erasure list, apart from the others.")
    ],
    data_dir: DataDir = None,
    tools: Tools = None,
) -> None:
    """Take a base backup with its write-ahead log, verify it, and print what it is."""
    from domain.errors import Unavailable
    from sandbox.stack import StackError
    from store.base_backup import BackupError

    settings = settings_of(data_dir)
    try:
        made = _take(settings, to, keys_to, erasures_to, data_dir, tools)
    except (BackupError, StackError) as error:
        sys.exit(f"hetao: {error}")
    except Unavailable as error:
        sys.exit(f"hetao: {error.reason}: no backup was made")
    print(json.dumps(made, indent=1, ensure_ascii=False))


@app.command()
def follow(
    to: Annotated[Path, typer.Argument(help="Directory that gets the write-ahead log, made where it is not.")],
    slot: Annotated[
        str | None, typer.Option(help="Replication slot by which the server keeps what was not followed yet.")
    ] = None,
    data_dir: DataDir = None,
    tools: Tools = None,
) -> None:
    """Follow the write-ahead log until stopped, so that a restore can end at any moment since a backup."""
    import subprocess

    from store.base_backup import BackupError, connection_environment, find_tools, following

    environment = {**_clean(), **connection_environment(replication_url(settings_of(data_dir), data_dir))}
    try:
        program = find_tools(tools, further=wheel())
        *before, last = following(program, to, slot=slot)
    except BackupError as error:
        sys.exit(f"hetao: {error}")
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.umask(0o077)
    for command in before:
        if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603  # The command is ours.
            sys.exit(f"hetao: the slot {slot} was not made")
    os.execve(last[0], last, environment)  # noqa: S606  # One process, which a supervisor can watch and stop.


@app.command()
def check(
    backup: Annotated[Path, typer.Argument(help="Folder of one backup.", exists=True, file_okay=False)],
    tools: Tools = None,
) -> None:
    """Verify a backup again, every file by its checksum, and print what it is."""
    from store.base_backup import FOLDER, BackupError, find_tools, verify

    try:
        described = describe(backup)
        verify(find_tools(tools, further=wheel()), backup / FOLDER, environment=_clean())
    except BackupError as error:
        sys.exit(f"hetao: {error}")
    print(json.dumps(described, indent=1, ensure_ascii=False))


def describe(backup: Path) -> dict[str, Any]:
    """Return what a backup says of itself.

    Raises:
        BackupError: when it is none, or was made by a version that this one does not read.
    """
    from store.base_backup import BackupError

    try:
        described: dict[str, Any] = json.loads((backup / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupError(f"{backup} is no whole backup: {DESCRIPTION} cannot be read ({error}).") from error
    if described.get("format") != _FORMAT:
        raise BackupError(f"{backup} has the form {described.get('format')}; this version reads {_FORMAT}.")
    return described


def stack_of(data_dir: Path) -> "Stack":
    """Return the embedded stack of a directory, or end with what to do."""
    from sandbox.stack import StackError, running_stack

    try:
        return running_stack(data_dir)
    except StackError as error:
        sys.exit(f"hetao: {error}")


def replication_url(settings: "Settings", data_dir: Path | None) -> str:
    """Return PostgreSQL as the role that may copy the cluster."""
    if data_dir is not None:
        from sandbox.postgres import SUPERUSER, PostgresServer

        stack = stack_of(data_dir)
        return PostgresServer(stack.directory / "postgres", stack.ports["postgres"]).url(role=SUPERUSER)
    if settings.backup_database_url is None:
        sys.exit("hetao: set HETAO_BACKUP_DATABASE_URL: PostgreSQL as a role that may replicate (docs/restoring.md).")
    return settings.backup_database_url


def wheel() -> list[Path]:
    """Return where the embedded stack's PostgreSQL is, for a machine that has no other."""
    from sandbox.postgres import PostgresError, binaries

    try:
        return [binaries()]
    except PostgresError:
        return []


async def read_facts(settings: "Settings") -> dict[str, Any]:
    """Return what the register says of itself."""
    from store.backup_facts import read_facts
    from store.database import Database

    database = Database(settings.database_url, pool_size=1, application="backup")
    try:
        async with database.begin() as connection:
            return await read_facts(connection)
    finally:
        await database.close()


def _take(
    settings: "Settings", to: Path, keys_to: Path, erasures_to: Path, data_dir: Path | None, tools: Path | None
) -> dict[str, Any]:
    import asyncio

    from store.base_backup import FOLDER, BackupError, find_tools, take, verify, written
    from store.kept_apart import copy_erasures, copy_keys, refuse_together
    from store.keyring import Keyring

    places = [("The backups", to), ("the key file's copies", keys_to), ("the erasure list's copies", erasures_to)]
    refuse_together(places if data_dir is None else [*places, ("the stack itself", data_dir)])
    program, begun = find_tools(tools, further=wheel()), _now()
    name = begun.strftime(_NAME)
    place, unfinished = to / name, to / f"{name}.unfinished"
    if place.exists() or unfinished.exists():
        raise BackupError(f"{place} is there already: one backup a second.")
    unfinished.mkdir(parents=True, mode=0o700)
    # Keys first: what is in the database by the end was written with keys that the copy has, or the next one does.
    keys = copy_keys(settings.keys_file, keys_to / name / KEYS)
    facts = asyncio.run(read_facts(settings))
    histories = _copy_histories(data_dir, unfinished)
    url = replication_url(settings, data_dir)
    take(program, url, unfinished / FOLDER, label=f"hetao {name}", environment=_clean())
    verify(program, unfinished / FOLDER, environment=_clean())
    # The list last: it has at least the erasures that the database knows.
    listed = settings.erasure_list or settings.keys_file.with_name(ERASURES)
    erasures = copy_erasures(listed, erasures_to / name / ERASURES, Keyring.load(keys_to / name / KEYS))
    made = {
        "format": _FORMAT,
        "name": name,
        "begun_at": begun.isoformat(timespec="seconds"),
        "ended_at": _now().isoformat(),
        "log_origin": settings.log_origin,
        "at_least": facts,
        "postgres": written(unfinished / FOLDER),
        "temporal": histories,
        "key_ids": keys,
        "erasures": erasures,
    }
    _write(unfinished / DESCRIPTION, made)
    unfinished.rename(place)
    kept = str(erasures_to / name) if erasures else None
    return {"backup": str(place), "keys": str(keys_to / name), "erasure_list": kept, **made}


def _copy_histories(data_dir: Path | None, place: Path) -> dict[str, Any] | None:
    """Copy the embedded stack's histories; Temporal's own database of production is PostgreSQL's to copy."""
    if data_dir is None:
        return None
    from sandbox.temporal_copy import copy_histories

    return {"file": HISTORIES, "bytes": copy_histories(data_dir / "temporal", place / HISTORIES)}


def _write(path: Path, content: dict[str, Any]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _clean() -> dict[str, str]:
    """The caller's environment with PostgreSQL's variables for TLS, and without those that name another server."""
    tls = ("PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGSSLMODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "HETAO_")) or name in tls}
    return {**kept, "LC_ALL": "C"}


_now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
