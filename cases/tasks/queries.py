"""Queries of the inbox: each walks an index in the inbox's own order, so that a page costs the same however many wait.

An order that no index has means to sort all that is open, and a choice of two queues leaves the order of either; so
what a role sees is read queue by queue, as much of each as a page can need, and put together. Conditions are made of
what is known not to leak under row-level security (`CASE`, unlike `coalesce`), since only those reach an index.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Integer,
    Select,
    Text,
    TextClause,
    Uuid,
    all_,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import ColumnElement

from domain.actors import Role
from domain.clock import day_of
from domain.stages import AssessmentOutcome
from domain.task_lists import NO_DESTINATION, Priority, TaskChoice, TaskOrder
from domain.tasks import REVIEW_TASKS, Queue, TaskKind, TaskState
from store.tables import assessments, cases, conflicts, employer_versions, tasks

# Overdue, due, opened, id: where a page ends; before them what the list goes by, where that is not urgency.
Position = tuple[Any, ...]
FAR: Final = datetime.max.replace(tzinfo=UTC)  # `infinity` to the driver: tasks without a due date come last
_FAR: ColumnElement[datetime] = literal_column("'infinity'::timestamp with time zone")
# How many free tasks are looked at; those that others are about to claim are passed over.
FEW, MANY = 20, 1000
Condition = ColumnElement[bool]
Values = dict[str, Any]


def _word(value: str) -> ColumnElement[str]:
    """Return one of our words as part of the statement, so that a plan made once knows which index serves it."""
    if not value.isidentifier():
        raise ValueError("no word of ours")
    return literal_column(f"'{value}'")


def _number(value: int) -> ColumnElement[int]:
    return literal_column(str(value), type_=Integer)


_NOTHING: Final = literal_column("''", type_=Text)
_DIALECT: Final = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
_CAST: Final = re.compile(r":(\w+)::(\w+(?: WITH TIME ZONE)?(?:\[\])?)")
_HOLDER: Final = bindparam("holder", type_=Text)
_SEEN: Final = bindparam("seen", type_=ARRAY(Uuid))
_LIMIT: Final = bindparam("limit", type_=Integer)
_OPEN: Final = tasks.c.state == _word(TaskState.OPEN)
_PLACE: Final = tuple_(*map(bindparam, ("is_later", "due_at", "opened_at", "task_id")))


# A task about one destination names it; one that asks the same about several has them in its detail.
_SERVED: Final = tasks.c.detail.op("->", return_type=JSONB())(literal_column("'destinations'"))
_FIRST_DESTINATION: Final = func.coalesce(
    tasks.c.destination, _SERVED.op("->>", return_type=Text())(literal_column("0")), type_=Text
)


def _newest_findings() -> ColumnElement[Any]:
    """The findings of what a task is about: of its permit, or of the registration where it is of no destination.

    A task for several destinations asks the same of each, so that the first speaks for all.
    """
    a, t = assessments.c, tasks.c
    scope = func.coalesce(_FIRST_DESTINATION, literal_column("'registration'"), type_=Text)
    newest = select(a.findings).where(a.reference == t.reference, a.scope == scope)
    return newest.order_by(a.seq.desc()).limit(literal_column("1")).scalar_subquery()


def _has(part: ColumnElement[Any]) -> Condition:
    return _FOUND.op("@>", return_type=Boolean())(part)


_FOUND: Final = _newest_findings()
_OPEN_ONES: Final = func.jsonb_path_query_array(_FOUND, literal_column("""'$[*] ? (@.outcome != "pass")'"""))
_NOT_PASSED: Final = func.jsonb_array_length(_OPEN_ONES)
_ASSESSED: Final[ColumnElement[str]] = case(
    (_FOUND.is_(None), literal_column("NULL")),
    (_has(literal_column("""'[{"outcome": "missing"}]'::jsonb""")), _word(AssessmentOutcome.INCOMPLETE)),
    (_number(0) < _NOT_PASSED, _word(AssessmentOutcome.NEEDS_OFFICER)),
    else_=_word(AssessmentOutcome.CLEAR),
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes one statement: `given` are the names of its values, which come apart, and of what has no value."""

    role: Role
    kind: str | None
    priority: Priority | None
    order: TaskOrder
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class Moments:
    """When a list is asked for, and until when what is due counts as urgent."""

    now: datetime
    urgent_until: datetime

    @property
    def today(self) -> date:
        """The day in China."""
        return day_of(self.now)


