"""What time does to a case: each deadline by its verb, at its own time and in order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.decisions import cooling, correction, objections, renewal_returns, renewals, settling, transferring
from cases.programme import Timer, programme_of
from cases.tasks import review
from domain.actors import Actor
from domain.clock import over_at
from domain.deadlines import DeadlineKind
from domain.stages import Stage
from store.rows.work import DeadlineRow


async def pass_deadlines(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, *, strictly: bool = False
) -> None:
    """Pass every deadline up to a time; strictly: only those before it."""
    while True:
        due = [row for row in file.deadlines.values() if _is_over(row, at, strictly=strictly)]
        if not due:
            return
        row = min(due, key=lambda row: row.at)
        file.pass_deadline(row)
        await transferring.look_ahead(file, connection, row)
        when = max(row.at, file.row.accepted_at)
        if row.kind == DeadlineKind.SETTLED:
            await settling.settle(file, connection, actor, when)
        elif row.kind == DeadlineKind.RENEWAL_SETTLED:
            await renewals.settle(file, connection, actor, when)
        else:
            programme_of(file).timers[row.kind](file, actor, when, row)


def pass_watched(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Pass the deadlines that the Schedule watches; a permit that was kept outlives the workflow of its case (P17)."""
    words, has_ended = file.words.deadlines, file.stage is Stage.ENDED
    due = [
        row
        for row in file.deadlines.values()
        if _is_over(row, at) and (words[row.kind].by_schedule or (has_ended and words[row.kind].outlives))
    ]
    for row in sorted(due, key=lambda row: row.at):
        file.pass_deadline(row)
        programme_of(file).timers[row.kind](file, actor, row.at, row)


def _is_over(deadline: DeadlineRow, at: datetime, *, strictly: bool = False) -> bool:
    over = over_at(deadline.at)
    # What is stored at the very moment of a reminder comes before it; what is stored as a limit ends is too late.
    return over < at or (over == at and not (strictly and over == deadline.at))


TIMERS: Final[Mapping[str, Timer]] = {
    DeadlineKind.DEFECTS_NAMED: review.count_as_complete,
    DeadlineKind.CORRECTION_REMINDER: correction.remind,
    DeadlineKind.CORRECTION_OVER: correction.lapse,
    DeadlineKind.REVIEW_REMINDER: review.remind,
    DeadlineKind.REVIEW_OVER: review.escalate,
    DeadlineKind.CLAIM_OVER: review.lapse_claim,
    DeadlineKind.SIGNATURE_EXPECTED: review.expect_signature,
    DeadlineKind.HOLD_REVIEW: review.review_hold,
    DeadlineKind.OBJECTION_OVER: objections.overdue,
    DeadlineKind.RENEWAL_REMINDER: renewals.remind,
    DeadlineKind.RENEWAL_OVER: renewals.escalate,
    DeadlineKind.RENEWAL_CORRECTION_REMINDER: renewal_returns.remind,
    DeadlineKind.RENEWAL_CORRECTION_OVER: renewal_returns.lapse,
    DeadlineKind.TAKES_EFFECT: cooling.pass_deadline,
    DeadlineKind.DEPARTURE_ANSWER: transferring.leave_unanswered,
}
