"""Queries of the inbox: each walks an index in the inbox's own order, so that a page costs the same however many wait.

An order that no index has means to sort all that is open, and a choice of two queues leaves the order of either; so
what a role sees is read queue by queue, as much of each as a page can need, and put together. Conditions are made of
what is known not to leak under row-level security (`CASE`, unlike `coalesce`), since only those reach an index.
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Select,
    Text,
    TextClause,
    Uuid,
    all_,
    and_,
    bindparam,
    case,
    literal_column,
    or_,
    select,
    text,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
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
Values = dict[str, Any]


def _word(value: StrEnum) -> ColumnElement[str]:
    """Return one of our words as part of the statement, so that a plan made once knows which index serves it."""
    return literal_column(f"'{value.value}'")


_DIALECT: Final = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
_CAST: Final = re.compile(r":(\w+)::(\w+(?: WITH TIME ZONE)?(?:\[\])?)")
_HOLDER: Final = bindparam("holder", type_=Text)
_SEEN: Final = bindparam("seen", type_=ARRAY(Uuid))
_LIMIT: Final = bindparam("limit", type_=Integer)
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
) -> tuple[TextClause, Values]:
    """Return query and values for open tasks that a holder of a role sees; `held_by` is empty for free ones."""
    given: Values = {"holder": holder, "limit": limit}
    if held_by:
        given["held_by"] = held_by
    if due_before is not None:
        given["due_before"] = due_before
    if employer_id is not None:
        given["employer_id"] = employer_id
    if after is not None:
        overdue, due_at, opened_at, task_id = after
        given |= {"is_later": not overdue, "due_at": due_at, "opened_at": opened_at, "task_id": UUID(task_id)}
    return _page(role, kind, held_by == "", frozenset(given)), given


def next_free(
    holder: str, role: Role, kind: TaskKind | None, seen: Collection[UUID], among: int
) -> tuple[TextClause, Values]:
    """Return the query for the next free task; it locks the case, as every step does first, and passes busy ones."""
    return _next(role, kind), {"holder": holder, "seen": list(seen), "limit": among}


@lru_cache
def _page(role: Role, kind: TaskKind | None, free: bool, given: frozenset[str]) -> TextClause:
    t = tasks.c
    filters: list[Condition] = []
    if kind is not None:
        filters.append(t.kind == _word(kind))
    if free:
        filters.append(t.holder.is_(None))
    if "held_by" in given:
        filters.append(t.holder == bindparam("held_by"))
    if "due_before" in given:
        before = bindparam("due_before", type_=t.due_at.type)
        # The second one says where the walk may end.
        filters += [t.due_at < before, tuple_(*_order(t)[:2]) < tuple_(true(), before)]
    if "employer_id" in given:
        filters.append(t.employer_id == bindparam("employer_id"))
    if "task_id" in given:
        place = tuple_(*map(bindparam, ("is_later", "due_at", "opened_at", "task_id")))
        filters.append(tuple_(*_order(t)) > place)
    branches = [
        select(tasks).where(_OPEN, *visible, *filters).order_by(*_order(t)).limit(_LIMIT) for visible in _seen_by(role)
    ]
    return _written(_merged(branches))


@lru_cache
def _next(role: Role, kind: TaskKind | None) -> TextClause:
    t = tasks.c
    barred = select(1).where(conflicts.c.reference == t.reference, conflicts.c.subject == _HOLDER).exists()
    branches = [
        select(tasks)
        .where(_OPEN, t.holder.is_(None), t.kind == _word(one), *visible, ~barred, t.task_id != all_(_SEEN))
        .order_by(*_order(t))
        .limit(_LIMIT)
        for visible in _free_for(role)
        for one in ([kind] if kind is not None else _taken_by(role))
    ]
    first = _merged(branches).subquery("first")
    return _written(
        select(first.c.task_id, first.c.reference)
        .join(registrations, registrations.c.reference == first.c.reference)
        .order_by(*_order(first.c))
        .limit(literal_column("1"))
        .with_for_update(skip_locked=True, of=registrations)
    )


def visible_to(role: Role) -> Condition:
    """Return the condition of what the `holder` of a role sees: officers their queue and what they hold."""
    return or_(*(and_(*each) for each in _seen_by(role)))


def _seen_by(role: Role) -> list[tuple[Condition, ...]]:
    """Return the parts of the inbox of a role, no task in two of them."""
    t = tasks.c
    if role is not Role.OFFICER:
        return _free_for(role)
    return [*_free_for(role), (t.holder == _HOLDER, t.queue != _word(Queue.OFFICERS), _not_reserved())]


def _free_for(role: Role) -> list[tuple[Condition, ...]]:
    """Return the queues that a role takes free tasks from."""
    t = tasks.c
    if role is Role.OPERATOR:
        return [(t.queue == _word(Queue.OPERATORS),)]
    if role is Role.SUPERVISOR:
        return [(t.queue == _word(Queue.OFFICERS),), (t.queue == _word(Queue.SUPERVISORS),)]
    return [(t.queue == _word(Queue.OFFICERS), _not_reserved())]


def _not_reserved() -> Condition:
    return or_(tasks.c.reserved_for.is_(None), tasks.c.reserved_for == _HOLDER)


def _taken_by(role: Role) -> list[TaskKind]:
    """Return the kinds that "the next task" means where none is named."""
    return [TaskKind.STUCK] if role is Role.OPERATOR else sorted(REVIEW_TASKS)


def _order(columns: Any) -> tuple[Any, ...]:
    """Return the inbox's order, in the words of its indexes: overdue, then by due date, then by time received."""
    due_at = case((columns.due_at.is_(None), _FAR), else_=columns.due_at)
    return columns.overdue.is_(False), due_at, columns.opened_at, columns.task_id


def _merged(branches: list[Select[Any]]) -> Select[Any]:
    if len(branches) == 1:
        return branches[0]
    together = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    return select(together).order_by(*_order(together.c)).limit(_LIMIT)


def _written(query: Select[Any]) -> TextClause:
    """Return a query as text, which is sent as it is: to put one together takes longer than to run it."""
    return text(_CAST.sub(r"CAST(:\1 AS \2)", str(query.compile(dialect=_DIALECT))))
