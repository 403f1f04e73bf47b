"""A copy of the histories of the embedded stack's Temporal, taken while it runs, and laid back while it does not."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sandbox.stack.directory import StackError

FILE: Final = "temporal.db"
# What SQLite keeps beside its file.
_BESIDE: Final = ("-wal", "-shm", "-journal")


def copy_histories(directory: Path, target: Path) -> int:
    """Copy the histories as they stand at one moment (sqlite.org/backup.html), checked, and return the bytes of it.

    Raises:
        StackError: when there are none, or the copy is not whole.
    """
    source = directory / FILE
    if not source.exists():
        raise StackError(f"There are no histories at {source}.")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _copy(source, target)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StackError(f"The histories {source} were not copied: {error}.") from error
    return target.stat().st_size


def lay_back_histories(source: Path, directory: Path, now: datetime) -> Path | None:
    """Put a copy in the place of the histories of a stopped server, and return where those of before are now.

    Raises:
        StackError: when the copy is not whole; those of before are left as they are.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = directory / f"{FILE}.unfinished"
    unfinished.unlink(missing_ok=True)
    try:
        _copy(source, unfinished)
    except sqlite3.Error as error:
        unfinished.unlink(missing_ok=True)
        raise StackError(f"The histories of {source} were not laid back: {error}.") from error
    aside = clear_histories(directory, now)
    unfinished.rename(directory / FILE)
    return aside


def look_at_copy(file: Path, size: int) -> None:
    """Look whether a copy of histories is whole.

    Args:
        file: the copy.
        size: how many bytes it had when it was made.

    Raises:
        StackError: when it is not there, has another size, or SQLite finds it broken.
    """
    if not file.exists():
        raise StackError(f"{file} is missing.")
    if file.stat().st_size != size:
        raise StackError(f"{file} has {file.stat().st_size} bytes in place of {size}.")
    try:
        # Nothing is written beside it: a backup may lie where nobody may write.
        with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as kept:
            [said] = kept.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise StackError(f"{file} cannot be read: {error}.") from error
    if said != "ok":
        raise StackError(f"{file} is broken: {said}.")


def clear_histories(directory: Path, now: datetime) -> Path | None:
    """Set the histories of a stopped server aside, so that it starts with none, and return where they are."""
    if not (directory / FILE).exists():
        return None
    aside = directory.with_name(f"{directory.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    aside.mkdir(mode=0o700)
    for name in (FILE, *(f"{FILE}{end}" for end in _BESIDE)):
        if (directory / name).exists():
            (directory / name).rename(aside / name)
    return aside


def _copy(source: Path, target: Path) -> None:
    """Copy all pages in one reading transaction, so that a server may write on beside it, into a file that is whole."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as given,
        closing(sqlite3.connect(target)) as kept,
    ):
        given.backup(kept)
        # The copy needs no log of its own beside it; the server makes one when it starts on it.
        kept.execute("PRAGMA journal_mode = delete")
        [said] = kept.execute("PRAGMA integrity_check").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(said)
    target.chmod(0o600)
