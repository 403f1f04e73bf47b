"""The file of one case: loaded and locked whole, changed by a verb in memory, written back in one transaction."""

import copy
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import bundles
from cases.case.parts import CaseParts
from cases.case.state import case_state, form_told, state_hash
from cases.shared.calendar import current_calendar
from cases.shared.context import Context
from cases.shared.pack_shelf import need_pack
from domain.actors import PARK, Actor, Role
from domain.clock import CHINA, day_of, over_at, to_the_second
from domain.errors import Defect, KeyUnknown, Refused
from domain.forms import Form
from domain.messages import Course, Origin, OutwardCall
from domain.notices import Channel
from domain.parties import Party
from domain.stages import CLOSED, Stage, Standing
from domain.tasks import TaskKind
from policy.pack import Pack
from store import case_rows, case_writes
from store.case_reads import PendingChange
from store.case_rows import Beside, LedgerEnd, LoadedCase, Row
from store.case_tables import TrackTable
from store.encryption import DataKey, unwrap
from store.ledger import Entry, follow
from store.rows.authority import CallRow
from store.rows.base import TableRow
from store.rows.people import EmployerVersionRow
from store.rows.tracks import TrackRow

_WRITTEN = ("tasks", "deadlines", "calls", "assessments", "case_facts")


@dataclass(slots=True)
class CaseFile(CaseParts):
    """One case with all that a verb may look at or change."""

    @contextmanager
    def ruled(self, by: Pack) -> Iterator[None]:
        """Let what is recorded rest on another rule version than that of the case; a renewal has that of its day."""
        self.ruled_by = by
        try:
            yield
        finally:
            self.ruled_by = None

    @property
    def accepted_on(self) -> date:
        """The day of acceptance, which fixes the rule version and is day 0 of the park's clock."""
        return day_of(self.row.accepted_at)

    @property
    def pending_change(self) -> PendingChange | None:
        """What the employer asked to have changed and no officer has answered."""
        task = self.find_task(TaskKind.CHANGE)
        if task is None:
            return None
        return PendingChange(task.detail.get("fields", []), task.opened_at, task.due_at)

    def findings(self, scope: str = "registration") -> bytes | None:
        """Return the findings of the newest assessment of the registration or of a destination, as JSON."""
        assessment = self.assessment(scope)
        return None if assessment is None else orjson.dumps(assessment.findings)

    def employer_on(self, day: date) -> EmployerVersionRow | None:
        """Return the employer as recorded for a day, or None where nothing was in force."""
        return self.employer.on(day)

    def standing_on(self, day: date) -> Standing:
        """Return the owner's standing on a day; good where nothing else was set, and for any person."""
        return Standing.GOOD if self.owned_by is Party.PERSON else self.employer.standing_on(day)

    def is_sending_held(self) -> bool:
        """Whether calls wait that can be held: the employer is suspended, or what may end the case is proposed (P7)."""
        return self.row.standing_hold or self.row.pending_act in self.context.programmes[self.row.programme].holding

    def check_standing(self, at: datetime) -> None:
        """Refuse a new submission of an employer that is not in good standing (R20)."""
        if self.standing_on(day_of(at)) is not Standing.GOOD:
            raise Refused("employer_not_in_good_standing", "The employer's standing does not allow new submissions.")

    def record(
        self,
        act: str,
        actor: Actor,
        at: datetime,
        *,
        outcome: str | None = None,
        reasons: Iterable[str] = (),
        destination: str | None = None,
        **detail: object,
    ) -> None:
        """Add a ledger row, with stage, round and the hash of the case's state as they stand after the act."""
        pack = self.ruled_by or self.pack if self.words.act(act).ruled else None
        before, self._state = self._state, self.state()
        entry = Entry(
            act=act,
            actor=actor,
            at=at,
            reference=self.reference,
            employer_id=self.employer_id,
            detail={"stage": self.stage.value, "round": self.round, **detail, **form_told()},
            outcome=outcome,
            reason_codes=tuple(reasons),
            destination=destination,
            rule_version=pack.version if pack else None,
            rule_hash=bytes.fromhex(pack.content_hash) if pack else None,
            before_hash=self._hash(before),
            after_hash=self._hash(self._state),
            # What the engine does of itself after an act is nobody's word.
            statement_hash=None if actor.role is Role.SYSTEM else self.statement_hash,
            origin=self.origin,
        )
        self._entries.append(entry)

    def _hash(self, state: bytes | None) -> bytes | None:
        """Return the keyed hash of a state; none where the key cannot be opened, which an incident must outlive."""
        return None if state is None or isinstance(self._key, Defect | KeyUnknown) else state_hash(self._key, state)

    def seal(self, table: str, column: str, row: str, content: object) -> bytes:
        """Seal a JSON content under the person's key."""
        return self.person_key.seal(table, column, row, json.dumps(content, ensure_ascii=False).encode())

    def open(self, table: str, column: str, row: str, sealed: bytes) -> Any:
        """Return a sealed JSON content."""
        return json.loads(self.person_key.open(table, column, row, sealed))

    def course(self) -> Course:
        """Return where the case stands and what its workflow waits for."""
        waiting = [d for d in self.deadlines.values() if not self.words.deadlines[d.kind].by_schedule]
        earliest = min(waiting, key=lambda row: row.at, default=None)
        return Course(
            epoch=self.epoch,
            version=self.row.version,
            stage=self.stage,
            round=self.round,
            wake_at=over_at(earliest.at) if earliest else None,
            wake_for=earliest.kind if earliest else None,
            calls=self._calls(),
            to_assess=self.stage in (Stage.RECEIVED, Stage.ASSESSING),
            rests=self.row.settled and not self.calls and self._tracks_rest(),
            finished=self.is_finished(),
            recorded=None if self.ledger_end is None else (self.ledger_end.seq, self.ledger_end.hash.hex()),
        )

    def due_calls(self, key: str) -> list[CallRow]:
        """Return the calls that may be made now under a key: its own, or those that go side by side under one."""
        kinds = self.call_kinds
        due = [c for c in self.calls if not (kinds[c.what].can_be_held and self.is_sending_held())]
        together = [c for c in due if kinds[c.what].together_key(self.reference) == key]
        if together:
            return together if len(together) > 1 else []
        return [c for c in due if c.key == key]

    def _calls(self) -> tuple[OutwardCall, ...]:
        """Return the calls that are due; those of several tracks that go side by side are one."""
        named = dict.fromkeys(self.call_kinds[c.what].together_key(self.reference) for c in self.calls)
        together = {key: due for key in named if key is not None and (due := self.due_calls(key))}
        sent = [c for due in together.values() for c in due]
        single = [c for c in self.calls if c not in sent and self.due_calls(c.key)]
        calls = tuple(OutwardCall(key=c.key, attempt=c.attempt) for c in single)
        return (*(OutwardCall(key=key) for key in together), *calls)

    @property
    def closes(self) -> bool:
        """Whether the case was live as it was loaded and is not any more."""
        return self.stage in CLOSED and Stage(self._stored["stage"]) not in CLOSED

    def is_finished(self) -> bool:
        """Whether nothing can happen to the case any more."""
        # What is proposed of a case that has closed waits for its signature like any other.
        if self.stage not in CLOSED or self.calls or self.row.pending_act is not None:
            return False
        return self.stage is not Stage.ENDED or all(table.is_over(track) for table, track in self._tracks())

    def _tracks_rest(self) -> bool:
        return all(table.is_at_rest(track) for table, track in self._tracks())

    def _tracks(self) -> Iterator[tuple[TrackTable, TrackRow]]:
        for each in self.track_tables:
            for row in self.own_rows[each.name]:
                if isinstance(row, TrackRow):
                    yield each, row

    def keep_as_stored(self) -> None:
        """Take the row as it is now for what the register holds, after the row itself was inserted."""
        self._stored = _kept(self._columns())
        self._stored_own = {
            (each.name, each.key_of(row)): _kept(row.document())
            for each in self.own_tables
            for row in self.own_rows[each.name]
        }
        self._state = self.state()

    def keep_stage_as_stored(self, stage: Stage) -> None:
        """Take the stage for what the register holds, after this transaction wrote it there ahead of the save."""
        self._stored["stage"] = stage.value

    async def add(self, connection: AsyncConnection, further: Mapping[str, list[Row]]) -> None:
        """Write a new case, in one statement with further rows of its transaction."""
        await case_writes.write(
            connection, {"cases": [self._columns()], **self._document(), **further}, self.own_tables
        )

    async def save(self, connection: AsyncConnection) -> None:
        """Write everything that changed, in one statement; the register by compare-and-set.

        Raises:
            Defect: when the register stood elsewhere, which the lock of the load makes impossible.
        """
        document = self._document()
        if not (any(document.values()) or self._changes() or self.suppressed):
            return
        self.row.version += 1
        expected = {name: self._stored[name] for name in ("reference", "stage", "round")}
        if (
            await case_writes.write(
                connection, {**expected, "registration": self._changes(), **document}, self.own_tables
            )
            != 1
        ):
            raise Defect("register_moved_underneath")
        if self.suppressed:
            await case_rows.suppress_notices(connection, self.reference, self.suppressed)

    def _changes(self) -> Row:
        """Return the columns of the register that changed."""
        return {name: value for name, value in self._columns().items() if value != self._stored[name]}

    def _own_changes(self) -> dict[str, list[Row]]:
        """Return the rows that changed in each table of the case's programme."""
        return {
            each.name: [
                document
                for row in self.own_rows[each.name]
                if (document := row.document()) != self._stored_own.get((each.name, each.key_of(row)))
            ]
            for each in self.own_tables
        }

    def state(self) -> bytes:
        """Return the state as the ledger hashes it, as it stands now."""
        return case_state(self.row, self.own_tables, self.own_rows)

    def _columns(self) -> Row:
        """Return the columns of the register that are ours to write."""
        columns = self.row.document()
        del columns["updated_at"]
        return columns

    def _follow(self) -> list[Row]:
        """Return the ledger rows of this transaction; the last one's state is the one that is written with it."""
        if not self._entries:
            return []
        last = self._entries[-1]
        moved = {**self._moved_due(), **self._passed_on(last.at)}
        after, detail = self._hash(self.state()), {**last.detail, **moved}
        entries = [*self._entries[:-1], replace(last, after_hash=after, detail=detail)]
        rows = follow(self.reference, entries, *(self.ledger_end or ()))
        self.ledger_end = LedgerEnd(rows[-1]["seq"], rows[-1]["hash"])
        self._entries.clear()
        return rows

    def _moved_due(self) -> dict[str, object]:
        """Return the due date where it was set, moved or ended, so that it can be told as of any time."""
        row = self.row
        if (row.due_at, row.due_kind) == (self._stored.get("due_at"), self._stored.get("due_kind")):
            return {}
        at = row.due_at.astimezone(CHINA).isoformat(timespec="seconds") if row.due_at else None
        return {"due": {"at": at, "kind": row.due_kind}}

    def _passed_on(self, at: datetime) -> dict[str, object]:
        """Return, where it is another's turn from now on, whose it was, since when and for how long."""
        holder, since = self._stored.get("holder"), self._stored.get("holder_since")
        if holder is None or holder == self.row.holder:
            return {}
        self.row.holder_since = at
        if since is None:
            return {}
        waited = max(0, int((at - since).total_seconds()))
        return {"held": {"by": holder, "since": to_the_second(since).isoformat(), "seconds": waited}}

    def _document(self) -> dict[str, list[Row]]:
        """Return the rows of the parts that changed, by table."""
        bundles.carry(self)
        return {
            **{name: _documents(self._dirty.get(name, ())) for name in _WRITTEN},
            "marked_commands": _documents(self._dirty.get("commands", ())),
            "marked_answers": _documents(self._dirty.get("answers", ())),
            **{name: _documents(rows) for name, rows in self._added.items()},
            **self._own_changes(),
            "ledger": self._follow(),
            "notices": _documents(self.notices),
            "deliveries": _documents(self.deliveries),
        }


