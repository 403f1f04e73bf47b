"""PostgreSQL's own list of what a base backup is, read and held against the files.

Its form is in PostgreSQL's appendix "Backup Manifest Format".
`pg_verifybackup` does the same and is asked where it runs; that of the wheel of the embedded stack does not start.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NAME: Final = "backup_manifest"
# What is no part of the list: the list itself, the log (of which it names the stretch), and what a start would write.
_UNLISTED: Final = frozenset({NAME, "postgresql.auto.conf", "recovery.signal", "standby.signal"})
_LOG: Final = "pg_wal"
_BLOCK: Final = 1024 * 1024
_CHECKSUM: Final = '"Manifest-Checksum"'
_MOST: Final = 5


class ManifestError(Exception):
    """A base backup has no manifest that can be read, or is not what its manifest says."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the write-ahead log, as PostgreSQL writes places in it (`0/2000028`)."""

    timeline: int
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says: the cluster, the stretches of log that the backup needs, and its files with checksums."""

    system_identifier: str
    stretches: tuple[Stretch, ...]
    files: tuple[dict[str, Any], ...]

    @property
    def bytes(self) -> int:
        """How large all files are together, the log not among them."""
        return sum(each["Size"] for each in self.files)


def read_manifest(backup: Path) -> Manifest:
    """Read the manifest of a base backup and check its own checksum.

    Raises:
        ManifestError: when there is none, or it was altered.
    """
    try:
        raw = (backup / NAME).read_bytes()
        content = json.loads(raw)
        sealed = raw[: raw.rindex(_CHECKSUM.encode())]
        manifest = Manifest(
            str(content["System-Identifier"]),
            tuple(Stretch(each["Timeline"], each["Start-LSN"], each["End-LSN"]) for each in content["WAL-Ranges"]),
            tuple(content["Files"]),
        )
    except (OSError, ValueError, KeyError) as error:
        raise ManifestError(f"{backup} is no base backup: {NAME} cannot be read.") from error
    if hashlib.sha256(sealed).hexdigest() != content["Manifest-Checksum"]:
        raise ManifestError(f"{backup / NAME} was altered.")
    return manifest


def compare(backup: Path) -> None:
    """Hold every file of a base backup against its manifest.

    Raises:
        ManifestError: when a file is missing, altered or too much, naming the first few.
    """
    manifest = read_manifest(backup)
    wrong = list(_differences(backup, manifest))
    if wrong:
        more = f" and {len(wrong) - _MOST} more" if len(wrong) > _MOST else ""
        raise ManifestError(f"{backup} is not what its manifest says: {', '.join(wrong[:_MOST])}{more}.")


def _differences(backup: Path, manifest: Manifest) -> Iterator[str]:
    listed = set()
    for each in manifest.files:
        # A name that is no UTF-8 is listed in hexadecimal.
        name = each["Path"] if "Path" in each else bytes.fromhex(each["Encoded-Path"]).decode(errors="surrogateescape")
        listed.add(name)
        path = backup / name
        if not path.is_file():
            yield f"{name} is missing"
        elif path.stat().st_size != each["Size"]:
            yield f"{name} has {path.stat().st_size} bytes in place of {each['Size']}"
        elif each.get("Checksum-Algorithm") != "SHA256":
            yield f"{name} has no SHA-256 to be held against"
        elif _sha256(path) != each["Checksum"]:
            yield f"{name} was altered"
    for path in backup.rglob("*"):
        name = path.relative_to(backup).as_posix()
        if path.is_file() and name not in listed and name not in _UNLISTED and not name.startswith(f"{_LOG}/"):
            yield f"{name} is not listed"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
