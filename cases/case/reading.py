"""A case as it is read and not changed: what a view of it needs and nothing else, for a page of cases at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.row import OneCase
from cases.shared.calendar import current_calendar
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Defect, KeyUnknown, Refused
from domain.forms import Subject
from domain.working_days import WorkingCalendar
from store import case_reads
from store.case_reads import AnswerShown, FactShown, PendingChange, ReadCase, TaskShown
from store.case_rows import StandingHold
from store.case_tables import OwnRows
from store.encryption import DataKey, unwrap
from store.rows.register import CaseRow


@dataclass(frozen=True, slots=True)
class CaseReading(OneCase):
    """One case to be shown; it has no verbs and cannot be saved."""

    context: Context
    row: CaseRow
    own_rows: OwnRows
    read: ReadCase
    calendar: WorkingCalendar
    _key: DataKey | Defect | KeyUnknown | Refused

    @property
    def subject(self) -> Subject:
        """The person whom the case is about.

        Raises:
            Refused: `facts_erased` after an erasure.
            Defect: when it cannot be opened.
        """
        return self.form.subject_of(self.given())

    @property
    def tasks(self) -> list[TaskShown]:
        """The open tasks, for staff."""
        return self.read.tasks

    @property
    def answers(self) -> list[AnswerShown]:
        """The answers of the authority that wait, for staff."""
        return self.read.answers

    @property
    def facts(self) -> list[FactShown]:
        """The facts that officers recorded."""
        return self.read.facts

    @property
    def legal_holds(self) -> list[StandingHold]:
        """The legal holds that stand, for staff."""
        return self.read.legal_holds

    @property
    def pending_change(self) -> PendingChange | None:
        """What the employer asked to have changed and no officer has answered."""
        return self.read.pending_change

    def findings(self, scope: str = "registration") -> str | None:
        """Return the findings of the newest assessment of the registration or of a destination, as JSON."""
        return self.read.findings if scope == "registration" else self.read.track_findings.get(scope)

    def given(self) -> dict[str, Any]:
        """Return what the employer gave, as it was stored.

        Raises:
            Refused: `facts_erased` after an erasure.
            Defect: when it cannot be opened.
        """
        place = f"{self.reference}/{self.row.facts_version}"
        opened: dict[str, Any] = self.open("applications", "body", place, self.read.application)
        return opened

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
    found = await case_reads.read(connection, references, own=context.own_tables, inside=actor.is_inside)
    return [
        CaseReading(
            context=context,
            row=each.registration,
            own_rows=each.own,
            read=each,
            calendar=await current_calendar(context, connection, each.calendar_version),
            _key=_opened(context, each),
        )
        for each in found
    ]


def _opened(context: Context, read: ReadCase) -> DataKey | Defect | KeyUnknown | Refused:
    try:
        return unwrap(context.keyring, read.key)
    except (Defect, KeyUnknown, Refused) as error:
        return error