def _kept(document: Row) -> Row:
    """Return a row that stays as it is, whatever becomes of what another one holds: values of JSON alone can change."""
    return {name: copy.deepcopy(value) if isinstance(value, dict | list) else value for name, value in document.items()}


def _documents(rows: Iterable[Row | TableRow]) -> list[Row]:
    return [row.document() if isinstance(row, TableRow) else row for row in rows]


@asynccontextmanager
async def open_case(
    context: Context,
    reference: str,
    *,
    tenant: str = PARK,
    origin: Origin | None = None,
    beside: Beside | None = None,
) -> AsyncIterator[tuple[CaseFile, AsyncConnection]]:
    """Open the file of a case in a transaction of its own; what the body changed is saved with it.

    Raises:
        Refused: `case_unknown` where the tenant has no such case; `facts_erased` after an erasure.
        Unavailable: when PostgreSQL is away.
    """
    async with context.database.begin(tenant, case=reference, planned_once=True) as connection:
        file = await load_case(context, connection, reference, beside=beside)
        file.origin = origin
        yield file, connection
        await file.save(connection)
    context.bells.ring(Channel(row.channel) for row in file.deliveries)


async def read_case(context: Context, reference: str, *, tenant: str = PARK) -> CaseFile:
    """Return the file of a case as it stands, to be looked at and not to be changed.

    Raises:
        Refused: as `open_case`.
        Unavailable: when PostgreSQL is away.
    """
    async with context.database.statement(tenant) as connection:
        return await load_case(context, connection, reference)


