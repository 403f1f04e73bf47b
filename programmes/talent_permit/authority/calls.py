"""Calls to the exit-entry administration, declared: what is sent of a case, and what follows when it was taken."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.incidents.rows import end, note
from cases.programme import Call, Question
from cases.shared.context import Context
from domain.actors import Actor
from domain.clock import day_of
from domain.errors import need
from domain.incidents import Healed
from domain.outward import Known, Message
from domain.spellings import LIST_ENTRY_KEY
from programmes.talent_permit import permits
from programmes.talent_permit.authority.keys import entry_change_key, list_entry_key, report_key
from programmes.talent_permit.authority.known_entries import UNASKABLE, Found, Wanted, choose, read_entries
from programmes.talent_permit.authority.messages import (
    EmployerChange,
    EntryChange,
    EntryEmployer,
    EntryPerson,
    EntryQuestion,
    ListEntry,
    Report,
    ReportedFact,
)
from programmes.talent_permit.given import known as known_facts
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.tables import permit_rows
from programmes.talent_permit.words import PermitAct, PermitDeadline
from store.rows.authority import CallRow
from store.tables import incidents

_UNREACHED: Final = "authority_unreached"


def _list_entry(file: CaseFile, row: CallRow, at: datetime) -> Message:
    approved = file.row.approved_at
    return ListEntry(
        case=_own_name(file, row),
        destination=_destination(row),
        registration_number=file.row.registration_number or "",
        registered_on=day_of(need(approved, "approved_at")),
        employer=_entry_employer(file, at),
        person=_entry_person(file),
    ).message()


def _report(file: CaseFile, row: CallRow, at: datetime) -> Message:
    on = row.detail.get("on")
    return Report(
        case=_name_at_authority(file, row),
        what=ReportedFact(row.what),
        on=date.fromisoformat(on) if on else day_of(at),
        reason=row.detail.get("reason"),
    ).message()


def _entry_change(file: CaseFile, row: CallRow, at: datetime) -> Message:
    case, changed, person = _name_at_authority(file, row), tuple(row.detail["changed"]), _entry_person(file)
    if not permits.EMPLOYER_IN_ENTRY & set(changed):
        return EntryChange(case=case, changed=changed, person=person).message()
    number = file.row.registration_number or ""
    employer = _entry_employer(file, at)
    return EmployerChange(
        case=case, changed=changed, person=person, employer=employer, registration_number=number
    ).message()


def _entry_employer(file: CaseFile, at: datetime) -> EntryEmployer:
    employer = file.employer_on(day_of(at)) or file.employer_on(file.accepted_on)
    return EntryEmployer(name_zh=employer.name_zh if employer else "", uscc=file.employer.uscc)


def _entry_person(file: CaseFile) -> EntryPerson:
    person = known_facts(file).person
    return EntryPerson(
        name_zh=person.name_zh,
        name_en=person.name_en,
        identity_number=person.identity_number,
        permit_card_number=person.permit_card_number,
    )


def _asks_first(file: CaseFile, row: CallRow) -> Question | None:
    """Ask which entries there are, where a restore may have taken away that the entry was sent before.

    Entries in `passed_over` were looked at by an officer and are none of the case.
    """
    if file.epoch == 0 or row.detail.get("unasked"):
        return None
    wanted = Wanted(
        key=row.key,
        case=_own_name(file, row),
        destination=_destination(row),
        identity_number=known_facts(file).person.identity_number,
        term=_term(row),
        passed_over=tuple(row.detail.get("passed_over", ())),
        is_anew=permits.was_sent_before(file, _destination(row)),
    )
    question = EntryQuestion(
        case=wanted.case, destination=wanted.destination, identity_number=wanted.identity_number
    ).message()
    return Question(message=question, refused_as=UNASKABLE, read=partial(_read_known, wanted))


async def _read_known(wanted: Wanted, context: Context, answer: Mapping[str, Any]) -> Found | None:
    """Return the entry that stands for a call, of those that the authority has."""
    entries = read_entries(answer)
    return await choose(context, wanted, entries) if entries else None


async def _entry_taken(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, row: CallRow, known: Known | None
) -> None:
    destination, number = _destination(row), _term(row)
    if number == 1:
        permits.sent(file, actor, at, destination, _entry_of(known))
    else:
        permits.next_sent(file, actor, at, destination, number, _entry_of(known))
    permits.tell_what_changed(file, actor, at, row)
    await _end_unreached(file, connection, row, at, actor)


async def _report_taken(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, row: CallRow, _known: Known | None
) -> None:
    file.cancel_deadlines(PermitDeadline.REPORT_EXPECTED, destination=row.destination)
    await _end_unreached(file, connection, row, at, actor)


async def _refused(
    file: CaseFile,
    _connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    row: CallRow,
    reason: str,
    known: Known | None,
) -> None:
    permits.rejected(file, actor, at, _destination(row), reason, _entry_of(known))


async def _change_refused(
    file: CaseFile,
    _connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    row: CallRow,
    reason: str,
    _known: Known | None,
) -> None:
    permits.change_rejected(file, actor, at, row, reason)


def _change_late(file: CaseFile, actor: Actor, at: datetime, row: CallRow) -> None:
    """Leave a change alone that was taken while a newer one took its place: the newer one says it all."""


def _late(file: CaseFile, actor: Actor, at: datetime, row: CallRow) -> None:
    """Show the operator a list entry that was under way when its registration ended, and was taken after that (P8)."""
    file.record(PermitAct.PERMIT_SENT, actor, at, destination=row.destination, after_end=True)
    note(file, at, kind=_UNREACHED, step=_step(row), reason="taken_after_end")


async def _end_unreached(file: CaseFile, connection: AsyncConnection, row: CallRow, at: datetime, actor: Actor) -> None:
    """Take the operator's line away that the authority could not be reached, where there is one."""
    for incident in file.incidents:
        if (incident.kind, incident.step) == (_UNREACHED, _step(row)):
            which = incidents.c.incident_id == incident.incident_id
            await end(connection, at, Healed.REACHED, actor.subject, which)


