"""Laying a base backup back: beside the old data, never over it, with the log that takes it on to a point in time."""

import os
import re
import shutil
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Final

from store.base_backup import BackupError
from store.kept_log import log_since

PID_FILE: Final = "postmaster.pid"
# The log that a recovery reads lies in the data itself, so that whoever the server runs as can read it.
LOG_FOLDER: Final = "hetao_wal"
_TIMELINE: Final = re.compile(r"latest|current|[0-9]{1,10}")


def refuse_living(data: Path) -> None:
    """Refuse a data directory in which a server works, or which one left without shutting down.

    Raises:
        BackupError: naming what to do.
    """
    if (data / PID_FILE).exists():
        raise BackupError(
            f"{data} is a living data directory ({PID_FILE} is there): stop PostgreSQL first. If none runs and it was"
            " not shut down in good order, take that file away."
        )


def aside_of(place: Path, now: datetime) -> Path:
    """Return the name under which what stands somewhere is kept when something else is laid back there.

    It is nobody's yet: of two in a second the later has a number, or it would take the place of the earlier.
    """
    first = place.with_name(f"{place.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    names = chain([first], (first.with_name(f"{first.name}-{number}") for number in count(2)))
    return next(name for name in names if not name.exists())


def lay_back(
    backup: Path,
    data: Path,
    *,
    log: Path | None = None,
    until: datetime | None = None,
    command: str | None = None,
    timeline: str = "latest",
    aside: Path | None = None,
) -> int:
    """Copy a verified base backup to where a server will find it, told to recover when it starts.

    The server begins a timeline of its own, so that what it writes never meets the log of before.

    Args:
        backup: the base backup.
        data: the data directory to be made.
        log: directory in which `pg_receivewal` or an `archive_command` kept the log since.
        until: the last moment that is to be there again; without it, all that the log has.
        command: a `restore_command` of PostgreSQL that fetches the log from where it is kept, in place of `log`.
        timeline: `latest`, `current` for that of the backup, or a number: which one to follow where a log has several.
        aside: what the directory that stands there is renamed to, once all is ready; without it none may stand there.

    Returns:
        How many segments of the log were copied.

    Raises:
        BackupError: when something stands in the way, or the log does not begin where the backup ends.
    """
    refuse_living(data)
    stands = data.exists() and (not data.is_dir() or any(data.iterdir()))
    if stands and aside is None:
        raise BackupError(f"{data} is not empty: name a new directory, or have it set aside with --set-aside.")
    if until is not None and log is None and command is None:
        raise BackupError("A point in time needs the log since the backup: name its directory with --wal.")
    if command is not None:
        _refuse_command(command)
    if not _TIMELINE.fullmatch(timeline):
        raise BackupError(f"The timeline {timeline} is none: `latest`, `current`, or a number.")
    kept = log_since(backup, log) if log is not None else None
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        shutil.copytree(backup, unfinished, symlinks=True)
        unfinished.chmod(0o700)
        (unfinished / LOG_FOLDER).mkdir(mode=0o700)
        for source, name in kept.files if kept else ():
            shutil.copyfile(source, unfinished / LOG_FOLDER / name)
        _tell(unfinished, until, command, timeline)
        if stands and aside is not None:
            data.rename(aside)
        elif data.exists():
            data.rmdir()
        unfinished.rename(data)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise BackupError(f"{error.filename or data}: {error.strerror}; nothing was laid back.") from error
    if os.geteuid() == 0:
        _give_to_owner_of(data.parent, data)
    return kept.segments if kept else 0


def _refuse_command(command: str) -> None:
    """Refuse a `restore_command` that cannot fetch anything: the server would take it for the end of the log."""
    if "%f" not in command or "%p" not in command:
        raise BackupError("The command that fetches the log needs %f, a file's name, and %p, where to put it.")
    if "\n" in command:
        raise BackupError("The command that fetches the log has to be one line.")


def _tell(data: Path, until: datetime | None, command: str | None, timeline: str) -> None:
    """Have the server recover at its next start, and go on as a server of its own when it is there."""
    # It asks for files that need not be there, as the history of a timeline after its own; the look before the copy
    # keeps `cp: cannot stat …` out of its log.
    fetch = command or f'test -f "{LOG_FOLDER}/%f" && cp "{LOG_FOLDER}/%f" "%p"'
    told = {
        "restore_command": fetch,
        "recovery_target_timeline": timeline,
        # Empty where there is none: an earlier restore may have left one in this file.
        "recovery_target_time": until.isoformat() if until else "",
        "recovery_target_action": "promote",
        "recovery_end_command": f"rm -rf {LOG_FOLDER}",
    }
    lines = [f"{name} = '{_quoted(value)}'\n" for name, value in told.items()]
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.writelines(["# Told by `hetao restore postgres`.\n", *lines])
    (data / "recovery.signal").touch(mode=0o600)


def _quoted(value: str) -> str:
    """Return a value as PostgreSQL's own files of settings have it: it reads a backslash as the start of a sign."""
    return value.replace("\\", "\\\\").replace("'", "''")


def _give_to_owner_of(folder: Path, data: Path) -> None:
    """Give what root laid back to whoever owns the folder in which it lies, which is whom the server runs as."""
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    for root, folders, files in os.walk(data):
        for name in (*folders, *files):
            os.chown(Path(root) / name, owner.st_uid, owner.st_gid, follow_symlinks=False)
    os.chown(data, owner.st_uid, owner.st_gid)
