"""What a witness does before it co-signs: look that the log is the one it knows, and that it only grew."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from proof.checkpoints import BrokenNoteError, Opened, VerifierKey, open_checkpoint, parse_note, parse_verifier_key
from proof.merkle import EMPTY_ROOT, verifies_consistency


class WitnessRefusal(Exception):  # noqa: N818 - a witness refuses; the message says why
    """The witness does not co-sign."""


class WitnessState(BaseModel):
    """What a witness remembers of a log: its name and keys, and the newest tree that it saw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    log_keys: tuple[str, ...]
    size: int = 0
    root: str = EMPTY_ROOT.hex()
    note: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a state that was kept.

        Raises:
            WitnessRefusal: when it is broken: a witness that forgot what it saw is none.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise WitnessRefusal("the state of the witness cannot be read; restore it before co-signing") from error

    def knowing(self, keys: Sequence[str]) -> Self:
        """Return the state with further keys of the log."""
        known = (*self.log_keys, *(key for key in keys if key not in self.log_keys))
        return self.model_copy(update={"log_keys": known})

    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """Return the keys of the log."""
        return tuple(parse_verifier_key(key) for key in self.log_keys)


def open_seen(state: WitnessState, note: str) -> Opened:
    """Verify a checkpoint by the keys that the witness knows, and that the tree did not shrink.

    Raises:
        WitnessRefusal: for an unknown key, a broken signature, another log or a smaller tree.
    """
    try:
        opened = open_checkpoint(parse_note(note), state.origin, state.verifier_keys())
    except BrokenNoteError as error:
        raise WitnessRefusal(str(error)) from error
    size = opened.checkpoint.size
    if size < state.size:
        raise WitnessRefusal(f"the tree shrank: {size} leaves, where {state.size} were seen before")
    return opened


def grown(state: WitnessState, opened: Opened, note: str, proof: Sequence[str]) -> WitnessState:
    """Return the state after a checkpoint that continues what was seen.

    Raises:
        WitnessRefusal: for a fork: a tree that does not continue the one that was seen.
    """
    checkpoint = opened.checkpoint
    try:
        hashes = [bytes.fromhex(each) for each in proof]
    except (TypeError, ValueError) as error:
        raise WitnessRefusal("the proof of consistency cannot be read") from error
    old = bytes.fromhex(state.root)
    if not verifies_consistency(state.size, old, checkpoint.size, checkpoint.root, hashes):
        raise WitnessRefusal(
            f"a fork: the tree of {checkpoint.size} leaves does not continue the one of {state.size} that was seen"
        )
    return state.model_copy(update={"size": checkpoint.size, "root": checkpoint.root.hex(), "note": note})
