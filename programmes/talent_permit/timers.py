"""What time does to a talent permit beside what it does to any case, each deadline by its verb."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cases.case.file import CaseFile
from cases.commands import timers
from cases.programme import Timer
from domain.actors import Actor
from domain.working_days import Deadline
from programmes.talent_permit import employment, permits, running_on
from programmes.talent_permit.authority.early import take_early
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.tables import set_permit
from programmes.talent_permit.words import PermitDeadline
from store.rows.work import DeadlineRow


def recounted(file: CaseFile, at: datetime, deadline: DeadlineRow, again: Deadline) -> None:
    """Let a permit's row and the holder of the case follow the day by which the authority's answer is expected."""
    if deadline.kind == PermitDeadline.AUTHORITY_LATE and deadline.step == 1:
        set_permit(file, Destination(deadline.destination), at, due_at=again.at, due_provisional=again.provisional)
        permits.follow_up(file)


def _show_early(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    take_early(file, actor, at, Destination(deadline.destination), hold=True)


TIMERS: Final[Mapping[str, Timer]] = {
    **timers.TIMERS,
    **dict.fromkeys(permits.DEADLINES, permits.pass_deadline),
    PermitDeadline.EMPLOYMENT_OVER: employment.end_employment,
    PermitDeadline.CONTRACT_REMINDER: employment.remind_of_contract,
    PermitDeadline.CONTRACT_GRACE: employment.end_contract_grace,
    PermitDeadline.EARLY_ANSWER: _show_early,
    PermitDeadline.MOVE_EXPECTED: running_on.move_missed,
}
