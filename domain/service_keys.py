"""Keys of the service as all its processes must agree on them: which are known where, which writes, which may go.

A key is rotated in two steps: first every process knows it, then it writes. What holds is said here as pure rules over
three things: what a process holds, what the register says, and what the other processes that live said they hold.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.errors import SettingError

KEY_BYTES: Final = 32
# Runs of Temporal are continued as new at least every thirteen months.
CODEC_KEPT: Final = timedelta(days=14 * 31)
# A list that somebody has open is gone through within a day.
CURSOR_KEPT: Final = timedelta(days=1)


class KeyKind(StrEnum):
    """What a key is for; the first seven stand in the key file, the last two are settings."""

    KEK = "kek"
    CODEC = "codec"
    LOOKUP = "lookup"
    CURSOR = "cursor"
    STATEMENT = "statement"
    SEAL = "seal"
    ARCHIVE = "archive"
    CALLBACKS = "authority_callbacks"
    RECEIPTS = "receipts"


SECRETS: Final = frozenset({KeyKind.CALLBACKS, KeyKind.RECEIPTS})
# What they signed or sealed is kept for good, and so are they.
_FOR_GOOD: Final = frozenset({KeyKind.STATEMENT, KeyKind.SEAL, KeyKind.ARCHIVE, KeyKind.LOOKUP})


class KeyFileError(SettingError, ValueError):
    """The key file cannot be used; the message says why and what to do, and quotes no key."""

    def __init__(self, why: str) -> None:
        super().__init__(f"key file: {why}")


class KeyState(StrEnum):
    """Where a key stands in its rotation."""

    KNOWN = "known"
    CURRENT = "current"
    RETIRED = "retired"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Held:
    """Keys of one kind that a process holds: fingerprints by id, and which writes; none does of the secrets."""

    current: str | None
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Registered:
    """A key as the register knows it; never the key itself."""

    kind: str
    key_id: str
    fingerprint: str
    state: KeyState
    known_at: datetime
    current_at: datetime | None = None
    retired_at: datetime | None = None
    used_at: datetime | None = None

    @property
    def may_become_current(self) -> bool:
        """Whether it never wrote, as far as is known."""
        return self.state is not KeyState.CURRENT and self.state is not KeyState.LOST and self.current_at is None


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that lives: its name for an operator, what it holds, and for how many seconds it has been silent."""

    name: str
    holds: Mapping[str, Held]
    silent: float = 0.0


@dataclass(frozen=True, slots=True)
class KeyFinding:
    """What is wrong with a key, or has to be known of it: a code, the kind, the key's id and a sentence.

    One that `refuses` keeps a process from starting.
    """

    code: str
    kind: str
    key_id: str
    words: str
    refuses: bool = False