async def load_case(
    context: Context, connection: AsyncConnection, reference: str, *, lock: bool = False, beside: Beside | None = None
) -> CaseFile:
    """Return the file of a case within a transaction that stands already; what was read beside stands in its row."""
    loaded = await load_rows(context, connection, reference, lock=lock, beside=beside)
    return await build_file(context, connection, loaded)


async def load_rows(
    context: Context, connection: AsyncConnection, reference: str, *, lock: bool = False, beside: Beside | None = None
) -> LoadedCase:
    """Return the rows of a case, from which its file is built."""
    loaded = await case_rows.load(connection, reference, own=context.own_tables, lock=lock, beside=beside)
    if loaded is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    return loaded


async def build_file(context: Context, connection: AsyncConnection, loaded: LoadedCase) -> CaseFile:
    """Return the file made of loaded rows; facts that cannot be opened are a defect of the first step that needs them.

    Raises:
        Refused: `facts_erased` after an erasure.
    """
    await need_pack(context, connection, loaded.registration)
    key, application = _open_facts(context, loaded)
    file = CaseFile(
        context=context,
        row=loaded.registration,
        own_rows=loaded.own,
        employer=loaded.employer,
        calendar=await current_calendar(context, connection, loaded.employer.calendar_version),
        _key=key,
        _application=application,
        tasks=loaded.tasks,
        deadlines={(d.kind, d.destination, d.step): d for d in loaded.deadlines},
        commands=loaded.commands,
        calls=loaded.calls,
        answers=loaded.answers,
        assessments=loaded.assessments,
        facts=loaded.facts,
        incidents=loaded.incidents,
        conflicts=loaded.conflicts,
        legal_holds=loaded.legal_holds,
        attempts=loaded.attempts,
        epoch=loaded.epoch,
        ledger_end=loaded.ledger_end,
        beside=loaded.beside,
    )
    file.keep_as_stored()
    return file


def _open_facts(
    context: Context, loaded: LoadedCase
) -> tuple[DataKey | Defect | KeyUnknown, Form | Defect | KeyUnknown]:
    try:
        key = unwrap(context.keyring, loaded.key)
    except (Defect, KeyUnknown) as error:
        return error, error
    try:
        place = f"{loaded.registration.reference}/{loaded.registration.facts_version}"
        body = key.open("applications", "body", place, loaded.application)
        form = context.programmes[loaded.registration.programme].form
        return key, form.model_validate_json(body)
    except Defect as defect:
        return key, defect
    except ValidationError:
        return key, Defect("facts_malformed")
