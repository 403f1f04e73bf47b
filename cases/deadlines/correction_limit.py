"""The time that the owner has to mend a case that was sent back, with its reminders (R4 to R8)."""

from datetime import date

from cases.case.file import CaseFile
from cases.deadlines import park_clock
from domain.deadlines import DeadlineKind
from domain.parties import Party
from domain.stages import DueKind, Holder


def begin(file: CaseFile, day0: date) -> None:
    """Set the limit, so many working days after the day of the return, and its reminders."""
    _set(file, day0, again=False)


def recount(file: CaseFile) -> None:
    """Count the limit again, after a calendar was loaded."""
    row = file.deadlines.get((DeadlineKind.CORRECTION_OVER, "", 0))
    if row is not None and row.counted_from is not None:
        _set(file, row.counted_from, again=True)


def end(file: CaseFile) -> None:
    """End the limit: something came."""
    file.cancel_deadlines(DeadlineKind.CORRECTION_REMINDER, DeadlineKind.CORRECTION_OVER)


def _set(file: CaseFile, day0: date, *, again: bool) -> None:
    limits = file.context.limits
    due = file.set_working_days(DeadlineKind.CORRECTION_OVER, day0, limits.correction_days)
    holder = Holder.PERSON if file.owned_by is Party.PERSON else Holder.EMPLOYER
    park_clock.owe(file, due, DueKind.CORRECTION, holder)
    for left in limits.correction_reminders_left:
        moments = file.calendar.reminders_before_end(day0, limits.correction_days, (left,))
        is_waiting = (DeadlineKind.CORRECTION_REMINDER, "", left) in file.deadlines
        if moments and (is_waiting or not again):
            file.set_deadline(DeadlineKind.CORRECTION_REMINDER, moments[0], step=left)
