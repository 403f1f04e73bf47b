"""The commands `hetao backup …`: the database, Temporal's histories, keys and erasure list, each where it belongs."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.policy import settings_of

if TYPE_CHECKING:
    from sandbox.stack.directory import Stack
    from settings import Settings
    from store.backup_places import Claim, Places

HISTORIES: Final = "temporal.db"

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
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Remove all but the newest of this installation, with their keys and lists."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="With --keep: directory of the log that is followed; what no backup needs is removed."),
    ] = None,
    data_dir: DataDir = None,
    tools: Tools = None,
) -> None:
    """Take a base backup with its write-ahead log, verify it, and print what it is; one that fails leaves nothing."""
    from domain.errors import Unavailable
    from sandbox.stack.directory import StackError
    from store.backup_places import Places
    from store.base_backup import BackupError

    if log is not None and keep is None:
        raise typer.BadParameter("--log is what --keep tidies too: give both.")
    settings = settings_of(data_dir)
    try:
        with _ended_in_order():
            made = _take(settings, Places(to, keys_to, erasures_to), data_dir, tools, keep, log)
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
    keys: Annotated[Path | None, typer.Option(help="Directory of the key file's copies, as in --keys-to.")] = None,
    erasures: Annotated[
        Path | None, typer.Option(help="Directory of the erasure list's copies, as in --erasures-to; needs --keys.")
    ] = None,
    wal: Annotated[
        Path | None, typer.Option(help="Directory of the log since the backup.", exists=True, file_okay=False)
    ] = None,
    tools: Tools = None,
) -> None:
    """Verify a backup again, and what belongs to it; print what it is, or name each part that is not as it was."""
    from store.backup_check import database_faults, describe, erasure_faults, key_faults, log_faults
    from store.base_backup import BackupError, find_tools

    if erasures is not None and keys is None:
        raise typer.BadParameter("Name --keys too: the list of erasures is signed.")
    try:
        described, program = describe(backup), find_tools(tools, further=wheel())
    except BackupError as error:
        sys.exit(f"hetao: {error}")
    looked_at, faults = ["postgres"], database_faults(backup, described, program, _clean())
    if described["temporal"] is not None:
        looked_at.append("temporal")
        faults += _history_faults(backup, described["temporal"]["bytes"])
    if wal is not None:
        looked_at.append("wal")
        found, segments = log_faults(backup, wal, program, _clean())
        described["segments_of_log"] = segments
        faults += found
    if keys is not None:
        looked_at.append("keys")
        found, keyring = key_faults(described, keys)
        faults += found
        if erasures is not None:
            looked_at.append("erasures")
            faults += erasure_faults(described, erasures, keyring)
    if faults:
        sys.exit("\n".join(f"hetao: {fault}" for fault in faults))
    print(json.dumps({**described, "looked_at": looked_at}, indent=1, ensure_ascii=False))
    for name, given in (("keys", keys), ("erasures", erasures), ("wal", wal)):
        if given is None:
            print(f"hetao: --{name} was not given: that part was not looked at.", file=sys.stderr)


def stack_of(data_dir: Path) -> "Stack":
    """Return the embedded stack of a directory, or end with what to do."""
    from sandbox.stack.directory import StackError, running_stack

    try:
        return running_stack(data_dir)
    except StackError as error:
        sys.exit(f"hetao: {error}")


def replication_url(settings: "Settings", data_dir: Path | None) -> str:
    """Return PostgreSQL as the role that may copy the cluster."""
    if data_dir is not None:
        from sandbox.stack.postgres import SUPERUSER, PostgresServer

        stack = stack_of(data_dir)
        return PostgresServer(stack.directory / "postgres", stack.ports["postgres"]).url(role=SUPERUSER)
    if settings.backup_database_url is None:
        sys.exit("hetao: set HETAO_BACKUP_DATABASE_URL: PostgreSQL as a role that may replicate (docs/restoring.md).")
    return settings.backup_database_url


def wheel() -> list[Path]:
    """Return where the embedded stack's PostgreSQL is, for a machine that has no other."""
    from sandbox.stack.postgres import PostgresError, binaries

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
    settings: "Settings",
    places: "Places",
    data_dir: Path | None,
    tools: Path | None,
    keep: int | None,
    log: Path | None,
) -> dict[str, Any]:
    from store.backup_places import claimed, held, remove_left, remove_old
    from store.base_backup import find_tools
    from store.kept_apart import refuse_together

    told = zip(("The backups", "the key file's copies", "the erasure list's copies"), places.all(), strict=True)
    refuse_together([*told, *([("the stack itself", data_dir)] if data_dir is not None else [])])
    program, url = find_tools(tools, further=wheel()), replication_url(settings, data_dir)
    with held(places) as handles:
        left = remove_left(places)
        for each in left:
            print(f"hetao: an earlier run did not end: {each} is removed.", file=sys.stderr)
        with claimed(places, _now(), handles) as claim:
            made = _copy(settings, claim, program, url, data_dir)
            claim.finish(places)
        removed = remove_old(places, settings.log_origin, keep, claim.name) if keep is not None else []
        segments = _prune(places.base, settings.log_origin, log) if log is not None else []
    return {
        "backup": str(places.base / claim.name),
        "keys": str(places.keys / claim.name),
        "erasure_list": str(places.erasures / claim.name) if made["erasures"] else None,
        **made,
        "left_removed": left,
        "old_removed": removed,
        "segments_removed": len(segments),
    }


