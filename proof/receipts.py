"""Decision receipts: canonical JSON signed with a key of the log, apart from checkpoints by a prefix of their own."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from proof.checkpoints import BrokenNoteError, VerifierKey, verifier_key

FORMAT: Final = "hetao-decision-receipt/1"
# A note never holds a zero byte, so that no signature of one passes for that of the other.
_PREFIX: Final = b"hetao-decision-receipt/1\x00"


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return a document in canonical JSON (RFC 8785)."""
    return rfc8785.dumps(dict(content))


def sign(content: Mapping[str, Any], origin: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the receipt of a content with the signature of a key of the log."""
    signer = verifier_key(origin, key)
    value = base64.b64encode(key.sign(_PREFIX + canonical(content))).decode()
    signature = {"name": signer.name, "key_id": signer.key_id.hex(), "value": value}
    return {"format": FORMAT, "content": dict(content), "signature": signature}


def signer_of(receipt: Mapping[str, Any], known: Iterable[VerifierKey]) -> VerifierKey:
    """Return the known key that signed a receipt.

    Raises:
        BrokenNoteError: when none did, or the signature does not verify.
    """
    signature = receipt["signature"]
    named = f"{signature['name']}+{signature['key_id']}"
    keys = {(key.name, key.key_id.hex()): key for key in known}
    key = keys.get((signature["name"], signature["key_id"]))
    if key is None:
        raise BrokenNoteError(f"the receipt is signed by the key {named}, which is not one of those known")
    try:
        value = base64.b64decode(signature["value"], validate=True)
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, _PREFIX + canonical(receipt["content"]))
    except (InvalidSignature, ValueError) as error:
        raise BrokenNoteError(f"the receipt is not what the key {named} signed") from error
    return key
