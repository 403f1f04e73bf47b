"""The recognition: given once an approval has settled, suspended at once, restored, and over on its last day."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.renewals import under_way
from cases.case.signers import need_reasons
from cases.decisions import ending
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from domain.actors import Actor, system
from domain.clock import day_of, start_of
from domain.errors import Refused, need
from domain.references import approval_number
from domain.stages import Standing
from programmes.appraisal import facts
from programmes.appraisal.requests import SuspensionRequest
from programmes.appraisal.stages import AT_RECOGNITION, AppraisalEvent, RecognitionEvent
from programmes.appraisal.tables import RECOGNITIONS, RecognitionRow, certificate_sequence, employment, recognition
from programmes.appraisal.words import (
    AppraisalAct,
    AppraisalDeadline,
    AppraisalReason,
    AppraisalUse,
    EmploymentStage,
    RecognitionStage,
)
from store.rows.evidence import EvidenceRow
from store.rows.work import DeadlineRow

CERTIFICATE: Final = "HA"
_KEY: Final = AT_RECOGNITION.key
# What the employment suspends, and what it lifts when it is confirmed again; all else an officer lifts.
OF_EMPLOYMENT: Final = frozenset(
    {AppraisalReason.EMPLOYMENT_ENDED, AppraisalReason.EMPLOYMENT_UNCONFIRMED, AppraisalReason.EMPLOYER_LEFT}
)
_RUNS: Final = frozenset({RecognitionStage.VALID, RecognitionStage.SUSPENDED})


async def recognise(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Give the recognition its certificate, from today until the day that the pack of acceptance says."""
    sequence = (await connection.execute(select(certificate_sequence.next_value()))).scalar_one()
    certificate = approval_number(CERTIFICATE, day_of(at).year, sequence)
    _run(file, actor, at, RecognitionEvent.RECOGNISE, AppraisalAct.RECOGNISED, certificate, day_of(at))
    asked = employment(file)
    if asked is not None and asked.stage == EmploymentStage.LEFT:
        fall(file, actor, at, AppraisalReason.EMPLOYMENT_ENDED)
    heed_standing(file, actor, at)


