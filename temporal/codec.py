"""The payload codec: everything that Temporal keeps of a case is encrypted, failures included."""

import os
from collections.abc import Iterable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from domain.spellings import PAYLOAD_ENCODING, PAYLOAD_KEY_ID
from store.keyring import KeySet

ENCODING: Final = PAYLOAD_ENCODING
_KEY_ID: Final = PAYLOAD_KEY_ID
_NONCE_BYTES: Final = 12


class Codec(PayloadCodec):
    """AES-GCM under a named key; keys kept for reading let it rotate (they are kept for 14 months, design 4.9)."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.keys.items()}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt payloads."""
        return self.seal_all(payloads)

    def seal_all(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Encrypt payloads outside an event loop."""
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt payloads.

        Raises:
            KeyUnknown: the key is not in the keyring, or not yet: a workflow task fails and is tried again by Temporal.
            ValueError: the payload was altered or never encrypted: whoever can write to Temporal's database alone can
                have nothing of theirs taken for ours.
        """
        if any(payload.metadata.get("encoding") != ENCODING for payload in payloads):
            raise ValueError("payload: not encrypted")
        return self.open_all(payloads)

    def open_all(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Decrypt payloads outside an event loop, for a reader; one that is not encrypted is shown as it is."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce, key_id = os.urandom(_NONCE_BYTES), self._keys.current
        sealed = self._ciphers[key_id].encrypt(nonce, payload.SerializeToString(), key_id.encode())
        return Payload(metadata={"encoding": ENCODING, _KEY_ID: key_id.encode()}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        key_id = payload.metadata.get(_KEY_ID, b"").decode(errors="replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise self._keys.unknown(key_id)
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, key_id.encode()))
        except (InvalidTag, ValueError) as error:
            raise ValueError("payload: altered") from error
