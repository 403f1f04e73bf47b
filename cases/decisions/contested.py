"""Decisions that can be objected to: which one stands, until when it can be objected to, and who took part in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.row import OneCase
from cases.case.signers import need_no_conflict
from cases.programme import Contestable, programme, programme_of
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.notices import Channel, DeliveryStatus
from domain.objections import KeptObjection, ObjectionState
from domain.stages import PendingAct
from domain.tasks import TaskKind
from store.rows.record import LedgerRow
from store.tables import deliveries, ledger, notices, tasks

_L: Final = ledger.c


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision that stands: what it is called, of which track, its row of the ledger, and how it is declared."""

    against: str
    track: str | None
    seq: int
    at: datetime
    declared: Contestable


def kept(case: OneCase) -> Sequence[KeptObjection]:
    """Return the objections against decisions of a case, the earliest first."""
    return case.row.objections or ()


def open_against(case: OneCase, decision: int) -> list[KeptObjection]:
    """Return those that wait for an answer, against the decision of a row of the ledger."""
    return [each for each in kept(case) if each["decision"] == decision and each["state"] == ObjectionState.OPEN]


def declared_of(file: CaseFile, against: str, track: str | None) -> Contestable:
    """Return how a kind of decision is declared.

    Raises:
        Refused: `invalid` for one that the programme does not name, and where a track is named that it is not about.
    """
    known = programme_of(file).contestable
    declared = known.get(against)
    if declared is None:
        said = "No decision of this case is called that."
        wrong = FieldError("against", FieldCode.UNKNOWN_VALUE, said, allowed=tuple(known))
        raise Refused("invalid", "Say against which decision.", [wrong])
    if declared.track is None:
        if track is not None:
            said = "This decision is about the case, and not about a part of it."
            raise Refused("invalid", said, [FieldError("destination", FieldCode.UNKNOWN_FIELD, said)])
        return declared
    keys = tuple(str(each) for each in programme_of(file).tracks[declared.track].keys(file))
    if track is None:
        said = "Say of which part of the case."
        raise Refused("invalid", said, [FieldError("destination", FieldCode.REQUIRED, said, allowed=keys)])
    if track not in keys:
        said = "The case has no such part."
        raise Refused("invalid", said, [FieldError("destination", FieldCode.UNKNOWN_VALUE, said, allowed=keys)])
    return declared


async def standing(file: CaseFile, connection: AsyncConnection, against: str, track: str | None) -> Standing:
    """Return the decision of a kind that stands.

    Raises:
        Refused: `not_found` where none does, or it was set aside; `invalid` as `declared_of`.
    """
    declared = declared_of(file, against, track)
    if declared.stands(file, track):
        query = select(_L.seq, _L.at).where(_L.chain == file.reference, _L.act == declared.act)
        if declared.outcome is not None:
            query = query.where(_L.outcome == declared.outcome)
        if track is not None:
            query = query.where(_L.destination == track)
        row = (await connection.execute(query.order_by(_L.seq.desc()).limit(1))).one_or_none()
        if row is not None:
            return Standing(against, track, row.seq, row.at, declared)
    raise Refused("not_found", words="no_such_decision")


def need_standing(case: OneCase) -> None:
    """Refuse with `not_found` where no decision of a case stands, whatever its ledger says of them.

    Raises:
        Refused: `not_found`.
    """
    for declared in programme(case.context, case.row.programme).contestable.values():
        if any(declared.stands(case, track) for track in _about(case, declared)):
            return
    raise Refused("not_found", words="no_such_decision")


def _about(case: OneCase, declared: Contestable) -> tuple[str | None, ...]:
    return (None,) if declared.track is None else tuple(case.tracks)


def may_object(case: OneCase, rows: Sequence[LedgerRow], party: str) -> list[tuple[str, str | None]]:
    """Return the decisions of a case, with the track of each, that a party has not objected to, by its ledger.

    Whether the term is over is not looked at.
    """
    found: list[tuple[str, str | None]] = []
    for against, declared in programme(case.context, case.row.programme).contestable.items():
        for track in _about(case, declared):
            seq = max((row.seq for row in rows if _is_of(row, declared, track)), default=None)
            objected = {(each["decision"], each["party"]) for each in kept(case)}
            if seq is not None and declared.stands(case, track) and (seq, party) not in objected:
                found.append((against, track))
    return found


def _is_of(row: LedgerRow, declared: Contestable, track: str | None) -> bool:
    return row.act == declared.act and row.destination == track and declared.outcome in (None, row.outcome)


async def last_day(file: CaseFile, connection: AsyncConnection, decision: Standing, party: str) -> date | None:
    """Return the last day on which a party can object; None while its letter was not delivered, so that no day counts.

    Counted in calendar days from the day on which the letter came by mail or to the party's own system, or on which
    staff or the employer handed it over; the message by SMS that only says that there is news is none.
    """
    n, d, t = notices.c, deliveries.c, tasks.c
    arrived = (
        select(func.min(d.settled_at))
        .join(notices, n.notice_id == d.notice_id)
        .where(
            n.reference == file.reference,
            n.kind == decision.declared.letter,
            n.recipient == party,
            n.destination == (decision.track or ""),
            n.at >= decision.at,
            d.status == DeliveryStatus.DELIVERED.value,
            d.channel != Channel.SMS.value,
        )
    )
    handed = select(func.min(t.closed_at)).where(
        t.reference == file.reference,
        t.kind == TaskKind.UNDELIVERED.value,
        t.state == "done",
        t.opened_at >= decision.at,
        t.detail["kind"].astext == decision.declared.letter,
        t.detail["recipient"].astext == party,
    )
    found = (await connection.execute(select(arrived.scalar_subquery(), handed.scalar_subquery()))).one()
    days = [day_of(at) for at in found if at is not None]
    return min(days) + timedelta(days=file.context.limits.objection_calendar_days) if days else None


async def need_uninvolved(file: CaseFile, connection: AsyncConnection, actor: Actor, decision: Standing) -> None:
    """Refuse whoever decided, signed or proposed on the case before, and whoever declared a conflict of interest.

    What was proposed or not signed about setting this very decision aside keeps nobody from it.

    Raises:
        Refused: `role_not_allowed`.
    """
    need_no_conflict(file, actor)
    about_it = and_(
        _L.seq > decision.seq,
        or_(_L.act == Act.SET_ASIDE_PROPOSED.value, _L.outcome == PendingAct.SET_ASIDE.value),
    )
    query = select(_L.seq).where(
        _L.chain == file.reference,
        _L.act.in_(file.words.decisions()),
        _L.actor_issuer == actor.issuer,
        _L.actor_subject == actor.subject,
        not_(about_it),
    )
    if (await connection.execute(query.limit(1))).first() is not None:
        raise Refused("role_not_allowed", words="decided_before")
