"""Checkpoints of the log: C2SP tlog-checkpoint text in signed-note form, and the cosignatures of witnesses.

A key is known by its verifier key, `name+id+key`, as c2sp.org/signed-note writes it. Notes carry signatures of type
0x01 (the log's own, Ed25519 over the text) and of type 0x04 (a witness's, with the time at which it saw the tree).
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
MOST_SIGNATURES: Final = 64
MOST_CHARACTERS: Final = 64 * 1024

_DASH: Final = "— "
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_SIGNATURE_BYTES: Final = 64
_TIME_BYTES: Final = 8
_ROOT_BYTES: Final = 32


class BrokenNoteError(ValueError):
    """A note, key or checkpoint that does not have the published form, or does not verify; the message says why."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name and type that its signatures carry."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature names the key."""
        content = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(content).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_text(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    content: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_text(self.key_id + self.content)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends in a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(str(each) for each in self.signatures)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of its tree: whose it is, how large, and its root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{_text(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness whose cosignature verified, and the time it states."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkpoint that verified: by which of the known log keys, and by which of the known witnesses."""

    checkpoint: Checkpoint
    signers: tuple[VerifierKey, ...]
    cosigned: tuple[Cosigned, ...]


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key.

    Raises:
        BrokenNoteError: when it is none, or its id is not that of its key.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    content = _bytes(encoded, "a verifier key")
    if not _is_name(name) or len(content) != _KEY_BYTES + 1 or content[0] not in (ED25519, COSIGNATURE):
        raise BrokenNoteError("a verifier key must be name+id+key, of an Ed25519 key of type 01 or 04")
    key = VerifierKey(name, content[0], content[1:])
    if key.key_id.hex() != key_id:
        raise BrokenNoteError(f"the id of the verifier key of {name} is not that of its key")
    return key


def verifier_key(name: str, key: Ed25519PrivateKey, kind: int = ED25519) -> VerifierKey:
    """Return the verifier key of a private key."""
    if not _is_name(name):
        raise BrokenNoteError("the name of a key has neither spaces nor a plus sign")
    return VerifierKey(name, kind, key.public_key().public_bytes_raw())


def parse_note(text: str) -> Note:
    """Read a note, without verifying anything.

    Raises:
        BrokenNoteError: when it does not have the form of a signed note.
    """
    if len(text) > MOST_CHARACTERS:
        raise BrokenNoteError("the note is too long")
    if any(ord(character) < 0x20 and character != "\n" for character in text):
        raise BrokenNoteError("the note holds control characters")
    content, separator, lines = text.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise BrokenNoteError("the note has no signatures, or its last line does not end")
    found = [_parse_signature(line) for line in lines[:-1].split("\n")]
    if len(found) > MOST_SIGNATURES:
        raise BrokenNoteError("the note has too many signatures")
    return Note(content + "\n", tuple(found))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint; lines after the third are extensions and are passed over."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not lines[0] or "" in lines[:-1]:
        raise BrokenNoteError("the text of a checkpoint is origin, size and root, a line each")
    origin, size, root = lines[:3]
    if not (size.isascii() and size.isdigit()) or (size != "0" and size.startswith("0")) or len(size) > 18:
        raise BrokenNoteError("the size in a checkpoint is a decimal number")
    digest = _bytes(root, "the root of a checkpoint")
    if len(digest) != _ROOT_BYTES:
        raise BrokenNoteError("the root of a checkpoint is a hash of 32 bytes")
    return Checkpoint(origin, int(size), digest)


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Note:
    """Return the checkpoint as a note signed by a key of the log, whose name is the origin."""
    signer = verifier_key(checkpoint.origin, key)
    content = key.sign(checkpoint.text.encode())
    return Note(checkpoint.text, (Signature(signer.name, signer.key_id, content),))


def cosign(text: str, name: str, key: Ed25519PrivateKey, at: datetime) -> Signature:
    """Return a witness's cosignature of the text of a checkpoint."""
    seconds = int(at.timestamp())
    signer = verifier_key(name, key, COSIGNATURE)
    content = seconds.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned_message(text, seconds))
    return Signature(signer.name, signer.key_id, content)


def open_checkpoint(
    note: Note, origin: str, log_keys: Iterable[VerifierKey], witnesses: Iterable[VerifierKey] = ()
) -> Opened:
    """Verify a checkpoint by the known keys; signatures of unknown keys are passed over, as the form demands.

    Raises:
        BrokenNoteError: when no known key of the log signed it, or a known key's signature does not verify, or it is
            another log's.
    """
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise BrokenNoteError(f"the checkpoint is of the log {checkpoint.origin!r}, not of {origin!r}")
    verified = verify_note(note, (*log_keys, *witnesses))
    signers = tuple(key for key, _at in verified if key.kind == ED25519)
    if not signers:
        offered = ", ".join(sorted(f"{each.name}+{each.key_id.hex()}" for each in note.signatures))
        raise BrokenNoteError(f"no known key of the log signed the checkpoint; signed by {offered}")
    cosigned = tuple(Cosigned(key.name, at) for key, at in verified if at is not None)
    return Opened(checkpoint, signers, cosigned)


def verify_note(note: Note, known: Iterable[VerifierKey]) -> list[tuple[VerifierKey, datetime | None]]:
    """Return the known keys that signed a note, a witness with the time it states; unknown ones are passed over.

    Raises:
        BrokenNoteError: when the signature of a known key does not verify.
    """
    keys = {(key.name, key.key_id): key for key in known}
    found: list[tuple[VerifierKey, datetime | None]] = []
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is not None and key.kind == COSIGNATURE:
            found.append((key, verify_cosignature(note.text, signature, key)))
        elif key is not None:
            _verify(key, signature.content, note.text.encode())
            found.append((key, None))
    return found


def verify_cosignature(text: str, signature: Signature, key: VerifierKey) -> datetime:
    """Return the time that a witness's cosignature of a checkpoint's text states.

    Raises:
        BrokenNoteError: when it does not verify.
    """
    if len(signature.content) != _TIME_BYTES + _SIGNATURE_BYTES or signature.key_id != key.key_id:
        raise BrokenNoteError(f"the cosignature of {key.name} does not have the published form")
    seconds = int.from_bytes(signature.content[:_TIME_BYTES], "big")
    _verify(key, signature.content[_TIME_BYTES:], _cosigned_message(text, seconds))
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BrokenNoteError(f"the cosignature of {key.name} states no time") from error


def parse_signatures(lines: Sequence[str]) -> tuple[Signature, ...]:
    """Read signature lines."""
    return tuple(_parse_signature(line.rstrip("\n")) for line in lines)


def _verify(key: VerifierKey, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise BrokenNoteError(f"the signature of {key.name}+{key.key_id.hex()} does not verify") from error


def _cosigned_message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _parse_signature(line: str) -> Signature:
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not separator or not _is_name(name):
        raise BrokenNoteError("a signature line is a dash, a name and a signature")
    content = _bytes(encoded, "a signature")
    if len(content) <= _ID_BYTES:
        raise BrokenNoteError("a signature is a key id of four bytes and what follows it")
    return Signature(name, content[:_ID_BYTES], content[_ID_BYTES:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(each.isspace() or ord(each) < 0x20 for each in name)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str, what: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BrokenNoteError(f"{what} is not in base64") from error
    if _text(content) != text:
        raise BrokenNoteError(f"{what} is not in canonical base64")
    return content
