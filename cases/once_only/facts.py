"""What a case vouches for: pieces of its evidence that were proved, and what its programme declares as a fact.

What a case took over itself it does not vouch for: whoever wants it takes it from where it was seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from cases.case.evidence import SEEN, evidence_of, given_of, place_of
from cases.case.file import CaseFile
from cases.programme import programme_of
from domain.evidence import EvidenceResult, EvidenceState
from domain.once_only import OnceOnlyCommand
from domain.signatures import Signature
from store.rows.evidence import EvidenceRow

# The number of what no piece of evidence says.
NO_PIECE: Final = 0


class Held(NamedTuple):
    """That a case vouches for something of a person now."""

    person_id: UUID
    item: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a case vouches for, in clear.

    Attributes:
        reference: the case.
        owner: who owns it, as its rows bear it.
        programme: its programme.
        item: the item of its evidence, or the word under which its programme vouches.
        number: that of the piece of evidence; `NO_PIECE` for what no piece says.
        issuer: who says it.
        paper: the number of the paper, where it has one.
        on: the day of the paper.
        value: what was proved, as JSON; None of an item that has no value.
        seen_at: when it was proved.
        seen_by: who saw it; nobody where a decision said it.
    """

    reference: str
    owner: str
    programme: str
    item: str
    number: int
    issuer: str
    paper: str | None
    on: date
    value: Any
    seen_at: datetime
    seen_by: tuple[Signature, ...]


def vouches(file: CaseFile) -> bool:
    """Whether a case can be asked at all whether it still vouches."""
    return OnceOnlyCommand.VOUCH in programme_of(file).commands


def held(file: CaseFile) -> frozenset[Held]:
    """Return what a case vouches for now; no content is opened for it."""
    declared = programme_of(file)
    pieces = [(row.item, row.evidence_id) for row in _proved(file)]
    words = [(word, NO_PIECE) for word, each in declared.vouches.items() if each.holds(file)]
    return frozenset(Held(file.row.person_id, item, number) for item, number in (*pieces, *words))


def holds(file: CaseFile, item: str, number: int) -> bool:
    """Whether a case still vouches for something."""
    return Held(file.row.person_id, item, number) in held(file)


def facts_of(file: CaseFile) -> Iterator[Fact]:
    """Yield what a case vouches for that it can offer: a piece that was left out since proves nothing new.

    Raises:
        Refused: `facts_erased` after an erasure.
        Defect: where the case cannot be opened.
    """
    for row in _proved(file):
        if row.state == EvidenceState.GIVEN:
            yield _of_piece(file, row)
    for word, each in programme_of(file).vouches.items():
        if each.holds(file):
            said = each.fact(file)
            yield Fact(
                reference=file.reference,
                owner=file.employer_id,
                programme=file.row.programme,
                item=word,
                number=NO_PIECE,
                issuer=said.issuer,
                paper=said.number,
                on=said.on,
                value=said.value,
                seen_at=said.at,
                seen_by=(),
            )


def find_fact(file: CaseFile, item: str, number: int) -> Fact | None:
    """Return what a case vouches for under an item and a number, or None where it does not any more."""
    return next((fact for fact in facts_of(file) if (fact.item, fact.number) == (item, number)), None)


def _proved(file: CaseFile) -> list[EvidenceRow]:
    return [row for row in evidence_of(file) if row.result == EvidenceResult.PROVED and row.source_reference is None]


def _of_piece(file: CaseFile, row: EvidenceRow) -> Fact:
    given = given_of(file, row)
    seen = file.open(*SEEN, place_of(row), row.seen or b"")
    return Fact(
        reference=file.reference,
        owner=file.employer_id,
        programme=file.row.programme,
        item=row.item,
        number=row.evidence_id,
        issuer=given["issuer"],
        paper=given.get("number"),
        on=date.fromisoformat(given["date"]),
        value=seen["value"],
        seen_at=row.seen_at or row.given_at,
        seen_by=tuple(row.seen_by),
    )
