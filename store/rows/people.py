"""Rows of employers and premises."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Table

from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class EmployerVersionRow(TableRow):
    """What was recorded of an employer, in force from a day on and to another."""

    TABLE: ClassVar[Table] = tables.employer_versions
    employer_id: str
    valid_from: date
    valid_to: date | None = None
    name_zh: str
    name_en: str | None = None
    kind: str
    premises: list[str]

    def covers(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(slots=True, kw_only=True)
class StandingRow(TableRow):
    """A change of an employer's standing."""

    TABLE: ClassVar[Table] = tables.employer_standings
    change_id: UUID
    employer_id: str
    standing: str
    valid_from: date
    state: str
    proposed_by: dict[str, Any]
    confirmed_by: dict[str, Any] | None = None
    spread: bool = False
    at: datetime


@dataclass(slots=True, kw_only=True)
class PremisesRow(TableRow):
    """A building of the Park, in force from a day on and to another."""

    TABLE: ClassVar[Table] = tables.premises
    code: str
    valid_from: date
    valid_to: date | None = None
    address: str
    folded: str

    def covers(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
