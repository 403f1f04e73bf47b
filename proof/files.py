"""Which kind of file is to be checked, and its check."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from proof.checkpoints import BrokenNoteError, parse_note
from proof.declarations import FORMAT as DECLARATION
from proof.declarations import Declaration
from proof.exports import is_export, manifest_in, verify_export
from proof.verdicts import Check, Failed, KnownKeys, Step, Verdict, one_object, receipts_in, verify_receipt


def verify(
    content: bytes, keys: KnownKeys, next_parts: Sequence[Mapping[str, Any]] = (), *, has_earlier: bool = False
) -> Verdict:
    """Check a file: an export, a receipt, the answer that lists those of a case, or a checkpoint, also its note alone.

    Args:
        content: the file.
        keys: what is trusted.
        next_parts: for an export, the manifests of those that go on from it.
        has_earlier: whether the export from which this one goes on is checked together with it.
    """
    check = Check(keys)
    try:
        if is_export(content):
            verify_export(check, content, next_parts, has_earlier=has_earlier)
        elif (checkpoint := _checkpoint_in(content)) is not None:
            _verify_checkpoint(check, checkpoint)
        elif (note := _note_in(content)) is not None:
            check.checkpoint(note)
            check.stamp(None, note)
        elif (declaration := _declaration_in(content)) is not None:
            _verify_declaration(check, declaration)
        else:
            for receipt in receipts_in(content):
                verify_receipt(check, receipt)
    except Failed as failed:
        check.steps.append(failed.step)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        says = f"The file does not have the form of an export or a receipt ({type(error).__name__})."
        check.steps.append(Step("form", False, says))
    return Verdict(tuple(check.steps))


def verify_together(files: Mapping[str, bytes], keys: KnownKeys) -> dict[str, Verdict]:
    """Check files each by itself, and parts of an export that broke off by how they join on to each other too."""
    going_on: dict[Any, list[Mapping[str, Any]]] = {}
    manifests = {name: manifest_in(content) for name, content in files.items()}
    for manifest in manifests.values():
        earlier = manifest.get("continues")
        if isinstance(earlier, dict):
            going_on.setdefault(earlier.get("chain"), []).append(manifest)
    known = {manifest.get("chain") for manifest in manifests.values()}

    def check(name: str, content: bytes) -> Verdict:
        manifest = manifests[name]
        earlier = manifest.get("continues")
        has_earlier = isinstance(earlier, dict) and earlier.get("chain") in known
        return verify(content, keys, going_on.get(manifest.get("chain"), ()), has_earlier=has_earlier)

    return {name: check(name, content) for name, content in files.items()}


def _checkpoint_in(content: bytes) -> Mapping[str, Any] | None:
    """Return the answer of `GET /v1/audit/checkpoint`, or None where the file is something else."""
    try:
        document = json.loads(content, object_pairs_hook=one_object)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and {"note", "root", "size", "timestamp"} <= set(document) else None


def _declaration_in(content: bytes) -> Mapping[str, Any] | None:
    """Return the declaration of a restore, or None where the file is something else."""
    try:
        document = json.loads(content, object_pairs_hook=one_object)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("format") == DECLARATION else None


def _verify_declaration(check: Check, document: Mapping[str, Any]) -> None:
    try:
        declared = Declaration.read(document, check.keys.every_log_key())
    except BrokenNoteError as error:
        raise Failed("signature", f"The declaration does not hold: {error}.") from error
    known = f"{declared.known.size} leaves" if declared.known else "none"
    check.note(
        "epoch",
        f"The log {declared.former_origin} declared at {declared.at} that it was restored to {declared.restored.size}"
        f" leaves; the newest checkpoint that it knew of: {known}. It goes on as {declared.origin}.",
    )
    check.leave_open("epoch", "Whether anything else was lost or left out is the log's word alone.")


def _note_in(content: bytes) -> str | None:
    """Return the signed note that a file is, or None where it is something else."""
    try:
        note = content.decode()
        parse_note(note)
    except ValueError:
        return None
    return note


def _verify_checkpoint(check: Check, document: Mapping[str, Any]) -> None:
    opened = check.checkpoint(document["note"]).checkpoint
    if (document["size"], document["root"]) != (opened.size, opened.root.hex()):
        raise Failed("form", "The file says another size or root than the checkpoint that was signed.")
    check.stamp(document["timestamp"], document["note"])
