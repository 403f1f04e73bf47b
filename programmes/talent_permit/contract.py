"""The end of a contract, as it is known: its reminders, and the grace after it."""

from datetime import datetime

from cases.case.file import CaseFile
from domain.clock import day_of, morning_of
from domain.working_days import calendar_days_before
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.tables import talent_permit
from programmes.talent_permit.words import PermitDeadline


def plan_contract_end(file: CaseFile, at: datetime) -> None:
    """Set the reminders of a contract's end and the grace after it (R29)."""
    file.cancel_deadlines(PermitDeadline.CONTRACT_REMINDER, PermitDeadline.CONTRACT_GRACE)
    end = talent_permit(file).contract_end
    if end is None or file.row.ended_on is not None:
        return
    limits = limits_in(file.context)
    today = day_of(at)
    for left, day in zip(
        sorted(limits.contract_reminders, reverse=True),
        calendar_days_before(end, limits.contract_reminders),
        strict=True,
    ):
        if day > today:
            file.set_deadline(PermitDeadline.CONTRACT_REMINDER, morning_of(day), step=left)
    file.set_working_days(PermitDeadline.CONTRACT_GRACE, end, limits.contract_grace_days)