def page_of(
    holder: str,
    role: Role,
    choice: TaskChoice,
    moments: Moments,
    *,
    order: TaskOrder = TaskOrder.PRIORITY,
    after: Position | None = None,
    limit: int,
) -> tuple[TextClause, Values]:
    """Return query and values for open tasks that a holder of a role sees; a choice's holder is empty for free ones."""
    given = _given(holder, choice, moments) | {"limit": limit}
    if order is not TaskOrder.PRIORITY:
        given["today"] = moments.today
    if after is not None:
        *first, overdue, due_at, opened_at, task_id = after
        given |= {"is_later": not overdue, "due_at": due_at, "opened_at": opened_at, "task_id": UUID(task_id)}
        given |= {"first": first[0]} if first else {}
    return _page(_shape(role, choice, order, given)), given


def counts_of(holder: str, role: Role, choice: TaskChoice, moments: Moments) -> tuple[TextClause, Values]:
    """Return query and values for how many open tasks there are of each kind, holder and priority."""
    given = _given(holder, choice, moments) | {"now": moments.now, "urgent_until": moments.urgent_until}
    return _counts(_shape(role, choice, TaskOrder.PRIORITY, given)), given


def _shape(role: Role, choice: TaskChoice, order: TaskOrder, given: Values) -> _Shape:
    flags = {"free"} if choice.holder == "" else set()
    flags |= {"no_destination"} if choice.destination == NO_DESTINATION else set()
    return _Shape(role, choice.kind, choice.priority, order, frozenset(given) | flags)


def _given(holder: str, choice: TaskChoice, moments: Moments) -> Values:
    given: Values = {"holder": holder}
    if choice.holder:
        given["held_by"] = choice.holder
    if choice.due_before is not None:
        given["due_before"] = choice.due_before
    if choice.employer_id is not None:
        given["employer_id"] = choice.employer_id
    if choice.destination not in (None, NO_DESTINATION):
        given["destination"] = choice.destination
    if choice.assessment is not None:
        given["assessment"] = choice.assessment.value
    if choice.finding is not None:
        given["finding"] = choice.finding.value
    if choice.priority is not None:
        given |= {"now": moments.now, "urgent_until": moments.urgent_until}
    return given


def next_free(
    holder: str, role: Role, kind: str | None, seen: Collection[UUID], among: int
) -> tuple[TextClause, Values]:
    """Return the query for the next free task; it locks the case, as every step does first, and passes busy ones."""
    return _next(role, kind), {"holder": holder, "seen": list(seen), "limit": among}


@lru_cache
def _page(shape: _Shape) -> TextClause:
    t, filters = tasks.c, _filters(shape)
    if shape.order is TaskOrder.PRIORITY:
        if "task_id" in shape.given:
            filters.append(tuple_(*_order(t)) > _PLACE)
        branches = [
            select(tasks).where(_OPEN, *visible, *filters).order_by(*_order(t)).limit(_LIMIT)
            for visible in _seen_by(shape.role)
        ]
        return _written(_merged(branches))
    # No index has such an order: what is open and seen is sorted.
    first, down = _first(shape.order.by), shape.order.is_down
    if "task_id" in shape.given:
        place = bindparam("first", type_=first.type)
        filters.append(or_(first < place if down else first > place, (first == place) & (tuple_(*_order(t)) > _PLACE)))
    by = first.desc() if down else first.asc()
    page = select(tasks, first.label("first")).where(_OPEN, visible_to(shape.role), *filters)
    return _written(page.order_by(by, *_order(t)).limit(_LIMIT))


