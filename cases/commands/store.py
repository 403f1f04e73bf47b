"""Commands as rows: stored in the transaction of the act with a signed actor statement, and marked when sent."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Update, and_, case, func, or_, select, text, update

from cases.case.file import CaseFile
from cases.shared.context import Context
from domain.actors import Actor
from domain.commands import CommandKind, CommandState
from domain.stages import CLOSED
from proof.statements import body_hash, signed_statement
from store.case_rows import Beside, Subquery
from store.rows.work import CommandRow
from store.tables import cases, commands, incidents
from temporal.traces import current_traceparent

_FOUND: Final = """
    SELECT jsonb_build_object('state', c.state, 'outcome', c.outcome) FROM commands c
    WHERE c.command_id = CAST(:command_id AS uuid)
"""
_FIND_OUTCOME: Final = text(f"SELECT ({_FOUND}) AS command")


class KeptOutcome(NamedTuple):
    """Where a command stands, and its outcome as it is stored."""

    state: CommandState
    outcome: dict[str, Any]


OUTCOME: Final = Subquery(
    "command", _FOUND, lambda found: KeptOutcome(CommandState(found["state"]), found["outcome"] or {})
)


# So many times as long as for a stored command: an update that the API still waits for is not told a second time.
_ANSWERED_WITHIN: Final = 6
# A Temporal that was set up anew knows nothing of what another one took; a start that came before changes nothing.
_TAKEN_FOR: Final = timedelta(hours=1)


class Unsent(NamedTuple):
    """A command that its workflow has not applied yet, or may not know to be applied."""

    command_id: UUID
    reference: str
    employer_id: str
    kind: str
    unanswered: bool
    has_closed: bool
    correlation_id: str = ""
    traceparent: str | None = None


def store(
    file: CaseFile,
    actor: Actor,
    kind: str,
    body: dict[str, Any] | None,
    at: datetime,
    *,
    command_id: UUID | None = None,
) -> UUID:
    """Store a command with the case and return its id; its actor statement is signed here."""
    row = command_row(file, actor, kind, body, at, command_id=command_id)
    file.add_row("commands", row)
    return row.command_id


def command_row(
    file: CaseFile,
    actor: Actor,
    kind: str,
    body: dict[str, Any] | None,
    at: datetime,
    *,
    command_id: UUID | None = None,
    unanswered: bool = False,
) -> CommandRow:
    """Return the row of a command, its body sealed and its actor statement signed; `unanswered` before an update."""
    command_id = command_id or uuid4()
    sealed = None
    if body is not None:
        plain = json.dumps(body, ensure_ascii=False).encode()
        sealed = file.person_key.seal("commands", "body", str(command_id), plain)
    return CommandRow(
        command_id=command_id,
        reference=file.reference,
        employer_id=file.employer_id,
        kind=str(kind),
        actor=actor.model_dump(mode="json"),
        statement=signed_statement(
            actor, command_id, file.reference, kind, body_hash(sealed), at, file.context.keyring.signing_key()
        ),
        body=sealed,
        state=CommandState.STORED.value,
        at=at,
        unanswered=unanswered,
        traceparent=current_traceparent(),
    )


async def lease_unsent(context: Context, *, older_than: timedelta, most: int) -> Sequence[Unsent]:
    """Return commands that nobody delivered, or whose update has not answered, the earliest first, leased for a while.

    An update lives in Temporal's memory until its workflow task is done: where that is lost after the step was applied,
    the register has gone on and the workflow has not, and only a signal tells it. Employers take turns, in what is
    leased and in its order, so that the roster of one holds up no case of another.
    """
    now = func.clock_timestamp()
    # Backs off with the number of sends, so that a case that is stuck does not fill every round.
    wait = older_than * func.least(func.power(2, commands.c.sends), 60)
    due = or_(commands.c.sent_at.is_(None), commands.c.sent_at < now - wait)
    is_taken = commands.c.start_taken_at > now - _TAKEN_FOR
    is_stored = commands.c.state == CommandState.STORED.value
    unheard = or_(is_stored, and_(commands.c.unanswered, commands.c.at < now - older_than * _ANSWERED_WITHIN))
    first = (
        select(
            commands.c.command_id,
            func.row_number().over(partition_by=commands.c.employer_id, order_by=commands.c.seq).label("turn"),
        )
        .where(unheard, due, is_taken.isnot(True), commands.c.at < now - older_than, _may_go_on())
        .order_by("turn", commands.c.command_id)
        .limit(most)
        .subquery()
    )
    locked = (
        select(commands.c.command_id)
        .where(commands.c.command_id.in_(select(first.c.command_id)))
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(commands)
        .where(commands.c.command_id.in_(locked), or_(is_stored, commands.c.unanswered))
        .values(sent_at=now, sends=commands.c.sends + 1)
        .returning(
            commands.c.command_id,
            commands.c.reference,
            commands.c.employer_id,
            commands.c.kind,
            commands.c.seq,
            commands.c.unanswered,
            commands.c.actor["correlation_id"].astext.label("correlation_id"),
            commands.c.traceparent,
            _stage(),
        )
    )
    async with context.database.statement() as connection:
        rows = (await connection.execute(taken)).all()
    turns: Counter[str] = Counter()
    ordered: list[tuple[int, Any]] = []
    for row in sorted(rows, key=lambda r: r.seq):
        ordered.append((turns[row.employer_id], row))
        turns[row.employer_id] += 1
    ordered.sort(key=lambda pair: pair[0])
    return [_unsent(row) for _, row in ordered]


def _unsent(row: Any) -> Unsent:
    return Unsent(
        row.command_id,
        row.reference,
        row.employer_id,
        row.kind,
        row.unanswered,
        row.stage in CLOSED,
        row.correlation_id or "",
        row.traceparent,
    )


def answered(command_ids: Sequence[UUID]) -> Update:
    """Return the statement that notes that the workflow knows what became of commands."""
    return update(commands).where(commands.c.command_id.in_(command_ids)).values(unanswered=False)


def heard(command_ids: Sequence[UUID]) -> Update:
    """Return the statement that notes that workflows were started or told.

    A start is not sent again for an hour, whether or not its workflow has applied it: in a long queue of cases each
    would be started over and over.
    """
    is_start = commands.c.kind == CommandKind.START.value
    return answered(command_ids).values(start_taken_at=case((is_start, func.clock_timestamp())))


def _stage() -> ColumnElement[str]:
    """The stage of a command's case."""
    stage = select(cases.c.stage).where(cases.c.reference == commands.c.reference)
    return stage.scalar_subquery().label("stage")


def _may_go_on() -> ColumnElement[bool]:
    """A case that waits for an operator hears of nothing but its `resume`, so that its history does not grow."""
    stuck = select(1).where(
        incidents.c.reference == commands.c.reference, incidents.c.kind == "stuck", incidents.c.state == "open"
    )
    return or_(commands.c.kind == CommandKind.RESUME.value, ~stuck.exists())


async def find_outcome(context: Context, command_id: UUID) -> KeptOutcome:
    """Return where a command stands and its outcome."""
    async with context.database.statement() as connection:
        found = (await connection.execute(_FIND_OUTCOME, {"command_id": command_id})).scalar_one()
    return OUTCOME.read(found)


def outcome_of(command_id: UUID) -> Beside:
    """Return what `OUTCOME` asks, so that the outcome of a command is read with its case."""
    return Beside((OUTCOME,), {"command_id": command_id})
