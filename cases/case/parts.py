"""The parts of a case file: tracks, tasks, deadlines, calls and what was kept, changed in memory by the verbs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from cases.case.bundles import Foretold, Told
from cases.case.row import OneCase
from cases.shared.context import Context
from domain.deadlines import DeadlineKind
from domain.errors import Defect, KeyUnknown
from domain.forms import Form, Subject
from domain.messages import Origin
from domain.outward import CallOf
from domain.tasks import Queue, TaskState
from domain.working_days import Deadline, WorkingCalendar
from policy.pack import Pack
from store.case_reads import TaskShown
from store.case_rows import LedgerEnd, LoadedEmployer, ReadBeside, Row, StandingHold
from store.case_tables import CaseTable, OwnRows, TrackTable
from store.encryption import DataKey
from store.ledger import Entry
from store.rows.authority import AnswerRow, CallRow
from store.rows.base import TableRow
from store.rows.notices import DeliveryRow, NoticeRow
from store.rows.register import AssessmentRow, CaseRow, FactRow
from store.rows.work import CommandRow, DeadlineRow, IncidentRow, TaskRow

_Opened = TypeVar("_Opened")
_SERVED: Final = "destinations"


@dataclass(slots=True)
class CaseParts(OneCase):
    """The rows of a case, and which of them have to be written."""

    context: Context
    row: CaseRow
    own_rows: OwnRows
    employer: LoadedEmployer
    calendar: WorkingCalendar
    _key: DataKey | Defect | KeyUnknown
    _application: Form | Defect | KeyUnknown
    tasks: list[TaskRow] = field(default_factory=list)
    deadlines: dict[tuple[str, str, int], DeadlineRow] = field(default_factory=dict)
    commands: list[CommandRow] = field(default_factory=list)
    calls: list[CallRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    assessments: list[AssessmentRow] = field(default_factory=list)
    facts: list[FactRow] = field(default_factory=list)
    incidents: list[IncidentRow] = field(default_factory=list)
    # Who declared a conflict of interest.
    conflicts: list[str] = field(default_factory=list)
    legal_holds: list[StandingHold] = field(default_factory=list)
    # The most tries of each kind of call, by its kind and, behind a slash, the track that it is about.
    attempts: dict[str, int] = field(default_factory=dict)
    # The epoch of the register: 0, or the number of the restore that was declared last.
    epoch: int = 0
    ledger_end: LedgerEnd | None = None
    # What was read in the same statement.
    beside: ReadBeside = field(default_factory=ReadBeside)
    _stored: Row = field(default_factory=dict)
    # By table and key.
    _stored_own: dict[tuple[str, str | None], Row] = field(default_factory=dict)
    _dirty: dict[str, list[TableRow]] = field(default_factory=dict)
    _added: dict[str, list[Row | TableRow]] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)
    notices: list[NoticeRow] = field(default_factory=list)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    suppressed: set[tuple[str, str]] = field(default_factory=set)
    previewed: bool = False
    # Set to take in what would be told while the file is only tried.
    foretold: list[Foretold] | None = None
    # Set before a case ends by a departure: another one that follows it begins where it ends.
    is_followed: bool = False
    # The command that is being tried or applied.
    applying: UUID | None = None
    unsent: list[str] = field(default_factory=list)
    # What the ledger rows of this transaction name: the step that does it, and the statement of who asked for it.
    origin: Origin | None = None
    statement_hash: bytes | None = None
    # The rule version that what is recorded rests on, where it is not that of the case.
    ruled_by: Pack | None = None
    _state: bytes | None = None

    def __post_init__(self) -> None:
        for each in self.own_tables:
            self.own_rows.setdefault(each.name, [])

    @property
    def person_key(self) -> DataKey:
        """The key of the person.

        Raises:
            Defect: when it cannot be opened; a case is shown and put before an operator all the same.
        """
        return _opened(self._key)

    @person_key.setter
    def person_key(self, key: DataKey) -> None:
        self._key = key

    @property
    def application(self) -> Form:
        """What was given, in the form of the case's programme.

        Raises:
            Defect: when it cannot be opened.
        """
        return _opened(self._application)

    @application.setter
    def application(self, application: Form) -> None:
        self._application = application

    @property
    def own_tables(self) -> Sequence[CaseTable]:
        """The tables of the case's programme."""
        return self.context.programmes[self.row.programme].tables

    @property
    def subject(self) -> Subject:
        """The person whom the case is about.

        Raises:
            Defect: when what was given cannot be opened.
        """
        return self.application.subject

    def add_row(self, table: str, row: Row | TableRow) -> None:
        """Have a new row written with the case: an application, a command, an answer, an incident."""
        self._added.setdefault(table, []).append(row)

    def added_rows(self, table: str) -> list[Row | TableRow]:
        """Return the new rows of a table that are not written yet."""
        return self._added.get(table, [])

    def assessment(self, scope: str = "registration") -> AssessmentRow | None:
        """Return the newest assessment of the registration or of a destination."""
        return next((row for row in self.assessments if row.scope == scope), None)

    def find_task(self, kind: str, destination: str | None = None) -> TaskRow | None:
        """Return the open task of a kind, if there is one: of a destination, also one that serves it with another."""
        return next((t for t in self.tasks if t.kind == kind and _serves(t, destination)), None)

    def set_track(self, table: TrackTable, key: str, at: datetime, **values: Any) -> None:
        """Set columns of a track; the row is made where there is none."""
        track = self.track(table, key)
        if track is None:
            made: dict[str, Any] = {"reference": self.reference, "employer_id": self.employer_id, table.key: str(key)}
            track = table.row(**made, updated_at=at)
            self.own_rows[table.name].append(track)
        track.change(**values, updated_at=at)

    def open_task(
        self,
        kind: str,
        at: datetime,
        *,
        due_at: datetime | None = None,
        destination: str | None = None,
        queue: Queue = Queue.OFFICERS,
        reserved_for: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> TaskRow:
        """Open a task, or return the one of its kind that is open already."""
        task = self.find_task(kind, destination)
        if task is None:
            task = TaskRow(
                task_id=uuid4(),
                kind=str(kind),
                reference=self.reference,
                employer_id=self.employer_id,
                destination=destination,
                round=self.round,
                state=TaskState.OPEN.value,
                queue=queue.value,
                opened_at=at,
                due_at=due_at or self.row.due_at,
                reserved_for=reserved_for,
                detail=dict(detail or {}),
            )
            self.tasks.append(task)
            self._touch("tasks", task)
        return task

    def share_task(
        self,
        kind: str,
        at: datetime,
        destination: str,
        *,
        due_at: datetime | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> TaskRow:
        """Open a task about a destination, or let one that the same step opened about the same serve it too.

        A task that was there before this step stays with the destinations that its ledger rows name.
        """
        about = dict(detail or {})
        if (served_by := self.find_task(kind, destination)) is not None:
            return served_by
        for task in self.tasks:
            is_same = task.kind == kind and task.opened_at == at and _about(task) == about
            if is_same and not _serves(task, destination):
                served = sorted({*destinations_of(task), str(destination)})
                self.change_task(task, destination=None, detail=about | {_SERVED: served})
                return task
        return self.open_task(kind, at, due_at=due_at, destination=destination, detail=about)

    def change_task(self, task: TaskRow, **values: Any) -> None:
        """Set columns of an open task."""
        task.change(**values)
        self._touch("tasks", task)

    def close_tasks(self, kinds: Iterable[str], at: datetime, *, destination: str | None = None) -> None:
        """Close the open tasks of these kinds: those of one destination, or the registration's where none is named.

        One that serves another destination as well stays open for that one.
        """
        wanted = set(kinds)
        for task in [t for t in self.tasks if t.kind in wanted and _serves(t, destination)]:
            left = [each for each in destinations_of(task) if each != destination] if destination else []
            if left:
                self.change_task(task, detail=task.detail | {_SERVED: left})
            else:
                self._close_task(task, TaskState.DONE, at)

    def cancel_tasks(self, at: datetime) -> None:
        """Cancel the tasks of a case that has closed, but for what others still wait for."""
        for task in [t for t in self.tasks if not self.words.tasks[t.kind].outlives]:
            self._close_task(task, TaskState.CANCELLED, at)

    def set_deadline(
        self,
        kind: str,
        at: datetime | Deadline,
        *,
        destination: str = "",
        step: int = 0,
        counted: tuple[date, int] | None = None,
    ) -> None:
        """Set or move a deadline; one counted in working days keeps its day 0 and number, to be counted again."""
        row = DeadlineRow(
            reference=self.reference,
            kind=str(kind),
            destination=destination,
            step=step,
            employer_id=self.employer_id,
            state="waiting",
            at=at.at if isinstance(at, Deadline) else at,
            counted_from=counted[0] if counted else None,
            counted_days=counted[1] if counted else None,
            provisional=at.provisional if isinstance(at, Deadline) else False,
            calendar_version=at.calendar_version if isinstance(at, Deadline) else None,
        )
        self.deadlines[(str(kind), destination, step)] = row
        self._touch("deadlines", row)

    def set_working_days(self, kind: str, day0: date, days: int, *, destination: str = "", step: int = 0) -> Deadline:
        """Set a deadline so many working days after a day, and return it."""
        deadline = self.calendar.deadline(day0, days)
        self.set_deadline(kind, deadline, destination=destination, step=step, counted=(day0, days))
        return deadline

    def cancel_deadlines(self, *kinds: str, destination: str | None = None) -> None:
        """Cancel the waiting deadlines of these kinds, of all kinds where none is named."""
        for key in list(self.deadlines):
            if (not kinds or key[0] in kinds) and destination in (None, key[1]):
                self._end_deadline(key, "cancelled")

    def pass_deadline(self, row: DeadlineRow) -> None:
        """Mark a deadline as passed."""
        self._end_deadline((row.kind, row.destination, row.step), "passed")

    def call(
        self,
        what: str,
        at: datetime,
        *,
        destination: str | None,
        attempt: int = 1,
        part: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Ask for an outward call; asking again for the same changes nothing.

        The key says in which epoch the approval was given: approved again after a restore the case has another number,
        and nobody outside must take its call for a repeat. A call that was due before the restore keeps its key.
        """
        epoch = self.row.effect_by.get("epoch", 0) if self.row.effect_by else 0
        of = CallOf(
            place=self.reference if destination is None else f"{self.reference}/{destination}",
            part=part,
            since=f"@{epoch}" if epoch else "",
            attempt=attempt,
            on=str((detail or {}).get("on", "")),
        )
        key = self.call_kinds[what].key(of)
        if any(row.key == key and row.attempt == attempt for row in self.calls):
            return
        row = CallRow(
            key=key,
            attempt=attempt,
            reference=self.reference,
            employer_id=self.employer_id,
            destination=None if destination is None else str(destination),
            what=what,
            detail=dict(detail or {}),
            state="due",
            at=at,
        )
        self.calls.append(row)
        self._touch("calls", row)

    def change_call(self, row: CallRow, **values: Any) -> None:
        """Set columns of a call that is due."""
        row.change(**values)
        self._touch("calls", row)

    def next_attempt(self, what: str, destination: str) -> int:
        """Return the number of the next call of a kind for a destination, after those made before."""
        return self.attempts.get(f"{what}/{destination}", 0) + 1

    def calls_of(self, destination: str, *whats: str) -> list[str]:
        """Return the keys of the calls due for a destination, of these kinds or of all."""
        mine = [call for call in self.calls if call.destination == destination]
        return [call.key for call in mine if not whats or call.what in whats]

    def end_calls(self, at: datetime, state: str, *keys: str, reason: str | None = None) -> None:
        """Mark calls as done, rejected or cancelled."""
        for row in [c for c in self.calls if c.key in keys]:
            row.change(state=state, done_at=at, reason=reason)
            self._touch("calls", row)
            self.calls.remove(row)

    def put_fact(self, row: FactRow, **values: Any) -> None:
        """Keep a fact that an officer recorded, or set columns of one that is kept."""
        row.change(**values)
        if not any(known is row for known in self.facts):
            self.facts.append(row)
        self._touch("case_facts", row)

    def change_answer(self, row: AnswerRow, state: str) -> None:
        """Set the state of a kept answer."""
        row.state = state
        self._touch("answers", row)

    def mark_command(self, command: CommandRow, state: str, at: datetime, outcome: Mapping[str, object]) -> None:
        """Mark a command as applied or refused."""
        command.change(state=state, applied_at=at, outcome=dict(outcome))
        self._touch("commands", command)

    def assess(self, row: AssessmentRow) -> None:
        """Keep an assessment beside the earlier ones."""
        earlier = self.assessment(row.scope)
        row.seq = earlier.seq + 1 if earlier else 1
        self.assessments = [a for a in self.assessments if a.scope != row.scope] + [row]
        self._touch("assessments", row)

    def _close_task(self, task: TaskRow, state: TaskState, at: datetime) -> None:
        self.change_task(task, state=state.value, closed_at=at)
        self.tasks.remove(task)
        self.cancel_deadlines(DeadlineKind.CLAIM_OVER, destination=str(task.task_id))

    def _touch(self, table: str, row: TableRow) -> None:
        if any(known is row for known in self.added_rows(table)):
            return  # it is written whole, as it stands in the end
        rows = self._dirty.setdefault(table, [])
        if not any(known is row for known in rows):
            rows.append(row)

    def _end_deadline(self, key: tuple[str, str, int], state: str) -> None:
        row = self.deadlines.pop(key)
        # The same key may have been set in this transaction: the row written last is the one that counts.
        self._dirty["deadlines"] = [r for r in self._dirty.get("deadlines", []) if r is not row]
        self._touch("deadlines", replace(row, state=state))


def destinations_of(task: TaskRow | TaskShown) -> list[str]:
    """Return the destinations that a task is about: one, several with the same question, or none."""
    if task.destination is not None:
        return [str(task.destination)]
    return [str(each) for each in task.detail.get(_SERVED, ())]


def _serves(task: TaskRow, destination: str | None) -> bool:
    return bool(task.destination == destination or destination in destinations_of(task))


def _about(task: TaskRow) -> dict[str, Any]:
    return {name: value for name, value in task.detail.items() if name != _SERVED}


def _opened(value: _Opened | Defect | KeyUnknown) -> _Opened:
    if isinstance(value, KeyUnknown):
        raise KeyUnknown(value.kind, value.key_id)
    if isinstance(value, Defect):
        raise Defect(value.reason)
    return value
