"""Departures: held against what the case knows, and recorded once reported by the employer or signed twice (R22)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import is_same, signature_of
from cases.decisions import transferring
from cases.decisions.reported_days import day_refused, need_day
from cases.moves.moving import move, need_move
from domain.actors import STAFF, Actor
from domain.acts import Act
from domain.clock import day_of, start_of
from domain.errors import Refused, need
from domain.signatures import Signature
from programmes.talent_permit.given import known
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.reasons import PermitReason, departure_reason
from programmes.talent_permit.requests import DepartureRequest
from programmes.talent_permit.stages import LifeEvent
from programmes.talent_permit.tables import talent_permit
from programmes.talent_permit.words import PermitDeadline, PermitProposal


@dataclass(frozen=True, slots=True)
class Departure:
    """A departure as it was reported: the last day, why, by whom, and whether it was reported late."""

    last_day: date
    reason: str
    by: Signature
    late: bool

    def as_kept(self) -> dict[str, Any]:
        """Return what a proposal keeps beside who made it and why."""
        return {"last_day": self.last_day.isoformat(), "late": self.late}


def read(file: CaseFile, actor: Actor, at: datetime, asked: DepartureRequest) -> Departure:
    """Return a departure that fits what the case knows.

    Raises:
        Refused: those of a wrong reason; `wrong_stage` before the approval has settled or once the employment is over;
            `invalid` for a day that the case cannot have seen, or that this actor may not report.
    """
    reason = departure_reason(asked.reason)
    _need_employed(file, at)
    _need_known_day(file, actor, at, asked.last_day)
    days = file.calendar.working_days_between(asked.last_day, day_of(at))
    late = days > limits_in(file.context).departure_report_days
    return Departure(last_day=asked.last_day, reason=reason, by=signature_of(actor), late=late)


def proposed(file: CaseFile, at: datetime) -> Departure:
    """Return the departure that waits for its second signature, held against the case as it stands now."""
    pending = need(file.row.pending, "pending")
    (reason,) = pending["reasons"]
    _need_employed(file, at)
    return Departure(
        last_day=date.fromisoformat(pending["last_day"]),
        reason=reason["code"],
        by=pending["by"],
        late=pending["late"],
    )


def take(file: CaseFile, departure: Departure, confirmed_by: Actor | None = None) -> None:
    """Set the last day of the employment; an earlier report is replaced."""
    kept = {"by": departure.by, "reason": departure.reason, "late": departure.late, "disputed": False}
    if confirmed_by is not None:
        kept["confirmed_by"] = signature_of(confirmed_by)
    talent_permit(file).departure = kept
    file.row.change(ended_on=departure.last_day, end_reason=departure.reason)
    file.cancel_deadlines(PermitDeadline.CONTRACT_REMINDER, PermitDeadline.CONTRACT_GRACE)
    transferring.answered(file)
    file.set_deadline(PermitDeadline.EMPLOYMENT_OVER, start_of(departure.last_day + timedelta(days=1)))


def confirm(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Record a departure that an officer reported, by the second signature."""
    need_move(file, LifeEvent.CONFIRM_DEPARTURE, actor)
    departure = proposed(file, at)
    file.row.change(pending_act=None, pending=None)
    take(file, departure, confirmed_by=actor)
    move(file, LifeEvent.CONFIRM_DEPARTURE, actor, at)
    reasons = [departure.reason]
    file.record(Act.CONFIRMED, actor, at, outcome=PermitProposal.DEPARTURE, reasons=reasons, **departure.as_kept())


def refuses(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a departure before the approval has settled, or once the employment is over."""
    need_move(file, LifeEvent.PROPOSE_DEPARTURE if actor.role in STAFF else LifeEvent.DEPART, actor)
    _need_employed(file, at)


def need_another_than_reported(file: CaseFile, actor: Actor) -> None:
    """Refuse to let the one who reported a departure, or signed it, judge its dispute."""
    departure = talent_permit(file).departure or {}
    if is_same(actor, departure.get("by")) or is_same(actor, departure.get("confirmed_by")):
        raise Refused("role_not_allowed", words="own_departure")


def need_settled(file: CaseFile) -> None:
    """Refuse what would tell of an approval that can still be recalled (R10a)."""
    if not file.row.settled:
        raise Refused("wrong_stage", "This can be done once the decision has taken effect.")


def _need_employed(file: CaseFile, at: datetime) -> None:
    need_settled(file)
    if file.row.ended_on is not None and file.row.ended_on < day_of(at):
        raise Refused("wrong_stage", "The employment has ended by an earlier report.")


def _need_known_day(file: CaseFile, actor: Actor, at: datetime, last_day: date) -> None:
    """Refuse a last day outside the contract, or further back or ahead than this actor may report."""
    employment, limits, today = known(file).employment, limits_in(file.context), day_of(at)
    need_day("last_day", last_day, earliest=employment.contract_start, before="before_contract")
    if employment.contract_end is not None:
        need_day("last_day", last_day, latest=max(employment.contract_end, today), after="after_contract")
    else:
        furthest = file.calendar.working_day(today, limits.departure_ahead_days)
        need_day("last_day", last_day, latest=furthest, after="too_far_ahead", limit_days=limits.departure_ahead_days)
    if actor.role not in STAFF and file.calendar.working_day(last_day, limits.departure_back_days + 1) <= today:
        raise day_refused("last_day", "too_far_back", limit_days=limits.departure_back_days)


def has_died(file: CaseFile) -> bool:
    """Whether a case ended, or is reported to end, with the death of its person."""
    departure = talent_permit(file).departure or {}
    return PermitReason.DECEASED.value in (file.row.end_reason, departure.get("reason"))
