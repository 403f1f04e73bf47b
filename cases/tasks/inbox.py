"""The inbox: a page of tasks, the most urgent free one, claims, releases and assignments (R9)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, load_case
from cases.case.parts import destinations_of
from cases.case.signers import held_by_another, holder_of, need_another, need_no_conflict, signers_of, subject_of
from cases.deadlines.claims import set_claim_limit
from cases.shared.accesses import record_access
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.sign_ins import need_staff
from cases.shared.views import document
from cases.tasks import review
from cases.tasks.lists import Told, describe, describe_one, moments, totals
from cases.tasks.queries import FAR, FEW, MANY, Position, counts_of, next_free, page_of, visible_to
from cases.tasks.views import TaskCounts, TaskView
from domain.actors import Actor, Role
from domain.acts import Act
from domain.clock import to_the_second
from domain.errors import Refused
from domain.task_lists import TaskChoice, TaskOrder
from domain.tasks import Queue, TaskKind
from domain.words import Words
from store.rows.work import TaskRow
from store.tables import conflicts, tasks


async def list_tasks(
    context: Context,
    actor: Actor,
    choice: TaskChoice | None = None,
    *,
    order: TaskOrder = TaskOrder.PRIORITY,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[TaskView], Position | None]:
    """Return a page of open tasks: overdue first, then by due date, then by time received, or in another order.

    Args:
        context: the collaborators.
        actor: who reads.
        choice: which tasks; the holder is `me`, `none` or a subject.
        order: what the list goes by first.
        after: where the page before ended.
        limit: most tasks in the page.
    """
    async with context.database.begin(actor.tenant) as connection:
        at = await moments(context, connection, context.clock())
        query, values = page_of(
            holder_of(actor), actor.role, _chosen(actor, choice), at, order=order, after=after, limit=limit + 1
        )
        rows = (await connection.execute(query, values)).all()
        page = [TaskRow.from_row(row) for row in rows[:limit]]
        told = await describe(connection, page, at)
        shown = [(row.reference or "", row.employer_id or "") for row in page]
        await record_access(connection, actor, "tasks", shown, context.clock())
    position: Position | None = None
    if len(rows) > limit:
        last = page[-1]
        first = () if order is TaskOrder.PRIORITY else (rows[limit - 1].first,)
        position = (*first, last.overdue, last.due_at or FAR, last.opened_at, str(last.task_id))
    return [task_view(context.words, row, more) for row, more in zip(page, told, strict=True)], position


async def read_task(context: Context, actor: Actor, task_id: UUID) -> TaskView:
    """Return a task of the actor's lists, one that was answered or fell away meanwhile as well.

    Of one that is done, its holder is who answered it.

    Raises:
        Refused: `not_found`.
    """
    async with context.database.begin(actor.tenant) as connection:
        query = select(tasks).where(tasks.c.task_id == task_id, visible_to(actor.role))
        found = (await connection.execute(query, {"holder": holder_of(actor)})).one_or_none()
        if found is None:
            raise Refused("not_found", "There is no task of this id.")
        row = TaskRow.from_row(found)
        (more,) = await describe(connection, [row], await moments(context, connection, context.clock()))
        shown = [(row.reference or "", row.employer_id or "")]
        await record_access(connection, actor, "tasks", shown, context.clock())
    return task_view(context.words, row, more)


async def count_tasks(context: Context, actor: Actor, choice: TaskChoice | None = None) -> TaskCounts:
    """Return how many open tasks the actor's lists have, by kind, by holder and by priority."""
    async with context.database.begin(actor.tenant) as connection:
        at = await moments(context, connection, context.clock())
        query, values = counts_of(holder_of(actor), actor.role, _chosen(actor, choice), at)
        return totals((await connection.execute(query, values)).all())


