"""What the talent permit keeps of a case beside what every case has."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, LargeBinary, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from cases.case.file import CaseFile
from cases.case.row import OneCase
from domain.data_map import ALL, DataClass, Kept, Retention, rows
from domain.spellings import Place
from programmes.talent_permit.authority.answers import Outcome
from programmes.talent_permit.permit_stages import PERMIT_FINAL, Destination, PermitStage
from store.case_tables import Answered, CaseTable, TermTable, TrackTable
from store.rows.base import TableRow
from store.rows.terms import TermRow
from store.rows.tracks import TrackRow
from store.tables.base import metadata, moment
from store.track_tables import track_rows, track_table

talent_permits = Table(
    "talent_permits",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("destinations", ARRAY(Text), nullable=False),
    Column("undertaking_version", Text, nullable=False),
    Column("contract_end", Date),
    Column("departure", JSONB),
)


permits = track_table(
    "permits",
    "destination",
    Column("authority_number", Text),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("stay_days", SmallInteger),
    Column("entries", Text),
    Column("earlier", JSONB, nullable=False, server_default=text("'[]'")),
    moment("sent_at"),
    Column("accepted_on", Date),
    Column("reason", LargeBinary),
    Column("card_lost_on", Date),
    moment("reported_at"),
    Column("answered_for", Boolean, nullable=False, server_default=text("false")),
    Column("decided_on", Date),
    Column("end_reason", Text),
    # What the authority calls the case, where its entry is one of before a restore under a reference that is gone.
    Column("entry_case", Text),
    # Those that somebody is waited for, which load is counted by.
    Index(
        "ix_permits_waiting",
        "stage",
        "destination",
        postgresql_where=text("stage IN ('accepted', 'eligible', 'submitted')"),
    ),
    Index("ix_permits_entry_case", "entry_case", unique=True, postgresql_where=text("entry_case IS NOT NULL")),
)


permit_terms = Table(
    "permit_terms",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("authority_number", Text),
    moment("sent_at"),
    Column("accepted_on", Date),
    Column("issued_on", Date),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("stay_days", SmallInteger),
    Column("entries", Text),
    Column("ended_on", Date),
    Column("end_reason", Text),
    Column("reason", LargeBinary),
)


@dataclass(slots=True, kw_only=True)
class TalentPermitRow(TableRow):
    """What was asked for under which undertaking, and the end of the employment as planned and as reported."""

    TABLE: ClassVar[Table] = talent_permits
    reference: str
    employer_id: str
    destinations: list[str]
    undertaking_version: str
    contract_end: date | None = None
    departure: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class PermitRow(TrackRow):
    """The permit of one destination; no stage before it is eligible."""

    TABLE: ClassVar[Table] = permits
    destination: str
    authority_number: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    stay_days: int | None = None
    entries: str | None = None
    # Numbers and dates before a replacement.
    earlier: list[dict[str, Any]] = field(default_factory=list)
    sent_at: datetime | None = None
    accepted_on: date | None = None
    reason: bytes | None = None
    card_lost_on: date | None = None
    reported_at: datetime | None = None
    answered_for: bool = False
    decided_on: date | None = None
    end_reason: str | None = None
    # What the authority calls the case, where its entry is one of before a restore under a reference that is gone.
    entry_case: str | None = None


@dataclass(slots=True, kw_only=True)
class PermitTermRow(TermRow):
    """A term of a permit: the authority's number for it, when it was accepted and issued, its days, how it ended.

    The permit itself keeps what was said of the last card, whichever term that was.
    """

    TABLE: ClassVar[Table] = permit_terms
    destination: str
    authority_number: str | None = None
    sent_at: datetime | None = None
    accepted_on: date | None = None
    issued_on: date | None = None
    stay_days: int | None = None
    entries: str | None = None
    # Why the authority refused or revoked this one while another goes on; else it stands with the permit.
    reason: bytes | None = None


TALENT_PERMITS: Final = CaseTable(
    row=TalentPermitRow,
    hashed=("contract_end", "departure", "destinations", "employer_id", "reference", "undertaking_version"),
    emptied={"contract_end": "NULL", "departure": "NULL"},
    data=(
        *rows(
            "talent_permits",
            "reference employer_id destinations undertaking_version",
            "what is asked for, and under which undertaking",
            ALL,
        ),
        *rows(
            "talent_permits",
            "contract_end departure",
            "the end of the employment",
            ALL,
            of=DataClass.PERSONAL,
            until=Retention.CASE,
        ),
    ),
)


def talent_permit(file: OneCase) -> TalentPermitRow:
    """Return the row of a case in `talent_permits`."""
    return file.row_of(TalentPermitRow)


PERMITS: Final = TrackTable(
    row=PermitRow,
    key="destination",
    hashed=(
        "accepted_on", "answered_for", "authority_number", "card_lost_on", "decided_on", "destination", "due_at",
        "due_provisional", "earlier", "employer_id", "end_reason", "entries", "entry_case", "pending", "pending_act",
        "reason", "reference", "rejected", "reported_at", "sent_at", "stage", "stay_days", "valid_from", "valid_until",
    ),
    unhashed=frozenset({"updated_at"}),
    final=PERMIT_FINAL,
    resting=frozenset({PermitStage.ISSUED}),
    given_up="answered_for",
    ended_on=(
        "CASE x.stage WHEN 'expired' THEN greatest(x.valid_until, (SELECT max(term.valid_until) FROM permit_terms term"
        " WHERE term.reference = x.reference AND term.destination = x.destination AND term.stage = 'issued'))"
        " ELSE x.decided_on END"
    ),
    answered=Answered(
        outcomes=frozenset({Outcome.ISSUED, Outcome.REPLACED}),
        columns=("authority_number", "valid_from", "valid_until", "stay_days", "entries"),
    ),
    sealed={"reason": Place("permits", "reason")},
    emptied={
        **dict.fromkeys(("authority_number", "valid_from", "valid_until", "stay_days", "entries"), "NULL"),
        "earlier": "'[]'",
        "card_lost_on": "NULL",
        "reason": "NULL",
    },
    data=(
        *track_rows(
            "permits",
            "destination",
            "following the permit",
            "sent_at accepted_on decided_on reported_at answered_for end_reason entry_case",
        ),
        *rows(
            "permits",
            "authority_number valid_from valid_until stay_days entries earlier card_lost_on",
            "the permit as the authority gave it",
            ALL,
            of=DataClass.PERSONAL,
            until=Retention.CASE,
        ),
        *rows(
            "permits",
            "reason",
            "the authority's reason",
            ALL,
            of=DataClass.SENSITIVE,
            kept=Kept.SEALED,
            until=Retention.CASE,
        ),
    ),
)  # fmt: skip


_GIVEN: Final = ("authority_number", "valid_from", "valid_until", "stay_days", "entries")
PERMIT_TERMS: Final = TermTable(
    row=PermitTermRow,
    key="destination",
    hashed=(
        "accepted_on", "authority_number", "destination", "employer_id", "end_reason", "ended_on", "entries",
        "issued_on", "number", "reason", "reference", "sent_at", "stage", "stay_days", "valid_from", "valid_until",
    ),
    holds=frozenset({PermitStage.ISSUED}),
    pending=frozenset({PermitStage.ELIGIBLE, PermitStage.SUBMITTED, PermitStage.ACCEPTED}),
    answered=Answered(outcomes=frozenset({Outcome.ISSUED, Outcome.REPLACED}), columns=_GIVEN),
    numbered="authority_number",
    sealed={"reason": Place("permit_terms", "reason")},
    emptied={**dict.fromkeys(_GIVEN, "NULL"), "reason": "NULL"},
    data=(
        *rows(
            "permit_terms",
            "reference destination number employer_id stage sent_at accepted_on issued_on ended_on end_reason",
            "following the terms of a permit",
            ALL,
        ),
        *rows(
            "permit_terms",
            " ".join(_GIVEN),
            "each term of a permit as the authority gave it",
            ALL,
            of=DataClass.PERSONAL,
            until=Retention.CASE,
        ),
        *rows(
            "permit_terms",
            "reason",
            "the authority's reason, for the person and staff",
            ALL,
            of=DataClass.SENSITIVE,
            kept=Kept.SEALED,
            until=Retention.CASE,
        ),
    ),
    since=3,
)  # fmt: skip


def destinations_of(file: OneCase) -> tuple[Destination, ...]:
    """Return the destinations asked for."""
    return tuple(Destination(code) for row in file.rows_of(TalentPermitRow) for code in row.destinations)


def permit_rows(file: OneCase) -> dict[Destination, PermitRow]:
    """Return the permits of a case by destination; of none before its approval has settled."""
    return {Destination(row.destination): row for row in file.rows_of(PermitRow)}


def set_permit(file: CaseFile, destination: Destination, at: datetime, **values: Any) -> None:
    """Set columns of a permit; the row is made where there is none."""
    file.set_track(PERMITS, destination, at, **values)
