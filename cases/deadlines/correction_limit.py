"""The time that the owner has to mend a case that was sent back, with its reminders (R4 to R8)."""

from datetime import date

from cases.case.file import CaseFile
from cases.deadlines import park_clock
from cases.deadlines.reminders import remind_to_correct
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
    due = file.set_working_days(DeadlineKind.CORRECTION_OVER, day0, file.context.limits.correction_days)
    holder = Holder.PERSON if file.owned_by is Party.PERSON else Holder.EMPLOYER
    park_clock.owe(file, due, DueKind.CORRECTION, holder)
    remind_to_correct(file, DeadlineKind.CORRECTION_REMINDER, day0, again=again)
