"""The write-ahead log that `pg_receivewal` or an `archive_command` kept since a base backup: is all of it there.

Segments are named as PostgreSQL names them: timeline, then the number of the segment in two parts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from store.backup_manifest import ManifestError, read_manifest
from store.base_backup import BackupError, read_log

_SEGMENT: Final = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?")
_HISTORY: Final = re.compile(r"[0-9A-F]{8}\.history")
_OWN_LOG: Final = "pg_wal"
_MOST: Final = 3


@dataclass(slots=True)
class KeptLog:
    """What a directory has of the log from a backup's beginning on."""

    segment_bytes: int
    timeline: int
    """That of the backup."""
    start: int
    """Place in the log, in bytes, where the backup ends and the kept log has to take over."""
    files: list[tuple[Path, str]] = field(default_factory=list)
    """Each file, and the name that a recovery looks for."""
    numbers: set[int] = field(default_factory=set)

    @property
    def segments(self) -> int:
        """How many segments there are."""
        return len(self.numbers)


def log_since(backup: Path, log: Path) -> KeptLog:
    """Return the log that was kept since a base backup began, and refuse one of which a part is missing.

    The newest segment that `pg_receivewal` was still writing bears `.partial`; it holds whatever came last.

    Raises:
        BackupError: naming segments that are missing or cut, or a log that does not begin where the backup ends.
    """
    try:
        stretches = read_manifest(backup).stretches
    except ManifestError as error:
        raise BackupError(str(error)) from error
    size = _segment_bytes(backup)
    first = _place(stretches[0].start) // size
    kept = KeptLog(size, stretches[-1].timeline, _place(stretches[-1].end))
    names = {path.name for path in log.iterdir()}
    timelines: dict[int, str] = {}
    for name in sorted(names):
        segment = _SEGMENT.fullmatch(name)
        if segment is None:
            if _HISTORY.fullmatch(name):
                kept.files.append((log / name, name))
            continue
        number = _number(segment, size)
        whole = name.removesuffix(".partial")
        if number < first or (segment[4] and (whole in names or _is_begun(log / name, size))):
            continue
        kept.numbers.add(number)
        timelines[number] = segment[1]
        kept.files.append((log / name, whole))
    _refuse_gaps(log, kept, timelines)
    # An archive that was filled while the disk was full, or by a command that was cut short, has such files.
    cut = [path.name for path, name in kept.files if _SEGMENT.fullmatch(name) and path.stat().st_size != size]
    if cut:
        raise BackupError(f"{log}: {_listed(cut)} {_is(cut)} not of {size} bytes, as every segment is: cut in writing.")
    return kept


def verify_log(tools: Path, log: Path, kept: KeptLog, *, environment: Mapping[str, str]) -> None:
    """Read every record of the whole segments of the backup's timeline.

    The newest segment is left out: its end is wherever the server was.

    Raises:
        BackupError: when a record cannot be read.
    """
    own = f"{kept.timeline:08X}"
    numbers = [
        _number(segment, kept.segment_bytes)
        for path, _ in kept.files
        if (segment := _SEGMENT.fullmatch(path.name)) and segment[1] == own and not segment[4]
    ]
    start = max(kept.start, min(numbers, default=0) * kept.segment_bytes)
    end = max(numbers, default=0) * kept.segment_bytes
    if start < end:
        read_log(tools, log, kept.timeline, _written(start), _written(end), environment=environment)


def begins_in(backup: Path) -> tuple[int, int]:
    """Return the number of the segment in which a base backup begins, and how large segments are.

    Raises:
        BackupError: when its manifest cannot be read.
    """
    try:
        start = read_manifest(backup).stretches[0].start
    except ManifestError as error:
        raise BackupError(str(error)) from error
    size = _segment_bytes(backup)
    return _place(start) // size, size


def prune_log(log: Path, first: int, size: int) -> list[str]:
    """Remove the segments before one from a directory of kept log, and return their names.

    Args:
        log: the directory.
        first: number of the first segment that is still needed.
        size: bytes of a segment.
    """
    names = sorted(path.name for path in log.iterdir())
    gone = [name for name in names if (found := _SEGMENT.fullmatch(name)) and _number(found, size) < first]
    for name in gone:
        (log / name).unlink(missing_ok=True)
    return gone


def _refuse_gaps(log: Path, kept: KeptLog, timelines: Mapping[int, str]) -> None:
    """Refuse a log of which a part is missing after the end of the backup, which has its own log up to there."""
    last = kept.start // kept.segment_bytes
    after = sorted(number for number in kept.numbers if number >= last)
    if not after or after[0] > last + 1:
        raise BackupError(f"{log} does not have the log from the end of this backup on: take another backup or log.")
    in_a_file = 2**32 // kept.segment_bytes
    lacking, before = [], after[0]
    for number in after[1:]:
        missing = range(before + 1, number)
        lacking += [
            f"{timelines[before]}{each // in_a_file:08X}{each % in_a_file:08X}" for each in missing[: _MOST + 1]
        ]
        before = number
    if lacking:
        raise BackupError(
            f"{log} lacks a part of the log in the middle: {_listed(lacking)} {_is(lacking)} missing, and nothing after"
            " it could be read."
        )


def _segment_bytes(backup: Path) -> int:
    own = backup / _OWN_LOG
    sizes = [path.stat().st_size for path in own.iterdir() if _SEGMENT.fullmatch(path.name)] if own.is_dir() else []
    if not sizes:
        raise BackupError(f"{backup} has no log of its own.")
    return max(sizes)


def _number(segment: re.Match[str], size: int) -> int:
    return int(segment[2], 16) * (2**32 // size) + int(segment[3], 16)


def _place(lsn: str) -> int:
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def _written(place: int) -> str:
    return f"{place >> 32:X}/{place & 0xFFFFFFFF:X}"


def _is_begun(partial: Path, size: int) -> bool:
    """Whether `pg_receivewal` was stopped as it made a new segment, which it fills up before it writes into it."""
    return partial.stat().st_size < size


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST]) + (" and more" if len(names) > _MOST else "")


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
