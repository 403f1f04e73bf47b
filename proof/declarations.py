"""Declarations of a restore: the log says by itself that it came back smaller, and under which name it goes on.

Witnesses rightly refuse a tree that shrank. A declaration is signed by a key of the log of before, names the newest
checkpoint of it that outsiders showed, and the tree that was restored; a person decides whether to believe it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.spellings import DECLARATION, signed_prefix
from proof.checkpoints import (
    BrokenNoteError,
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    parse_note,
    parse_verifier_key,
)
from proof.merkle import EMPTY_ROOT
from proof.receipts import canonical, check_signature, signature_over

FORMAT: Final = DECLARATION
# As for receipts: no signature of one kind of document passes for that of another.
_PREFIX: Final = signed_prefix(DECLARATION)


def origin_of_epoch(origin: str, epoch: int) -> str:
    """Return the log's name in an epoch that began with a restore: that of its first epoch, and the number."""
    return f"{origin.rpartition('#')[0] or origin}#{epoch}"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a declaration says, once its signature was checked.

    `known` is the newest checkpoint that outsiders had, as far as the log knows of it; what is between `restored` and
    that one is lost, and the same sizes under `origin` are other trees.
    """

    epoch: int
    at: str
    origin: str
    former_origin: str
    restored: Checkpoint
    known: Checkpoint | None
    content: Mapping[str, Any]

    @classmethod
    def read(cls, document: Mapping[str, Any], keys: Iterable[VerifierKey]) -> Self:
        """Verify a declaration by the keys of the log of before, and every checkpoint that it holds.

        Raises:
            BrokenNoteError: when it has another form, or something in it does not verify.
        """
        keys = tuple(keys)
        try:
            if document["format"] != FORMAT or set(document) != {"format", "content", "signature"}:
                raise BrokenNoteError("the declaration has another form")
            content = document["content"]
            check_signature(_PREFIX + canonical(content), document["signature"], keys, "the declaration")
            if document["signature"]["name"] != content["former_origin"]:
                raise BrokenNoteError("the declaration is not signed as the log of before")
            restored = _checkpoint(content["restored"], content["former_origin"], keys)
            known = content["known"] and _checkpoint(content["known"], content["former_origin"], keys)
            return cls(
                content["epoch"], content["at"], content["origin"], content["former_origin"], restored, known, content
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise BrokenNoteError("the declaration has another form") from error

    def keys_now(self, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Return the log's keys of before under its name from now on."""
        return tuple(VerifierKey(self.origin, key.kind, key.public) for key in keys if key.name == self.former_origin)


@dataclass(frozen=True, slots=True)
class FormerLog:
    """A log that ended with a declared restore: its name and keys, and up to which size the next one continues it."""

    origin: str
    keys: tuple[VerifierKey, ...]
    until: int
    declaration: Declaration

    @classmethod
    def read(cls, view: Mapping[str, Any]) -> Self:
        """Read one entry of `former` in the file of public keys.

        Raises:
            BrokenNoteError: when its declaration does not verify, or is about something else.
        """
        try:
            keys = tuple(parse_verifier_key(key) for key in view["log_keys"])
            declaration = Declaration.read(view["declaration"], keys)
            found = cls(str(view["origin"]), keys, int(view["until"]), declaration)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BrokenNoteError(f"a former log has no declaration that holds: {error}") from error
        if (found.origin, found.until) != (declaration.former_origin, declaration.restored.size):
            raise BrokenNoteError("a former log says something else than its declaration")
        return found

    def view(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the entry as the file of public keys holds it, with the declaration as it was signed."""
        keys = [str(key) for key in self.keys]
        return {"origin": self.origin, "log_keys": keys, "until": self.until, "declaration": dict(document)}


def declare(content: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the declaration of a content, signed as the log of before."""
    signature = signature_over(_PREFIX + canonical(content), content["former_origin"], key)
    return {"format": FORMAT, "content": dict(content), "signature": signature}


def checkpoint_view(checkpoint: Checkpoint, note: str) -> dict[str, Any]:
    """Return a checkpoint as a declaration holds it; an empty tree was never signed."""
    return {"size": checkpoint.size, "root": checkpoint.root.hex(), "checkpoint": note}


def _checkpoint(view: Mapping[str, Any], origin: str, keys: tuple[VerifierKey, ...]) -> Checkpoint:
    said = Checkpoint(origin, view["size"], bytes.fromhex(view["root"]))
    if not said.size:
        if said.root != EMPTY_ROOT:
            raise BrokenNoteError("the declaration names an empty tree by another root")
        return said
    signed_as = tuple({key.name: key for key in keys})
    for name in signed_as:
        try:
            found = open_checkpoint(parse_note(view["checkpoint"]), name, keys).checkpoint
        except BrokenNoteError:
            continue
        if (found.size, found.root) == (said.size, said.root):
            return found
    raise BrokenNoteError("a checkpoint in the declaration is not what a key of the log of before signed")
