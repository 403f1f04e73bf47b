"""Queries of the inbox: each walks an index in the inbox's own order, so that a page costs the same however many wait.

An order that no index has means to sort all that is open, and a choice of two queues leaves the order of either; so
what a role sees is read queue by queue, as much of each as a page can need, and put together. Conditions are made of
what is known not to leak under row-level security (`CASE`, unlike `coalesce`), since only those reach an index.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, and_, case, literal_column, or_, select, true, tuple_, union_all
from sqlalchemy.sql import ColumnElement

from domain.actors import Role
from domain.tasks import REVIEW_TASKS, Queue, TaskKind, TaskState
from store.tables import conflicts, registrations, tasks

# Overdue, due, opened, id: where a page ends.
Position = tuple[bool, datetime, datetime, str]
FAR: Final = datetime.max.replace(tzinfo=UTC)  # `infinity` to the driver: tasks without a due date come last
_FAR: ColumnElement[datetime] = literal_column("'infinity'::timestamp with time zone")
# How many free tasks are looked at; those that others are about to claim are passed over.
FEW, MANY = 20, 1000
Condition = ColumnElement[bool]


def _word(value: StrEnum) -> ColumnElement[str]:
    """Return one of our words as part of the statement, so that a plan made once knows which index serves it."""
    return literal_column(f"'{value.value}'")


_OPEN: Final = tasks.c.state == _word(TaskState.OPEN)


def page_of(
    holder: str,
    role: Role,
    *,
    kind: TaskKind | None,
    held_by: str | None,
    due_before: datetime | None,
    employer_id: str | None,
    after: Position | None,
    limit: int,
) -> Select[Any]:
    """Return the query for open tasks that a holder of a role sees; `held_by` is a holder, or empty for free ones."""
    t = tasks.c
    filters: list[Condition] = []
    if kind is not None:
        filters.append(t.kind == _word(kind))
    if held_by is not None:
        filters.append(t.holder == held_by if held_by else t.holder.is_(None))
    if due_before is not None:
        # The second one says where the walk may end.
        filters += [t.due_at < due_before, tuple_(*_order(t)[:2]) < tuple_(true(), due_before)]
    if employer_id is not None:
        filters.append(t.employer_id == employer_id)
    if after is not None:
        overdue, due_at, opened_at, task_id = after
        filters.append(tuple_(*_order(t)) > tuple_(not overdue, due_at, opened_at, UUID(task_id)))
    branches = [
        select(tasks).where(_OPEN, *visible, *filters).order_by(*_order(t)).limit(limit)
        for visible in _seen_by(holder, role)
    ]
    return _merged(branches, limit)


def next_free(
    holder: str, role: Role, kind: TaskKind | None, seen: Collection[UUID], among: int
) -> Select[tuple[UUID, str]]:
    """Return the query for the next free task; it locks the case, as every step does first, and passes busy ones."""
    t = tasks.c
    barred = select(1).where(conflicts.c.reference == t.reference, conflicts.c.subject == holder).exists()
    branches = [
        select(tasks)
        .where(_OPEN, t.holder.is_(None), t.kind == _word(one), *visible, ~barred)
        .where(t.task_id.not_in(seen))
        .order_by(*_order(t))
        .limit(among)
        for visible in _free_for(holder, role)
        for one in ([kind] if kind is not None else _taken_by(role))
    ]
    first = _merged(branches, among).subquery("first")
    return (
        select(first.c.task_id, first.c.reference)
        .join(registrations, registrations.c.reference == first.c.reference)
        .order_by(*_order(first.c))
        .limit(1)
        .with_for_update(skip_locked=True, of=registrations)
    )


def visible_to(holder: str, role: Role) -> Condition:
    """Return the condition of what a role sees: officers their queue and what they hold, supervisors that of both."""
    return or_(*(and_(*each) for each in _seen_by(holder, role)))


def _seen_by(holder: str, role: Role) -> list[tuple[Condition, ...]]:
    """Return the parts of the inbox of a role, no task in two of them."""
    t = tasks.c
    if role is not Role.OFFICER:
        return _free_for(holder, role)
    return [*_free_for(holder, role), (t.holder == holder, t.queue != _word(Queue.OFFICERS), _not_reserved(holder))]


def _free_for(holder: str, role: Role) -> list[tuple[Condition, ...]]:
    """Return the queues that a role takes free tasks from."""
    t = tasks.c
    if role is Role.OPERATOR:
        return [(t.queue == _word(Queue.OPERATORS),)]
    if role is Role.SUPERVISOR:
        return [(t.queue == _word(Queue.OFFICERS),), (t.queue == _word(Queue.SUPERVISORS),)]
    return [(t.queue == _word(Queue.OFFICERS), _not_reserved(holder))]


def _not_reserved(holder: str) -> Condition:
    return or_(tasks.c.reserved_for.is_(None), tasks.c.reserved_for == holder)


def _taken_by(role: Role) -> list[TaskKind]:
    """Return the kinds that "the next task" means where none is named."""
    return [TaskKind.STUCK] if role is Role.OPERATOR else sorted(REVIEW_TASKS)


def _order(columns: Any) -> tuple[Any, ...]:
    """Return the inbox's order, in the words of its indexes: overdue, then by due date, then by time received."""
    due_at = case((columns.due_at.is_(None), _FAR), else_=columns.due_at)
    return columns.overdue.is_(False), due_at, columns.opened_at, columns.task_id


def _merged(branches: list[Select[Any]], limit: int) -> Select[Any]:
    if len(branches) == 1:
        return branches[0]
    together = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    return select(together).order_by(*_order(together.c)).limit(limit)
