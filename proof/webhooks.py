"""Signs and checks messages by the Standard Webhooks specification 1.0.0: `v1` (HMAC) and `v1a` (Ed25519).

A key names its scheme by its prefix: `whsec_` for a shared secret, `whsk_` for a private and `whpk_`
for a public Ed25519 key. Several keys may stand side by side while one is being replaced.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from standardwebhooks import Webhook

from domain.errors import Defect, Refused
from proof.base64_text import from_base64

TOLERANCE: Final = timedelta(minutes=5)  # states, section 6: clock tolerance of a callback
ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

_SECRET: Final = "whsec_"
_PRIVATE: Final = "whsk_"
_PUBLIC: Final = "whpk_"
_SEED_BYTES: Final = 32
_MOST_SIGNATURES: Final = 20
# The parts are joined by full stops, so that an id holding one could pass for another id and time.
_MESSAGE_ID: Final = re.compile(r"[!-\-/-~]{1,200}")
_SECONDS: Final = re.compile(r"[0-9]{1,11}")


def secret_from(random_bytes: bytes) -> str:
    """Return a shared secret made of random bytes, at least the 24 that the specification asks for."""
    if len(random_bytes) < 24:
        raise Defect("webhook_secret_short")
    return _SECRET + base64.b64encode(random_bytes).decode()


def key_pair_from(seed: bytes) -> tuple[str, str]:
    """Return the private and the public Ed25519 key that a random seed of 32 bytes makes."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return _PRIVATE + base64.b64encode(seed + public).decode(), _PUBLIC + base64.b64encode(public).decode()


def sign(message_id: str, timestamp: datetime, body: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the three headers of a message, with one signature for each key, separated by spaces."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise Defect("webhook_id_malformed")
    at = timestamp.astimezone(UTC)
    return {
        ID: message_id,
        TIMESTAMP: str(int(at.timestamp())),
        SIGNATURE: " ".join(_signature(key, message_id, at, body) for key in keys),
    }


def verify(headers: Mapping[str, str], body: bytes, keys: Sequence[str], now: datetime) -> str:
    """Return the id of a message that one of the keys signed within the tolerance.

    Raises Refused `signature_invalid` otherwise, without saying which part of the signature failed.
    """
    return verify_by(headers, body, keys, now)[0]


def verify_by(headers: Mapping[str, str], body: bytes, keys: Sequence[str], now: datetime) -> tuple[str, list[int]]:
    """Return the id of a message as `verify` does, and the places in the list of the keys that signed it."""
    lower = {name.lower(): value for name, value in headers.items()}
    message_id, seconds, signatures = lower.get(ID, ""), lower.get(TIMESTAMP, ""), lower.get(SIGNATURE, "")
    if not _MESSAGE_ID.fullmatch(message_id) or not _SECONDS.fullmatch(seconds):
        raise Refused(
            "signature_invalid", "The headers webhook-id, webhook-timestamp and webhook-signature are needed."
        )
    at = datetime.fromtimestamp(int(seconds), UTC)
    if abs(now - at) > TOLERANCE:
        raise Refused("signature_invalid", "The time of the message is more than five minutes off.")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refused("signature_invalid", "The body is not UTF-8.") from error
    offered = [each.partition(",") for each in signatures.split(" ")[:_MOST_SIGNATURES]]
    # Every pair is compared, so that the time taken does not tell which key matched.
    matches = [[_matches(key, version, given, message_id, at, text) for version, _, given in offered] for key in keys]
    fitting = [place for place, each in enumerate(matches) if any(each)]
    if not fitting:
        raise Refused("signature_invalid", "No signature of the message fits.")
    return message_id, fitting


def is_key(key: str) -> bool:
    """Say whether a text has the form of a key: one that has not would fail for every message."""
    for prefix, size in ((_SECRET, None), (_PRIVATE, _SEED_BYTES), (_PUBLIC, _SEED_BYTES)):
        if key.startswith(prefix):
            try:
                return bool(_decoded(key, prefix, size))
            except (Defect, ValueError):
                return False
    return False


def _signature(key: str, message_id: str, at: datetime, body: str) -> str:
    """Return the signature of a message by one key, with its version."""
    if key.startswith(_PRIVATE):
        private = Ed25519PrivateKey.from_private_bytes(_decoded(key, _PRIVATE, _SEED_BYTES))
        return "v1a," + base64.b64encode(private.sign(_content(message_id, at, body))).decode()
    if not key.startswith(_SECRET):
        raise Defect("webhook_key_malformed")
    return Webhook(_decoded(key, _SECRET)).sign(msg_id=message_id, timestamp=at, data=body)


def _matches(key: str, version: str, given: str, message_id: str, at: datetime, body: str) -> bool:
    """Say whether a signature is the key's own for the message."""
    if key.startswith(_PUBLIC):
        public = Ed25519PublicKey.from_public_bytes(_decoded(key, _PUBLIC, _SEED_BYTES))
        try:
            public.verify(from_base64(given), _content(message_id, at, body))
        except (InvalidSignature, ValueError):
            return False
        return version == "v1a"
    expected = _signature(key, message_id, at, body)
    return hmac.compare_digest(expected.encode(), f"{version},{given}".encode())


def _content(message_id: str, at: datetime, body: str) -> bytes:
    """Return the bytes that are signed."""
    return f"{message_id}.{int(at.timestamp())}.{body}".encode()


def _decoded(key: str, prefix: str, size: int | None = None) -> bytes:
    """Return the bytes of a key, or its first `size` ones: a private key may carry its public one behind it."""
    encoded = key.removeprefix(prefix)
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error as error:
        raise Defect("webhook_key_malformed") from error
    if len(decoded) < (size or 1):
        raise Defect("webhook_key_malformed")
    return decoded[:size]
