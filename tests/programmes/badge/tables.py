"""What a badge keeps beside what every case has: the one employment, which an employer confirms."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import Boolean, Column, Date, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from cases.case.row import OneCase
from domain.data_map import ALL, rows
from store.case_tables import TrackTable
from store.rows.tracks import TrackRow
from store.tables.base import moment
from tests.programmes.badge.words import EmploymentStage

# A room takes `store.tables.base.metadata`; the schema that is shipped does not have this table.
_metadata = MetaData()

badge_employments = Table(
    "badge_employments",
    _metadata,
    Column("reference", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("stage", Text),
    Column("answered_on", Date),
    moment("due_at"),
    Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
    Column("pending_act", Text),
    Column("pending", JSONB),
    Column("rejected", JSONB),
    moment("updated_at", null=False),
)


@dataclass(slots=True, kw_only=True)
class EmploymentRow(TrackRow):
    """An employment, and what the employer said of it."""

    TABLE: ClassVar[Table] = badge_employments
    part: str
    answered_on: date | None = None


EMPLOYMENTS: Final = TrackTable(
    row=EmploymentRow,
    key="part",
    hashed=(
        "answered_on", "due_at", "due_provisional", "employer_id", "part", "pending", "pending_act", "reference",
        "rejected", "stage",
    ),
    unhashed=frozenset({"updated_at"}),
    final=frozenset(EmploymentStage) - {EmploymentStage.ASKED},
    ended_on="x.answered_on",
    data=tuple(
        rows(
            "badge_employments",
            "reference part employer_id stage answered_on due_at due_provisional pending_act pending rejected"
            " updated_at",
            "what an employer confirms",
            ALL,
        )
    ),
)  # fmt: skip


def employment(file: OneCase) -> EmploymentRow | None:
    """Return the employment of a case; None before its employer was asked."""
    return next(iter(file.rows_of(EmploymentRow)), None)
