"""Holding a backup against what it says of itself: the database, the log since, the keys and the list of erasures."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain.errors import Defect, Unavailable
from store.backup_places import DESCRIPTION, ERASURES, FORMAT, KEYS
from store.base_backup import FOLDER, BackupError, verify, written
from store.erasure_list import ErasureList
from store.kept_apart import key_ids
from store.kept_log import log_since, verify_log
from store.keyring import Keyring


def describe(backup: Path) -> dict[str, Any]:
    """Return what a backup says of itself.

    Raises:
        BackupError: when it is none, or was made by a version that this one does not read.
    """
    try:
        described: dict[str, Any] = json.loads((backup / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupError(f"{backup} is no whole backup: {DESCRIPTION} cannot be read ({error}).") from error
    if described.get("format") != FORMAT:
        raise BackupError(f"{backup} has the form {described.get('format')}; this version reads {FORMAT}.")
    return described


def database_faults(
    backup: Path, described: Mapping[str, Any], tools: Path, environment: Mapping[str, str]
) -> list[str]:
    """Return what is wrong with the copy of the database: a file missing, altered or too much, or its own log."""
    try:
        verify(tools, backup / FOLDER, environment=environment)
        found = written(backup / FOLDER)
    except BackupError as error:
        return [str(error)]
    if found != described["postgres"]:
        return [f"{backup / DESCRIPTION} is of another copy of the database than the one beside it."]
    return []


def log_faults(backup: Path, log: Path, tools: Path, environment: Mapping[str, str]) -> tuple[list[str], int]:
    """Return what is wrong with the log that was kept since a backup, and how many segments of it there are."""
    try:
        kept = log_since(backup / FOLDER, log)
        verify_log(tools, log, kept, environment=environment)
    except BackupError as error:
        return [str(error)], 0
    return [], kept.segments


def key_faults(described: Mapping[str, Any], copies: Path) -> tuple[list[str], Keyring | None]:
    """Return what is wrong with the copy of the key file, and the keys where they can be read.

    Args:
        described: what the backup says of itself.
        copies: the directory that has a folder for each backup.
    """
    file = copies / described["name"] / KEYS
    if not file.exists():
        return [f"{file} is missing: without these keys nothing of this backup can be read that is sealed."], None
    try:
        keyring = Keyring.load(file)
    except (OSError, ValueError) as error:
        return [f"{file} cannot be read: {error}"], None
    has = key_ids(keyring)
    lacking = [
        f"{purpose} {each}"
        for purpose, ids in described["key_ids"].items()
        for each in ids
        if each not in has.get(purpose, ())
    ]
    return ([f"{file} lacks keys that this backup needs: {', '.join(lacking)}."] if lacking else []), keyring


def erasure_faults(described: Mapping[str, Any], copies: Path, keyring: Keyring | None) -> list[str]:
    """Return what is wrong with the copy of the list of erasures.

    Args:
        described: what the backup says of itself.
        copies: the directory that has a folder for each backup.
        keyring: the keys by which its lines are signed; without them it is only looked for.
    """
    return list(_erasure_faults(described["erasures"], copies / described["name"] / ERASURES, keyring))


def _erasure_faults(expected: int, file: Path, keyring: Keyring | None) -> Iterator[str]:
    if not file.exists():
        if expected:
            yield f"{file} is missing: {expected} erased would be known again after a restore."
        return
    if keyring is None:
        yield f"{file} cannot be held against its signatures: the keys are wanting."
        return
    try:
        number = len(asyncio.run(ErasureList(file, keyring).read()))
    except (Defect, Unavailable) as error:
        yield f"{file} is not as it was written: {error}."
        return
    if number != expected:
        yield f"{file} has {number} erasures in place of {expected}."
