"""The end of the contract: reminders before it, the grace after it, and what moves it (R29)."""

from datetime import datetime

from cases.case import facts as case_facts
from cases.case.file import CaseFile
from domain.clock import day_of, morning_of
from domain.deadlines import DeadlineKind
from domain.stages import Stage
from domain.working_days import calendar_days_before
from programmes.talent_permit.tables import talent_permit


def plan_end(file: CaseFile, at: datetime) -> None:
    """Set the reminders of a contract's end and the grace after it (R29)."""
    file.cancel_deadlines(DeadlineKind.CONTRACT_REMINDER, DeadlineKind.CONTRACT_GRACE)
    end = talent_permit(file).contract_end
    if end is None or file.row.ended_on is not None:
        return
    limits = file.context.limits
    today = day_of(at)
    for left, day in zip(
        sorted(limits.contract_reminders, reverse=True),
        calendar_days_before(end, limits.contract_reminders),
        strict=True,
    ):
        if day > today:
            file.set_deadline(DeadlineKind.CONTRACT_REMINDER, morning_of(day), step=left)
    file.set_working_days(DeadlineKind.CONTRACT_GRACE, end, limits.contract_grace_days)


def follow_known_end(file: CaseFile, at: datetime) -> None:
    """Let the end of the contract, by which reminders go, be the one that is known now."""
    ends = case_facts.known(file).employment.contract_end
    if talent_permit(file).contract_end != ends:
        talent_permit(file).contract_end = ends
        if file.stage is Stage.APPROVED and file.row.settled:
            plan_end(file, at)