@lru_cache
def _counts(shape: _Shape) -> TextClause:
    t, now = tasks.c, bindparam("now", type_=tasks.c.due_at.type)
    until = bindparam("urgent_until", type_=t.due_at.type)
    priority = case(
        (_is_overdue(now), _word(Priority.OVERDUE)),
        (t.due_at <= until, _word(Priority.URGENT)),
        else_=_word(Priority.NORMAL),
    )
    seen = select(t.kind, t.holder, priority.label("priority")).where(
        _OPEN, visible_to(shape.role), *_filters(shape)
    )  # fmt: skip
    one = seen.subquery()
    grouped = select(one.c.kind, one.c.holder, one.c.priority, func.count().label("number"))
    return _written(grouped.group_by(one.c.kind, one.c.holder, one.c.priority))


def _filters(shape: _Shape) -> list[Condition]:
    t, filters = tasks.c, []
    if shape.kind is not None:
        filters.append(t.kind == _word(shape.kind))
    if "free" in shape.given:
        filters.append(t.holder.is_(None))
    if "held_by" in shape.given:
        filters.append(t.holder == bindparam("held_by"))
    if "due_before" in shape.given:
        before = bindparam("due_before", type_=t.due_at.type)
        # The second one says where the walk may end.
        filters += [t.due_at < before, tuple_(*_order(t)[:2]) < tuple_(true(), before)]
    if "employer_id" in shape.given:
        filters.append(t.employer_id == bindparam("employer_id"))
    if "no_destination" in shape.given:
        filters.append(_FIRST_DESTINATION.is_(None))
    if "destination" in shape.given:
        named = bindparam("destination", type_=Text)
        served = _SERVED.op("@>", return_type=Boolean())(func.to_jsonb(named))
        filters.append(or_(t.destination == named, served))
    if shape.priority is not None:
        filters.append(_is_of(shape.priority))
    if "assessment" in shape.given:
        filters.append(bindparam("assessment", type_=Text) == _ASSESSED)
    if "finding" in shape.given:
        one = func.jsonb_build_object(literal_column("'outcome'"), bindparam("finding", type_=Text))
        filters.append(_has(func.jsonb_build_array(one)))
    return filters


def _is_overdue(now: ColumnElement[datetime]) -> Condition:
    return or_(tasks.c.overdue, and_(tasks.c.due_at.is_not(None), tasks.c.due_at <= now))


def _is_of(priority: Priority) -> Condition:
    """Return the condition of a priority, as `domain.task_lists.priority_of` reckons it."""
    due_at = tasks.c.due_at
    is_overdue = _is_overdue(bindparam("now", type_=due_at.type))
    if priority is Priority.OVERDUE:
        return is_overdue
    is_urgent = and_(due_at.is_not(None), due_at <= bindparam("urgent_until", type_=due_at.type))
    return and_(~is_overdue, is_urgent if priority is Priority.URGENT else ~is_urgent)


def _first(by: TaskOrder) -> ColumnElement[Any]:
    """Return what a list goes by first; never null, so that the next page is found by it."""
    if by is TaskOrder.ASSESSMENT:
        ranks = [(_word(each) == _ASSESSED, _number(rank)) for rank, each in enumerate(AssessmentOutcome)]
        return case(*ranks, else_=_number(len(ranks)))
    if by is TaskOrder.FINDINGS:
        return func.coalesce(_NOT_PASSED, _number(0), type_=Integer)
    if by is TaskOrder.DESTINATION:
        return func.coalesce(_FIRST_DESTINATION, _NOTHING, type_=Text)
    v = employer_versions.c
    today = bindparam("today", type_=v.valid_from.type)
    name = select(v.name_zh).where(v.employer_id == tasks.c.employer_id, in_force(today)).limit(literal_column("1"))
    return func.coalesce(name.scalar_subquery(), _NOTHING, type_=Text)


def in_force(today: ColumnElement[date]) -> Condition:
    """Return the condition of an employer's version that is in force on a day."""
    v = employer_versions.c
    return and_(v.valid_from <= today, or_(v.valid_to.is_(None), v.valid_to >= today))


@lru_cache
def _next(role: Role, kind: str | None) -> TextClause:
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
        .join(cases, cases.c.reference == first.c.reference)
        .order_by(*_order(first.c))
        .limit(literal_column("1"))
        .with_for_update(skip_locked=True, of=cases)
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


def _taken_by(role: Role) -> list[str]:
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
