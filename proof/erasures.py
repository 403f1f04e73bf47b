"""The list of erasures: one line for each, signed, and after the one before, so that none is altered or left out."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from proof.base64_text import from_base64

GENESIS: Final = "0" * 64


class BrokenListError(Exception):
    """A line that does not verify, or does not follow the one before it; says which."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"line {number}: {why}")
        self.number, self.why = number, why


class SignerUnknownError(BrokenListError):
    """A line is signed by a key that is not known, or not yet."""

    def __init__(self, number: int, key_id: str) -> None:
        super().__init__(number, "the line is signed by a key that is not in the key file")
        self.key_id = key_id


def line_hash(line: bytes) -> str:
    """Return the hash by which the next line names a line."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def sign_line(entry: Mapping[str, Any], previous: str, key_id: str, key: Ed25519PrivateKey) -> bytes:
    """Return the line of an entry that follows the line of this hash."""
    content: dict[str, Any] = {"entry": dict(entry), "previous": previous, "key_id": key_id}
    signature = base64.b64encode(key.sign(rfc8785.dumps(content))).decode()
    return rfc8785.dumps({**content, "signature": signature}) + b"\n"


def read_lines(lines: Iterable[bytes], keys: Mapping[str, Ed25519PublicKey]) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of a list in their order.

    Raises:
        SignerUnknownError: at the first line that another key signed than those given.
        BrokenListError: at the first line that was altered, is broken off, or follows another than the one before it.
    """
    previous = GENESIS
    for number, line in enumerate(lines, start=1):
        try:
            content = json.loads(line)
            signature = from_base64(content.pop("signature"))
            key_id = str(content["key_id"])
            if key_id not in keys:
                raise SignerUnknownError(number, key_id)
            keys[key_id].verify(signature, rfc8785.dumps(content))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
            raise BrokenListError(number, "the line does not verify") from None
        if content["previous"] != previous:
            raise BrokenListError(number, "a line before this one is missing or was put in")
        previous = line_hash(line)
        yield content["entry"]
