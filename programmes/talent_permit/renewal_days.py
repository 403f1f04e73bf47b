"""The days of a renewal: when an invitation to it means anything, and by when it leaves no gap between two terms."""

from datetime import date, datetime, timedelta

from cases.case.file import CaseFile
from cases.case.renewals import under_way
from domain.clock import day_of
from domain.stages import Stage
from programmes.talent_permit import terms
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.permit_stages import Destination


def is_renewing(file: CaseFile, destination: Destination) -> bool:
    """Whether a renewal waits, or the next term of a permit is under way, so that nobody is invited to ask for one."""
    return under_way(file) is not None or terms.find_next_pending(file, destination) is not None


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
