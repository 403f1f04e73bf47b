"""The keys the service holds outside its database: read from one file of mode 0600, named by id so that they rotate."""

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.errors import KeyUnknown
from domain.service_keys import KEY_BYTES, Held, KeyFileError, KeyKind
from domain.spellings import KEY_FINGERPRINT, LOOKUPS
from store.key_file import read_key_file

# What a payload or a row names as its key is another's word until it is found.
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MOST_MISSED: Final = 100
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Missed:
    """Keys that were asked for and are not there: by id the seconds of the process's clock, first and last."""

    seen: dict[str, tuple[float, float]] = field(default_factory=dict)

    def note(self, key_id: str) -> None:
        """Remember that a key was asked for now."""
        now = time.monotonic()
        if key_id in self.seen or len(self.seen) < _MOST_MISSED:
            self.seen[key_id] = (self.seen.get(key_id, (now, now))[0], now)


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys of one purpose by id, and which of them writes."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
    kind: str = ""
    missed: Missed = field(default_factory=Missed, repr=False, compare=False)

    @property
    def writing(self) -> bytes:
        """The key that new things are written with."""
        return self.keys[self.current]

    def find(self, key_id: str) -> bytes:
        """Return the key of an id.

        Raises:
            KeyUnknown: when it is not here, or not yet: whoever needs it tries again; a line of the log names it.
        """
        key = self.keys.get(key_id)
        if key is None:
            raise self.unknown(key_id)
        return key

    def unknown(self, key_id: str) -> KeyUnknown:
        """Note a key that is not here, and return what is to be raised."""
        named = key_id if _KEY_ID.fullmatch(key_id) else "malformed"
        self.missed.note(named)
        _log.warning("key_unknown", kind=self.kind, key_id=named)
        return KeyUnknown(self.kind, named)

    def held(self) -> Held:
        """Return what may be said of these keys: ids and fingerprints."""
        prints = {key_id: fingerprint(self.kind, key_id, key) for key_id, key in self.keys.items()}
        return Held(current=self.current, keys=prints)


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of the service: key encryption, codec, look-ups, cursors, actor statements, the seal, the archive."""

    kek: KeySet
    codec: KeySet
    lookup: bytes = field(repr=False)
    cursor: KeySet
    statement: KeySet
    seal: KeySet
    archive: KeySet

    @classmethod
    def load(cls, path: Path) -> "Keyring":
        """Read the key file.

        Raises:
            KeyFileError: when the file cannot be read, others may read it, it lacks a key or one has the wrong length.
        """
        return cls.parse(read_key_file(path))

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> "Keyring":
        """Build the keyring from the decoded key file.

        Raises:
            KeyFileError: when it lacks a key or one has the wrong length.
        """
        return cls(
            kek=_key_set(document, KeyKind.KEK),
            codec=_key_set(document, KeyKind.CODEC),
            lookup=_key(document.get(KeyKind.LOOKUP), KeyKind.LOOKUP),
            cursor=_cursor_set(document),
            statement=_key_set(document, KeyKind.STATEMENT),
            seal=_key_set(document, KeyKind.SEAL),
            archive=_key_set(document, KeyKind.ARCHIVE),
        )

    def sets(self) -> Iterator[KeySet]:
        """Yield the key sets, a look-up key as a set of one."""
        lookup = KeySet(current=ONLY, keys={ONLY: self.lookup}, kind=KeyKind.LOOKUP)
        yield from (self.kek, self.codec, lookup, self.cursor, self.statement, self.seal, self.archive)

    def lookup_hash(self, purpose: str, value: str) -> bytes:
        """Return the keyed hash under which a value can be found again without being stored.

        Raises:
            LookupError: when what it is for is not listed; nobody would find the value again under a changed name.
        """
        if purpose.partition("/")[0] not in LOOKUPS:
            raise LookupError(f"{purpose} is not among the keyed hashes (domain/spellings.py)")
        return hmac.digest(self.lookup, f"{purpose}\x00{value}".encode(), "sha256")

    def signing_key(self) -> tuple[str, Ed25519PrivateKey]:
        """Return id and private key that sign actor statements."""
        return self.statement.current, Ed25519PrivateKey.from_private_bytes(self.statement.writing)

    def statement_keys(self) -> dict[str, Ed25519PublicKey]:
        """Return the public keys by which actor statements are checked."""
        return {
            key_id: Ed25519PrivateKey.from_private_bytes(seed).public_key()
            for key_id, seed in self.statement.keys.items()
        }

    def sealing_key(self) -> Ed25519PrivateKey:
        """Return the private key that signs checkpoints and receipts."""
        return Ed25519PrivateKey.from_private_bytes(self.seal.writing)

    def sealing_keys(self) -> dict[str, Ed25519PrivateKey]:
        """Return all keys of the seal, the one that writes first, so that their public halves can be published."""
        names = sorted(self.seal.keys, key=lambda key_id: (key_id != self.seal.current, key_id))
        return {key_id: Ed25519PrivateKey.from_private_bytes(self.seal.keys[key_id]) for key_id in names}


# The id of a key that stands in the file without one.
ONLY: Final = "1"


def fingerprint(kind: str, key_id: str, key: bytes) -> str:
    """Return by what a key is told from another without being shown; keys are random, so that none can be guessed."""
    return hashlib.sha256(b"\x00".join((KEY_FINGERPRINT, kind.encode(), key_id.encode(), key))).hexdigest()[:16]


def _key(value: object, name: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{name} must be {KEY_BYTES} bytes in base64")
    return key


def _key_set(document: Mapping[str, object], kind: KeyKind) -> KeySet:
    part = document.get(kind)
    if not isinstance(part, dict) or not isinstance(part.get("keys"), dict):
        raise KeyFileError(f"{kind} must have `current` and `keys`")
    keys = {str(key_id): _key(value, f"{kind}.{key_id}") for key_id, value in part["keys"].items()}
    if broken := [key_id for key_id in keys if not _KEY_ID.fullmatch(key_id)]:
        raise KeyFileError(f"{kind} has {len(broken)} key ids that are not letters, digits, dots and hyphens")
    if part.get("current") not in keys:
        raise KeyFileError(f"{kind}.current must name one of its keys")
    return KeySet(current=part["current"], keys=keys, kind=kind)


def _cursor_set(document: Mapping[str, object]) -> KeySet:
    """Return the keys of cursors; a file of before has one, without an id."""
    alone = document.get(KeyKind.CURSOR)
    if isinstance(alone, dict):
        return _key_set(document, KeyKind.CURSOR)
    return KeySet(current=ONLY, keys={ONLY: _key(alone, KeyKind.CURSOR)}, kind=KeyKind.CURSOR)
