"""The days of a renewal: when an invitation to it means anything, and by when it leaves no gap between two terms."""

from datetime import date, datetime, timedelta

from cases.case.file import CaseFile
from cases.case.renewals import granted_until, under_way
from domain.clock import day_of
from domain.stages import Stage
from programmes.talent_permit.limits import limits_in


def is_renewed(file: CaseFile, destination: str, until: date | None) -> bool:
    """Whether a renewal of what ends on a day waits or was granted, so that nobody is invited to ask for one."""
    if until is None:
        return False
    waits = under_way(file)
    waiting = set() if waits is None else set(waits.ends.items())
    return (str(destination), until.isoformat()) in waiting | granted_until(file)


def renew_by(file: CaseFile, until: date | None, at: datetime) -> date | None:
    """Return by when a renewal is asked for no gap between two terms, or None where none can be asked any more.

    The park, the sending and the authority have their days; past that day it is asked as soon as it can be.
    """
    if until is None or file.stage is not Stage.APPROVED or file.row.ended_on is not None:
        return None
    limits = limits_in(file.context)
    days = file.context.limits.park_decision_days + limits.sending_days + limits.authority_answer_days
    day = until
    while file.calendar.working_days_between(day, until) < days:
        day -= timedelta(days=1)
    return max(day, day_of(at))