def _step(row: CallRow) -> str:
    return f"tell_authority/{row.destination}"


def _destination(row: CallRow) -> Destination:
    return Destination(need(row.destination, "destination"))


def _term(row: CallRow) -> int:
    """Return which term of the permit a list entry is for."""
    return int(row.detail.get("term", 1))


def _own_name(file: CaseFile, row: CallRow) -> str:
    return f"{file.reference}/{row.destination}"


def _name_at_authority(file: CaseFile, row: CallRow) -> str:
    """Return the name by which the authority knows a case: that of the entry that stands for it."""
    permit = permit_rows(file).get(_destination(row))
    return str(permit.entry_case or _own_name(file, row)) if permit is not None else _own_name(file, row)


def _entry_of(known: Known | None) -> Found | None:
    return known if isinstance(known, Found) else None


def _report_of(what: ReportedFact) -> Call:
    return Call(
        key=report_key(what, is_dated=what is ReportedFact.CARD_LOST),  # a card can be lost again
        sends=_report,
        taken=_report_taken,
        refused=_refused,
        late=_late,
    )


CALLS: Final[Mapping[str, Call]] = {
    "list_entry": Call(
        key=list_entry_key,
        together=LIST_ENTRY_KEY,
        can_be_held=True,
        sends=_list_entry,
        asks=_asks_first,
        taken=_entry_taken,
        refused=_refused,
        late=_late,
    ),
    permits.ENTRY_CHANGED: Call(
        key=entry_change_key,
        sends=_entry_change,
        taken=_report_taken,
        refused=_change_refused,
        late=_change_late,
    ),
    **{what.value: _report_of(what) for what in ReportedFact},
}
