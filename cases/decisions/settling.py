"""What a decision does: approval with its settling time, and letters (R10, R14)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.signers import notes_of
from cases.deadlines import park_clock
from cases.deadlines.remedies import objection_remedy
from cases.decisions import finding_answers
from cases.moves.front_half import Event
from cases.moves.moving import move
from cases.moves.transfer import TransferEvent
from cases.notices.compose import Said
from cases.programme import programme_of
from cases.shared import transfers
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.decisions import GivenReason
from domain.errors import Refused, need
from domain.notices import NoticeKind
from domain.references import approval_number
from domain.signatures import EffectSignature
from store.tables import registration_number_sequence
from texts.notices import Remedy


async def approve(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    reasons: Sequence[str],
    *,
    note: str | None = None,
    confirmed: bool = False,
    overrides_unexplained: bool | None = None,
) -> None:
    """Give an approval effect: the number, the notices that wait until it has settled, and the end of the clock."""
    # A preview takes no number, so that the numbers given stay close together.
    next_number = select(registration_number_sequence.next_value())
    sequence = 1 if file.previewed else (await connection.execute(next_number)).scalar_one()
    # What follows another case takes effect once that has ended, whenever that is (R55).
    follows = file.row.follows
    if follows is not None and not await transfers.is_under_way(connection, follows):
        raise Refused("live_registration_exists", words="transfer_not_confirmed")
    settles_at = at + file.context.limits.settling if follows is None else None
    since = file.row.clock_since
    effect: EffectSignature = {
        "issuer": actor.issuer,
        "subject": actor.subject,
        "role": actor.role.value,
        "days_used": file.row.days_used,
        "clock_since": since.isoformat() if since else None,
        "overdue": file.row.overdue,
        "note": notes_of(file, "registrations", f"{file.reference}/effect", {"note": note}),
    }
    if file.epoch:
        # Calls that follow from this approval are not those that followed from one that a restore took away.
        effect["epoch"] = file.epoch
    file.row.change(
        registration_number=approval_number(programme_of(file).numbers_begin, day_of(at).year, sequence),
        effect_by=effect, approved_at=at, settles_at=settles_at, settled=False, pending_act=None, pending=None,
    )  # fmt: skip
    promised = park_clock.promised(file, at)
    act = Act.CONFIRMED if confirmed else Act.DECIDED
    if settles_at is None:
        move(file, TransferEvent.CONFIRM_TO_FOLLOW if confirmed else TransferEvent.APPROVE_TO_FOLLOW, actor, at)
    else:
        event = Event.CONFIRM_APPROVAL if confirmed else Event.APPROVE
        move(file, event, actor, at, said=Said(not_before=settles_at))
    file.record(
        act, actor, at, outcome="approve", reasons=reasons, number=file.row.registration_number,
        overrides_unexplained=overrides_unexplained, **promised,
    )  # fmt: skip
    if settles_at is not None:
        file.set_deadline(DeadlineKind.SETTLED, settles_at)


def undo(file: CaseFile) -> None:
    """Take away what an approval set that has not taken effect: number, signature and end of the park's clock."""
    effect = need(file.row.effect_by, "effect_by")
    finding_answers.take_back(file)
    told = str(file.round)
    file.suppressed.add((NoticeKind.REGISTRATION_APPROVED.value, told))
    file.suppressed.add((NoticeKind.HAND_OVER_REQUESTED.value, f"{NoticeKind.REGISTRATION_APPROVED.value}/{told}"))
    file.row.round += 1
    file.row.change(registration_number=None, effect_by=None, approved_at=None, settles_at=None)
    park_clock.put_back(file, effect)
    file.cancel_deadlines(DeadlineKind.SETTLED)


async def settle(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Let what the programme does of an approved case begin, once nobody can recall the approval any more."""
    move(file, Event.SETTLED, actor, at)
    file.row.settled = True
    file.record(Act.SETTLED, actor, at)
    await programme_of(file).takes_effect(file, connection, actor, at)


def close_unregistered(file: CaseFile) -> None:
    """Take away what waits of a case that closes without a registration."""
    file.row.change(pending_act=None, pending=None, hold=None, standing_hold=False)


def letter(
    file: CaseFile, actor: Actor, at: datetime, reasons: Sequence[GivenReason], *, may_object: bool = True
) -> Said:
    """Return a letter: the decider's role, the date, the reasons, the rule version and the remedy (unconfirmed).

    `may_object` is false of what was decided about an objection, which is not objected to again.
    """
    limits = file.context.limits
    remedy = Remedy(reconsideration_days=limits.reconsideration_calendar_days, lawsuit_months=limits.lawsuit_months)
    facts = {
        "role": actor.role,
        "decided_on": day_of(at),
        "rule_version": file.row.policy_version,
        "remedy": remedy,
        "objection": objection_remedy(file, at) if may_object else None,
    }
    return Said(facts=facts, reasons=reasons)


def remedy_stated(file: CaseFile) -> dict[str, Any]:
    """Return the limits that the letter of a decision states, as the decision's row keeps them."""
    limits = file.context.limits
    objection = {"objection_calendar_days": limits.objection_calendar_days} if programme_of(file).contestable else {}
    return {
        **objection,
        "reconsideration_calendar_days": limits.reconsideration_calendar_days,
        "lawsuit_months": limits.lawsuit_months,
        "limits_version": limits.version,
    }
