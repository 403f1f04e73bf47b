"""What an appraisal keeps beside what every case has: the employment that is confirmed, and the recognition."""

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import Column, Date, ForeignKey, Sequence, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from cases.case.row import OneCase
from domain.data_map import ALL, DataClass, Retention, rows
from programmes.appraisal.words import EmploymentStage, RecognitionStage
from store.case_tables import CaseTable, TrackTable
from store.rows.base import TableRow
from store.rows.tracks import TrackRow
from store.tables.base import metadata
from store.track_tables import track_rows, track_table

certificate_sequence = Sequence("appraisal_certificate_seq", metadata=metadata)


appraisals = Table(
    "appraisals",
    metadata,
    Column("reference", Text, ForeignKey("cases.reference"), primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("route", Text, nullable=False),
)


appraisal_employments = track_table(
    "appraisal_employments", "part", Column("round", Text), Column("answered_on", Date), Column("last_day", Date)
)
appraisal_recognitions = track_table(
    "appraisal_recognitions",
    "part",
    Column("certificate", Text),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("suspended_for", JSONB, nullable=False, server_default=text("'[]'")),
    Column("ended_on", Date),
)


@dataclass(slots=True, kw_only=True)
class AppraisalRow(TableRow):
    """By which route somebody asks to be recognised."""

    TABLE: ClassVar[Table] = appraisals
    reference: str
    employer_id: str
    route: str


@dataclass(slots=True, kw_only=True)
class EmploymentRow(TrackRow):
    """An employment, and what the employer said of it; `round` counts how often one was asked."""

    TABLE: ClassVar[Table] = appraisal_employments
    part: str
    round: str | None = None
    answered_on: date | None = None
    last_day: date | None = None


@dataclass(slots=True, kw_only=True)
class RecognitionRow(TrackRow):
    """A recognition: its certificate, its first and last day, and the codes of what suspends it now."""

    TABLE: ClassVar[Table] = appraisal_recognitions
    part: str
    certificate: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    suspended_for: list[str] = field(default_factory=list)
    ended_on: date | None = None


APPRAISALS: Final = CaseTable(
    row=AppraisalRow,
    hashed=("employer_id", "reference", "route"),
    data=tuple(rows("appraisals", "reference employer_id route", "by which route somebody is appraised", ALL)),
)
EMPLOYMENTS: Final = TrackTable(
    row=EmploymentRow,
    key="part",
    hashed=(
        "answered_on", "due_at", "due_provisional", "employer_id", "last_day", "part", "pending", "pending_act",
        "reference", "rejected", "round", "stage",
    ),
    unhashed=frozenset({"updated_at"}),
    final=frozenset(EmploymentStage) - {EmploymentStage.ASKED},
    ended_on="x.answered_on",
    data=(
        *track_rows("appraisal_employments", "part", "what an employer confirms", "round answered_on"),
        *rows(
            "appraisal_employments", "last_day", "the end of an employment", ALL,
            of=DataClass.PERSONAL, until=Retention.CASE,
        ),
    ),
    emptied={"last_day": "NULL"},
)  # fmt: skip
RECOGNITIONS: Final = TrackTable(
    row=RecognitionRow,
    key="part",
    hashed=(
        "certificate", "due_at", "due_provisional", "employer_id", "ended_on", "part", "pending", "pending_act",
        "reference", "rejected", "stage", "suspended_for", "valid_from", "valid_until",
    ),
    unhashed=frozenset({"updated_at"}),
    final=frozenset({RecognitionStage.EXPIRED, RecognitionStage.REVOKED}),
    resting=frozenset({RecognitionStage.VALID, RecognitionStage.SUSPENDED}),
    ended_on="x.ended_on",
    data=(
        *track_rows("appraisal_recognitions", "part", "following a recognition", "ended_on"),
        *rows(
            "appraisal_recognitions", "certificate valid_from valid_until suspended_for",
            "saying until when somebody is recognised", ALL, of=DataClass.PERSONAL, until=Retention.CASE,
        ),
    ),
    emptied={"certificate": "NULL", "valid_from": "NULL", "valid_until": "NULL", "suspended_for": "'[]'"},
)  # fmt: skip


def employment(file: OneCase) -> EmploymentRow | None:
    """Return the employment of a case; None before its employer was asked."""
    return next(iter(file.rows_of(EmploymentRow)), None)


def recognition(file: OneCase) -> RecognitionRow | None:
    """Return the recognition of a case; None before its approval has settled."""
    return next(iter(file.rows_of(RecognitionRow)), None)


def route_of(file: OneCase) -> str:
    """Return by which route the person of a case asks to be recognised."""
    (row,) = file.rows_of(AppraisalRow)
    return row.route
