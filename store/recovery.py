"""Laying a base backup back: beside the old data, never over it, with the log that takes it on to a point in time."""

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from store.base_backup import BackupError, written

PID_FILE: Final = "postmaster.pid"
# The log that a recovery reads lies in the data itself, so that whoever the server runs as can read it.
LOG_FOLDER: Final = "hetao_wal"
_SEGMENT: Final = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?")
_HISTORY: Final = re.compile(r"[0-9A-F]{8}\.history")


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
    """Return the name under which what stands somewhere is kept when something else is laid back there."""
    return place.with_name(f"{place.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")


def lay_back(
    backup: Path,
    data: Path,
    *,
    log: Path | None = None,
    until: datetime | None = None,
    command: str | None = None,
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
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        shutil.copytree(backup, unfinished, symlinks=True)
        unfinished.chmod(0o700)
        segments = list(_needed(backup, log)) if log is not None else []
        (unfinished / LOG_FOLDER).mkdir(mode=0o700)
        for source, name in segments:
            shutil.copyfile(source, unfinished / LOG_FOLDER / name)
        _tell(unfinished, until, command)
        if stands and aside is not None:
            data.rename(aside)
        elif data.exists():
            data.rmdir()
        unfinished.rename(data)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise BackupError(f"{error.filename or data}: {error.strerror}; nothing was laid back.") from error
    except BackupError:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    if os.geteuid() == 0:
        _give_to_owner_of(data.parent, data)
    return len(segments)


def _needed(backup: Path, log: Path) -> Iterator[tuple[Path, str]]:
    """Return the files of the log from the segment on in which the backup begins, and the name each must have.

    The newest segment that `pg_receivewal` was still writing bears `.partial`; it holds whatever came last.
    """
    found = written(backup)
    size = _segment_bytes(backup)
    high, _, low = found["start_lsn"].partition("/")
    first = ((int(high, 16) << 32) + int(low, 16)) // size
    in_a_file = 2**32 // size
    numbers = set()
    names = {path.name for path in log.iterdir()}
    for name in sorted(names):
        segment = _SEGMENT.fullmatch(name)
        if segment is None:
            if _HISTORY.fullmatch(name):
                yield log / name, name
            continue
        number = int(segment[2], 16) * in_a_file + int(segment[3], 16)
        whole = name.removesuffix(".partial")
        if number < first or (segment[4] and whole in names):
            continue
        numbers.add(number)
        yield log / name, whole
    end = found["end_lsn"].partition("/")
    last = ((int(end[0], 16) << 32) + int(end[2], 16)) // size
    # The backup has its own log up to its end; from there on none may be missing.
    after = sorted(number for number in numbers if number >= last)
    if after and after != list(range(after[0], after[-1] + 1)):
        raise BackupError(f"{log} lacks a part of the log in the middle: nothing after it could be read.")
    if not after or after[0] > last + 1:
        raise BackupError(f"{log} does not have the log from the end of this backup on: take another backup or log.")


def _segment_bytes(backup: Path) -> int:
    sizes = [path.stat().st_size for path in (backup / "pg_wal").iterdir() if _SEGMENT.fullmatch(path.name)]
    if not sizes:
        raise BackupError(f"{backup} has no log of its own.")
    return max(sizes)


def _tell(data: Path, until: datetime | None, command: str | None) -> None:
    """Have the server recover at its next start, and go on as a server of its own when it is there."""
    fetch = command or f'cp "{LOG_FOLDER}/%f" "%p"'
    told = {
        "restore_command": fetch,
        "recovery_target_timeline": "latest",
        # Empty where there is none: an earlier restore may have left one in this file.
        "recovery_target_time": until.isoformat() if until else "",
        "recovery_target_action": "promote",
        "recovery_end_command": f"rm -rf {LOG_FOLDER}",
    }
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in told.items()]
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.writelines(["# Told by `hetao restore postgres`.\n", *lines])
    (data / "recovery.signal").touch(mode=0o600)


def _give_to_owner_of(folder: Path, data: Path) -> None:
    """Give what root laid back to whoever owns the folder in which it lies, which is whom the server runs as."""
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    for root, folders, files in os.walk(data):
        for name in (*folders, *files):
            os.chown(Path(root) / name, owner.st_uid, owner.st_gid, follow_symlinks=False)
    os.chown(data, owner.st_uid, owner.st_gid)