class KeysRefusedError(SettingError):
    """A process must not work with the keys that it holds; the findings say why and what to do."""

    def __init__(self, findings: Sequence[KeyFinding]) -> None:
        super().__init__("\n".join(finding.words for finding in findings))
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the start of a process comes to for one kind of key."""

    findings: Sequence[KeyFinding] = ()
    becomes_current: str | None = None


def judge(
    kind: KeyKind, held: Held, rows: Sequence[Registered], others: Sequence[Holder], needed: Collection[str]
) -> Judgement:
    """Say whether a process may start with the keys of a kind that it holds, and which of them becomes current now.

    Args:
        kind: which keys.
        held: those of the process.
        rows: those of the register, of this kind.
        others: the other processes that live.
        needed: ids of keys that something is still under.
    """
    if kind in SECRETS:
        return Judgement()
    findings = [*_others_keys(kind, held, rows), *_missing(kind, held, rows, needed)]
    known = {row.key_id: row for row in rows}
    current = next((row.key_id for row in rows if row.state is KeyState.CURRENT), None)
    wanted = held.current
    if wanted is None or wanted == current or findings:
        return Judgement(tuple(findings))
    if wanted in known and not known[wanted].may_become_current:
        words = (
            f"The file names {wanted} as current of {kind}, which {current} has followed. The process reads"
            f" everything and writes with {wanted}: give it the newest key file."
        )
        return Judgement((KeyFinding("file_behind", kind, wanted, words),))
    if current is not None and (without := lacking(kind, wanted, held.keys[wanted], others)):
        words = (
            f"{wanted} of {kind} is not known everywhere yet, so it must not write: {', '.join(without)} do not have"
            f" it. Leave {current} as current, restart these with a key file that has {wanted} beside it, and make it"
            " current then (`hetao keys rotate`). A process that was killed is forgotten after a minute."
        )
        return Judgement((KeyFinding("not_known_everywhere", kind, wanted, words, refuses=True),))
    return Judgement(becomes_current=wanted)


def is_needed(row: Registered, left: int, now: datetime) -> bool:
    """Say whether a key that once wrote must still be there.

    Args:
        row: the key in the register.
        left: how much is counted under it, for a kind whose things are counted.
        now: the time of the register.
    """
    if row.state is KeyState.CURRENT:
        return True
    if row.state is not KeyState.RETIRED:
        return left > 0 and row.state is not KeyState.LOST
    kind = KeyKind(row.kind)
    if kind in _FOR_GOOD:
        return True
    kept = {KeyKind.CODEC: CODEC_KEPT, KeyKind.CURSOR: CURSOR_KEPT}.get(kind)
    return left > 0 if kept is None else now < (row.retired_at or row.known_at) + kept


def may_go_from(row: Registered) -> datetime | None:
    """Return from when a key that no longer writes may be taken away, where time alone decides that."""
    kept = {KeyKind.CODEC: CODEC_KEPT, KeyKind.CURSOR: CURSOR_KEPT}.get(KeyKind(row.kind))
    return row.retired_at + kept if kept is not None and row.retired_at is not None else None


def waits_since(row: Registered, *, followed_at: datetime | None, is_needed: bool, is_written: bool) -> datetime | None:
    """Return since when the next step of a rotation waits at a key that some process has, or None where none does.

    Args:
        row: the key in the register.
        followed_at: when the key that is current now became so; a key that a process behind still writes with is
            retired anew each time, so that its own `retired_at` says nothing.
        is_needed: whether something is still under the key.
        is_written: whether a process that lives still writes with it.
    """
    if row.kind in SECRETS:
        return None
    if row.state is KeyState.KNOWN:
        return row.known_at
    if row.state is not KeyState.RETIRED:
        return None
    if is_written or row.kind == KeyKind.KEK:
        return followed_at
    return None if is_needed else may_go_from(row)


def lacking(kind: KeyKind, key_id: str, fingerprint: str, others: Sequence[Holder]) -> list[str]:
    """Return the processes that do not know a key."""
    nothing = Held(None)
    return [
        f"{other.name} (last heard of {other.silent:.0f} s ago)"
        for other in others
        if other.holds.get(kind, nothing).keys.get(key_id) != fingerprint
    ]


def _others_keys(kind: KeyKind, held: Held, rows: Sequence[Registered]) -> list[KeyFinding]:
    """Return keys that bear the id of another one."""
    found = []
    for row in rows:
        if row.fingerprint and held.keys.get(row.key_id, row.fingerprint) != row.fingerprint:
            words = (
                f"{row.key_id} of {kind} is another key than the one that the register knows under this id: it is the"
                " file of another installation, or the key was overwritten. Take the right file; a new key has a new"
                " id."
            )
            found.append(KeyFinding("other_key", kind, row.key_id, words, refuses=True))
    return found


def _missing(kind: KeyKind, held: Held, rows: Sequence[Registered], needed: Collection[str]) -> list[KeyFinding]:
    """Return keys that are current or still needed and that the process does not have."""
    states = {row.key_id: row.state for row in rows}
    current = {key_id for key_id, state in states.items() if state is KeyState.CURRENT}
    lost = {key_id for key_id, state in states.items() if state is KeyState.LOST}
    found = []
    for key_id in sorted((current | set(needed)) - lost - set(held.keys)):
        why = "others write with it" if key_id in current else "something is still under it"
        words = (
            f"The key file lacks {key_id} of {kind}, and {why}: bring it into the file. Where no copy is left,"
            f" `hetao keys lost {kind} {key_id}` says so, and what is under it is lost."
        )
        found.append(KeyFinding("key_missing", kind, key_id, words, refuses=True))
    return found
