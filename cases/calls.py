"""Calls to the authority: claimed by lease, made outside any transaction, and their result written with the permit."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import permits
from cases.case_file import CaseFile, open_case
from cases.context import Context
from cases.incident_rows import note
from domain.actors import system
from domain.acts import Act
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.messages import Course, Origin
from domain.stages import Destination
from store.case_rows import Row
from store.tables import calls, incidents

# Longer than a call may take, so that two workers never make the same call at once.
LEASE = text("interval '60 seconds'")


@dataclass(frozen=True, slots=True)
class Order:
    """A call to make: its idempotency key, what it says, and the facts it carries in clear."""

    key: str
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


async def claim(context: Context, reference: str, key: str, at: datetime) -> Order | None:
    """Claim a call that is due; None where it is done, held back (P7), or made by another right now."""
    async with open_case(context, reference, lock=False) as (file, connection):
        row = _due(file, key)
        if row is None or (row["what"] == "list_entry" and file.is_sending_held()):
            return None
        free = (calls.c.lease_until.is_(None)) | (calls.c.lease_until < func.clock_timestamp())
        leased = (
            update(calls)
            .where(calls.c.key == key, calls.c.state == "due", free)
            .values(lease_until=func.clock_timestamp() + LEASE, tries=calls.c.tries + 1)
            .returning(calls.c.key)
        )
        if (await connection.execute(leased)).first() is None:
            return None
        return _order(file, row, at)


async def record_taken(
    context: Context, reference: str, key: str, at: datetime, origin: Origin | None = None
) -> Course:
    """Record that the authority's system took the call (P4)."""
    actor = system("tell_authority")
    async with open_case(context, reference, origin=origin) as (file, connection):
        row = _due(file, key)
        if row is None:
            await _note_taken_late(file, connection, key, at)
        else:
            destination = Destination(row["destination"])
            file.end_calls(at, "done", key)
            if row["what"] == "list_entry":
                permits.sent(file, actor, at, destination)
            else:
                file.cancel_deadlines(DeadlineKind.REPORT_EXPECTED, destination=destination.value)
            await connection.execute(
                update(incidents)
                .where(
                    incidents.c.reference == reference,
                    incidents.c.kind == "authority_unreached",
                    incidents.c.step == f"tell_authority/{destination.value}",
                    incidents.c.state == "open",
                )
                .values(state="ended", resumed_at=at, resumed_by=actor.subject)
            )
    return file.course()


async def record_rejected(
    context: Context, reference: str, key: str, reason: str, at: datetime, origin: Origin | None = None
) -> Course:
    """Record that the authority's system refused the call as malformed (P6)."""
    async with open_case(context, reference, origin=origin) as (file, _connection):
        row = _due(file, key)
        if row is not None:
            file.end_calls(at, "rejected", key, reason=reason)
            permits.rejected(file, system("tell_authority"), at, Destination(row["destination"]), reason)
    return file.course()


async def give_back(context: Context, key: str, reason: str) -> None:
    """End the lease of a call that did not get through, so that the next try need not wait for it."""
    async with context.database.begin() as connection:
        await connection.execute(update(calls).where(calls.c.key == key).values(lease_until=None, reason=reason))


async def current_course(context: Context, reference: str) -> Course:
    """Return where a case stands."""
    async with open_case(context, reference, lock=False) as (file, _connection):
        return file.course()


async def _note_taken_late(file: CaseFile, connection: AsyncConnection, key: str, at: datetime) -> None:
    """Show the operator a list entry that was under way when its registration ended, and was taken after that (P8)."""
    cancelled = update(calls).where(calls.c.key == key, calls.c.state == "cancelled")
    row = (await connection.execute(cancelled.values(state="done", done_at=at).returning(calls.c.destination))).first()
    if row is not None:
        file.record(Act.PERMIT_SENT, system("tell_authority"), at, destination=row.destination, after_end=True)
        step = f"tell_authority/{row.destination}"
        await note(file, connection, at, kind="authority_unreached", step=step, reason="taken_after_end")


def _due(file: CaseFile, key: str) -> Row | None:
    return next((row for row in file.calls if row["key"] == key), None)


def _order(file: CaseFile, row: Row, at: datetime) -> Order:
    person, approved = file.application.person, file.row["approved_at"]
    employer = file.employer_on(day_of(at)) or file.employer_on(file.accepted_on)
    on = row["detail"].get("on")
    return Order(
        key=row["key"],
        case=f"{file.reference}/{row['destination']}",
        destination=Destination(row["destination"]),
        what=row["what"],
        on=date.fromisoformat(on) if on else day_of(at),
        reason=row["detail"].get("reason"),
        registration_number=file.row["registration_number"],
        registered_on=day_of(approved),
        employer_name=employer["name_zh"] if employer else "",
        employer_uscc=file.row["employer_uscc"],
        person={
            "name_zh": person.name_zh,
            "name_en": person.name_en,
            "identity_number": person.identity_number,
            "permit_card_number": person.permit_card_number,
        },
    )
