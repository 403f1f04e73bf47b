"""The three directories of backups: a name that is free in all of them, what a failed backup left, and what is old.

While a backup is taken its folder in each of the three ends in `.unfinished`. The backup itself gets its name last, so
that one that has its name has its keys and its list too, and whatever an interrupted run left can be told and removed.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from store.base_backup import BackupError

DESCRIPTION: Final = "backup.json"
KEYS: Final = "keys.json"
ERASURES: Final = "erasures.jsonl"
FORMAT: Final = 1
_LOCK: Final = ".lock"
_UNFINISHED: Final = ".unfinished"
_NAMED: Final = re.compile(r"(\d{8}T\d{6}Z(?:-\d+)?)(\.unfinished)?")


@dataclass(frozen=True, slots=True)
class Places:
    """The directories: of backups, of the key file's copies, and of the erasure list's."""

    base: Path
    keys: Path
    erasures: Path

    def all(self) -> tuple[Path, Path, Path]:
        """Return the three; the backups first."""
        return self.base, self.keys, self.erasures


@dataclass(slots=True)
class Claim:
    """A backup under way: its name, and its folders as they are called until it is whole."""

    name: str
    base: Path
    keys: Path
    erasures: Path
    held: list[int]
    """Open files that lock the directories."""
    is_whole: bool = False

    def finish(self, places: Places) -> None:
        """Give the three their name, the backup itself last."""
        for unfinished, place in ((self.keys, places.keys), (self.erasures, places.erasures), (self.base, places.base)):
            if not any(unfinished.iterdir()):
                unfinished.rmdir()
                continue
            unfinished.rename(place / self.name)
            _sync(place)
        self.is_whole = True


@contextmanager
def held(places: Places) -> Iterator[list[int]]:
    """Hold the three directories, made where they are not there yet, so that only one backup is taken into them.

    Yields:
        The open files that hold them, until they are closed by every process that has them.

    Raises:
        BackupError: when another backup is being taken, or its tool still runs.
    """
    with ExitStack() as stack:
        handles = []
        for place in places.all():
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(place / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            stack.callback(os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupError(
                    f"Another backup is being taken into {place}: wait until it, or the pg_basebackup that it left"
                    " behind, has ended."
                ) from error
            handles.append(handle)
        yield handles


@contextmanager
def claimed(places: Places, begun: datetime, handles: list[int]) -> Iterator[Claim]:
    """Yield the folders of a new backup under a name that is in none of the three; all of them go unless it gets whole.

    Args:
        places: the directories, which the caller holds.
        begun: when the backup began, from which its name is.
        handles: what holds them.
    """
    claim = _claim(places, begun, handles)
    try:
        yield claim
    finally:
        if not claim.is_whole:
            # Keys before all else: they are what nobody may find beside a backup that failed.
            for folder in (claim.keys, claim.erasures, claim.base):
                shutil.rmtree(folder, ignore_errors=True)
            if not (places.base / claim.name).exists():
                _remove_copies(places, claim.name)


def remove_left(places: Places) -> list[str]:
    """Remove what earlier runs that were interrupted left in directories that the caller holds.

    Returns:
        What was removed, by its path.
    """
    gone = []
    names = {match[1] for place in places.all() for match in _names(place) if match[2]}
    for name in sorted(names):
        gone += [str(place / name) + _UNFINISHED for place in places.all() if (place / (name + _UNFINISHED)).exists()]
        # A run that was killed between two of the three had given keys and list their name already.
        if not (places.base / name).exists():
            gone += _remove_copies(places, name)
        for place in (places.keys, places.erasures, places.base):
            _remove_tree(place / (name + _UNFINISHED))
    return gone


def whole_backups(base: Path, log_origin: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the whole backups of one installation in a directory with what each says of itself, the oldest first."""
    found = []
    for match in _names(base):
        try:
            said = json.loads((base / match[1] / DESCRIPTION).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if not match[2] and said.get("format") == FORMAT and said.get("log_origin") == log_origin:
            found.append((match[1], said))
    return sorted(found, key=lambda each: (each[1]["ended_at"], _order(each[0])))


def remove_old(places: Places, log_origin: str, keep: int, newest: str) -> list[str]:
    """Remove all whole backups of one installation but the newest, each with its copies of keys and list.

    Args:
        places: the directories, which the caller holds.
        log_origin: the installation, by the name of its log; backups of others are left alone.
        keep: how many stay.
        newest: the one that was just taken, which stays whatever the clock said when the others were.

    Returns:
        The names of those that were removed.
    """
    others = [name for name, _ in whole_backups(places.base, log_origin) if name != newest]
    old = others[: max(0, len(others) + 1 - keep)]
    for name in old:
        # Under this name whatever is left is removed by the next run, should this one be killed.
        unfinished = places.base / (name + _UNFINISHED)
        (places.base / name).rename(unfinished)
        _remove_copies(places, name)
        _remove_tree(unfinished)
    return old


def _claim(places: Places, begun: datetime, handles: list[int]) -> Claim:
    stem = f"{begun.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    number = 1
    while True:
        name = stem if number == 1 else f"{stem}-{number}"
        if not any((place / name).exists() or (place / (name + _UNFINISHED)).exists() for place in places.all()):
            break
        number += 1
    base, keys, erasures = (place / (name + _UNFINISHED) for place in places.all())
    for folder in (base, keys, erasures):
        folder.mkdir(mode=0o700)
    return Claim(name, base, keys, erasures, handles)


def _remove_copies(places: Places, name: str) -> list[str]:
    """Remove the copies of keys and list of one backup; a folder in which somebody put more is left with that."""
    gone = []
    for folder, file in ((places.keys / name, KEYS), (places.erasures / name, ERASURES)):
        if not folder.is_dir():
            continue
        for each in (file, file + _UNFINISHED):
            (folder / each).unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()
        gone.append(str(folder))
    return gone


def _remove_tree(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BackupError(f"{error.filename or folder} cannot be removed: {error.strerror}.") from error


def _names(place: Path) -> Sequence[re.Match[str]]:
    return [match for path in place.iterdir() if path.is_dir() and (match := _NAMED.fullmatch(path.name))]


def _order(name: str) -> tuple[str, int]:
    stem, _, number = name.partition("-")
    return stem, int(number or 1)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
