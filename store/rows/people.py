"""Rows of employers and premises, of what persons object to, and of what is held and erased of them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Table

from domain.signatures import Signature, StandingSignature
from store import tables
from store.rows.base import TableRow


class Dated:
    """What is in force from a day on and to another, both in; without end where there is none."""

    __slots__ = ()
    valid_from: date
    valid_to: date | None

    def covers(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(slots=True, kw_only=True)
class EmployerRow(TableRow):
    """An employer; `contact` is sealed under its key."""

    TABLE: ClassVar[Table] = tables.employers
    employer_id: str
    key_id: UUID
    uscc: str
    contact: bytes
    language: str
    digest: bool = False


@dataclass(slots=True, kw_only=True)
class EmployerVersionRow(TableRow, Dated):
    """What was recorded of an employer, in force from a day on and to another."""

    TABLE: ClassVar[Table] = tables.employer_versions
    employer_id: str
    valid_from: date
    valid_to: date | None = None
    name_zh: str
    name_en: str | None = None
    kind: str
    premises: list[str]


@dataclass(slots=True, kw_only=True)
class StandingRow(TableRow):
    """A change of an employer's standing."""

    TABLE: ClassVar[Table] = tables.employer_standings
    change_id: UUID
    employer_id: str
    standing: str
    valid_from: date
    state: str
    proposed_by: StandingSignature
    confirmed_by: StandingSignature | None = None
    spread: bool = False
    at: datetime


@dataclass(slots=True, kw_only=True)
class PremisesRow(TableRow, Dated):
    """A building of the Park, in force from a day on and to another."""

    TABLE: ClassVar[Table] = tables.premises
    code: str
    valid_from: date
    valid_to: date | None = None
    address: str
    folded: str


@dataclass(slots=True, kw_only=True)
class ObjectionRow(TableRow):
    """A complaint or a dispute of a person; `body` and `answer` are sealed under the key that it names."""

    TABLE: ClassVar[Table] = tables.objections
    objection_id: UUID
    kind: str
    reference: str
    person_id: UUID
    key_id: UUID
    about: str
    party: str = "person"
    state: str
    body: bytes
    # Which address said it, and reads the answer; none from before it was kept.
    address_hash: bytes | None = None
    at: datetime
    due_at: datetime
    outcome: str | None = None
    answer: bytes | None = None
    answered_by: Signature | None = None
    answered_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class LegalHoldRow(TableRow):
    """A legal hold on a case; the number of its paper is sealed under the person's key."""

    TABLE: ClassVar[Table] = tables.legal_holds
    hold_id: UUID
    reference: str
    employer_id: str
    reason: str
    paper: bytes
    placed_by: Signature
    placed_at: datetime
    released_by: Signature | None = None
    release_reason: str | None = None
    released_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ErasureRow(TableRow):
    """An erasure of a person: proposed, rejected or done."""

    TABLE: ClassVar[Table] = tables.erasures
    erasure_id: UUID
    person_id: UUID
    reference: str
    reason: str
    state: str
    proposed_by: Signature
    proposed_at: datetime
    decided_by: Signature | None = None
    decided_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class TransferRow(TableRow):
    """What a person agreed to: that the employer of a case may be followed by another, and what became of it."""

    TABLE: ClassVar[Table] = tables.transfers
    transfer_id: UUID
    person_id: UUID
    programme: str
    from_reference: str
    to_employer: str
    to_reference: str | None = None
    state: str
    agreed_at: datetime
    holds_until: datetime
    taken_at: datetime | None = None
    over_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class CheckCodeRow(TableRow):
    """A check code: the keyed hash of it, the case that it is of, who issued it, and when it was withdrawn."""

    TABLE: ClassVar[Table] = tables.check_codes
    code_id: UUID
    code_hash: bytes
    reference: str
    party: str
    issued_by: Signature
    issued_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class DraftRow(TableRow):
    """A draft: whose it is, what of, sealed, and by which documents it goes with a person who is erased."""

    TABLE: ClassVar[Table] = tables.drafts
    draft_id: UUID
    owner: str
    programme: str
    kind: str
    reference: str | None = None
    key_id: UUID
    body: bytes
    document_hashes: list[bytes]
    version: int
    begun_at: datetime
    changed_at: datetime


@dataclass(slots=True, kw_only=True)
class JoiningRow(TableRow):
    """A joining of two persons, or its undoing; `proof` is sealed under the key of the person who is kept."""

    TABLE: ClassVar[Table] = tables.person_joinings
    joining_id: UUID
    kind: str
    undoes: UUID | None = None
    kept_id: UUID
    joined_id: UUID
    kept_reference: str | None = None
    joined_reference: str | None = None
    reason: str
    proof: bytes | None = None
    state: str
    proposed_by: Signature
    proposed_at: datetime
    decided_by: Signature | None = None
    decided_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class BrowserSessionRow(TableRow):
    """A session of a browser: found by two hashes, and what it holds sealed under the browser's own secret."""

    TABLE: ClassVar[Table] = tables.browser_sessions
    session_hash: bytes
    subject_hash: bytes
    content: bytes
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime
