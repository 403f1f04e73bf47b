"""Base backups of the whole cluster by PostgreSQL's own tools: taken, verified, and followed by its write-ahead log."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from store.backup_manifest import ManifestError, compare, read_manifest

# Where distributions keep the programs that are on nobody's PATH.
_PLACES: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
_NEEDED: Final = ("pg_basebackup", "pg_verifybackup", "pg_receivewal", "pg_waldump")
_SLOT: Final = re.compile(r"[a-z0-9_]{1,63}")
# Where PostgreSQL's part of a backup lies in it.
FOLDER: Final = "postgres"


class BackupError(Exception):
    """A backup or a restore was not made; the message says why and what to do."""


def find_tools(given: Path | None = None, *, further: Sequence[Path] = ()) -> Path:
    """Return the directory that has PostgreSQL's tools.

    Args:
        given: where the operator says that they are.
        further: where else they may be, after the PATH and the places of distributions.

    Raises:
        BackupError: when they are nowhere.
    """
    if given is not None:
        missing = [name for name in _NEEDED if not (given / name).exists()]
        if missing:
            raise BackupError(f"{given} has no {', '.join(missing)}.")
        return given
    on_path = shutil.which(_NEEDED[0])
    places = [Path(on_path).resolve().parent] if on_path else []
    places += [found for pattern in _PLACES for found in Path("/").glob(pattern[1:])]
    whole = [place for place in (*places, *further) if all((place / name).exists() for name in _NEEDED)]
    if whole:
        # Tools copy from servers of their own version and of older ones.
        return max(whole, key=_major)
    raise BackupError(
        f"PostgreSQL's tools ({', '.join(_NEEDED)}) are not to be found: install those of the server's version, or name"
        " their directory with --tools."
    )


def connection_environment(url: str) -> dict[str, str]:
    """Return the variables by which PostgreSQL's tools find a server, so that no password stands on a command line."""
    parts = urlsplit(url)
    told = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        # What asyncpg calls `ssl` in an address.
        "PGSSLMODE": parse_qs(parts.query).get("ssl", [""])[-1],
    }
    return {name: value for name, value in told.items() if value}


def take(
    tools: Path, url: str, target: Path, *, label: str, environment: Mapping[str, str], held: Sequence[int] = ()
) -> None:
    """Copy the running cluster into a directory that is not there yet, with the log that makes the copy whole.

    Args:
        tools: the directory of PostgreSQL's tools.
        url: the server, as a role that may replicate.
        target: the directory to be made.
        label: what the backup is called in PostgreSQL's own files.
        environment: what the tools run with; the connection is added.
        held: open files that lock the directories: the tool holds them on where it outlives us.

    Raises:
        BackupError: when PostgreSQL refused.
    """
    _run(
        [
            str(tools / "pg_basebackup"),
            f"--pgdata={target}",
            "--format=plain",
            "--wal-method=stream",
            "--checkpoint=fast",
            "--manifest-checksums=SHA256",
            "--no-password",
            f"--label={label}",
        ],
        {**environment, **connection_environment(url)},
        held,
    )


def verify(tools: Path, target: Path, *, environment: Mapping[str, str]) -> None:
    """Compare every file of a base backup with its checksum, and read the log that belongs to it.

    Raises:
        BackupError: when a file is missing, altered or too much, or the log cannot be read.
    """
    try:
        if _major(tools, "pg_verifybackup"):
            _run([str(tools / "pg_verifybackup"), "--quiet", str(target)], environment)
            return
        compare(target)
        for stretch in read_manifest(target).stretches:
            read_log(tools, target / "pg_wal", stretch.timeline, stretch.start, stretch.end, environment=environment)
    except ManifestError as error:
        raise BackupError(str(error)) from error


def read_log(tools: Path, log: Path, timeline: int, start: str, end: str, *, environment: Mapping[str, str]) -> None:
    """Read every record of a stretch of the log.

    Raises:
        BackupError: when a segment is missing, or a record cannot be read.
    """
    stretch = [f"--path={log}", f"--timeline={timeline}", f"--start={start}", f"--end={end}"]
    try:
        _run([str(tools / "pg_waldump"), "--quiet", *stretch], environment)
    except BackupError as error:
        raise BackupError(f"The log in {log} cannot be read from {start} to {end}: {error}") from error


def written(target: Path) -> dict[str, Any]:
    """Return what PostgreSQL's manifest says of a base backup: the cluster, and the stretch of log that it needs.

    Raises:
        BackupError: when there is no such manifest, or it was altered.
    """
    try:
        manifest = read_manifest(target)
    except ManifestError as error:
        raise BackupError(str(error)) from error
    return {
        "system_identifier": manifest.system_identifier,
        "timeline": manifest.stretches[0].timeline,
        "start_lsn": manifest.stretches[0].start,
        "end_lsn": manifest.stretches[-1].end,
        "files": len(manifest.files),
        "bytes": manifest.bytes,
    }


def following(tools: Path, target: Path, *, slot: str | None) -> Iterator[list[str]]:
    """Return the commands that follow the log of a server into a directory: one that ends, then one that stays.

    With a slot the server keeps what was not followed yet, however long that takes: bound it by
    `max_slot_wal_keep_size`, or its disk fills while nobody follows.

    Raises:
        BackupError: when the slot's name is none.
    """
    if slot is not None and not _SLOT.fullmatch(slot):
        raise BackupError("The name of a slot has small letters, digits and underscores only.")
    command = [str(tools / "pg_receivewal"), f"--directory={target}", "--no-password"]
    if slot is not None:
        yield [*command, f"--slot={slot}", "--create-slot", "--if-not-exists"]
        command.append(f"--slot={slot}")
    # What was followed is on disk before the server is told so, and at once, not when a segment is full.
    yield [*command, "--synchronous"]


def _major(tools: Path, name: str = _NEEDED[0]) -> int:
    """Return the major version of a tool, 0 where it does not run."""
    try:
        said = subprocess.run([tools / name, "--version"], capture_output=True, text=True, env={"LC_ALL": "C"})  # noqa: S603
    except OSError:
        return 0
    found = re.search(r"\) (\d+)", said.stdout)
    return int(found[1]) if found else 0


def _run(command: Sequence[str], environment: Mapping[str, str], held: Sequence[int] = ()) -> None:
    result = subprocess.run(  # noqa: S603  # The command is ours.
        command, capture_output=True, env=dict(environment), stdin=subprocess.DEVNULL, pass_fds=held
    )
    if result.returncode:
        said = result.stderr.decode(errors="replace").strip() or f"exit code {result.returncode}"
        raise BackupError(f"{Path(command[0]).name}: {said}")
