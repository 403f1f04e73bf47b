"""The park's clock of a case: how it starts, stops and ends, and the deadlines that hang on it."""

from datetime import date, datetime
from typing import Any

from cases.case.file import CaseFile
from cases.deadlines.reminders import remind
from domain.clock import day_of, over_at, to_the_second
from domain.deadlines import DeadlineKind
from domain.signatures import KeptClock
from domain.stages import DueKind, Holder
from domain.tasks import REVIEW_TASKS
from domain.working_days import Deadline, ParkClock

_PARK_DEADLINES = (DeadlineKind.REVIEW_REMINDER, DeadlineKind.REVIEW_OVER, DeadlineKind.DEFECTS_NAMED)


def park_clock(file: CaseFile) -> ParkClock:
    """Return the clock as the register keeps it."""
    return ParkClock(limit=file.context.limits.park_decision_days, used=file.row.days_used, since=file.row.clock_since)


def run(file: CaseFile, on: date | None = None, *, after: datetime | None = None) -> None:
    """Let the clock run and set its deadlines.

    Args:
        file: the case.
        on: the day of the correction that lets it go on.
        after: the time before which reminders were given already.
    """
    clock = park_clock(file)
    _keep(file, clock if on is None else clock.resume(on), after=after)


def recount(file: CaseFile) -> None:
    """Set the deadlines of a running clock again, after a calendar was loaded."""
    if file.row.clock == "running":
        _keep(file, park_clock(file), again=True)


def stop(file: CaseFile, at: datetime) -> None:
    """Stop the clock for a return, the day of which counts as used."""
    _write(file, park_clock(file).stop(day_of(at), file.calendar))
    file.row.clock = "stopped"
    file.cancel_deadlines(*_PARK_DEADLINES)


def leave_out_since(file: CaseFile, on: date) -> None:
    """Count the days up to one as used, and none of those since, before the clock goes on today."""
    _write(file, park_clock(file).stop(on, file.calendar))


def end(file: CaseFile) -> None:
    """End the clock with the decision; the due date goes with it."""
    file.row.change(clock="stopped", clock_since=None, due_at=None, due_kind=None, due_provisional=False, overdue=False)
    file.cancel_deadlines(*_PARK_DEADLINES, DeadlineKind.CLAIM_OVER, DeadlineKind.SIGNATURE_EXPECTED)


def put_back(file: CaseFile, kept: KeptClock) -> None:
    """Let the clock stand as it stood before a decision that is taken back."""
    since = kept["clock_since"]
    file.row.change(
        days_used=kept["days_used"],
        clock_since=date.fromisoformat(since) if since else None,
        overdue=kept["overdue"],
    )


def promised(file: CaseFile, at: datetime) -> dict[str, Any]:
    """Return, as the row of a decision keeps it, until when it was promised and whether that was kept."""
    due = file.row.due_at
    if due is None or file.row.due_kind != DueKind.PARK_DECISION:
        return {}
    return {"promise": {"by": to_the_second(due).isoformat(), "kept": at < over_at(due)}}


def owe(file: CaseFile, due: Deadline | None, kind: DueKind, holder: Holder) -> None:
    """Say who has to act next and until when."""
    file.row.change(
        due_at=due.at if due else None,
        due_kind=kind.value if due else None,
        due_provisional=due.provisional if due else False,
        holder=holder.value,
        overdue=False,
    )


def _keep(file: CaseFile, clock: ParkClock, *, again: bool = False, after: datetime | None = None) -> None:
    _write(file, clock)
    file.row.clock = "running"
    deadline = clock.deadline(file.calendar)
    if deadline is None or clock.since is None:
        return
    was_over = file.row.overdue
    owe(file, deadline, DueKind.PARK_DECISION, Holder.PARK)
    file.row.overdue = was_over
    counted = (clock.since, clock.left)
    if not was_over:
        file.set_deadline(DeadlineKind.REVIEW_OVER, deadline, counted=counted)
    reminders = enumerate(clock.reminders(file.calendar), start=1)
    to_come = ((step, moment) for step, moment in reminders if after is None or moment > after)
    remind(file, DeadlineKind.REVIEW_REMINDER, to_come, again=again)
    for task in file.tasks:
        if task.kind in REVIEW_TASKS:
            file.change_task(task, due_at=deadline.at)


def _write(file: CaseFile, clock: ParkClock) -> None:
    file.row.change(days_used=clock.used, clock_since=clock.since)