def _chosen(actor: Actor, choice: TaskChoice | None) -> TaskChoice:
    """Return the choice with its holder as tasks keep it: empty for free ones."""
    choice = choice or TaskChoice()
    if choice.holder is None:
        return choice
    named = {"none": "", "me": holder_of(actor)}.get(choice.holder, f"{actor.issuer} {choice.holder}")
    return replace(choice, holder=named)


async def claim_next(context: Context, actor: Actor, kind: str | None, idempotency: Idempotency) -> Reply:
    """Claim the most urgent free task; two callers never get the same one. 204 when there is none."""
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        found = await _lock_next(context, connection, actor, kind)
        if found is None:
            return Done(Reply(Progress.NOTHING))
        file, task = found
        _hold(file, task, holder_of(actor), at)
        file.record(Act.CLAIMED, actor, at, destination=task.destination, kind=task.kind)
        await file.save(connection)
        reply = Reply(Progress.APPLIED, document(task_view(file.words, task, describe_one(file, task, at))))
        return Done(reply, file.person_key, file.reference)

    return (await once(context, actor, idempotency, write)).reply


async def _lock_next(
    context: Context, connection: AsyncConnection, actor: Actor, kind: str | None
) -> tuple[CaseFile, TaskRow] | None:
    """Return the most urgent task that the caller may hold, with its case locked."""
    seen: list[UUID] = []
    among = FEW
    while True:
        query, values = next_free(holder_of(actor), actor.role, kind, seen, among)
        found = (await connection.execute(query, values)).one_or_none()
        if found is None and among == MANY:
            return None
        if found is None:  # there is none, or all of the few are being claimed at this moment
            among = MANY
            continue
        file = await load_case(context, connection, found.reference, lock=True)
        task = next((t for t in file.tasks if t.task_id == found.task_id), None)
        if task is not None and task.holder is None and _may_hold(file, task, actor):
            return file, task
        seen.append(found.task_id)


async def claim(context: Context, actor: Actor, task_id: UUID, idempotency: Idempotency) -> Reply:
    """Claim a free task; claiming one's own again changes nothing."""

    def take(file: CaseFile, task: TaskRow, at: datetime) -> None:
        if task.holder == holder_of(actor):
            return
        if task.holder is not None:
            raise held_by_another(task)
        _check_may_hold(file, task, actor)
        _hold(file, task, holder_of(actor), at)
        file.record(Act.CLAIMED, actor, at, destination=task.destination, kind=task.kind)

    return await _on_task(context, actor, task_id, idempotency, take)


async def release(context: Context, actor: Actor, task_id: UUID, conflict: bool, idempotency: Idempotency) -> Reply:
    """Give a task back; for a conflict of interest the officer is barred from the case."""

    def let_go(file: CaseFile, task: TaskRow, at: datetime) -> None:
        me = holder_of(actor)
        if task.holder not in (None, me):
            need_no_conflict(file, actor)
            if actor.role is not Role.SUPERVISOR:
                raise held_by_another(task)
        # Whoever may not act on the case keeps nobody from what else of it they hold.
        others = [each for each in file.tasks if conflict and each.holder == me and each is not task]
        for each in [task, *others]:
            review.give_back(file, each)
            file.record(Act.RELEASED, actor, at, destination=each.destination, kind=each.kind)
        if conflict:
            file.record(Act.CONFLICT_DECLARED, actor, at, subject=actor.subject)

    return await _on_task(context, actor, task_id, idempotency, let_go, conflict=conflict)


async def assign(context: Context, actor: Actor, task_id: UUID, subject: str, idempotency: Idempotency) -> Reply:
    """Hand a task to a named officer; supervisors only.

    Raises:
        Refused: `assignee_unknown` where nobody of this name has signed in as staff, else as `_on_task` says.
    """
    await need_staff(context, actor.issuer, subject)

    def hand_over(file: CaseFile, task: TaskRow, at: datetime) -> None:
        need_no_conflict(file, actor)
        holder = f"{actor.issuer} {subject}"
        if holder in file.conflicts:
            raise Refused("role_not_allowed", words="subject_conflicted")
        _need_another(file, task, holder)
        _hold(file, task, holder, at)
        file.record(Act.ASSIGNED, actor, at, destination=task.destination, kind=task.kind, subject=subject)

    return await _on_task(context, actor, task_id, idempotency, hand_over)


