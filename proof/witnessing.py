"""What a witness does before it co-signs: look that the log is the one it knows, and that it only grew."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from proof.checkpoints import BrokenNoteError, Opened, VerifierKey, open_checkpoint, parse_note, parse_verifier_key
from proof.declarations import Declaration
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


def restored(
    state: WitnessState, document: Mapping[str, Any], *, although_unnamed: bool = False
) -> tuple[WitnessState, Declaration]:
    """Return the state after a restore that the log declares, which a person agreed to, and what it declares.

    The tree goes on from what the witness saw where that was restored, else from what was restored.

    Args:
        state: what the witness remembers.
        document: the declaration, as `hetao restored` wrote it.
        although_unnamed: go on although the declaration names no checkpoint as large as the one that was seen.

    Raises:
        WitnessRefusal: for a declaration that does not verify, is of another log, names another tree than the one that
            was seen, or does not own up to it.
    """
    try:
        declared = Declaration.read(document, state.verifier_keys())
    except BrokenNoteError as error:
        raise WitnessRefusal(f"the declaration does not hold: {error}") from error
    if declared.former_origin != state.origin:
        raise WitnessRefusal(f"the declaration is of the log {declared.former_origin!r}, not of {state.origin!r}")
    if declared.origin == state.origin:
        raise WitnessRefusal("by the declaration the log lost nothing: go on watching it as before")
    for said in (declared.known, declared.restored):
        if said is not None and said.size == state.size and said.root.hex() != state.root:
            raise WitnessRefusal(f"a fork: the declaration has another tree of {said.size} leaves than was seen")
    is_named = declared.known is not None and declared.known.size >= state.size
    if declared.restored.size < state.size and not is_named and not although_unnamed:
        raise WitnessRefusal(
            f"the declaration does not name the tree of {state.size} leaves that was seen: ask for one made with"
            " --last-checkpoint of it, or take this one with --although-unnamed"
        )
    kept: dict[str, Any] = {
        "origin": declared.origin,
        "log_keys": tuple(str(key) for key in declared.keys_now(state.verifier_keys())),
    }
    if declared.restored.size < state.size:
        kept |= {"size": declared.restored.size, "root": declared.restored.root.hex(), "note": ""}
    return state.model_copy(update=kept), declared


def open_seen(state: WitnessState, note: str) -> Opened:
    """Verify a checkpoint by the keys that the witness knows, and that the tree did not shrink.

    Raises:
        WitnessRefusal: for an unknown key, a broken signature, another log or a smaller tree.
    """
    try:
        opened = open_checkpoint(parse_note(note), state.origin, state.verifier_keys())
    except BrokenNoteError as error:
        says = f"{error}; where its operator declared a restore, see `hetao witness restored`"
        is_later = note.startswith(f"{state.origin.partition('#')[0]}#")
        raise WitnessRefusal(says if is_later else str(error)) from error
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
