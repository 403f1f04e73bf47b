"""The keys the service holds outside its database: read from one file of mode 0600, named by id so that they rotate."""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys of one purpose by id, and which of them writes."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def writing(self) -> bytes:
        """The key that new things are written with."""
        return self.keys[self.current]


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of the service: key encryption, codec, look-ups, cursors, actor statements, the seal, the archive."""

    kek: KeySet
    codec: KeySet
    lookup: bytes = field(repr=False)
    cursor: bytes = field(repr=False)
    statement: KeySet
    seal: KeySet
    archive: KeySet

    @classmethod
    def load(cls, path: Path) -> "Keyring":
        """Read the key file.

        Raises:
            ValueError: when the file lacks a key or one has the wrong length.
        """
        return cls.parse(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> "Keyring":
        """Build the keyring from the decoded key file."""
        return cls(
            kek=_key_set(document, "kek"),
            codec=_key_set(document, "codec"),
            lookup=_key(document.get("lookup"), "lookup"),
            cursor=_key(document.get("cursor"), "cursor"),
            statement=_key_set(document, "statement"),
            seal=_key_set(document, "seal"),
            archive=_key_set(document, "archive"),
        )

    def lookup_hash(self, purpose: str, value: str) -> bytes:
        """Return the keyed hash under which a value can be found again without being stored."""
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


def generate() -> dict[str, object]:
    """Return a fresh key file's content."""

    def fresh() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return {
        "kek": {"current": "k1", "keys": {"k1": fresh()}},
        "codec": {"current": "c1", "keys": {"c1": fresh()}},
        "lookup": fresh(),
        "cursor": fresh(),
        "statement": {"current": "s1", "keys": {"s1": fresh()}},
        "seal": {"current": "l1", "keys": {"l1": fresh()}},
        "archive": {"current": "a1", "keys": {"a1": fresh()}},
    }


def _key(value: object, name: str) -> bytes:
    key = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    if len(key) != 32:
        raise ValueError(f"key file: {name} must be 32 bytes in base64")
    return key


def _key_set(document: Mapping[str, object], name: str) -> KeySet:
    part = document.get(name)
    if not isinstance(part, dict) or not isinstance(part.get("keys"), dict):
        raise ValueError(f"key file: {name} must have `current` and `keys`")
    keys = {key_id: _key(value, f"{name}.{key_id}") for key_id, value in part["keys"].items()}
    if part.get("current") not in keys:
        raise ValueError(f"key file: {name}.current must name one of its keys")
    return KeySet(current=part["current"], keys=keys)
