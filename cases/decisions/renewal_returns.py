"""Renewals that are sent back: what the owner is asked to mend, what comes of that, and silence (R44 to R47)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import open_points
from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.renewals import CHANGES, under_way
from cases.case.signers import need_reasons
from cases.deadlines import renewal_limit
from cases.decisions import assessing, renewals
from cases.moves.moving import move, need_move
from cases.moves.renewals import RenewalEvent
from cases.notices.compose import Said
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import Refused
from domain.open_points import points_of_reasons
from domain.reasons import Use
from domain.renewals import RenewalAction, RenewalDecisionRequest, RenewalStage
from store.rows.renewals import RenewalRow
from store.rows.work import DeadlineRow


def send_back(file: CaseFile, actor: Actor, at: datetime, asked: RenewalDecisionRequest) -> None:
    """Send a renewal back with the reasons of an officer, every defect at once; the park's limit stands (R44).

    Raises:
        Refused: as a decision on a renewal; `return_not_allowed` where it was sent back as often as it may be;
            those of its reasons; `nothing_to_renew` once the end of the case is reported.
    """
    renewal = renewals.take_up(file, actor, at, asked)
    renewals.need_lasting(file)
    codes = need_reasons(asked.reasons, Use.RETURN, file.forms, file.words.reasons)
    allowed = file.context.limits.returns_allowed
    if (renewal.returned_times or 0) >= allowed:
        raise Refused("return_not_allowed", f"The renewal was returned {allowed} times already.")
    file.row.round += 1
    notes = [reason.note for reason in asked.reasons]
    open_points.keep(file, points_of_reasons(asked.reasons, file.forms), notes)
    renewal.change(
        stage=RenewalStage.CORRECTION_REQUESTED.value, returned_times=(renewal.returned_times or 0) + 1, overdue=False
    )
    renewal_limit.stop(file, renewal, day_of(at))
    renewal_limit.ask_correction(file, renewal, day_of(at))
    move(file, RenewalEvent.RETURN_RENEWAL, actor, at)
    with file.ruled(renewals.pack_of(file, renewal)):
        outcome = RenewalAction.RETURN.value
        file.record(Act.RENEWAL_RETURNED, actor, at, outcome=outcome, reasons=codes, renewal=renewal.number)


def refuses_correction(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to correct a renewal that was not sent back."""
    need_move(file, RenewalEvent.CORRECT_RENEWAL, actor)
    _need_sent_back(file)


async def correct(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Mapping[str, Any]
) -> None:
    """Take what is given again of a renewal; the rules of its day run again, and the park's limit goes on (R45)."""
    refuses_correction(file, actor, None, at)
    renewal, declared = _need_sent_back(file), renewals.declared(file)
    asked = declared.asks.model_validate(body)
    wanted = await declared.wanted(file, connection, actor, at, asked, renewals.wanted_by(file, renewal))
    by = assessing.By(renewals.pack_of(file, renewal), day_of(renewal.asked_at))
    outcome = await renewals.assess(file, connection, at, wanted, by)
    file.row.round += 1
    open_points.clear(file)
    renewal.change(
        stage=RenewalStage.UNDER_REVIEW.value,
        fields=sorted(wanted),
        changes=file.seal(*CHANGES, renewals.place_of(file, renewal.number), wanted) if wanted else None,
        assessment=outcome.value,
    )
    renewal_limit.end_correction(file)
    renewal_limit.go_on(file, renewal, day_of(at))
    move(file, RenewalEvent.CORRECT_RENEWAL, actor, at)
    with file.ruled(renewals.pack_of(file, renewal)):
        file.record(
            Act.RENEWAL_CORRECTED, actor, at, outcome=outcome.value, renewal=renewal.number, fields=renewal.fields
        )


def remind(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Remind the owner of a correction of a renewal that is due (R46)."""
    renewal = _sent_back(file)
    if renewal is None:
        return
    said = Said(occasion=f"{file.round}/{deadline.step}", facts={"days_left": deadline.step})
    move(file, RenewalEvent.RENEWAL_CORRECTION_REMINDER_DUE, actor, at, said=said)
    file.record(Act.REMINDED, actor, at, step=deadline.step, renewal=renewal.number)


def lapse(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let a renewal lapse for which no correction came in time: it counts as withdrawn (R47)."""
    renewal = _sent_back(file)
    if renewal is None:
        return
    renewal_limit.end_correction(file)
    # What was asked is said with it once more.
    move(file, RenewalEvent.RENEWAL_CORRECTION_OVER, actor, at)
    open_points.clear(file)
    renewal.change(stage=RenewalStage.WITHDRAWN.value, ended_on=day_of(at))
    file.record(Act.RENEWAL_LAPSED, actor, at, renewal=renewal.number)


def _sent_back(file: CaseFile) -> RenewalRow | None:
    renewal = under_way(file)
    return renewal if renewal is not None and renewal.stage == RenewalStage.CORRECTION_REQUESTED else None


def _need_sent_back(file: CaseFile) -> RenewalRow:
    renewal = _sent_back(file)
    if renewal is None:
        raise Refused("wrong_stage", words="renewal_not_sent_back")
    return renewal
