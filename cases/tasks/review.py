"""The tasks of a review and what time does to them: claims, reminders, escalation (R9, R17 to R19)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cases.case.file import CaseFile
from cases.notices.compose import Telling, tell
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, morning_of
from domain.deadlines import DeadlineKind
from domain.errors import need
from domain.moves import Event
from domain.notices import NoticeKind, Recipient
from domain.stages import PendingAct, Standing
from domain.tasks import REVIEW_TASKS, Queue, TaskKind
from store.rows.work import DeadlineRow, TaskRow


def open_review(
    file: CaseFile, at: datetime, *, reserved_for: str | None = None, detail: Mapping[str, object] | None = None
) -> None:
    """Open the review task; an employer that is suspended brings its hold along (R20)."""
    file.row.standing_hold = file.standing_on(day_of(at)) is Standing.SUSPENDED
    task = file.open_task(TaskKind.REVIEW, at, detail=detail)
    if reserved_for is not None:
        file.change_task(task, holder=reserved_for, held_since=at)
        set_claim_limit(file, task, at)
    if file.row.overdue:
        file.change_task(task, overdue=True, queue=Queue.SUPERVISORS.value)


def close_review(file: CaseFile, at: datetime) -> None:
    """Close the tasks of the review."""
    file.close_tasks(REVIEW_TASKS, at)
    file.cancel_deadlines(DeadlineKind.SIGNATURE_EXPECTED, DeadlineKind.HOLD_REVIEW)
    file.row.hold = None


def set_claim_limit(file: CaseFile, task: TaskRow, at: datetime) -> None:
    """Set the end of a claim: without an act the task returns to the queue."""
    days = file.context.limits.claim_days
    file.set_working_days(DeadlineKind.CLAIM_OVER, day_of(at), days, destination=str(task.task_id))


def give_back(file: CaseFile, task: TaskRow) -> None:
    """Put a task back into its queue; an overdue review goes to the supervisors (R19)."""
    late = task.overdue and task.kind in REVIEW_TASKS and task.destination is None
    queue = Queue.SUPERVISORS.value if late else task.queue
    file.change_task(task, holder=None, held_since=None, queue=queue)
    file.cancel_deadlines(DeadlineKind.CLAIM_OVER, destination=str(task.task_id))


def lapse_claim(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Return a task whose holder did nothing for a working day."""
    task = next((t for t in file.tasks if str(t.task_id) == deadline.destination), None)
    if task is None or task.holder is None:
        return
    file.record(Act.CLAIM_LAPSED, actor, at, destination=task.destination, kind=task.kind, subject=task.holder)
    give_back(file, task)


def remind(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Remind the holder, or the queue, that the park's limit comes near (R18)."""
    file.move(Event.REVIEW_REMINDER_DUE)
    file.record(Act.REMINDED, actor, at, step=deadline.step)
    _tell_holder(file, NoticeKind.DUE_SOON, at, f"{file.round}/{deadline.step}", park_due(file))


def escalate(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Pass an overdue case into the supervisors' queue; nothing is decided and no claim ends by it (R19)."""
    file.move(Event.REVIEW_OVER)
    missed = day_of(need(file.row.due_at, "due_at"))
    file.row.overdue = True
    for task in file.tasks:
        if task.kind in REVIEW_TASKS:
            queue = Queue.SUPERVISORS.value if task.holder is None else task.queue
            file.change_task(task, overdue=True, queue=queue)
    file.record(Act.ESCALATED, actor, at)
    tell(file, Telling(NoticeKind.ESCALATED, at, str(file.round), facts={"days_over": 1, **park_due(file)}))
    expected = file.calendar.working_day(day_of(at), file.context.limits.park_decision_days)
    facts = {"missed_on": missed, "expected_on": expected}
    tell(file, Telling(NoticeKind.DECISION_DELAYED, at, str(file.round), facts=facts))


def expect_signature(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Tell officers again that a second signature waits."""
    if file.row.pending_act:
        facts = {"pending_act": PendingAct(file.row.pending_act), **signature_due(file)}
        occasion = f"{file.round}/{file.row.pending_act}/again"
        tell(file, Telling(NoticeKind.SECOND_SIGNATURE_REQUESTED, at, occasion, facts=facts))


def review_hold(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Remind the holder of the case that a hold is to be looked at, and set the next look."""
    if not file.row.hold:
        return
    file.move(Event.HOLD_REVIEW_DUE)
    review_on = file.calendar.working_day(day_of(at), file.context.limits.hold_review_days)
    file.set_deadline(DeadlineKind.HOLD_REVIEW, morning_of(review_on))
    file.record(Act.REMINDED, actor, at, step="hold")
    _tell_holder(file, NoticeKind.HOLD_REVIEW_DUE, at, f"{file.round}/{day_of(at)}", {"review_on": day_of(at)})


def count_as_complete(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let a case count as complete once the time for naming all defects is over; it is never approved by it."""
    if file.row.returns > 0:
        return
    file.row.named_defects = file.row.named_defects | {"complete": True}
    file.record(Act.REMINDED, actor, at, step=DeadlineKind.DEFECTS_NAMED.value)
    over = file.row.due_at
    if over is None or over > deadline.at:
        # Where the park's own limit ends with it, its escalation tells the supervisors (R19).
        occasion = f"{file.round}/{DeadlineKind.DEFECTS_NAMED.value}"
        tell(file, Telling(NoticeKind.ESCALATED, at, occasion, facts={"days_over": 0, **park_due(file)}))


def park_due(file: CaseFile) -> dict[str, Any]:
    """Return the park's due date as a notice states it."""
    due = file.row.due_at
    return {"due_on": day_of(due) if due else None, "due_provisional": file.row.due_provisional}


def signature_due(file: CaseFile) -> dict[str, Any]:
    """Return until when a second signature is expected: within the park's limit, or by its own where none runs."""
    if file.row.clock == "running":
        return park_due(file)
    row = file.deadlines.get((DeadlineKind.SIGNATURE_EXPECTED.value, "", 0))
    return {"due_on": day_of(row.at), "due_provisional": row.provisional} if row else {"due_on": None}


def _tell_holder(file: CaseFile, kind: NoticeKind, at: datetime, occasion: str, facts: Mapping[str, Any]) -> None:
    task = file.find_task(TaskKind.REVIEW) or file.find_task(TaskKind.CONFIRM)
    holder = task.holder if task else None
    only = frozenset({Recipient.HOLDER if holder else Recipient.PARK})
    tell(file, Telling(kind, at, occasion, facts=facts, only=only, holder=holder))
