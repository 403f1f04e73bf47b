"""Calls to the world outside: which are due, and what became of them, each told in the ledger (P4 to P8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, open_case, read_case
from cases.programme import Call, Question, programme_of
from cases.shared.context import Context
from cases.shared.lost_calls import OUTCOME, find_lost
from domain.actors import system
from domain.acts import Act
from domain.messages import Course, Origin
from domain.outward import Known, Message
from store.ledger import Entry, begin_chain
from store.rows.authority import CallRow
from store.tables import calls, ledger

ACTOR = "tell_authority"


@dataclass(frozen=True, slots=True)
class Order:
    """A call to make: its idempotency key, what is sent, and what is asked first, if anything."""

    key: str
    reference: str
    employer_id: str
    destination: str | None
    what: str
    message: Message
    question: Question | None = None


async def find_orders(context: Context, reference: str, key: str, at: datetime) -> list[Order]:
    """Return the calls that are due under a key; none where they are done, or held back (P7)."""
    file = await read_case(context, reference)
    return [_order(file, row, at) for row in file.due_calls(key)]


async def record(
    context: Context,
    reference: str,
    results: Mapping[str, str | None],
    at: datetime,
    origin: Origin | None = None,
    *,
    attempt: int = 1,
    found: Mapping[str, Known] | None = None,
) -> Course:
    """Record what became of calls, and return where the case stands.

    Args:
        context: the collaborators.
        reference: the case.
        results: by the key of each call, why it was refused as malformed, or None where it was taken.
        at: the time.
        origin: the run of the workflow that made the calls.
        attempt: which try of the step it was.
        found: by the key of a call that was not made, what was there before.
    """
    async with open_case(context, reference, origin=origin) as (file, connection):
        for key, known in (found or {}).items():
            if known.refusal is not None:
                await _refused(file, connection, key, known.refusal, at, attempt, known)
            else:
                await _taken(file, connection, key, at, attempt, known)
        for key, reason in results.items():
            if reason is None:
                await _taken(file, connection, key, at, attempt)
            else:
                await _refused(file, connection, key, reason, at, attempt)
    return file.course()


async def record_unanswered(
    context: Context,
    unanswered: Sequence[tuple[Order, str]],
    at: datetime,
    origin: Origin | None = None,
    *,
    attempt: int = 1,
) -> None:
    """Record calls that got no answer, each with why, in chains of their own; the case is not locked for them."""
    async with context.database.begin() as connection:
        for order, reason in unanswered:
            detail = {"attempt": attempt}
            await _record_made(connection, order, at, origin, outcome="no_answer", reasons=(reason,), detail=detail)


async def record_lost(
    context: Context, orders: Sequence[Order], at: datetime, origin: Origin | None = None, *, attempt: int
) -> None:
    """Record, before calls are made again, their earlier tries of which no row tells; each row names the tries."""
    async with context.database.begin() as connection:
        about = ledger.c.reference == orders[0].reference
        lost = await find_lost(connection, [order.key for order in orders], about, origin, attempt=attempt)
        for order in orders:
            if (tries := lost.get(order.key)) is not None:
                detail = {"attempt": tries.last, "from_attempt": tries.first}
                await _record_made(connection, order, at, origin, outcome=OUTCOME, detail=detail)


async def current_course(context: Context, reference: str) -> Course:
    """Return where a case stands."""
    return (await read_case(context, reference)).course()


async def _taken(
    file: CaseFile, connection: AsyncConnection, key: str, at: datetime, attempt: int, known: Known | None = None
) -> None:
    """Write that a call was taken, or what it tells was known before (P4)."""
    row = _due(file, key)
    if row is None:
        await _note_taken_late(file, connection, key, at)
        return
    file.end_calls(at, "done", key)
    _record_answer(file, row, at, attempt, "taken", known=known)
    await _declared(file, row.what).taken(file, connection, system(ACTOR), at, row, known)


async def _refused(
    file: CaseFile,
    connection: AsyncConnection,
    key: str,
    reason: str,
    at: datetime,
    attempt: int,
    known: Known | None = None,
) -> None:
    """Write that a call was refused as malformed, or that what is there is another's (P6)."""
    row = _due(file, key)
    if row is not None:
        file.end_calls(at, "rejected", key, reason=reason)
        _record_answer(file, row, at, attempt, "rejected", [reason], known)
        await _declared(file, row.what).refused(file, connection, system(ACTOR), at, row, reason, known)


async def _record_made(
    connection: AsyncConnection,
    order: Order,
    at: datetime,
    origin: Origin | None,
    *,
    outcome: str,
    reasons: tuple[str, ...] = (),
    detail: Mapping[str, int],
) -> None:
    entry = Entry(
        Act.CALL_MADE,
        system(ACTOR),
        at,
        reference=order.reference,
        employer_id=order.employer_id,
        destination=order.destination,
        outcome=outcome,
        reason_codes=reasons,
        detail={"key": order.key, "what": order.what, **detail},
        origin=origin,
    )
    await begin_chain(connection, f"call/{uuid4()}", [entry])


def _record_answer(
    file: CaseFile,
    row: CallRow,
    at: datetime,
    attempt: int,
    outcome: str,
    reasons: Sequence[str] = (),
    known: Known | None = None,
) -> None:
    file.record(
        Act.CALL_ANSWERED,
        system(ACTOR),
        at,
        outcome=outcome,
        reasons=reasons,
        destination=row.destination,
        key=row.key,
        what=row.what,
        attempt=attempt,
        **(known.told() if known else {}),
    )


async def _note_taken_late(file: CaseFile, connection: AsyncConnection, key: str, at: datetime) -> None:
    """Write that a call was taken which its case did not want any more, while it was under way (P8)."""
    cancelled = update(calls).where(calls.c.key == key, calls.c.state == "cancelled")
    found = await connection.execute(cancelled.values(state="done", done_at=at).returning(*calls.c))
    call = CallRow.one_of(found)
    if call is not None:
        _declared(file, call.what).late(file, system(ACTOR), at, call)


def _due(file: CaseFile, key: str) -> CallRow | None:
    return next((row for row in file.calls if row.key == key), None)


def _declared(file: CaseFile, what: str) -> Call:
    return programme_of(file).calls[what]


def _order(file: CaseFile, row: CallRow, at: datetime) -> Order:
    call = _declared(file, row.what)
    return Order(
        key=row.key,
        reference=file.reference,
        employer_id=file.employer_id,
        destination=row.destination,
        what=row.what,
        message=call.sends(file, row, at),
        question=None if call.asks is None else call.asks(file, row),
    )
