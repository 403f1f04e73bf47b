"""The key file: made, read where nobody else may read it, and changed as a whole or not at all."""

import base64
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from domain.service_keys import KEY_BYTES, KeyFileError, KeyKind

# How the keys of each kind are named: the letter, then a number that grows.
LETTERS: Final[Mapping[KeyKind, str]] = {
    KeyKind.KEK: "k",
    KeyKind.CODEC: "c",
    KeyKind.CURSOR: "p",
    KeyKind.STATEMENT: "s",
    KeyKind.SEAL: "l",
    KeyKind.ARCHIVE: "a",
}
_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP


def generate() -> dict[str, Any]:
    """Return a fresh key file's content."""
    sets = {kind.value: {"current": f"{each}1", "keys": {f"{each}1": fresh_key()}} for kind, each in LETTERS.items()}
    return sets | {KeyKind.LOOKUP.value: fresh_key()}


def fresh_key() -> str:
    """Return a new random key as the file writes it."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def next_key_id(kind: KeyKind, taken: Mapping[str, object]) -> str:
    """Return the id of the next key of a kind: a number above all that there are."""
    letter = LETTERS[kind]
    numbers = [int(found[1]) for key_id in taken if (found := re.fullmatch(rf"{letter}?([0-9]{{1,9}})", key_id))]
    return f"{letter}{max(numbers, default=0) + 1}"


def read_guarded(path: Path) -> bytes:
    """Return what a file with a secret holds.

    Its owner alone may read it. One kind of group may too: that of a file of root's, which is how Kubernetes hands a
    secret to a process that is not root (`fsGroup`).

    Raises:
        KeyFileError: when it cannot be read, or others may read it.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = file.read()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS or (mode & stat.S_IRGRP and found.st_uid != 0):
        raise KeyFileError(
            f"{path} has mode {mode:04o}, so that others may read or change it: chmod 0600 it, and let it belong to"
            f" the user that the service runs as (this process runs as user {os.geteuid()}). A secret that a"
            " container is given needs its mode set where it is mounted (Kubernetes: defaultMode 0400)"
        )
    return content


def read_key_file(path: Path) -> dict[str, Any]:
    """Return the content of a key file.

    Raises:
        KeyFileError: when it cannot be read, others may read it, or it is no JSON object.
    """
    content = read_guarded(path)
    try:
        document = json.loads(content)
    except ValueError:
        raise KeyFileError(f"{path} is no JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise KeyFileError(f"{path} must be a JSON object")
    return document


def make_key_file(path: Path, document: Mapping[str, Any]) -> None:
    """Write a new key file of mode 0600.

    Raises:
        KeyFileError: when there is a file of this name, or none can be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            _write(file.fileno(), document)
    except FileExistsError:
        raise KeyFileError(f"{path} is there already; a key that is overwritten opens nothing ever again") from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror}") from None
    _sync_folder(path.parent)


def replace_key_file(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a key file as a whole, with the mode and the owner that it has.

    Raises:
        KeyFileError: when it cannot be written; the file of before is untouched.
    """
    path = path.resolve()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        found = path.stat()
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w") as file:
                if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), found.st_uid, found.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(found.st_mode))
                _write(file.fileno(), document)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise KeyFileError(
            f"{path} cannot be replaced ({error.strerror}): the folder must be writable, and a file that is mounted by"
            " itself cannot be replaced from inside a container"
        ) from None
    _sync_folder(path.parent)


def _write(handle: int, document: Mapping[str, Any]) -> None:
    content = json.dumps(document, indent=1).encode() + b"\n"
    while content:
        content = content[os.write(handle, content) :]
    os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
