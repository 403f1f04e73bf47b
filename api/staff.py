"""Calls of park staff: tasks, decisions, second signatures, permits, published reasons."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.acts import act, pending
from api.answers import json_response, respond
from api.bulk import approve_all
from api.case_routes import says
from api.parameters import IdPath
from api.published import CaseView
from api.published_words import TaskKind, Use
from api.task_answers import TaskAnswerRequest
from api.views import BulkView, ReasonList
from api.wiring import wiring_of
from cases.commands.routes import ANSWER_TASK
from cases.tasks import inbox
from cases.tasks.views import TaskView
from domain.actors import Actor, Role
from domain.bodies import Body as RequestBody
from domain.commands import CommandKind
from domain.decisions import (
    BulkDecision,
)
from domain.fields import Label
from temporal.telemetry import concern
from texts.reasons import published_reasons

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Staff"])

_STAFF = allow(Role.OFFICER, Role.SUPERVISOR)
_HOLDERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.OPERATOR)
_SUPERVISOR = allow(Role.SUPERVISOR)
_SIGNED_IN = allow(*(role for role in Role if role not in (Role.SYSTEM, Role.AUTHORITY)))
_INSIDE = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR)
_REVIEWERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_READERS = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
MOST_AT_ONCE = 100


class ReasonQuery(BaseModel):
    """Which reasons."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: Use | None = Field(default=None, description="What the reasons are given for.")


class NextTask(RequestBody):
    """Of which kind the next task is to be."""

    kind: TaskKind | None = None


class Release(RequestBody):
    """Why a task is given back; a conflict of interest bars its holder from the case."""

    reason: Literal["conflict_of_interest"] | None = None


class Assignment(RequestBody):
    """To whom a task goes."""

    subject: Label


@router.post(
    "/tasks/next",
    response_model=TaskView,
    summary="Claim the most urgent free task",
    responses={204: {"description": "No task is free."}},
)
async def claim_next(
    request: Request, idempotency: IdempotencyKey, actor: Annotated[Actor, _HOLDERS], body: NextTask | None = None
) -> Response:
    """Claim the most urgent free task; two callers never get the same one."""
    kind = body.kind if body is not None else None
    return respond(await inbox.claim_next(wiring_of(request).context, actor, kind, idempotency))


@router.post("/tasks/{task_id}/claim", response_model=TaskView, summary="Claim a task")
async def claim(
    request: Request, task_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _HOLDERS]
) -> Response:
    """Claim a free task."""
    return respond(await inbox.claim(wiring_of(request).context, actor, task_id, idempotency))


@router.post("/tasks/{task_id}/release", response_model=TaskView, summary="Give a task back")
async def release(
    request: Request,
    task_id: IdPath,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _HOLDERS],
    body: Release | None = None,
) -> Response:
    """Give a task back; for a conflict of interest the case is closed to its holder."""
    conflict = body is not None and body.reason is not None
    return respond(await inbox.release(wiring_of(request).context, actor, task_id, conflict, idempotency))


@router.post("/tasks/{task_id}/assign", response_model=TaskView, summary="Assign a task")
async def assign(
    request: Request,
    task_id: IdPath,
    body: Assignment,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Give a task to someone."""
    return respond(await inbox.assign(wiring_of(request).context, actor, task_id, body.subject, idempotency))


@router.post(
    "/tasks/{task_id}/answer",
    response_model=CaseView,
    responses=pending(CaseView),
    **says(ANSWER_TASK, ANSWER_TASK.refusals),
)
async def answer_task(
    request: Request,
    task_id: IdPath,
    body: TaskAnswerRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, allow(*ANSWER_TASK.by)],
) -> Response:
    """Answer a task that is neither `review` nor `confirm`."""
    reference = await inbox.find_reference(wiring_of(request).context, actor, task_id)
    concern(reference)
    answer = {"task_id": str(task_id), **body.model_dump(mode="json", exclude_unset=True)}
    return await act(request, actor, reference, CommandKind.ANSWER_TASK, answer, idempotency)


@router.post("/decisions", response_model=BulkView, summary="Approve several cases")
async def approve_several(
    request: Request,
    body: Annotated[list[BulkDecision], Body(min_length=1, max_length=MOST_AT_ONCE)],
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Approve cases that were assessed clear; each has its own outcome."""
    return json_response({"items": await approve_all(request, actor, body, idempotency)})


@router.get("/reasons", response_model=ReasonList, summary="Published reasons")
async def list_reasons(
    request: Request, query: Annotated[ReasonQuery, Query()], actor: Annotated[Actor, _SIGNED_IN]
) -> Response:
    """List the reason codes with their uses, sources and standing: all, or those of one use."""
    return json_response({"items": published_reasons(wiring_of(request).context.words, query.use)})
