"""Calls about many tasks at once: the work list, how many there are, and assignments of several."""

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import answer_page, json_response
from api.bulk import assign_all
from api.parameters import IdPath
from api.problems import FieldProblem
from api.published_words import TaskKind, TrackKey
from api.views import TaskPage
from api.wiring import wiring_of
from cases.tasks import inbox
from cases.tasks.views import TaskCounts, TaskView
from domain.actors import Actor, Role
from domain.bodies import Body
from domain.fields import Code, Label, Since
from domain.findings import FindingOutcome
from domain.pages import PageQuery
from domain.stages import AssessmentOutcome
from domain.task_lists import Priority, TaskChoice, TaskOrder

router = APIRouter(prefix="/v1/tasks", route_class=GuardedRoute, tags=["Staff"])

_HOLDERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.OPERATOR)
_SUPERVISOR = allow(Role.SUPERVISOR)
MOST_AT_ONCE = 100


class TaskFilter(BaseModel):
    """Which tasks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: TaskKind | None = None
    holder: Label | None = Field(default=None, description="`me`, `none` or a subject.", examples=["me"])
    due_before: Since | None = None
    employer_id: Code | None = None
    destination: TrackKey | Literal["none"] | None = Field(
        default=None, description="Of which permit; `none` for tasks of a registration."
    )
    assessment: AssessmentOutcome | None = Field(default=None, description="What the findings amount to.")
    finding: FindingOutcome | None = Field(default=None, description="With a finding of this outcome.")
    priority: Priority | None = None

    def choice(self) -> TaskChoice:
        """Return what a list is to show."""
        return TaskChoice(**{name: getattr(self, name) for name in TaskFilter.model_fields})


class TaskQuery(TaskFilter, PageQuery):
    """Which page of which tasks, in which order."""

    order: TaskOrder = Field(default=TaskOrder.PRIORITY, description="What comes first; then by urgency.")


class Assignments(Body):
    """Which tasks go to whom."""

    tasks: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]
    subject: Label


class AssignmentOutcome(BaseModel):
    """What became of one assignment."""

    id: str
    status: int
    reference: str | None = None
    holder: str | None = Field(default=None, description="Who holds the task now.")
    code: str | None = None
    detail: str | None = Field(default=None, description="What happened and what to do, in the caller's language.")
    errors: list[FieldProblem] | None = None


class AssignmentsView(BaseModel):
    """One outcome for each task, in the order given."""

    items: list[AssignmentOutcome]


@router.get("", response_model=TaskPage, summary="List open tasks")
async def list_tasks(
    request: Request, query: Annotated[TaskQuery, Query()], actor: Annotated[Actor, _HOLDERS]
) -> Response:
    """List open tasks: overdue ones first, then by due date and the time they came, or in another order."""
    context = wiring_of(request).context
    read = partial(inbox.list_tasks, context, actor, query.choice(), order=query.order)
    return await answer_page(request, actor, "tasks", query, read)


@router.get("/counts", response_model=TaskCounts, summary="Count open tasks")
async def count_tasks(
    request: Request, query: Annotated[TaskFilter, Query()], actor: Annotated[Actor, _HOLDERS]
) -> Response:
    """Count the open tasks that the caller's list has, by kind, by holder and by urgency."""
    return json_response(await inbox.count_tasks(wiring_of(request).context, actor, query.choice()))


@router.get("/{task_id}", response_model=TaskView, summary="Read a task")
async def read_task(request: Request, task_id: IdPath, actor: Annotated[Actor, _HOLDERS]) -> Response:
    """Return a task of the caller's lists, one that somebody answered meanwhile as well: `state`, and who holds it."""
    return json_response(await inbox.read_task(wiring_of(request).context, actor, task_id))


@router.post("/assign", response_model=AssignmentsView, summary="Assign several tasks")
async def assign_several(
    request: Request, body: Assignments, idempotency: IdempotencyKey, actor: Annotated[Actor, _SUPERVISOR]
) -> Response:
    """Give several tasks to someone; each has its own outcome."""
    items = await assign_all(request, actor, body.tasks, body.subject, idempotency)
    return json_response({"items": items})
