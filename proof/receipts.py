"""Decision receipts: canonical JSON signed with a key of the log, apart from checkpoints by a prefix of their own."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.spellings import RECEIPT, signed_prefix
from proof.checkpoints import BrokenNoteError, VerifierKey, verifier_key

FORMAT: Final = RECEIPT
# A note never holds a zero byte, so that no signature of one passes for that of the other.
_PREFIX: Final = signed_prefix(RECEIPT)


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return a document in canonical JSON (RFC 8785)."""
    return rfc8785.dumps(dict(content))


def sign(content: Mapping[str, Any], origin: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the receipt of a content with the signature of a key of the log."""
    signature = signature_over(_PREFIX + canonical(content), origin, key)
    return {"format": FORMAT, "content": dict(content), "signature": signature}


def signer_of(receipt: Mapping[str, Any], known: Iterable[VerifierKey]) -> VerifierKey:
    """Return the known key that signed a receipt.

    Raises:
        BrokenNoteError: when none did, or the signature does not verify.
    """
    return check_signature(_PREFIX + canonical(receipt["content"]), receipt["signature"], known, "the receipt")


def signature_over(message: bytes, origin: str, key: Ed25519PrivateKey) -> dict[str, str]:
    """Return the signature of a key of the log over a message, which begins with what it is of."""
    signer = verifier_key(origin, key)
    value = base64.b64encode(key.sign(message)).decode()
    return {"name": signer.name, "key_id": signer.key_id.hex(), "value": value}


def check_signature(
    message: bytes, signature: Mapping[str, str], known: Iterable[VerifierKey], what: str
) -> VerifierKey:
    """Return the known key that signed a message.

    Raises:
        BrokenNoteError: when none did, or the signature does not verify.
    """
    named = f"{signature['name']}+{signature['key_id']}"
    keys = {(key.name, key.key_id.hex()): key for key in known}
    key = keys.get((signature["name"], signature["key_id"]))
    if key is None:
        raise BrokenNoteError(f"{what} is signed by the key {named}, which is not one of those known")
    try:
        value = base64.b64decode(signature["value"], validate=True)
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
    except (InvalidSignature, ValueError) as error:
        raise BrokenNoteError(f"{what} is not what the key {named} signed") from error
    if base64.b64encode(value).decode() != signature["value"]:
        raise BrokenNoteError(f"the signature of {what} is not in its canonical form")
    return key