async def find_reference(context: Context, actor: Actor, task_id: UUID) -> str:
    """Return the case of an open task, or refuse with `not_found`."""
    async with context.database.begin(actor.tenant) as connection:
        query = select(tasks.c.reference).where(tasks.c.task_id == task_id, visible_to(actor.role))
        reference = (await connection.execute(query, {"holder": holder_of(actor)})).scalar_one_or_none()
    if reference is None:
        raise Refused("not_found", "There is no task of this id.")
    return str(reference)


def task_view(words: Words, row: TaskRow, more: Told) -> TaskView:
    """Return a task as staff sees it, with what its list tells of it; sealed parts of its detail stay with the case."""
    hidden = ("change", "proof", "contest", "by", "destinations")
    return TaskView(
        id=str(row.task_id),
        kind=row.kind,
        reference=row.reference,
        employer_id=row.employer_id,
        destination=row.destination,
        destinations=destinations_of(row),
        round=row.round,
        state=row.state,
        queue=row.queue,
        opened_at=to_the_second(row.opened_at),
        due_at=to_the_second(row.due_at),
        overdue=row.overdue,
        holder=subject_of(row.holder),
        held_since=to_the_second(row.held_since),
        answers=list(words.tasks[row.kind].answers),
        detail={name: value for name, value in row.detail.items() if name not in hidden},
        employer_name=more.employer_name,
        employer_name_en=more.employer_name_en,
        assessment=more.assessment,
        findings=more.findings,
        priority=more.priority,
    )


def _hold(file: CaseFile, task: TaskRow, holder: str, at: datetime) -> None:
    file.change_task(task, holder=holder, held_since=at)
    set_claim_limit(file, task, at)


def _may_hold(file: CaseFile, task: TaskRow, actor: Actor) -> bool:
    try:
        _check_may_hold(file, task, actor)
    except Refused:
        return False
    return True


def _check_may_hold(file: CaseFile, task: TaskRow, actor: Actor) -> None:
    need_no_conflict(file, actor)
    if task.queue == Queue.SUPERVISORS and actor.role is not Role.SUPERVISOR:
        raise Refused("role_not_allowed", words="supervisors_only")
    _need_another(file, task, holder_of(actor))


def _need_another(file: CaseFile, task: TaskRow, holder: str) -> None:
    """Refuse to give the second signature's task to one who proposed, or has signed."""
    if task.kind == TaskKind.CONFIRM:
        of = file.row if task.destination is None else file.tracks[task.destination]
        need_another(holder, signers_of(of.pending) if of.pending else ())


async def _on_task(
    context: Context,
    actor: Actor,
    task_id: UUID,
    idempotency: Idempotency,
    verb: Callable[[CaseFile, TaskRow, datetime], None],
    *,
    conflict: bool = False,
) -> Reply:
    at = context.clock()
    reference = await find_reference(context, actor, task_id)

    async def write(connection: AsyncConnection) -> Done:
        file = await load_case(context, connection, reference, lock=True)
        task = _task_of(file, task_id)
        verb(file, task, at)
        if conflict:
            declared = upsert(conflicts).values(
                reference=reference, subject=holder_of(actor), employer_id=file.employer_id, declared_at=at
            )
            await connection.execute(declared.on_conflict_do_nothing())
        await file.save(connection)
        reply = Reply(Progress.APPLIED, document(task_view(file.words, task, describe_one(file, task, at))))
        return Done(reply, file.person_key, reference)

    return (await once(context, actor, idempotency, write)).reply


def _task_of(file: CaseFile, task_id: UUID) -> TaskRow:
    task = next((t for t in file.tasks if t.task_id == task_id), None)
    if task is None:
        raise Refused("already_decided", "The task is closed.")
    return task
