"""The file that remembers every erasure outside the database, so that a restore from a backup can be followed by it."""

import asyncio
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError

from domain.erasure import ErasureEntry
from domain.errors import Defect, Unavailable
from proof.erasures import GENESIS, BrokenListError, line_hash, read_lines, sign_line
from store.keyring import Keyring

_LONGEST_LINE: Final = 64 * 1024


class ErasureList:
    """An append-only file of signed lines; each is on disk before the erasure that it tells of is committed."""

    def __init__(self, path: Path, keyring: Keyring) -> None:
        self._path, self._keyring = path, keyring

    async def is_there(self) -> bool:
        """Whether the file is where it was told to be."""
        return await asyncio.to_thread(self._path.exists)

    async def append(self, entry: ErasureEntry) -> None:
        """Add an entry, and return once it is on disk; the first one begins the file.

        Raises:
            Unavailable: when the file cannot be written; nothing may be erased then.
        """
        try:
            await asyncio.to_thread(self._append, entry)
        except OSError as error:
            raise Unavailable("erasure_list") from error

    async def read(self) -> Sequence[ErasureEntry]:
        """Return all entries in their order; none where there is no file yet.

        Raises:
            Defect: `erasure_list_altered`, when a line was altered, left out or put in.
            Unavailable: when the file cannot be read.
        """
        try:
            return await asyncio.to_thread(self._read)
        except OSError as error:
            raise Unavailable("erasure_list") from error

    def _append(self, entry: ErasureEntry) -> None:
        is_new = not self._path.exists()
        with open(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _cut_broken_end(file)
            last = _last_line(file)
            previous = GENESIS if last is None else line_hash(last)
            line = sign_line(entry.content(), previous, *self._keyring.signing_key())
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self._path.parent)

    def _read(self) -> list[ErasureEntry]:
        try:
            with self._path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                lines = file.read().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        whole = [line for line in lines if line.endswith(b"\n")]
        try:
            entries = list(read_lines(whole, self._keyring.statement_keys()))
            return [ErasureEntry.model_validate(entry) for entry in entries]
        except (BrokenListError, ValidationError) as error:
            raise Defect("erasure_list_altered") from error


def _cut_broken_end(file: BinaryIO) -> None:
    """Cut a line that a crash broke off; its erasure was never committed."""
    size = file.seek(0, os.SEEK_END)
    begin = max(0, size - _LONGEST_LINE)
    file.seek(begin)
    tail = file.read(size - begin)
    if tail and not tail.endswith(b"\n"):
        file.truncate(begin + tail.rfind(b"\n") + 1)


def _last_line(file: BinaryIO) -> bytes | None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LONGEST_LINE))
    lines = file.read().splitlines(keepends=True)
    return lines[-1] if lines else None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
