"""The file of one case: loaded and locked whole, changed by a verb in memory, written back in one transaction."""

import copy
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.calendar import current_calendar
from cases.context import Context
from domain.actors import PARK, Actor
from domain.acts import Act
from domain.clock import day_of
from domain.deadlines import WATCHED_BY_SCHEDULE, DeadlineKind
from domain.employers import EmployerContact
from domain.errors import Defect, Refused
from domain.messages import Course, OutwardCall
from domain.moves import Event, Move, PermitEvent, PermitMove, get_move, get_permit_move
from domain.registration import RegistrationRequest
from domain.stages import CLOSED, PERMIT_FINAL, Destination, PermitStage, Stage, Standing
from domain.tasks import Queue, TaskKind, TaskState
from domain.working_days import Deadline, WorkingCalendar
from store import case_rows, tables
from store.case_rows import Row
from store.encryption import DataKey, WrappedKey, unwrap
from store.ledger import Entry, append

_COLUMNS = frozenset(tables.registrations.c.keys()) - {"live", "recorded_at"}


@dataclass(slots=True)
class CaseFile:
    """One case with all that a verb may look at or change."""

    context: Context
    row: Row
    calendar: WorkingCalendar
    person_key: DataKey
    application: RegistrationRequest
    permits: dict[Destination, Row]
    tasks: list[Row]
    deadlines: dict[tuple[str, str, int], Row]
    commands: list[Row]
    calls: list[Row]
    answers: list[Row]
    _stored: Row = field(default_factory=dict)
    _dirty: dict[str, list[Row]] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)
    notices: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    suppressed: set[str] = field(default_factory=set)
    previewed: bool = False
    unsent: list[Destination] = field(default_factory=list)

    # -- what stands -----------------------------------------------------------------------------------------------

    @property
    def reference(self) -> str:
        """The reference of the case."""
        return str(self.row["reference"])

    @property
    def employer_id(self) -> str:
        """The employer whose case it is."""
        return str(self.row["employer_id"])

    @property
    def stage(self) -> Stage:
        """The stage of the registration."""
        return Stage(self.row["stage"])

    @property
    def round(self) -> int:
        """The round that decisions carry."""
        return int(self.row["round"])

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """The destinations asked for."""
        return tuple(Destination(code) for code in self.row["destinations"])

    @property
    def accepted_on(self) -> date:
        """The day of acceptance, which fixes the rule version and is day 0 of the park's clock."""
        return day_of(self.row["accepted_at"])

    def employer_contact(self) -> EmployerContact:
        """Return the employer's contact in clear."""
        key = unwrap(
            self.context.keyring,
            WrappedKey(self.row["employer_key_id"], self.row["employer_kek_id"], self.row["employer_wrapped"]),
        )
        plain = key.open("employers", "contact", self.employer_id, self.row["employer_contact"])
        return EmployerContact.model_validate_json(plain)

    def employer_on(self, day: date) -> Row | None:
        """Return the employer as recorded for a day, or None where nothing was in force."""
        return next((row for row in self.row["versions"] if _covers(row, day)), None)

    def standing_on(self, day: date) -> Standing:
        """Return the employer's standing on a day; good where nothing else was set."""
        standing = Standing.GOOD
        for row in self.row["standings"]:
            if row["valid_from"] <= day:
                standing = Standing(row["standing"])
        return standing

    def assessment(self, scope: str = "registration") -> Row | None:
        """Return the newest assessment of the registration or of a destination."""
        return next((row for row in self.row["assessments"] if row["scope"] == scope), None)

    def find_task(self, kind: TaskKind, destination: Destination | None = None) -> Row | None:
        """Return the open task of a kind, if there is one."""
        return next((t for t in self.tasks if t["kind"] == kind and t["destination"] == destination), None)

    def is_sending_held(self) -> bool:
        """Whether list entries wait: the employer is suspended or a revocation is pending (P7)."""
        return bool(self.row["standing_hold"]) or self.row["pending_act"] == "revoke"

    def check_standing(self, at: datetime) -> None:
        """Refuse a new submission of an employer that is not in good standing (R20)."""
        if self.standing_on(day_of(at)) is not Standing.GOOD:
            raise Refused("employer_not_in_good_standing", "The employer's standing does not allow new submissions.")

    # -- changes ---------------------------------------------------------------------------------------------------

    def move(self, event: Event) -> Move:
        """Move the stage as the table says, or refuse."""
        move = get_move(self.stage, event)
        if move.to is not None:
            self.row["stage"] = move.to.value
        return move

    def move_permit(self, destination: Destination, event: PermitEvent, at: datetime, **values: Any) -> PermitMove:
        """Move a permit's stage as the table says and set further columns, or refuse."""
        permit = self.permits[destination]
        move = get_permit_move(None if permit["stage"] is None else PermitStage(permit["stage"]), event)
        if move.to is not None:
            permit["stage"] = move.to.value
        self.set_permit(destination, at, **values)
        return move

    def set_permit(self, destination: Destination, at: datetime, **values: Any) -> None:
        """Set columns of a permit; the row is made where there is none."""
        permit = self.permits.get(destination)
        if permit is None:
            permit = _new_permit(self, destination)
            self.permits[destination] = permit
        permit.update(values, updated_at=at)
        self._touch("permits", permit)

    def record(self, act: Act, actor: Actor, at: datetime, **detail: object) -> None:
        """Add a ledger row, with stage and round as they stand after the act; codes only."""
        entry = Entry(
            act=act,
            actor=actor,
            at=at,
            reference=self.reference,
            employer_id=self.employer_id,
            detail={"stage": self.stage.value, "round": self.round, **detail},
        )
        self._entries.append(entry)
        self.row["updated_at"] = max(at, self.row["updated_at"])

    def open_task(
        self,
        kind: TaskKind,
        at: datetime,
        *,
        due_at: datetime | None = None,
        destination: Destination | None = None,
        queue: Queue = Queue.OFFICERS,
        reserved_for: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> Row:
        """Open a task, or return the one of its kind that is open already."""
        task = self.find_task(kind, destination)
        if task is None:
            task = {
                "task_id": uuid4(),
                "kind": kind.value,
                "reference": self.reference,
                "employer_id": self.employer_id,
                "destination": destination,
                "round": self.round,
                "state": TaskState.OPEN.value,
                "queue": queue.value,
                "opened_at": at,
                "due_at": due_at or self.row["due_at"],
                "overdue": False,
                "holder": None,
                "held_since": None,
                "reserved_for": reserved_for,
                "detail": dict(detail or {}),
                "closed_at": None,
            }
            self.tasks.append(task)
            self._touch("tasks", task)
        return task

    def change_task(self, task: Row, **values: Any) -> None:
        """Set columns of an open task."""
        task.update(values)
        self._touch("tasks", task)

    def close_tasks(
        self, kinds: Iterable[TaskKind], at: datetime, *, done: bool = True, destination: Destination | None = None
    ) -> None:
        """Close the open tasks of these kinds, of one destination or of the whole case where none is named."""
        wanted = set(kinds)
        for task in [t for t in self.tasks if t["kind"] in wanted and destination in (None, t["destination"])]:
            state = TaskState.DONE if done else TaskState.CANCELLED
            self.change_task(task, state=state.value, closed_at=at)
            self.tasks.remove(task)
            self.cancel_deadlines(DeadlineKind.CLAIM_OVER, destination=str(task["task_id"]))

    def set_deadline(
        self,
        kind: DeadlineKind,
        at: datetime | Deadline,
        *,
        destination: str = "",
        step: int = 0,
        counted: tuple[date, int] | None = None,
    ) -> None:
        """Set or move a deadline; one counted in working days keeps its day 0 and number, to be counted again."""
        row = {
            "reference": self.reference,
            "kind": kind.value,
            "destination": destination,
            "step": step,
            "employer_id": self.employer_id,
            "state": "waiting",
            "at": at.at if isinstance(at, Deadline) else at,
            "counted_from": counted[0] if counted else None,
            "counted_days": counted[1] if counted else None,
            "provisional": at.provisional if isinstance(at, Deadline) else False,
            "calendar_version": at.calendar_version if isinstance(at, Deadline) else None,
        }
        self.deadlines[(kind.value, destination, step)] = row
        self._touch("deadlines", row)

    def set_working_days(
        self, kind: DeadlineKind, day0: date, days: int, *, destination: str = "", step: int = 0
    ) -> Deadline:
        """Set a deadline so many working days after a day, and return it."""
        deadline = self.calendar.deadline(day0, days)
        self.set_deadline(kind, deadline, destination=destination, step=step, counted=(day0, days))
        return deadline

    def cancel_deadlines(self, *kinds: DeadlineKind, destination: str | None = None) -> None:
        """Cancel the waiting deadlines of these kinds, of all kinds where none is named."""
        for key in list(self.deadlines):
            if (not kinds or key[0] in kinds) and destination in (None, key[1]):
                self._end_deadline(key, "cancelled")

    def pass_deadline(self, row: Row) -> None:
        """Mark a deadline as passed."""
        self._end_deadline((row["kind"], row["destination"], row["step"]), "passed")

    def call(
        self,
        what: str,
        at: datetime,
        *,
        destination: Destination,
        attempt: int = 1,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Ask for a call to the authority; asking again for the same changes nothing."""
        key = call_key(self.reference, destination, what, attempt=attempt, on=str((detail or {}).get("on", "")))
        if any(row["key"] == key and row["attempt"] == attempt for row in self.calls):
            return
        row = {
            "key": key,
            "attempt": attempt,
            "reference": self.reference,
            "employer_id": self.employer_id,
            "destination": destination.value,
            "what": what,
            "detail": dict(detail or {}),
            "state": "due",
            "at": at,
            "lease_until": None,
            "tries": 0,
            "done_at": None,
            "reason": None,
        }
        self.calls.append(row)
        self._touch("calls", row)

    def next_attempt(self, destination: Destination) -> int:
        """Return the number of the next list entry for a destination, after those sent before."""
        sent = self.row["list_entries"] or {}
        return int(sent.get(destination.value, 0)) + 1

    def end_calls(self, at: datetime, state: str, *keys: str, reason: str | None = None) -> None:
        """Mark calls as done, rejected or cancelled."""
        for row in [c for c in self.calls if c["key"] in keys]:
            row.update(state=state, done_at=at, reason=reason, lease_until=None)
            self._touch("calls", row)
            self.calls.remove(row)

    def change_answer(self, row: Row, state: str) -> None:
        """Set the state of a kept answer."""
        row["state"] = state
        self._touch("answers", row)

    def mark_command(self, command: Row, state: str, at: datetime, outcome: Mapping[str, object]) -> None:
        """Mark a command as applied or refused."""
        command.update(state=state, applied_at=at, outcome=dict(outcome))
        self._touch("commands", command)

    def assess(self, row: Row) -> None:
        """Keep an assessment beside the earlier ones."""
        earlier = self.assessment(row["scope"])
        row["seq"] = earlier["seq"] + 1 if earlier else 1
        self.row["assessments"] = [a for a in self.row["assessments"] if a["scope"] != row["scope"]] + [row]
        self._touch("assessments", row)

    def seal(self, table: str, column: str, row: str, content: object) -> bytes:
        """Seal a JSON content under the person's key."""
        return self.person_key.seal(table, column, row, json.dumps(content, ensure_ascii=False).encode())

    def open(self, table: str, column: str, row: str, sealed: bytes) -> Any:
        """Return a sealed JSON content."""
        return json.loads(self.person_key.open(table, column, row, sealed))

    # -- what the workflow is told ---------------------------------------------------------------------------------

    def course(self) -> Course:
        """Return where the case stands and what its workflow waits for."""
        waiting = [d for d in self.deadlines.values() if DeadlineKind(d["kind"]) not in WATCHED_BY_SCHEDULE]
        earliest = min(waiting, key=lambda row: row["at"], default=None)
        due = [c for c in self.calls if not (c["what"] == "list_entry" and self.is_sending_held())]
        return Course(
            version=self.row["version"],
            stage=self.stage,
            round=self.round,
            wake_at=earliest["at"] if earliest else None,
            wake_for=earliest["kind"] if earliest else None,
            calls=tuple(OutwardCall(key=c["key"], attempt=c["attempt"]) for c in due),
            to_assess=self.stage in (Stage.RECEIVED, Stage.ASSESSING),
            rests=bool(self.row["settled"]) and not self.calls and self._permits_rest(),
            finished=self.is_finished(),
        )

    def is_finished(self) -> bool:
        """Whether nothing can happen to the case any more."""
        if self.stage not in CLOSED or self.calls:
            return False
        return self.stage is not Stage.ENDED or all(
            permit["answered_for"] or (permit["stage"] is not None and PermitStage(permit["stage"]) in PERMIT_FINAL)
            for permit in self.permits.values()
        )

    def _permits_rest(self) -> bool:
        return all(
            permit["stage"] is not None and PermitStage(permit["stage"]) in PERMIT_FINAL | {PermitStage.ISSUED}
            for permit in self.permits.values()
        )

    # -- keeping ---------------------------------------------------------------------------------------------------

    def keep_as_stored(self) -> None:
        """Take the row as it is now for what the register holds, after the row itself was inserted."""
        self._stored = {name: copy.deepcopy(self.row[name]) for name in _COLUMNS if name in self.row}

    async def save(self, connection: AsyncConnection) -> None:
        """Write everything that changed; the register first, by compare-and-set.

        Raises:
            Defect: when the register stood elsewhere, which the lock of the load makes impossible.
        """
        if self._changes():
            self.row["version"] += 1
        changed = self._changes()
        if changed and not await case_rows.update_case(
            connection, self.reference, self._stored["stage"], self._stored["round"], changed
        ):
            raise Defect("register_moved_underneath")
        for name in ("permits", "tasks", "deadlines", "calls"):
            await case_rows.upsert_rows(connection, tables.metadata.tables[name], self._dirty.get(name, []))
        await case_rows.insert_rows(connection, tables.assessments, self._dirty.get("assessments", []))
        await self._save_marks(connection)
        if self._entries:
            await append(connection, self.reference, self._entries)
        if self.suppressed:
            await _suppress(connection, self.reference, self.suppressed)
        await case_rows.insert_notices(connection, self.notices, self.deliveries)

    def _changes(self) -> Row:
        """Return the columns of the register that changed; a change of a part counts as one of the case."""
        changed = {name: self.row[name] for name in _COLUMNS if self.row[name] != self._stored[name]}
        return changed or ({"version": self.row["version"]} if self._dirty else {})

    async def _save_marks(self, connection: AsyncConnection) -> None:
        commands = self._dirty.get("commands", [])
        if commands:
            marked = update(tables.commands).where(tables.commands.c.command_id == bindparam("id"))
            await connection.execute(
                marked.values(state=bindparam("s"), applied_at=bindparam("a"), outcome=bindparam("o")),
                [{"id": c["command_id"], "s": c["state"], "a": c["applied_at"], "o": c["outcome"]} for c in commands],
            )
        answers = self._dirty.get("answers", [])
        if answers:
            kept = update(tables.answers).where(tables.answers.c.answer_id == bindparam("id"))
            await connection.execute(
                kept.values(state=bindparam("s")), [{"id": a["answer_id"], "s": a["state"]} for a in answers]
            )

    def _touch(self, table: str, row: Row) -> None:
        rows = self._dirty.setdefault(table, [])
        if not any(known is row for known in rows):
            rows.append(row)

    def _end_deadline(self, key: tuple[str, str, int], state: str) -> None:
        row = self.deadlines.pop(key)
        # The same key may have been set in this transaction: the row written last is the one that counts.
        self._dirty["deadlines"] = [r for r in self._dirty.get("deadlines", []) if r is not row]
        self._touch("deadlines", {**row, "state": state})


def call_key(reference: str, destination: Destination, what: str, *, attempt: int = 1, on: str = "") -> str:
    """Return the domain key of a call, which is its idempotency key at the authority as well."""
    if what == "list_entry":
        return f"permit/{reference}/{destination.value}" + (f"/{attempt}" if attempt > 1 else "")
    # A card can be lost again; that a registration ended is reported once.
    return f"report/{reference}/{destination.value}/{what}" + (f"/{on}" if what == "card_lost" else "")


def _covers(row: Mapping[str, Any], day: date) -> bool:
    return bool(row["valid_from"] <= day and (row["valid_to"] is None or day <= row["valid_to"]))


def _new_permit(file: CaseFile, destination: Destination) -> Row:
    blank = {column.name: None for column in tables.permits.c}
    return {
        **blank,
        "reference": file.reference,
        "destination": destination.value,
        "employer_id": file.employer_id,
        "earlier": [],
        "due_provisional": False,
        "answered_for": False,
    }


async def _suppress(connection: AsyncConnection, reference: str, kinds: set[str]) -> None:
    chosen = (
        tables.notices.c.reference == reference,
        tables.notices.c.kind.in_(kinds),
        tables.notices.c.status == "queued",
    )
    ids = (
        update(tables.notices)
        .where(*chosen)
        .values(status="suppressed")
        .returning(tables.notices.c.notice_id)
        .cte("ids")
    )
    await connection.execute(
        update(tables.deliveries)
        .where(tables.deliveries.c.notice_id.in_(ids.select()), tables.deliveries.c.status == "queued")
        .values(status="suppressed", lease_until=None)
    )


@asynccontextmanager
async def open_case(
    context: Context, reference: str, *, tenant: str = PARK, lock: bool = True
) -> AsyncIterator[tuple[CaseFile, AsyncConnection]]:
    """Open the file of a case in a transaction of its own; what the body changed is saved with it.

    Raises:
        Refused: `case_unknown` where the tenant has no such case; `facts_erased` after an erasure.
        Unavailable: when PostgreSQL is away.
    """
    async with context.database.begin(tenant) as connection:
        file = await load_case(context, connection, reference, lock=lock)
        yield file, connection
        if lock:
            await file.save(connection)


async def load_case(context: Context, connection: AsyncConnection, reference: str, *, lock: bool) -> CaseFile:
    """Return the file of a case within a transaction that stands already."""
    row = await case_rows.load(connection, reference, lock=lock)
    if row is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    return await build_file(context, connection, row)


async def build_file(context: Context, connection: AsyncConnection, row: Row) -> CaseFile:
    """Return the file made of a loaded row."""
    key = unwrap(context.keyring, WrappedKey(row["key_id"], row["kek_id"], row["wrapped"]))
    body = key.open("applications", "body", f"{row['reference']}/{row['facts_version']}", row["application_body"])
    file = CaseFile(
        context=context,
        row=row,
        calendar=await current_calendar(context, connection, row["calendar_version"]),
        person_key=key,
        application=RegistrationRequest.model_validate_json(body),
        permits={Destination(p["destination"]): p for p in row.pop("permits")},
        tasks=row.pop("tasks"),
        deadlines={(d["kind"], d["destination"], d["step"]): d for d in row.pop("deadlines")},
        commands=row.pop("commands"),
        calls=row.pop("calls"),
        answers=row.pop("answers"),
    )
    file.keep_as_stored()
    return file


def task_id_of(task: Row) -> UUID:
    """Return the id of a task."""
    return UUID(str(task["task_id"]))
