"""What an appraisal keeps beside what every case has: the employment that is confirmed, and the recognition."""

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import Boolean, Column, Date, ForeignKey, Sequence, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from cases.case.row import OneCase
from domain.data_map import ALL, DataClass, Retention, rows
from programmes.appraisal.words import EmploymentStage, RecognitionStage
from store.case_tables import CaseTable, TrackTable
from store.rows.base import TableRow
from store.rows.tracks import TrackRow
from store.tables.base import metadata, moment

certificate_sequence = Sequence("appraisal_certificate_seq", metadata=metadata)


appraisals = Table(
    "appraisals",
    metadata,
    Column("reference", Text, ForeignKey("cases.reference"), primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("route", Text, nullable=False),
)


def _track(name: str, *own: Column[object]) -> Table:
    return Table(
        name,
        metadata,
        Column("reference", Text, ForeignKey("cases.reference"), primary_key=True),
        Column("part", Text, primary_key=True),
        Column("employer_id", Text, nullable=False),
        Column("stage", Text),
        *own,
        moment("due_at"),
        Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
        Column("pending_act", Text),
        Column("pending", JSONB),
        Column("rejected", JSONB),
        moment("updated_at", null=False),
    )


appraisal_employments = _track(
    "appraisal_employments", Column("round", Text), Column("answered_on", Date), Column("last_day", Date)
)
appraisal_recognitions = _track(
    "appraisal_recognitions",
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


_COMMON: Final = "reference part employer_id stage due_at due_provisional pending_act pending rejected updated_at"
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
        *rows("appraisal_employments", f"{_COMMON} round answered_on", "what an employer confirms", ALL),
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
        *rows("appraisal_recognitions", f"{_COMMON} ended_on", "following a recognition", ALL),
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
