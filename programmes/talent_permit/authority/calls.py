"""Calls to the authority: read, made outside any transaction under their own key, and their result written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, open_case, read_case
from cases.incidents.rows import end, note
from cases.shared.context import Context
from cases.shared.lost_calls import OUTCOME, find_lost
from domain.actors import Actor, system
from domain.acts import Act
from domain.clock import day_of
from domain.errors import need
from domain.incidents import Healed
from domain.messages import Course, Origin
from domain.stages import Destination
from programmes.talent_permit import permits
from programmes.talent_permit.authority.known_entries import DIFFERS, Found
from programmes.talent_permit.given import known
from programmes.talent_permit.tables import permit_rows
from programmes.talent_permit.words import PermitDeadline
from store.ledger import Entry, begin_chain
from store.rows.authority import CallRow
from store.tables import calls, incidents, ledger


@dataclass(frozen=True, slots=True)
class Order:
    """A call to make: its idempotency key, what it says, and the facts it carries in clear.

    `case` is the name by which the authority knows the case. `asks_first` where a restore may have taken away that the
    entry was sent before; entries in `passed_over` were looked at by an officer and are none of the case.
    """

    key: str
    reference: str
    employer_id: str
    case: str
    destination: Destination
    what: str
    on: date
    reason: str | None
    registration_number: str | None
    registered_on: date
    employer_name: str
    employer_uscc: str
    person: dict[str, Any]
    asks_first: bool = False
    passed_over: tuple[str, ...] = ()


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
    found: Mapping[str, Found] | None = None,
) -> Course:
    """Record what became of calls, and return where the case stands.

    Args:
        context: the collaborators.
        reference: the case.
        results: by the key of each call, why the authority's system refused it as malformed, or None where it took it.
        at: the time.
        origin: the run of the workflow that made the calls.
        attempt: which try of the step it was.
        found: by the key of a call that was not made, the entry that the authority had before.
    """
    async with open_case(context, reference, origin=origin) as (file, connection):
        for key, entry in (found or {}).items():
            if entry.differs:
                _rejected(file, key, DIFFERS, at, attempt, entry)
            else:
                await _taken(file, connection, key, at, attempt, entry)
        for key, reason in results.items():
            if reason is None:
                await _taken(file, connection, key, at, attempt)
            else:
                _rejected(file, key, reason, at, attempt)
    return file.course()


async def _taken(
    file: CaseFile, connection: AsyncConnection, key: str, at: datetime, attempt: int, found: Found | None = None
) -> None:
    """Write that the authority's system took a call, or had its entry before (P4)."""
    actor, row = system("tell_authority"), _due(file, key)
    if row is None:
        await _note_taken_late(file, connection, key, at)
        return
    destination = Destination(need(row.destination, "destination"))
    file.end_calls(at, "done", key)
    _record_answer(file, row, at, attempt, "taken", found=found)
    if row.what == "list_entry":
        permits.sent(file, actor, at, destination, found)
    else:
        file.cancel_deadlines(PermitDeadline.REPORT_EXPECTED, destination=destination.value)
    await _end_unreached(file, connection, f"tell_authority/{destination.value}", at, actor)


def _rejected(file: CaseFile, key: str, reason: str, at: datetime, attempt: int, found: Found | None = None) -> None:
    """Write that the authority's system refused a call as malformed, or has an entry that is another's (P6)."""
    row = _due(file, key)
    if row is not None:
        file.end_calls(at, "rejected", key, reason=reason)
        _record_answer(file, row, at, attempt, "rejected", [reason], found)
        destination = Destination(need(row.destination, "destination"))
        permits.rejected(file, system("tell_authority"), at, destination, reason, found)


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
        system("tell_authority"),
        at,
        reference=order.reference,
        employer_id=order.employer_id,
        destination=order.destination.value,
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
    found: Found | None = None,
) -> None:
    file.record(
        Act.CALL_ANSWERED,
        system("tell_authority"),
        at,
        outcome=outcome,
        reasons=reasons,
        destination=row.destination,
        key=row.key,
        what=row.what,
        attempt=attempt,
        **({"entry": found.detail()} if found else {}),
    )


async def current_course(context: Context, reference: str) -> Course:
    """Return where a case stands."""
    return (await read_case(context, reference)).course()


async def _end_unreached(file: CaseFile, connection: AsyncConnection, step: str, at: datetime, actor: Actor) -> None:
    """Take the operator's line away that the authority could not be reached, where there is one."""
    i = incidents.c
    for row in file.incidents:
        if (row.kind, row.step) == ("authority_unreached", step):
            await end(connection, at, Healed.REACHED, actor.subject, i.incident_id == row.incident_id)


async def _note_taken_late(file: CaseFile, connection: AsyncConnection, key: str, at: datetime) -> None:
    """Show the operator a list entry that was under way when its registration ended, and was taken after that (P8)."""
    cancelled = update(calls).where(calls.c.key == key, calls.c.state == "cancelled")
    row = (await connection.execute(cancelled.values(state="done", done_at=at).returning(calls.c.destination))).first()
    if row is not None:
        file.record(Act.PERMIT_SENT, system("tell_authority"), at, destination=row.destination, after_end=True)
        step = f"tell_authority/{row.destination}"
        note(file, at, kind="authority_unreached", step=step, reason="taken_after_end")


def _due(file: CaseFile, key: str) -> CallRow | None:
    return next((row for row in file.calls if row.key == key), None)


def _order(file: CaseFile, row: CallRow, at: datetime) -> Order:
    person, approved = known(file).person, file.row.approved_at
    employer = file.employer_on(day_of(at)) or file.employer_on(file.accepted_on)
    on = row.detail.get("on")
    return Order(
        key=row.key,
        reference=file.reference,
        employer_id=file.employer_id,
        case=_name_at_authority(file, row),
        destination=Destination(need(row.destination, "destination")),
        what=row.what,
        on=date.fromisoformat(on) if on else day_of(at),
        reason=row.detail.get("reason"),
        registration_number=file.row.registration_number,
        registered_on=day_of(need(approved, "approved_at")),
        employer_name=employer.name_zh if employer else "",
        employer_uscc=file.employer.uscc,
        person={
            "name_zh": person.name_zh,
            "name_en": person.name_en,
            "identity_number": person.identity_number,
            "permit_card_number": person.permit_card_number,
        },
        asks_first=row.what == "list_entry" and file.epoch > 0 and not row.detail.get("unasked"),
        passed_over=tuple(row.detail.get("passed_over", ())),
    )


def _name_at_authority(file: CaseFile, row: CallRow) -> str:
    """Return the name by which the authority knows a case: that of the entry that stands for it."""
    own = f"{file.reference}/{row.destination}"
    permit = permit_rows(file).get(Destination(need(row.destination, "destination")))
    return own if row.what == "list_entry" or permit is None else str(permit.entry_case or own)
