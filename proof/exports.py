"""Exports of the ledger: lines of canonical JSON whose last one is signed over all the others, and their check."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.spellings import EXPORT, EXPORT_FAMILY, signed_prefix
from proof.checkpoints import BrokenNoteError, Opened
from proof.ledger_rows import GENESIS
from proof.merkle import verifies_consistency
from proof.receipts import canonical, check_signature, signature_over
from proof.verdicts import Check, Failed, read_canonical, verify_place, verify_row

FORMAT: Final = EXPORT
_PREFIX: Final = signed_prefix(EXPORT)


def signed_end(end: Mapping[str, Any], origin: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the last line of an export, which names the hash of all lines before it, with the log's signature."""
    return {**end, "signature": signature_over(_PREFIX + canonical(end), origin, key)}


def is_export(content: bytes) -> bool:
    """Whether a file looks like an export: its first line is a manifest."""
    first = content.split(b"\n", 1)[0]
    return b'"type":"manifest"' in first and f'"format":"{EXPORT_FAMILY}'.encode() in first


def manifest_in(content: bytes) -> dict[str, Any]:
    """Return the first line of an export; empty where it is none that can be read."""
    try:
        return read_canonical(content.split(b"\n", 1)[0], "Line 1") if is_export(content) else {}
    except Failed:
        return {}


def verify_export(
    check: Check, content: bytes, next_parts: Sequence[Mapping[str, Any]] = (), *, has_earlier: bool = False
) -> None:
    """Check an export: its lines, its signature, its rows, and the place of each in the tree of its checkpoint.

    Args:
        check: takes what was found.
        content: the file, which may be a part that broke off.
        next_parts: manifests of other files that say to go on from this export; each must join on to it without a gap.
        has_earlier: whether the export that this one says to go on from is among the files, and checked with this one.
    """
    lines = content.split(b"\n")
    cut = lines.pop()
    if not lines:
        raise Failed("form", "The export has no whole line.")
    manifest = read_canonical(lines[0], "Line 1")
    if manifest.get("format") != FORMAT:
        raise Failed("form", "The export does not begin with a manifest of a form that is known here.")
    last = read_canonical(lines[-1], f"Line {len(lines)}")
    end = last if last.get("type") == "end" and not cut else None
    _say_where_it_begins(check, manifest, has_earlier=has_earlier)
    joints = [_joint(lines, part["continues"]) for part in next_parts]
    if end is not None:
        _verify_end(check, lines, end)
        lines = lines[:-1]
    elif joints:
        lines = lines[: max(joints)]  # what came after that is in the next part, which is signed
    rows, reached = _verify_contents(check, manifest, lines[1:], None if end is None else end["rows"])
    for part in next_parts:
        went_on = part["continues"]["rows"]
        check.note("joined", f"{part['chain']} goes on after row {went_on} of this one, with nothing between the two.")
    if end is None and not joints:
        held = f"after {rows} rows, the last of them {reached}" if rows else "before its first row"
        says = f"It has no end: it broke off {held}. What is there holds as said; nobody signed that it is all."
        raise Failed("cut_off", f"{says} Resume it by its last line `resume`, and check both files together.")


def _say_where_it_begins(check: Check, manifest: Mapping[str, Any], *, has_earlier: bool) -> None:
    earlier = manifest.get("continues")
    if earlier is None:
        return
    after = earlier["after"]
    place = f"{after['at']}, row {after['seq']} of {after['chain']}"
    says = (
        f"It is no whole export: it goes on from {earlier['chain']} after {earlier['rows']} rows of that one ({place})."
    )
    if has_earlier:
        check.note("continuation", f"{says} That one is among the files, and says how the two join.")
        return
    further = "Whether those are all there was not checked: give both files together."
    check.leave_open("continuation", f"{says} {further}")


def _joint(lines: list[bytes], earlier: Mapping[str, Any]) -> int:
    """Return the number of lines before the place from which the next part says to go on, which must all be there."""
    digest, rows, seen = hashlib.sha256(), 0, False
    for number, line in enumerate(lines):
        kind = read_canonical(line, f"Line {number + 1}").get("type")
        if kind == "resume" and rows == earlier["rows"]:
            seen = True
            if digest.hexdigest() == earlier["lines_hash"]:
                return number
        rows += kind == "row"
        digest.update(line + b"\n")
    if seen:
        raise Failed("lines", "The lines before the next part are not those it goes on from: a byte was changed.")
    said = earlier["rows"]
    raise Failed("gap", f"The next part goes on after row {said}, at a place that this one does not hold: a gap.")


