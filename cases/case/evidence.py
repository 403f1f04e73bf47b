"""Evidence as a case keeps it: pieces given with its form, what officers saw of each, and what they prove of an item.

Rules have *declared* and *proved* side by side: what a form says stays as it was given, and `proved` is what counts.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.reading import CaseReading
from cases.case.row import OneCase
from domain.evidence import EvidenceGiven, EvidenceResult, EvidenceState, pieces_of
from domain.forms import Form
from domain.spellings import Place
from store.case_tables import CaseTable
from store.rows.evidence import EvidenceRow

# A case being changed, or one that is only read.
ReadableCase = CaseFile | CaseReading
GIVEN: Final = Place("evidence", "given")
SEEN: Final = Place("evidence", "seen")
FALLEN: Final = Place("evidence", "fallen")
# What the data map says of it stands with the tables of the core, since it is in the schema whoever declares it.
EVIDENCE: Final = CaseTable(
    row=EvidenceRow,
    key="evidence_id",
    hashed=(
        "employer_id", "evidence_id", "fallen", "fallen_at", "fallen_for", "given", "given_at", "item", "kind",
        "reference", "result", "round", "seen", "seen_at", "seen_by", "source_evidence", "source_reference", "state",
    ),
    sealed={"given": GIVEN, "seen": SEEN, "fallen": FALLEN},
    since=3,
)  # fmt: skip


def evidence_of(file: OneCase) -> list[EvidenceRow]:
    """Return all pieces of a case, those among them that were left out since, the first first."""
    return sorted(file.rows_of(EvidenceRow), key=lambda row: row.evidence_id)


def find_piece(file: OneCase, evidence_id: int) -> EvidenceRow | None:
    """Return a piece by its number."""
    return next((row for row in file.rows_of(EvidenceRow) if row.evidence_id == evidence_id), None)


def place_of(row: EvidenceRow) -> str:
    """Return the place that what is sealed of a piece is sealed for."""
    return f"{row.reference}/{row.evidence_id}"


def as_kept(piece: EvidenceGiven) -> dict[str, Any]:
    """Return a piece as it is sealed."""
    return piece.model_dump(mode="json", exclude_none=True)


def given_of(file: ReadableCase, row: EvidenceRow) -> dict[str, Any]:
    """Return a piece as it was given, in clear: item, kind, issuer, date, and number and value where it has them."""
    given: dict[str, Any] = file.open(*GIVEN, place_of(row), row.given)
    return given


def follow(file: CaseFile, form: Form, at: datetime, *, is_another: bool = False) -> None:
    """Keep the pieces of a form that is given, and leave out those that it does not give any more.

    A piece that was left out and is given again in the same words is the same piece, with what came of it. What was
    taken over from another case is of no form, and stays; where the form is about another person, it is left out.
    """
    wanted, kept = pieces_of(form), evidence_of(file)
    if is_another:
        for row in kept:
            if row.source_reference is not None:
                row.change(state=EvidenceState.LEFT_OUT.value)
    if not (wanted or kept):
        return
    own = [(row, given_of(file, row)) for row in kept if row.source_reference is None]
    contents = [as_kept(piece) for piece in wanted]
    for row, content in own:
        row.change(state=(EvidenceState.GIVEN if content in contents else EvidenceState.LEFT_OUT).value)
    known = [content for _, content in own]
    for piece, content in zip(wanted, contents, strict=True):
        if content not in known:
            add(file, piece, at)


def add(
    file: CaseFile, piece: EvidenceGiven, at: datetime, *, taken_from: tuple[str, int] | None = None
) -> EvidenceRow:
    """Keep a piece under the next number.

    Args:
        file: the case.
        piece: the piece as it is given.
        at: when.
        taken_from: of one that is taken over, the case that it stands in and its number there.
    """
    rows = file.own_rows[EVIDENCE.name]
    reference, evidence_id = taken_from or (None, None)
    row = EvidenceRow(
        reference=file.reference,
        evidence_id=1 + max((each.evidence_id for each in evidence_of(file)), default=0),
        employer_id=file.employer_id,
        item=str(piece.item),
        kind=str(piece.kind),
        state=EvidenceState.GIVEN.value,
        round=file.round,
        given_at=at,
        given=b"",
        source_reference=reference,
        source_evidence=evidence_id,
    )
    row.given = file.seal(*GIVEN, place_of(row), as_kept(piece))
    rows.append(row)
    return row


def proved(file: ReadableCase, form: Form | None = None) -> Mapping[str, Any]:
    """Return the items that evidence proves, each with its value as JSON; True for an item that has none.

    Of an item with several pieces that prove it the one counts that an officer saw last.

    Args:
        file: the case.
        form: what is, or would be, given; only what it still gives counts. That of the case, where none is named.
    """
    shown = None if form is None else [as_kept(piece) for piece in pieces_of(form)]
    counting = [
        row
        for row in file.rows_of(EvidenceRow)
        if row.result == EvidenceResult.PROVED
        and row.state == EvidenceState.GIVEN
        and (shown is None or row.source_reference is not None or given_of(file, row) in shown)
    ]
    found: dict[str, Any] = {}
    for row in sorted(counting, key=lambda each: (each.seen_at or each.given_at, each.evidence_id)):
        value = file.open(*SEEN, place_of(row), row.seen or b"")["value"]
        found[row.item] = True if value is None else value
    return found


def declared(form: Form) -> Mapping[str, Any]:
    """Return the items of which a form gives evidence, with the value that the last piece of each is to prove.

    An item that has no value is True; one that has one, of which a piece claims none, is not declared by that piece.
    """
    return {
        str(piece.item): True if piece.value is None else piece.model_dump(mode="json")["value"]
        for piece in pieces_of(form)
        if piece.value is not None or piece.item not in piece.values
    }
