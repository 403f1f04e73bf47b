"""What a badge keeps beside what every case has: the one employment, which an employer confirms."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import Column, Date, MetaData, Table

from cases.case.row import OneCase
from store.case_tables import TrackTable
from store.rows.tracks import TrackRow
from store.track_tables import track_rows, track_table
from tests.programmes.badge.words import EmploymentStage

# A room leaves `of` out; the schema that is shipped does not have this table.
_metadata = MetaData()

badge_employments = track_table("badge_employments", "part", Column("answered_on", Date), of=_metadata)


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
    data=track_rows("badge_employments", "part", "what an employer confirms", "answered_on"),
)  # fmt: skip


def employment(file: OneCase) -> EmploymentRow | None:
    """Return the employment of a case; None before its employer was asked."""
    return next(iter(file.rows_of(EmploymentRow)), None)
