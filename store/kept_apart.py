"""Copies of what must not lie beside the database's backup: the key file, and the list of erasures."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from domain.errors import Defect
from store.base_backup import BackupError
from store.erasure_list import ErasureList
from store.keyring import Keyring


def refuse_together(places: Sequence[tuple[str, Path]]) -> None:
    """Refuse places of which one is another or lies in it: whoever has one of them must not have the other.

    Args:
        places: what each is for, and its directory, which need not be there yet.

    Raises:
        BackupError: naming two that are together.
    """
    known = [(name, place.resolve()) for name, place in places]
    for number, (name, place) in enumerate(known):
        for other, second in known[:number]:
            if place == second or place in second.parents or second in place.parents:
                raise BackupError(
                    f"{name} and {other} would lie together ({place}, {second}): the key file opens every database that"
                    " lies beside it, and the list of erasures must outlive a restore. Name directories of their own."
                )


def copy_keys(keys_file: Path, target: Path) -> dict[str, list[str]]:
    """Copy the key file, read it back, and return the ids of its keys by purpose.

    Raises:
        BackupError: when it cannot be read, or is no key file.
    """
    try:
        _copy(keys_file, target)
        keyring = Keyring.load(target)
    except (OSError, ValueError) as error:
        target.unlink(missing_ok=True)
        raise BackupError(f"The key file {keys_file} was not copied to {target}: {error}") from error
    return key_ids(keyring)


def key_ids(keyring: Keyring) -> dict[str, list[str]]:
    """Return the ids of the keys of each purpose that has several; never the keys."""
    sets = {name: getattr(keyring, name) for name in ("kek", "codec", "statement", "seal", "archive")}
    return {name: sorted(each.keys) for name, each in sets.items()}


def copy_erasures(source: Path, target: Path, keyring: Keyring) -> int:
    """Copy the list of erasures as it stands between two erasures, and return how many it has; 0 without a file.

    Raises:
        BackupError: when it cannot be read, or a line was altered, left out or put in.
    """
    if not source.exists():
        return 0
    try:
        _copy(source, target)
        return len(asyncio.run(ErasureList(target, keyring).read()))
    except (OSError, Defect) as error:
        target.unlink(missing_ok=True)
        raise BackupError(f"The list of erasures {source} was not copied: {error}") from error


def _copy(source: Path, target: Path) -> None:
    """Copy a file as nobody writes it meanwhile, readable by its owner only, and have it on disk."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with (
            source.open("rb") as given,
            os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept,
        ):
            fcntl.flock(given, fcntl.LOCK_SH)
            shutil.copyfileobj(given, kept)
            kept.flush()
            os.fsync(kept.fileno())
        unfinished.rename(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
