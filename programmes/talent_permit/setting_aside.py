"""Setting aside a revocation or a withholding: the registration is in force again, and its permits go on."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.row import OneCase
from cases.decisions import renewals
from cases.decisions.setting_aside import CONTESTABLE as OF_ANY_CASE
from cases.decisions.setting_aside import told
from cases.moves.moving import move
from cases.programme import Contestable
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, start_of
from domain.decisions import GivenReason
from domain.errors import need
from domain.stages import Stage
from programmes.talent_permit import asking_anew, contract, eligibility, permits
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import PERMIT_FINAL, Destination, PermitStage
from programmes.talent_permit.reasons import PermitReason
from programmes.talent_permit.stages import PERMIT, LifeEvent, PermitEvent
from programmes.talent_permit.tables import PERMITS, permit_rows, talent_permit
from programmes.talent_permit.words import PermitAct, PermitDeadline, PermitProposal
from store.tables import ledger

REVOCATION: Final = "revocation"
WITHHOLDING: Final = "withholding"
_REVOKED: Final = "registration_revoked"
_RESTORED: Final = "registration_restored"


async def _restore(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    track: str | None,
    reasons: Sequence[GivenReason],
) -> None:
    """Let a revoked registration be in force again: a departure that was reported counts as it did, permits go on."""
    file.row.change(ended_on=None, end_reason=None)
    departure = talent_permit(file).departure
    last = None if departure is None else await _last_day(file, connection)
    if departure is not None and last is not None:
        file.row.change(ended_on=last, end_reason=departure["reason"])
        file.set_deadline(PermitDeadline.EMPLOYMENT_OVER, start_of(last + timedelta(days=1)))
    move(file, LifeEvent.SET_ASIDE_REVOCATION, actor, at, said=told(REVOCATION, None, reasons))
    contract.plan_contract_end(file, at)


async def _go_on(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, track: str | None) -> None:
    """Let the permits of a registration that is in force again go on, as far as the authority has not ended them."""
    for destination, permit in permit_rows(file).items():
        if permit.stage == PermitStage.ENDED and permit.end_reason == PermitReason.REGISTRATION_ENDED:
            _begin_anew(file, actor, at, destination, PermitEvent.REGISTRATION_RESTORED)
        elif permit.stage not in PERMIT_FINAL and permit.reported_at is not None:
            _tell_restored(file, actor, at, destination)
        elif permit.stage != PermitStage.EXPIRED and permit.reported_at is not None:
            asking_anew.ask_about_ended(file, actor, at, destination)
    await eligibility.weigh_again(file, connection, at)
    permits.follow_up(file)


async def _open_again(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    track: str | None,
    reasons: Sequence[GivenReason],
) -> None:
    """Tell that a permit is not withheld any more."""
    move(file, LifeEvent.SET_ASIDE_WITHHOLDING, actor, at, said=told(WITHHOLDING, track, reasons))


async def _ask_again(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, track: str | None
) -> None:
    """Ask again whether the list entry of a permit that was withheld is sent."""
    _begin_anew(file, actor, at, Destination(need(track, "track")), PermitEvent.WITHHOLDING_SET_ASIDE)
    await eligibility.weigh_again(file, connection, at)


def _begin_anew(file: CaseFile, actor: Actor, at: datetime, destination: Destination, event: PermitEvent) -> None:
    permits.move_permit(
        file, destination, event, actor, at, end_reason=None, pending_act=None, pending=None, rejected=None
    )
    file.record(PermitAct.PERMIT_REOPENED, actor, at, destination=destination.value)


def _tell_restored(file: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    """Tell the authority that the registration stands, unless it was not told yet that it was revoked."""
    permits.move_permit(file, destination, PermitEvent.REGISTRATION_RESTORED, actor, at, reported_at=None)
    file.cancel_deadlines(PermitDeadline.REPORT_EXPECTED, destination=destination.value)
    file.record(PermitAct.PERMIT_RESTORED, actor, at, destination=destination.value)
    unsent = file.calls_of(destination, _REVOKED)
    if unsent:
        file.end_calls(at, "cancelled", *unsent)
        return
    attempt, detail = file.next_attempt(_RESTORED, destination), {"on": day_of(at).isoformat()}
    file.call(_RESTORED, at, destination=destination, attempt=attempt, detail=detail)
    days = limits_in(file.context).report_days
    file.set_working_days(PermitDeadline.REPORT_EXPECTED, day_of(at), days, destination=destination.value)


async def _last_day(file: CaseFile, connection: AsyncConnection) -> date | None:
    """Return the last day of work as it was last reported, which the revocation wrote over."""
    x = ledger.c
    reported = or_(
        x.act == PermitAct.DEPARTURE_REPORTED.value,
        (x.act == Act.CONFIRMED.value) & (x.outcome == PermitProposal.DEPARTURE.value),
    )
    query = select(x.detail["last_day"].astext).where(x.chain == file.reference, reported)
    found = (await connection.execute(query.order_by(x.seq.desc()).limit(1))).scalar_one_or_none()
    return None if found is None else date.fromisoformat(found)


def _is_revoked(case: OneCase, track: str | None) -> bool:
    return case.stage is Stage.ENDED and case.row.end_reason == PermitReason.REVOKED


def _is_withheld(case: OneCase, track: str | None) -> bool:
    row = None if track is None else case.track(PERMITS, track)
    withheld = (PermitStage.ENDED, PermitReason.NOT_ELIGIBLE)
    return row is not None and (row.stage, getattr(row, "end_reason", None)) == withheld


CONTESTABLE: Final[dict[str, Contestable]] = {
    **OF_ANY_CASE,
    **renewals.CONTESTABLE,
    REVOCATION: Contestable(
        act=PermitAct.REVOKED,
        letter=PermitNotice.REGISTRATION_REVOKED,
        stands=_is_revoked,
        event=LifeEvent.SET_ASIDE_REVOCATION,
        undo=_restore,
        follows=_go_on,
    ),
    WITHHOLDING: Contestable(
        act=PermitAct.PERMIT_WITHHELD,
        letter=PermitNotice.PERMIT_WITHHELD,
        stands=_is_withheld,
        track=PERMIT,
        event=LifeEvent.SET_ASIDE_WITHHOLDING,
        undo=_open_again,
        follows=_ask_again,
    ),
}
