"""Reminders before a limit is over: each of them has its step."""

from collections.abc import Iterable
from datetime import date, datetime

from cases.case.file import CaseFile
from domain.deadlines import DeadlineKind


def remind(file: CaseFile, kind: DeadlineKind, moments: Iterable[tuple[int, datetime]], *, again: bool) -> None:
    """Set the reminders of a limit, by step; where it is counted again, only those that still wait."""
    for step, moment in moments:
        if not again or (kind.value, "", step) in file.deadlines:
            file.set_deadline(kind, moment, step=step)


def remind_to_correct(file: CaseFile, kind: DeadlineKind, day0: date, *, again: bool) -> None:
    """Set the reminders of the owner's limit to correct, which began on a day, by how many working days are left."""
    limits = file.context.limits
    moments = (
        (left, moment)
        for left in limits.correction_reminders_left
        for moment in file.calendar.reminders_before_end(day0, limits.correction_days, (left,))
    )
    remind(file, kind, moments, again=again)