def heed_standing(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Suspend a recognition whose employer has left the Park; of one that is back, lift what that had suspended."""
    row = recognition(file)
    if _has_left(file, at):
        fall(file, actor, at, AppraisalReason.EMPLOYER_LEFT)
    elif row is not None and AppraisalReason.EMPLOYER_LEFT in row.suspended_for:
        _lift_only(file, actor, at, frozenset({AppraisalReason.EMPLOYER_LEFT}))


def _has_left(file: CaseFile, at: datetime) -> bool:
    """Whether the employer that confirms the employment has left the Park by now."""
    return file.employer.standing_on(day_of(at)) is Standing.LEFT_PARK


def go_on(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let the recognition run on after a re-appraisal: behind its last day, or from today where that is over."""
    row = need(recognition(file), "recognition")
    begins = max(need(row.valid_until, "valid_until") + timedelta(days=1), day_of(at))
    file.cancel_deadlines(AppraisalDeadline.OVER)
    certificate = need(row.certificate, "certificate")
    _run(file, actor, at, RecognitionEvent.REAPPRAISE, AppraisalAct.REAPPRAISED, certificate, begins)


def _run(file: CaseFile, actor: Actor, at: datetime, event: str, act: str, certificate: str, begins: date) -> None:
    until = years_after(begins, file.pack.integer("recognition_years")) - timedelta(days=1)
    row = recognition(file)
    starts = row.valid_from if row is not None and row.valid_from is not None else begins
    starts = begins if begins <= day_of(at) else starts
    file.set_track(RECOGNITIONS, _KEY, at, certificate=certificate, valid_from=starts, valid_until=until, ended_on=None)
    _watch(file, at, until)
    move(file, event, actor, at, track=AT_RECOGNITION, said=_said(file, until.isoformat()))
    told = {"certificate": certificate, "valid_from": starts.isoformat(), "valid_until": until.isoformat()}
    file.record(act, actor, at, destination=_KEY, **told)


def _watch(file: CaseFile, at: datetime, until: date) -> None:
    file.set_deadline(AppraisalDeadline.EXPIRED, start_of(until + timedelta(days=1)), destination=_KEY)
    for days in file.pack.integers("expiry_reminders"):
        on = until - timedelta(days=days)
        if on > day_of(at):
            file.set_deadline(AppraisalDeadline.EXPIRING, start_of(on), destination=_KEY, step=days)


async def suspend(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Suspend a recognition for reasons that an officer gives."""
    asked = SuspensionRequest.model_validate(body)
    need_move(file, RecognitionEvent.SUSPEND, actor, AT_RECOGNITION)
    codes = need_reasons(asked.reasons, AppraisalUse.SUSPEND, file.forms, file.words.reasons)
    _suspend(file, RecognitionEvent.SUSPEND, actor, at, codes)


def fall(file: CaseFile, actor: Actor, at: datetime, reason: str) -> None:
    """Suspend a recognition at once for what befell its employment or its evidence; its decision stands."""
    row = recognition(file)
    if row is not None and row.stage in _RUNS and reason not in row.suspended_for:
        _suspend(file, RecognitionEvent.FALL, actor, at, (reason,))


def _suspend(file: CaseFile, event: str, actor: Actor, at: datetime, codes: Sequence[str]) -> None:
    row = need(recognition(file), "recognition")
    held = [*row.suspended_for, *(code for code in codes if code not in row.suspended_for)]
    file.set_track(RECOGNITIONS, _KEY, at, suspended_for=held)
    move(file, event, actor, at, track=AT_RECOGNITION, said=_said(file, f"{len(held)}/{at.isoformat()}"))
    file.record(AppraisalAct.SUSPENDED, actor, at, reasons=codes, destination=_KEY)


def refuses_restoring(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to restore what is not suspended, or is suspended for an employment that is not confirmed in the Park."""
    need_move(file, RecognitionEvent.RESTORE, actor, AT_RECOGNITION)
    row = recognition(file)
    if row is not None and OF_EMPLOYMENT.intersection(row.suspended_for):
        words = (
            "The employment is not confirmed, or its employer has left the Park; the person asks for a change of the "
            "employer, who confirms it."
        )
        raise Refused("wrong_stage", words)


async def restore(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Let a recognition be valid again."""
    refuses_restoring(file, actor, None, at)
    _lift(file, RecognitionEvent.RESTORE, actor, at, [])


def employed_again(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Lift what an employment had suspended, once an employer has confirmed one; one that left the Park suspends it."""
    if _has_left(file, at):
        fall(file, actor, at, AppraisalReason.EMPLOYER_LEFT)
        _lift_only(file, actor, at, OF_EMPLOYMENT - {AppraisalReason.EMPLOYER_LEFT})
    else:
        _lift_only(file, actor, at, OF_EMPLOYMENT)


def _lift_only(file: CaseFile, actor: Actor, at: datetime, codes: Collection[str]) -> None:
    """Lift some of what suspends a recognition; it is valid again once nothing is left of it."""
    row = recognition(file)
    if row is None or row.stage != RecognitionStage.SUSPENDED:
        return
    rest = [code for code in row.suspended_for if code not in codes]
    if rest:
        file.set_track(RECOGNITIONS, _KEY, at, suspended_for=rest)
    else:
        _lift(file, RecognitionEvent.LIFT, actor, at, rest)


def _lift(file: CaseFile, event: str, actor: Actor, at: datetime, rest: list[str]) -> None:
    file.set_track(RECOGNITIONS, _KEY, at, suspended_for=rest)
    move(file, event, actor, at, track=AT_RECOGNITION, said=_said(file, at.isoformat()))
    file.record(AppraisalAct.RESTORED, actor, at, destination=_KEY)


def remind(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Tell the person that the recognition ends, and that they can be appraised again."""
    row = recognition(file)
    if row is not None and row.stage == RecognitionStage.VALID:
        said = _said(file, f"{row.valid_until}/{deadline.step}")
        move(file, RecognitionEvent.EXPIRING, actor, at, track=AT_RECOGNITION, said=said)


def expire(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let a recognition be over; for some working days more it can be appraised again."""
    row = need(recognition(file), "recognition")
    file.set_track(RECOGNITIONS, _KEY, at, ended_on=row.valid_until)
    move(file, RecognitionEvent.EXPIRE, actor, at, track=AT_RECOGNITION, said=_said(file, str(row.valid_until)))
    file.set_working_days(AppraisalDeadline.OVER, day_of(at), file.pack.integer("late_reappraisal_days"))
    file.record(AppraisalAct.EXPIRED, actor, at, destination=_KEY)


def end(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """End a case whose recognition is over, unless its re-appraisal is still looked at."""
    if under_way(file) is not None:
        file.set_working_days(AppraisalDeadline.OVER, day_of(at), 1)
        return
    engine = system("expired", actor.correlation_id)
    ending.close(file, at, AppraisalReason.EXPIRED, AppraisalDeadline.OVER)
    move(file, AppraisalEvent.OVER, engine, at)
    file.record(AppraisalAct.ENDED, engine, at, reasons=[AppraisalReason.EXPIRED])


async def evidence_fell(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, piece: EvidenceRow
) -> None:
    """Suspend a recognition that what is still proved does not carry; the decision stands until two set it aside."""
    if not facts.is_carried(file):
        fall(file, system("evidence_fell", actor.correlation_id), at, AppraisalReason.EVIDENCE_FALLEN)


def close_revoked(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Take a recognition away, once its revocation holds."""
    row = recognition(file)
    if row is not None and row.stage in _RUNS:
        file.set_track(RECOGNITIONS, _KEY, at, ended_on=day_of(at))
        file.cancel_deadlines(destination=_KEY)
        move(file, RecognitionEvent.REVOKE, actor, at, track=AT_RECOGNITION)
        file.record(AppraisalAct.CLOSED, actor, at, destination=_KEY)


def revive(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Give a recognition back whose revocation was set aside, as it stood: valid, or suspended for what it was."""
    row = need(recognition(file), "recognition")
    file.set_track(RECOGNITIONS, _KEY, at, ended_on=None)
    _watch(file, at, need(row.valid_until, "valid_until"))
    held = row.suspended_for
    event = RecognitionEvent.REVIVE_SUSPENDED if held else RecognitionEvent.REVIVE
    move(file, event, actor, at, track=AT_RECOGNITION, said=_said(file, f"revived/{at.isoformat()}"))
    act = AppraisalAct.SUSPENDED if held else AppraisalAct.RESTORED
    file.record(act, actor, at, reasons=held, destination=_KEY)
    heed_standing(file, actor, at)


def _said(file: CaseFile, occasion: str) -> Said:
    row: RecognitionRow = need(recognition(file), "recognition")
    facts = {
        "certificate": row.certificate,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "suspended_for": tuple(row.suspended_for),
    }
    return Said(occasion=occasion, facts=facts)


def years_after(day: date, years: int) -> date:
    """Return the same day so many years later, the first of March where that year has no 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