def _verify_contents(
    check: Check, manifest: Mapping[str, Any], lines: list[bytes], said: int | None
) -> tuple[int, str | None]:
    """Check the rows, and return how many there are and where the last one stands."""
    opened = None if manifest["checkpoint"] is None else check.checkpoint(manifest["checkpoint"])
    stamped = _verify_stamp(check, manifest.get("stamp"), opened)
    found = _verify_rows(lines, opened, stamped)
    rows = found.rows
    if said is not None and rows != said:
        raise Failed("rows", f"The export says {said} rows and holds {rows}.")
    _say_what_rows_show(check, found, stamped)
    return rows, found.reached


def _say_what_rows_show(check: Check, found: "_Rows", stamped: int) -> None:
    """Write down what was proved of the rows, and of how many nothing was, for want of what the file does not hold."""
    rows = found.rows
    if not rows:
        check.leave_open("rows", "It holds no row: there was none to check.")
        return
    check.note("rows", f"Each of the {rows} rows has the hash that is said of it.")
    if found.followed:
        check.note("chain", f"{found.followed} of the {rows} rows follow on the row before them in their chain.")
    if found.followed < rows:
        alone = rows - found.followed
        check.leave_open(
            "chain", f"Of {alone} rows the one before is not in the file: whether they follow on it was not checked."
        )
    if found.proved:
        check.note("inclusion", f"{found.proved} of the {rows} rows are leaves of that tree.")
    if found.early:
        check.note("stamp", f"{found.early} of the {rows} rows are among the {stamped} leaves that were stamped.")
    if stamped and found.early < rows:
        check.leave_open("stamp", f"{rows - found.early} rows are not among the {stamped} leaves that were stamped.")
    if found.proved < rows:
        unsealed = rows - found.proved
        check.leave_open("not_sealed", f"{unsealed} rows were not sealed when the export was made: ask for them again.")


def _verify_end(check: Check, lines: list[bytes], end: dict[str, Any]) -> None:
    digest = hashlib.sha256(b"".join(line + b"\n" for line in lines[:-1])).hexdigest()
    if end["lines_hash"] != digest:
        raise Failed("lines", "The lines do not have the hash that the last one says: a byte was changed.")
    said = {name: value for name, value in end.items() if name != "signature"}
    try:
        key = check_signature(_PREFIX + canonical(said), end["signature"], check.keys.every_log_key(), "the export")
    except BrokenNoteError as error:
        raise Failed("signature", f"The signature does not hold: {error}.") from error
    check.note("signature", f"The export of {end['rows']} rows is as the key {key.name}+{key.key_id.hex()} signed it.")


def _verify_stamp(check: Check, stamp: Mapping[str, Any] | None, opened: Opened | None) -> int:
    """Check the newest stamp, of this checkpoint or of one that it continues; return how many leaves it is about."""
    if stamp is None or opened is None:
        check.stamp(None, "")
        return 0
    try:
        older = check.keys.open(stamp["checkpoint"])[0].checkpoint
    except BrokenNoteError as error:
        raise Failed("stamp", f"The checkpoint that was stamped does not hold: {error}.") from error
    newer, proof = opened.checkpoint, [bytes.fromhex(each) for each in stamp["consistency"]]
    if not verifies_consistency(older.size, older.root, newer.size, newer.root, proof):
        raise Failed("stamp", f"The tree of {older.size} leaves that was stamped is no beginning of the export's.")
    check.note("stamp", f"The tree continues the one of {older.size} leaves whose checkpoint was stamped.")
    check.stamp(stamp["token"], stamp["checkpoint"])
    return older.size if check.keys.stamp_roots else 0


@dataclass(slots=True)
class _Rows:
    """How many rows there are, follow on one that is there, are leaves of the tree, were stamped; and the last one."""

    rows: int = 0
    followed: int = 0
    proved: int = 0
    early: int = 0
    reached: str | None = None


def _verify_rows(lines: list[bytes], opened: Opened | None, stamped: int) -> _Rows:
    """Check each row as far as the file allows; the first row of a chain follows on nothing."""
    last: dict[str, tuple[int, str]] = {}
    found = _Rows()
    for line in _rows(lines):
        row, digest, leaf = line["row"], line["hash"], line["leaf"]
        verify_row(row, digest)
        seq, before = last.get(row["chain"], (0, GENESIS.hex()))
        if seq + 1 == row["seq"]:
            if row["previous"] != before:
                raise Failed("chain", f"The row {row['seq']} of {row['chain']} does not follow on the one before it.")
            found.followed += 1
        last[row["chain"]] = (row["seq"], digest)
        found.reached = f"row {row['seq']} of {row['chain']} ({row['at']})"
        found.rows += 1
        if leaf is not None and opened is not None:
            verify_place(digest, leaf["index"], leaf["proof"], opened)
            found.proved += 1
            found.early += leaf["index"] < stamped
    return found


def _rows(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 2):
        content = read_canonical(line, f"Line {number}")
        if content["type"] == "row":
            yield content
        elif content["type"] != "resume":
            raise Failed("form", f"Line {number} is of a kind that is not known here.")
