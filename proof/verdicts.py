"""The check of a file: what was proved, in plain words, or the first thing that does not hold."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.x509 import Certificate

from proof.checkpoints import (
    BrokenNoteError,
    Opened,
    VerifierKey,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
)
from proof.declarations import FormerLog
from proof.ledger_rows import hash_of
from proof.merkle import leaf_hash, verifies_inclusion
from proof.receipts import FORMAT as RECEIPT
from proof.receipts import canonical, signer_of
from proof.stamps import BrokenStampError, verify_stamp


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at, whether it holds, and what that means; None where it is left open, unchecked."""

    code: str
    holds: bool | None
    says: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was looked at, up to the first thing that does not hold."""

    steps: tuple[Step, ...]

    @property
    def holds(self) -> bool:
        """Whether something was checked, and all that was checked holds."""
        looked = [step.holds for step in self.steps if step.holds is not None]
        return bool(looked) and all(looked)

    @property
    def failed(self) -> Step | None:
        """The first thing that does not hold."""
        return next((step for step in self.steps if step.holds is False), None)

    @property
    def left_open(self) -> int:
        """How many things were not checked, of those that could be asked for."""
        return sum(step.holds is None for step in self.steps)


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The public keys that a verifier trusts, and the roots behind stamps; `needs_stamp` where one must be there."""

    origin: str
    log_keys: tuple[VerifierKey, ...]
    witnesses: tuple[VerifierKey, ...] = ()
    least_witnesses: int = 0
    stamp_roots: tuple[Certificate, ...] = ()
    needs_stamp: bool = False
    former: tuple[FormerLog, ...] = ()

    def every_log_key(self) -> tuple[VerifierKey, ...]:
        """Return the keys of the log under all its names, the present one first."""
        return (*self.log_keys, *(key for each in self.former for key in each.keys))

    def open(self, note: str) -> tuple[Opened, FormerLog | None]:
        """Verify a checkpoint by the keys of the log that it names, and say which former one that is.

        Raises:
            BrokenNoteError: when it does not verify, or is of another log.
        """
        parsed = parse_note(note)
        origin = parse_checkpoint(parsed.text).origin
        for each in self.former:
            if each.origin == origin:
                return open_checkpoint(parsed, origin, each.keys, self.witnesses), each
        return open_checkpoint(parsed, self.origin, self.log_keys, self.witnesses), None


class Failed(Exception):  # noqa: N818 - ends a check with the step that does not hold
    """Something does not hold."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.step = Step(code, False, says)


@dataclass(slots=True)
class Check:
    """A check under way: the keys, and what was found so far."""

    keys: KnownKeys
    steps: list[Step] = field(default_factory=list)

    def note(self, code: str, says: str) -> None:
        """Write down that something holds."""
        self.steps.append(Step(code, True, says))

    def leave_open(self, code: str, says: str) -> None:
        """Write down that something was not checked, and what would do it."""
        self.steps.append(Step(code, None, says))

    def checkpoint(self, note: str) -> Opened:
        """Verify a checkpoint by the known keys."""
        try:
            opened, former = self.keys.open(note)
        except BrokenNoteError as error:
            raise Failed("checkpoint", f"The checkpoint does not hold: {error}.") from error
        size, signers = opened.checkpoint.size, ", ".join(f"{k.name}+{k.key_id.hex()}" for k in opened.signers)
        self.note("checkpoint", f"The checkpoint of {size} leaves is signed by the log ({signers}).")
        if former is not None:
            self._say_former(former, size)
        names = {each.name for each in opened.cosigned}
        if len(names) < self.keys.least_witnesses:
            needed = f"{len(names)} of the known witnesses co-signed the checkpoint; {self.keys.least_witnesses} must."
            raise Failed("cosignature", needed)
        for each in opened.cosigned:
            self.note("cosignature", f"The witness {each.name} co-signed it at {each.at.isoformat()}.")
        if not opened.cosigned:
            self.leave_open(
                "cosignature", "No known witness co-signed it: that the log shows everyone the same is not shown."
            )
        return opened

    def _say_former(self, former: FormerLog, size: int) -> None:
        """Write down what a checkpoint from before a restore rests on."""
        declared = former.declaration
        ended = f"The log {former.origin} ended with a restore, declared by its key at {declared.at}"
        goes_on = f"{declared.origin} goes on from its first {former.until} leaves"
        self.note("epoch", f"{ended}: {goes_on}.")
        if size <= former.until:
            return
        known = f"{declared.known.size} leaves" if declared.known else "none that is larger"
        self.leave_open(
            "epoch",
            f"This checkpoint is larger: the leaves from {former.until} on are in no later tree, and what they prove"
            " rests on this checkpoint and its signatures alone. The declaration names as the newest one known:"
            f" {known}.",
        )

    def stamp(self, token: str | None, note: str) -> None:
        """Verify the stamp of a checkpoint that was verified, where there is one and a root is trusted."""
        missing = ""
        if token is None:
            missing = "No time-stamping authority stamped it: when it was there is the log's word alone."
        elif not self.keys.stamp_roots:
            missing = "Its stamp (RFC 3161) was not checked: name the roots that you trust with --tsa."
        if token is None or missing:
            if self.keys.needs_stamp:
                raise Failed("stamp", missing)
            self.leave_open("stamp", missing)
            return
        try:
            stamp = verify_stamp(base64.b64decode(token), parse_note(note).text.encode(), self.keys.stamp_roots)
        except BrokenStampError as error:
            raise Failed("stamp", f"The stamp does not hold: {error}.") from error
        self.note("stamp", f"{stamp.authority} stamped it at {stamp.at.isoformat()}: it was there by then.")


def read_keys(text: str, least_witnesses: int = 0) -> KnownKeys:
    """Read the file of public keys, in the form of `GET /v1/audit/keys`.

    Raises:
        BrokenNoteError: when it has another form.
    """
    try:
        given = json.loads(text)
        log_keys = tuple(parse_verifier_key(key) for key in given["log_keys"])
        witnesses = tuple(parse_verifier_key(key) for key in given.get("witness_keys", []))
        former = tuple(FormerLog.read(each) for each in given.get("former", []))
        return KnownKeys(str(given["origin"]), log_keys, witnesses, least_witnesses, former=former)
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, BrokenNoteError):
            raise
        raise BrokenNoteError("the file of keys needs `origin`, `log_keys` and `witness_keys`") from error


def verify_receipt(check: Check, receipt: Mapping[str, Any]) -> None:
    """Check one receipt: its signature, its row, the place of the row in the log, and the log's own signature."""
    if receipt["format"] != RECEIPT or set(receipt) != {"format", "content", "signature"}:
        raise Failed("form", "The file has a receipt of a form that is not known here.")
    try:
        key = signer_of(receipt, check.keys.every_log_key())
    except BrokenNoteError as error:
        raise Failed("signature", f"The signature does not hold: {error}.") from error
    content = receipt["content"]
    decision, row, seal = content["decision"], content["ledger"], content["seal"]
    check.note(
        "signature",
        f"The receipt on {content['case']['reference']} ({decision['outcome']}, {decision['at']}) is as the key"
        f" {key.name}+{key.key_id.hex()} signed it.",
    )
    if row["content"] is not None:
        verify_row(row["content"], row["hash"], (row["chain"], row["seq"]))
        _compare(decision, row["content"])
        check.note(
            "row", f"It agrees with the ledger's row {row['seq']} of {row['chain']}, whose hash follows from it."
        )
    else:
        named = f"The ledger's row {row['seq']} of {row['chain']} is named by its hash only"
        check.leave_open("row", f"{named}: what it says was not compared with the receipt.")
    opened = check.checkpoint(seal["checkpoint"])
    if check.keys.needs_stamp:
        raise Failed("stamp", "A receipt carries no stamp; export the ledger's rows of the case, which does.")
    verify_place(row["hash"], seal["index"], seal["proof"], opened)
    check.note("inclusion", f"The row is the leaf {seal['index']} of that tree.")
    check.leave_open("stamp", "A receipt carries no stamp: when it was there is the log's word alone.")


