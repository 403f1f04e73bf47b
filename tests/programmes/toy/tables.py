"""What a toy keeps beside what every case has: its making, a track for each workshop."""

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
from tests.programmes.toy.words import MakingStage

# A room takes `store.tables.base.metadata`; the schema that is shipped does not have this table.
_metadata = MetaData()

toy_makings = Table(
    "toy_makings",
    _metadata,
    Column("reference", Text, primary_key=True),
    Column("workshop", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("stage", Text),
    Column("made_on", Date),
    moment("due_at"),
    Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
    Column("pending_act", Text),
    Column("pending", JSONB),
    Column("rejected", JSONB),
    moment("updated_at", null=False),
)


@dataclass(slots=True, kw_only=True)
class MakingRow(TrackRow):
    """The making of a toy in a workshop."""

    TABLE: ClassVar[Table] = toy_makings
    workshop: str
    made_on: date | None = None


MAKINGS: Final = TrackTable(
    row=MakingRow,
    key="workshop",
    # A stored spelling, as the table's name is.
    hashed=(
        "due_at", "due_provisional", "employer_id", "made_on", "pending", "pending_act", "reference", "rejected",
        "stage", "workshop",
    ),
    unhashed=frozenset({"updated_at"}),
    final=frozenset({MakingStage.MADE, MakingStage.LEFT}),
    ended_on="x.made_on",
    data=tuple(
        rows(
            "toy_makings",
            "reference workshop employer_id stage made_on due_at due_provisional pending_act pending rejected"
            " updated_at",
            "following the making of a toy",
            ALL,
        )
    ),
)  # fmt: skip


def makings(file: OneCase) -> dict[str, MakingRow]:
    """Return the makings of a case by workshop; of none before its approval has settled."""
    return {row.workshop: row for row in file.rows_of(MakingRow)}
