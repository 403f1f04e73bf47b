"""What a work permit keeps of a case beside what every case has: the permit, and the residence permit beside it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final, TypedDict

from sqlalchemy import Column, Date, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from cases.case.row import OneCase
from domain.data_map import ALL, DataClass, Retention, rows
from programmes.work_permit.words import ResidenceStage, WorkPermitStage
from store.case_tables import TrackTable
from store.rows.tracks import TrackRow
from store.track_tables import track_rows, track_table

_FINAL: Final = frozenset({WorkPermitStage.EXPIRED, WorkPermitStage.CANCELLED, WorkPermitStage.REFUSED})
_RESIDENCE_FINAL: Final = frozenset({ResidenceStage.ISSUED, ResidenceStage.REFUSED, ResidenceStage.CLOSED})

work_permits = track_table(
    "work_permits",
    "part",
    Column("number", Text),
    Column("category", Text),
    Column("valid_from", Date),
    Column("valid_until", Date),
    # What a paper says and waits for its second signature.
    Column("entered", JSONB),
    # Days and category before an extension or a change.
    Column("earlier", JSONB, nullable=False, server_default=text("'[]'")),
    Column("ended_on", Date),
    Column("end_reason", Text),
)
work_permit_residences = track_table(
    "work_permit_residences",
    "part",
    Column("entered_on", Date),
    Column("applied_on", Date),
    Column("decided_on", Date),
    Column("valid_until", Date),
)


class EarlierPermit(TypedDict):
    """What a permit was before the newest paper."""

    number: str | None
    category: str | None
    valid_from: str
    valid_until: str


@dataclass(slots=True, kw_only=True)
class WorkPermitRow(TrackRow):
    """The work permit: a number that is the foreigner's for life, and the days of the newest paper that is signed."""

    TABLE: ClassVar[Table] = work_permits
    part: str
    number: str | None = None
    category: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    entered: dict[str, Any] | None = None
    earlier: list[EarlierPermit] = field(default_factory=list)
    ended_on: date | None = None
    end_reason: str | None = None


@dataclass(slots=True, kw_only=True)
class ResidenceRow(TrackRow):
    """The residence permit: when the person came and applied, what the authority answered, until when it is valid."""

    TABLE: ClassVar[Table] = work_permit_residences
    part: str
    entered_on: date | None = None
    applied_on: date | None = None
    decided_on: date | None = None
    valid_until: date | None = None


WORK_PERMITS: Final = TrackTable(
    row=WorkPermitRow,
    key="part",
    # A stored spelling, as the table's name is.
    hashed=(
        "category", "due_at", "due_provisional", "earlier", "employer_id", "end_reason", "ended_on", "entered",
        "number", "part", "pending", "pending_act", "reference", "rejected", "stage", "valid_from", "valid_until",
    ),
    unhashed=frozenset({"updated_at"}),
    final=_FINAL,
    resting=frozenset({WorkPermitStage.ISSUED, WorkPermitStage.EXPIRING}),
    ended_on="x.ended_on",
    emptied={
        **dict.fromkeys(("number", "valid_from", "valid_until", "entered"), "NULL"),
        "earlier": "'[]'",
    },
    data=(
        *track_rows("work_permits", "part", "following the permit", "category ended_on end_reason"),
        *rows(
            "work_permits",
            "number valid_from valid_until entered earlier",
            "the permit as the authority gave it",
            ALL,
            of=DataClass.PERSONAL,
            until=Retention.CASE,
        ),
    ),
)  # fmt: skip
RESIDENCES: Final = TrackTable(
    row=ResidenceRow,
    key="part",
    hashed=(
        "applied_on", "decided_on", "due_at", "due_provisional", "employer_id", "entered_on", "part", "pending",
        "pending_act", "reference", "rejected", "stage", "valid_until",
    ),
    unhashed=frozenset({"updated_at"}),
    final=_RESIDENCE_FINAL,
    ended_on="x.decided_on",
    emptied=dict.fromkeys(("entered_on", "applied_on", "valid_until"), "NULL"),
    data=(
        *track_rows("work_permit_residences", "part", "following the residence permit", "decided_on"),
        *rows(
            "work_permit_residences",
            "entered_on applied_on valid_until",
            "the residence permit, which goes with the work permit",
            ALL,
            of=DataClass.PERSONAL,
            until=Retention.CASE,
        ),
    ),
)  # fmt: skip


def work_permit(file: OneCase) -> WorkPermitRow | None:
    """Return the permit of a case; None before its approval has settled."""
    return next(iter(file.rows_of(WorkPermitRow)), None)


def residence(file: OneCase) -> ResidenceRow | None:
    """Return the residence permit of a case; None before its approval has settled."""
    return next(iter(file.rows_of(ResidenceRow)), None)


def with_earlier(row: WorkPermitRow) -> list[EarlierPermit]:
    """Return what the permit was before, with what it is until now as the last."""
    now = EarlierPermit(
        number=row.number, category=row.category, valid_from=str(row.valid_from), valid_until=str(row.valid_until)
    )
    return [*row.earlier, now]