def _copy(settings: "Settings", claim: "Claim", program: Path, url: str, data_dir: Path | None) -> dict[str, Any]:
    """Make a backup in its folders, which have no name yet, and return what it says of itself."""
    import asyncio

    from store.backup_places import DESCRIPTION, ERASURES, FORMAT, KEYS
    from store.base_backup import FOLDER, take, verify, written
    from store.kept_apart import copy_erasures, copy_keys
    from store.keyring import Keyring

    begun = _now()
    # Keys first: what is in the database by the end was written with keys that the copy has, or the next one does.
    keys = copy_keys(settings.keys_file, claim.keys / KEYS)
    facts = asyncio.run(read_facts(settings))
    histories = _copy_histories(data_dir, claim.base)
    base = claim.base / FOLDER
    take(program, url, base, label=f"hetao {claim.name}", environment=_clean(), held=claim.held)
    verify(program, base, environment=_clean())
    # The list last: it has at least the erasures that the database knows.
    listed = settings.erasure_list or settings.keys_file.with_name(ERASURES)
    erasures = copy_erasures(listed, claim.erasures / ERASURES, Keyring.load(claim.keys / KEYS))
    made = {
        "format": FORMAT,
        "name": claim.name,
        "begun_at": begun.isoformat(timespec="seconds"),
        "ended_at": _now().isoformat(),
        "log_origin": settings.log_origin,
        "at_least": facts,
        "postgres": written(base),
        "temporal": histories,
        "key_ids": keys,
        "erasures": erasures,
    }
    _write(claim.base / DESCRIPTION, made)
    return made


def _prune(base: Path, log_origin: str, log: Path) -> list[str]:
    """Remove from a directory of followed log what is older than each backup that is left."""
    from store.backup_places import whole_backups
    from store.base_backup import FOLDER
    from store.kept_log import begins_in, prune_log

    begun = [begins_in(base / name / FOLDER) for name, _ in whole_backups(base, log_origin)]
    return prune_log(log, *min(begun)) if log.is_dir() else []


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Have a supervisor's signal end the command as Ctrl-C does, so that what is unfinished is removed first."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {each: signal.signal(each, end) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _history_faults(backup: Path, size: int) -> list[str]:
    from sandbox.stack.directory import StackError
    from sandbox.stack.temporal_copy import look_at_copy

    try:
        look_at_copy(backup / HISTORIES, size)
    except StackError as error:
        return [str(error)]
    return []


def _copy_histories(data_dir: Path | None, place: Path) -> dict[str, Any] | None:
    """Copy the embedded stack's histories; Temporal's own database of production is PostgreSQL's to copy."""
    if data_dir is None:
        return None
    from sandbox.stack.temporal_copy import copy_histories

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