def verify_row(content: Mapping[str, Any], digest: str, place: tuple[str, int] | None = None) -> None:
    """Check that a row has the hash and the place that are said of it."""
    where = f"row {content['seq']} of {content['chain']}"
    if hash_of(content).hex() != digest:
        raise Failed("row_hash", f"The {where} does not have the hash that is said of it.")
    if place is not None and place != (content["chain"], content["seq"]):
        raise Failed("row", f"The {where} is not the one that is meant.")


def verify_place(digest: str, index: int, proof: Iterable[str], opened: Opened) -> None:
    """Check that a row's hash is a leaf of the tree of a checkpoint that was verified."""
    leaf, hashes = leaf_hash(bytes.fromhex(digest)), [bytes.fromhex(each) for each in proof]
    checkpoint = opened.checkpoint
    if not verifies_inclusion(leaf, index, checkpoint.size, hashes, checkpoint.root):
        raise Failed("inclusion", f"The proof does not lead from leaf {index} to the root of the checkpoint.")


def one_object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, each of whose names stands in it once."""
    listed = list(pairs)
    found = dict(listed)
    if len(found) != len(listed):
        raise ValueError("a name stands twice")
    return found


def read_canonical(content: bytes, what: str) -> dict[str, Any]:
    """Return a document, of which no byte may be other than the canonical form has it."""
    try:
        document = json.loads(content.decode(), object_pairs_hook=one_object)
        written = canonical(document)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Failed(
            "form", f"{what} is not JSON in its canonical form: a byte was changed, or it is something else."
        ) from error
    if content not in (written, written + b"\n"):
        raise Failed("form", f"{what} is not in its canonical form (RFC 8785): a byte was changed.")
    found: dict[str, Any] = document
    return found


def receipts_in(content: bytes) -> Iterator[Mapping[str, Any]]:
    """Return the receipts of a file: one, or the answer that lists those of a case."""
    document = read_canonical(content, "The file")
    if document.get("format") == RECEIPT:
        yield document
        return
    if set(document) != {"items", "pending"}:
        raise Failed("form", "The file is neither a receipt nor a list of receipts.")
    if not document["items"] and not document["pending"]:
        raise Failed("form", "The file lists no decision.")
    yield from document["items"]
    for decision in document["pending"]:
        raise Failed("not_sealed", f"The decision {decision['outcome']} of {decision['at']} is not sealed yet.")


_SAME: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], Any]], ...]] = (
    ("act", lambda row: row["act"]),
    ("at", lambda row: row["at"]),
    ("destination", lambda row: row["destination"]),
    ("role", lambda row: row["actor_role"]),
    ("reason_codes", lambda row: row["reason_codes"]),
    ("rule_version", lambda row: row["rule_version"]),
    ("rule_hash", lambda row: row["rule_hash"]),
)


def _compare(decision: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    for name, told in _SAME:
        if decision[name] != told(row):
            raise Failed("row", f"The receipt says another {name} than the ledger's row.")
