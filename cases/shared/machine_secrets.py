"""Lists of secrets and keys that are settings: one that is malformed is passed over and told, the good ones serve."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from domain.incidents import IncidentKind
from domain.service_keys import Held, KeyFinding, KeyKind, KeysRefusedError
from proof.checkpoints import BrokenNoteError, VerifierKey, parse_verifier_key
from proof.webhooks import is_key
from store.keyring import Keyring

CALLBACKS: Final = "HETAO_AUTHORITY_CALLBACK_SECRETS"
RECEIPTS: Final = "HETAO_RECEIPTS_SECRETS"
WITNESSES: Final = "HETAO_WITNESS_KEYS"
_CODE: Final = IncidentKind.SETTING_MALFORMED.value
_FORM: Final = "a key of Standard Webhooks (`whsec_…` or `whpk_…` with base64 behind it)"
_PRINT_BYTES: Final = 6


@dataclass(slots=True)
class MachineSecrets:
    """Keys of one kind that messages are taken under: `prints` are their keyed fingerprints, in the same order.

    `used` are the fingerprints of those that signed a message since that was last written down.
    """

    kind: KeyKind
    keys: Sequence[str] = field(repr=False)
    prints: Sequence[str]
    used: set[str] = field(default_factory=set)

    def held(self) -> Held:
        """Return what may be said of them; a fingerprint is the id as well."""
        return Held(current=None, keys={each: each for each in self.prints})

    def use(self, places: Sequence[int]) -> None:
        """Remember which keys signed a message, by their places."""
        self.used.update(self.prints[place] for place in places)


def read_witness_keys(given: Sequence[str]) -> tuple[tuple[VerifierKey, ...], list[KeyFinding]]:
    """Return the witnesses' keys that can be used, and what is wrong with the others.

    Raises:
        KeysRefusedError: when some were given, and none can be used.
    """
    known: list[VerifierKey] = []
    broken: list[KeyFinding] = []
    form = "a verifier key (`hetao witness keygen` prints one)"
    for place, each in enumerate(given, start=1):
        try:
            known.append(parse_verifier_key(each))
        except BrokenNoteError:
            broken.append(
                _malformed(WITNESSES, place, len(given), "a verifier key (`hetao witness keygen` prints one)")
            )
    if broken and not known:
        words = f"{WITNESSES}: none of its {len(given)} is {form}, so that no witness would be believed."
        raise KeysRefusedError([KeyFinding(_CODE, WITNESSES, "", words, refuses=True)])
    return tuple(known), broken


def usable(keyring: Keyring, kind: KeyKind, setting: str, secrets: Sequence[SecretStr]) -> MachineSecrets:
    """Return the keys of a list that can be used.

    Raises:
        KeysRefusedError: when none can.
    """
    keys = [each for secret in secrets if is_key(each := secret.get_secret_value())]
    if not keys:
        words = (
            f"{setting}: none of its {len(secrets)} is {_FORM}, so that no message of the other side would be taken."
        )
        raise KeysRefusedError([KeyFinding(_CODE, setting, "", words, refuses=True)])
    prints = [keyring.lookup_hash(f"machine_secret/{kind}", each)[:_PRINT_BYTES].hex() for each in keys]
    return MachineSecrets(kind, keys, prints)


def broken_secrets(setting: str, secrets: Sequence[SecretStr]) -> list[KeyFinding]:
    """Return what is wrong with a list, by places."""
    return [
        _malformed(setting, place, len(secrets), _FORM)
        for place, secret in enumerate(secrets, start=1)
        if not is_key(secret.get_secret_value())
    ]


def _malformed(setting: str, place: int, of: int, form: str) -> KeyFinding:
    words = f"{setting}: number {place} of {of} is not {form}; it is passed over. Mend it or take it out."
    return KeyFinding(_CODE, setting, f"number {place} of {of}", words)
