"""A case as it is read and not changed: what a view of it needs and nothing else, for a page of cases at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.calendar import current_calendar
from cases.case_row import CaseRow
from cases.context import Context
from domain.actors import Actor
from domain.errors import Defect, KeyUnknown, Refused
from domain.languages import Language
from domain.stages import Destination
from domain.working_days import WorkingCalendar
from store import case_reads
from store.case_rows import Row
from store.encryption import DataKey, WrappedKey, unwrap


class PersonShown(NamedTuple):
    """Of the person what a view is made of."""

    name_zh: str
    name_en: str | None
    identity_number: str
    language: Language


class ApplicationShown(NamedTuple):
    """What was given, checked when it was taken on and not again whenever it is shown."""

    person: PersonShown


@dataclass(frozen=True, slots=True)
class CaseReading(CaseRow):
    """One case to be shown; it has no verbs and cannot be saved."""

    context: Context
    row: Row
    calendar: WorkingCalendar
    permits: dict[Destination, Row]
    tasks: list[Row]
    answers: list[Row]
    facts: list[Row]
    _key: DataKey | Defect | KeyUnknown | Refused

    @property
    def application(self) -> ApplicationShown:
        """What the employer gave.

        Raises:
            Refused: `facts_erased` after an erasure.
            Defect: when it cannot be opened.
        """
        place = f"{self.reference}/{self.row['facts_version']}"
        person = self.open("applications", "body", place, self.row["application_body"])["person"]
        names = person["name_zh"], person.get("name_en")
        return ApplicationShown(PersonShown(*names, person["identity_number"], Language(person["language"])))

    def assessment(self, scope: str = "registration") -> Row | None:
        """Return the findings of the newest assessment of the registration or of a destination, as JSON."""
        of_permits = self.row.get("permit_findings") or {}
        findings = self.row["findings"] if scope == "registration" else of_permits.get(scope)
        return None if findings is None else {"findings": findings}

    @property
    def pending_change(self) -> dict[str, Any] | None:
        """What the employer asked to have changed and no officer has answered."""
        found: dict[str, Any] | None = self.row["pending_change"]
        if found is None:
            return None
        times = {name: datetime.fromisoformat(found[name]) if found[name] else None for name in ("asked_at", "due_at")}
        return {"fields": found["fields"], **times}

    def open(self, table: str, column: str, row: str, sealed: bytes) -> Any:
        """Return a sealed JSON content.

        Raises:
            Refused: `facts_erased` after an erasure.
            Defect: when the person's key cannot be opened, or the content was altered.
        """
        if isinstance(self._key, Exception):
            raise self._key
        return orjson.loads(self._key.open(table, column, row, sealed))


async def read_cases(
    context: Context, connection: AsyncConnection, references: Sequence[str], actor: Actor
) -> list[CaseReading]:
    """Return the cases of these references that the transaction's tenant has, in their order; erased ones as well."""
    rows = await case_reads.read(connection, references, inside=actor.is_inside)
    return [
        CaseReading(
            context=context,
            row=row,
            calendar=await current_calendar(context, connection, row["calendar_version"]),
            permits={Destination(permit["destination"]): permit for permit in row["permits"]},
            tasks=row.get("tasks") or [],
            answers=row.get("answers") or [],
            facts=row["facts"],
            _key=_opened(context, row),
        )
        for row in rows
    ]


def _opened(context: Context, row: Row) -> DataKey | Defect | KeyUnknown | Refused:
    try:
        return unwrap(context.keyring, WrappedKey(row["key_id"], row["kek_id"], row["wrapped"]))
    except (Defect, KeyUnknown, Refused) as error:
        return error
