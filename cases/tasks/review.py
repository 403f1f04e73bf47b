"""The tasks of a review and what time does to them: claims, reminders, escalation (R9, R17 to R19)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cases.case.file import CaseFile
from cases.moves.front_half import Event
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, morning_of
from domain.deadlines import DeadlineKind
from domain.notices import NoticeKind, Recipient
from domain.tasks import REVIEW_TASKS, Queue, TaskKind
from store.rows.work import DeadlineRow, TaskRow


def give_back(file: CaseFile, task: TaskRow) -> None:
    """Put a task back into its queue; an overdue review goes to the supervisors (R19)."""
    late = task.overdue and task.kind in REVIEW_TASKS and task.destination is None
    queue = Queue.SUPERVISORS.value if late else task.queue
    file.change_task(task, holder=None, held_since=None, queue=queue)
    file.cancel_deadlines(DeadlineKind.CLAIM_OVER, destination=str(task.task_id))


def pass_on(file: CaseFile, task: TaskRow) -> None:
    """Mark a task as overdue and pass it to the supervisors; who holds it goes on holding it (R19)."""
    queue = Queue.SUPERVISORS.value if task.holder is None else task.queue
    file.change_task(task, overdue=True, queue=queue)


def lapse_claim(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Return a task whose holder did nothing for a working day."""
    task = next((t for t in file.tasks if str(t.task_id) == deadline.destination), None)
    if task is None or task.holder is None:
        return
    file.record(Act.CLAIM_LAPSED, actor, at, destination=task.destination, kind=task.kind, subject=task.holder)
    give_back(file, task)


def remind(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Remind the holder, or the queue, that the park's limit comes near (R18)."""
    move(file, Event.REVIEW_REMINDER_DUE, actor, at, said=_to_holder(file, f"{file.round}/{deadline.step}"))
    file.record(Act.REMINDED, actor, at, step=deadline.step)


def escalate(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Pass an overdue case into the supervisors' queue; nothing is decided and no claim ends by it (R19)."""
    need_move(file, Event.REVIEW_OVER, actor)
    file.row.overdue = True
    for task in file.tasks:
        if task.kind in REVIEW_TASKS:
            pass_on(file, task)
    move(file, Event.REVIEW_OVER, actor, at)
    file.record(Act.ESCALATED, actor, at)


def expect_signature(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Tell officers again that a second signature waits."""
    if file.row.pending_act:
        move(file, Event.SIGNATURE_REMINDER_DUE, actor, at)


def review_hold(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Remind the holder of the case that a hold is to be looked at, and set the next look."""
    if not file.row.hold:
        return
    need_move(file, Event.HOLD_REVIEW_DUE, actor)
    review_on = file.calendar.working_day(day_of(at), file.context.limits.hold_review_days)
    file.set_deadline(DeadlineKind.HOLD_REVIEW, morning_of(review_on))
    said = _to_holder(file, f"{file.round}/{day_of(at)}", {"review_on": day_of(at)})
    move(file, Event.HOLD_REVIEW_DUE, actor, at, said=said)
    file.record(Act.REMINDED, actor, at, step="hold")


def count_as_complete(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let a case count as complete once the time for naming all defects is over; it is never approved by it."""
    if file.row.returns > 0:
        return
    file.row.named_defects = file.row.named_defects | {"complete": True}
    over = file.row.due_at
    # Where the park's own limit ends with it, its escalation tells the supervisors (R19).
    alone = Said(occasion=f"{file.round}/{DeadlineKind.DEFECTS_NAMED.value}", facts={"days_over": 0})
    said = [(NoticeKind.ESCALATED, alone)] if over is None or over > deadline.at else []
    move(file, Event.DEFECTS_NAMED_OVER, actor, at, said=said)
    file.record(Act.REMINDED, actor, at, step=DeadlineKind.DEFECTS_NAMED.value)


def _to_holder(file: CaseFile, occasion: str, facts: Mapping[str, Any] | None = None) -> Said:
    """Return what is said to who holds the review, or to the park where nobody does."""
    task = file.find_task(TaskKind.REVIEW) or file.find_task(TaskKind.CONFIRM)
    holder = task.holder if task else None
    only = frozenset({Recipient.HOLDER if holder else Recipient.PARK})
    return Said(occasion=occasion, facts=facts, only=only, holder=holder)
