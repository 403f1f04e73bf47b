"""Proposals that take effect with a second signature, of a case or of a destination: kept, asked about, given back.

Whoever proposes keeps one under `pending`, and what became of it under `rejected`: by whom, when, codes in clear, notes
sealed at the place of the one or the other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cases.case.file import CaseFile
from cases.case.signers import given, notes_of, signature_of, with_notes
from domain.actors import Actor
from domain.decisions import GivenReason


class Place(NamedTuple):
    """What the notes of a proposal are sealed for: the place of the column, and the row."""

    table: str
    row: str


def keep(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    place: Place,
    reasons: Sequence[GivenReason],
    note: str | None,
    **more: Any,
) -> dict[str, Any]:
    """Return what is kept of a proposal, or of its rejection; `more` stands with it."""
    notes = {"note": note, "reasons": [reason.note for reason in reasons]}
    return {
        "by": signature_of(actor),
        "at": at.isoformat(),
        "reasons": given(reasons),
        "notes": notes_of(file, place.table, place.row, notes),
        **more,
    }


def read(file: CaseFile, kept: Mapping[str, Any], place: Place) -> tuple[tuple[GivenReason, ...], str | None]:
    """Return reasons with their notes, and the staff note, of what is kept."""
    notes = file.open(place.table, "note", place.row, bytes.fromhex(kept["notes"]))
    return with_notes(kept["reasons"], notes["reasons"]), notes["note"]
