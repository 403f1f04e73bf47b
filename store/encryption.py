"""Sealing of personal data: AES-GCM bound to table, column, row and key, one data key a person or employer."""

import hmac
import os
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import Defect, Refused
from domain.spellings import LEDGER_HASHES, PLACES, SEALED
from store.keyring import Keyring, KeySet

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key in clear, for as long as one step needs it."""

    key_id: UUID
    secret: bytes = field(repr=False)

    def seal(self, table: str, column: str, row: str, plain: bytes) -> bytes:
        """Encrypt one value for its place; it opens nowhere else."""
        nonce = os.urandom(_NONCE_BYTES)
        return SEALED + nonce + AESGCM(self.secret).encrypt(nonce, plain, _place(table, column, row, self.key_id))

    def open(self, table: str, column: str, row: str, sealed: bytes) -> bytes:
        """Decrypt one value.

        Raises:
            Defect: when the value was altered or moved from another place.
        """
        if sealed[:1] != SEALED:
            raise Defect("sealed_value_altered")
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return AESGCM(self.secret).decrypt(nonce, rest, _place(table, column, row, self.key_id))
        except (InvalidTag, ValueError) as error:
            raise Defect("sealed_value_altered") from error

    def ledger_hash(self, content: bytes) -> str:
        """Return the keyed hash that the ledger shows of a content; it means nothing once the key is destroyed."""
        return hmac.digest(hmac.digest(self.secret, LEDGER_HASHES, "sha256"), content, "sha256").hex()


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as the database keeps it, wrapped by the key-encryption key named."""

    key_id: UUID
    kek_id: str
    wrapped: bytes | None

    @classmethod
    def of_hex(cls, key_id: str, kek_id: str, wrapped: str | None) -> "WrappedKey":
        """Return the key of its columns as JSON has them, `wrapped` in hex."""
        return cls(UUID(key_id), kek_id, bytes.fromhex(wrapped) if wrapped else None)


def new_data_key(keyring: Keyring) -> tuple[DataKey, WrappedKey]:
    """Make a data key and its wrapped form."""
    key = DataKey(uuid4(), AESGCM.generate_key(256))
    return key, _wrapped(keyring, key)


def unwrap(keyring: Keyring, key: WrappedKey) -> DataKey:
    """Return the data key in clear.

    Raises:
        Refused: `facts_erased` when the key was destroyed.
        KeyUnknown: when its key-encryption key is not in the keyring, or not yet.
        Defect: when it was altered.
    """
    if key.wrapped is None:
        raise Refused("facts_erased", "The personal data of this case was erased.")
    kek = keyring.kek.find(key.kek_id)
    nonce, rest = key.wrapped[:_NONCE_BYTES], key.wrapped[_NONCE_BYTES:]
    try:
        return DataKey(key.key_id, AESGCM(kek).decrypt(nonce, rest, key.key_id.bytes))
    except (InvalidTag, ValueError) as error:
        raise Defect("data_key_altered") from error


def wrap_again(keyring: Keyring, key: WrappedKey) -> WrappedKey:
    """Return a data key as the current key-encryption key wraps it."""
    return _wrapped(keyring, unwrap(keyring, key))


def _wrapped(keyring: Keyring, key: DataKey) -> WrappedKey:
    nonce = os.urandom(_NONCE_BYTES)
    wrapped = nonce + AESGCM(keyring.kek.writing).encrypt(nonce, key.secret, key.key_id.bytes)
    return WrappedKey(key.key_id, keyring.kek.current, wrapped)


def seal_kept(keys: KeySet, table: str, column: str, row: str, plain: bytes) -> bytes:
    """Encrypt what is kept under a key of the service itself, for its place."""
    nonce = os.urandom(_NONCE_BYTES)
    return SEALED + nonce + AESGCM(keys.writing).encrypt(nonce, plain, _place(table, column, row, keys.current))


def open_kept(keys: KeySet, key_id: str, table: str, column: str, row: str, sealed: bytes) -> bytes:
    """Decrypt what is kept under a key of the service.

    Raises:
        KeyUnknown: when the key is not in the keyring, or not yet.
        Defect: when the value was altered or moved from another place.
    """
    key = keys.find(key_id)
    if sealed[:1] != SEALED:
        raise Defect("sealed_value_altered")
    nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, rest, _place(table, column, row, key_id))
    except (InvalidTag, ValueError) as error:
        raise Defect("sealed_value_altered") from error


def _place(table: str, column: str, row: str, key_id: UUID | str) -> bytes:
    # A place that is not listed is a name that was changed by mistake: what it sealed would be lost to the next reader.
    if (table, column) not in PLACES:
        raise LookupError(f"{table}.{column} is not among the places of sealed values (domain/spellings.py)")
    return f"{table}\x00{column}\x00{row}\x00{key_id}".encode()
