"""What a toy keeps beside what every case has: its making, a track for each workshop."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import Column, Date, MetaData, Table

from cases.case.row import OneCase
from store.case_tables import TrackTable
from store.rows.tracks import TrackRow
from store.track_tables import track_rows, track_table
from tests.programmes.toy.words import MakingStage

# A room leaves `of` out; the schema that is shipped does not have this table.
_metadata = MetaData()

toy_makings = track_table("toy_makings", "workshop", Column("made_on", Date), of=_metadata)


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
    data=track_rows("toy_makings", "workshop", "following the making of a toy", "made_on"),
)  # fmt: skip


def makings(file: OneCase) -> dict[str, MakingRow]:
    """Return the makings of a case by workshop; of none before its approval has settled."""
    return {row.workshop: row for row in file.rows_of(MakingRow)}
