"""What the talent permit keeps of a case beside what every case has."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import Column, Date, ForeignKey, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from cases.case.row import OneCase
from domain.data_map import ALL, DataClass, Retention, rows
from store.case_tables import CaseTable
from store.rows.base import TableRow
from store.tables.base import metadata

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


TALENT_PERMITS: Final = CaseTable(
    row=TalentPermitRow,
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
