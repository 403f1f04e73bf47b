"""The limits of a renewal: that of the park, which stops for a return and goes on, and the owner's to correct.

Rows R37 and R44 to R47; each has its reminders.
"""

from datetime import date

from cases.case.file import CaseFile
from cases.case.renewals import under_way
from cases.deadlines.reminders import remind, remind_to_correct
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.renewals import RenewalStage
from domain.tasks import TaskKind
from domain.working_days import Deadline, ParkClock
from store.rows.renewals import RenewalRow


def begin(file: CaseFile, day0: date) -> Deadline:
    """Set the whole limit, counted from a day, with its reminders."""
    return _set(file, ParkClock.start(file.context.limits.park_decision_days, day0))


def begin_anew(file: CaseFile, renewal: RenewalRow, day0: date) -> None:
    """Give a renewal the park's whole limit again."""
    renewal.change(limit_used=None, limit_since=day0, overdue=False)
    _keep(renewal, begin(file, day0))


def stop(file: CaseFile, renewal: RenewalRow, on: date) -> None:
    """Stop the limit for a return, the day of which counts as used."""
    renewal.change(limit_used=_clock(file, renewal).stop(on, file.calendar).used, due_at=None, due_provisional=False)
    end(file)


def ask_correction(file: CaseFile, renewal: RenewalRow, day0: date) -> None:
    """Set the owner's limit to correct what was sent back, counted from the day of the return, with its reminders."""
    _set_correction(file, renewal, day0, again=False)


def end_correction(file: CaseFile) -> None:
    """End the owner's limit: something came, or nothing is waited for any more."""
    file.cancel_deadlines(DeadlineKind.RENEWAL_CORRECTION_OVER, DeadlineKind.RENEWAL_CORRECTION_REMINDER)


def go_on(file: CaseFile, renewal: RenewalRow, on: date) -> None:
    """Let the limit go on with the days that were left, the day of the correction not counted."""
    renewal.change(limit_since=on, overdue=False)
    _keep(renewal, _set(file, _clock(file, renewal)))


def run_on(file: CaseFile, renewal: RenewalRow, after: date) -> None:
    """Let the limit run on as if nothing had been decided; what passed of it meanwhile stays past."""
    clock = _clock(file, renewal)
    deadline = clock.deadline(file.calendar)
    if deadline is not None and day_of(deadline.at) >= after and not renewal.overdue:
        _set(file, clock, after=after)


def recount(file: CaseFile) -> None:
    """Count a running limit again, after a calendar was loaded."""
    renewal = under_way(file)
    if renewal is None or renewal.due_at is None:
        return
    if renewal.stage == RenewalStage.CORRECTION_REQUESTED:
        over = file.deadlines.get((DeadlineKind.RENEWAL_CORRECTION_OVER.value, "", 0))
        if over is not None and over.counted_from is not None and over.calendar_version != file.calendar.version:
            _set_correction(file, renewal, over.counted_from, again=True)
        return
    clock = _clock(file, renewal)
    deadline = clock.deadline(file.calendar)
    if deadline is None or (deadline.at, deadline.provisional) == (renewal.due_at, renewal.due_provisional):
        return
    _keep(renewal, deadline)
    if (DeadlineKind.RENEWAL_OVER.value, "", 0) in file.deadlines:
        _set(file, clock, again=True)
    task = file.find_task(TaskKind.RENEWAL)
    if task is not None:
        file.change_task(task, due_at=deadline.at)


def end(file: CaseFile) -> None:
    """End the limit: it was decided, sent back, withdrawn or closed."""
    file.cancel_deadlines(DeadlineKind.RENEWAL_OVER, DeadlineKind.RENEWAL_REMINDER)


def _clock(file: CaseFile, renewal: RenewalRow) -> ParkClock:
    # What was asked before returns were known has no day of its own.
    since = renewal.limit_since or day_of(renewal.asked_at)
    return ParkClock(limit=file.context.limits.park_decision_days, used=renewal.limit_used or 0, since=since)


def _set(file: CaseFile, clock: ParkClock, *, again: bool = False, after: date | None = None) -> Deadline:
    assert clock.since is not None
    deadline = file.set_working_days(DeadlineKind.RENEWAL_OVER, clock.since, clock.left)
    reminders = enumerate(clock.reminders(file.calendar), start=1)
    to_come = ((step, moment) for step, moment in reminders if after is None or day_of(moment) > after)
    remind(file, DeadlineKind.RENEWAL_REMINDER, to_come, again=again)
    return deadline


def _set_correction(file: CaseFile, renewal: RenewalRow, day0: date, *, again: bool) -> None:
    days = file.context.limits.correction_days
    _keep(renewal, file.set_working_days(DeadlineKind.RENEWAL_CORRECTION_OVER, day0, days))
    remind_to_correct(file, DeadlineKind.RENEWAL_CORRECTION_REMINDER, day0, again=again)


def _keep(renewal: RenewalRow, due: Deadline) -> None:
    renewal.change(due_at=due.at, due_provisional=due.provisional)
