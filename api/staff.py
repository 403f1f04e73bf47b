"""Calls of park staff: tasks, decisions, second signatures, permits, published reasons."""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.acts import act, on_permit
from api.answers import answer_page, json_response, respond
from api.bulk import approve_all
from api.notice_views import NoticePage
from api.parameters import CasePath, DestinationPath, IdPath, PageQuery, PurposeHeader
from api.published import CaseView, PersonView
from api.published_words import TaskKind
from api.views import BulkView, ReasonList, RequestPage
from api.wiring import wiring_of
from cases.case import reads
from cases.case import requests as case_requests
from cases.notices import reads as notice_reads
from cases.tasks import inbox as tasks
from cases.tasks.views import TaskView
from domain.actors import Actor, Role
from domain.bodies import Body as RequestBody
from domain.commands import CommandKind
from domain.decisions import (
    BulkDecision,
    ConfirmationRequest,
    DecisionRequest,
    EligibilityRequest,
    HoldRequest,
    OutcomeRequest,
    PermitConfirmationRequest,
    RecallRequest,
    RevocationRequest,
    TaskAnswerRequest,
)
from domain.fields import Label
from domain.purposes import Purpose
from domain.reasons import Use
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
PENDING: dict[int | str, dict[str, Any]] = {
    202: {"model": CaseView, "description": "Stored; applied when the engine is back (`pending: true`)."}
}


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


class PersonQuery(RequestBody):
    """Which fields of the person to open."""

    fields: str = Field(
        min_length=1, max_length=300, description="Names, separated by commas.", examples=["name_zh,identity_number"]
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The names, each once, in the order given."""
        return tuple(dict.fromkeys(name.strip() for name in self.fields.split(",") if name.strip()))


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
    return respond(await tasks.claim_next(wiring_of(request).context, actor, kind, idempotency))


@router.post("/tasks/{task_id}/claim", response_model=TaskView, summary="Claim a task")
async def claim(
    request: Request, task_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _HOLDERS]
) -> Response:
    """Claim a free task."""
    return respond(await tasks.claim(wiring_of(request).context, actor, task_id, idempotency))


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
    return respond(await tasks.release(wiring_of(request).context, actor, task_id, conflict, idempotency))


@router.post("/tasks/{task_id}/assign", response_model=TaskView, summary="Assign a task")
async def assign(
    request: Request,
    task_id: IdPath,
    body: Assignment,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Give a task to someone."""
    return respond(await tasks.assign(wiring_of(request).context, actor, task_id, body.subject, idempotency))


@router.post(
    "/tasks/{task_id}/answer",
    response_model=CaseView,
    summary="Answer a task of another kind",
    responses=PENDING,
)
async def answer_task(
    request: Request,
    task_id: IdPath,
    body: TaskAnswerRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Answer a task that is neither `review` nor `confirm`."""
    reference = await tasks.find_reference(wiring_of(request).context, actor, task_id)
    concern(reference)
    answer = {"task_id": str(task_id), **body.model_dump(mode="json", exclude_unset=True)}
    return await act(request, actor, reference, CommandKind.ANSWER_TASK, answer, idempotency)


@router.post(
    "/registrations/{reference}/decision",
    response_model=CaseView,
    summary="Approve, return or refuse",
    responses=PENDING,
)
async def decide(
    request: Request,
    reference: CasePath,
    body: DecisionRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Decide on a registration."""
    return await act(request, actor, reference, CommandKind.DECIDE, body, idempotency)


@router.post(
    "/registrations/{reference}/confirmation",
    response_model=CaseView,
    summary="Sign, or reject, a proposal",
    responses=PENDING,
)
async def confirm(
    request: Request,
    reference: CasePath,
    body: ConfirmationRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Give or refuse the second signature on a proposal of someone else."""
    return await act(request, actor, reference, CommandKind.CONFIRM, body, idempotency)


@router.post("/decisions", response_model=BulkView, summary="Approve several cases")
async def approve_several(
    request: Request,
    body: Annotated[list[BulkDecision], Body(min_length=1, max_length=MOST_AT_ONCE)],
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Approve cases that were assessed clear; each has its own outcome."""
    return json_response({"items": await approve_all(request, actor, body, idempotency)})


@router.post(
    "/registrations/{reference}/recall", response_model=CaseView, summary="Take an approval back", responses=PENDING
)
async def recall(
    request: Request,
    reference: CasePath,
    body: RecallRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Take an approval back within the settling time, by the one who gave it effect."""
    return await act(request, actor, reference, CommandKind.RECALL, body, idempotency)


@router.post(
    "/registrations/{reference}/hold", response_model=CaseView, summary="Place or release a hold", responses=PENDING
)
async def hold(
    request: Request,
    reference: CasePath,
    body: HoldRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Place or release a hold; the park's clock runs on."""
    return await act(request, actor, reference, CommandKind.HOLD, body, idempotency)


@router.post(
    "/registrations/{reference}/revocation", response_model=CaseView, summary="Propose a revocation", responses=PENDING
)
async def revoke(
    request: Request,
    reference: CasePath,
    body: RevocationRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Propose to revoke a registration; it takes effect with a second signature."""
    return await act(request, actor, reference, "revoke", body, idempotency)


@router.post(
    "/registrations/{reference}/permits/{destination}/eligibility",
    response_model=CaseView,
    summary="Send or withhold a permit",
    responses=PENDING,
)
async def settle_eligibility(
    request: Request,
    reference: CasePath,
    destination: DestinationPath,
    body: EligibilityRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Send a list entry whose eligibility is not clear, or propose to withhold it."""
    wanted = on_permit(destination, body)
    return await act(request, actor, reference, "eligibility", wanted, idempotency)


@router.post(
    "/registrations/{reference}/permits/{destination}/outcome",
    response_model=CaseView,
    summary="Enter an answer of the authority",
    responses=PENDING,
)
async def enter_outcome(
    request: Request,
    reference: CasePath,
    destination: DestinationPath,
    body: OutcomeRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Enter an answer from a numbered paper, or apply one that was held; it takes effect with a second signature."""
    wanted = on_permit(destination, body)
    return await act(request, actor, reference, "enter_outcome", wanted, idempotency)


@router.post(
    "/registrations/{reference}/permits/{destination}/confirmation",
    response_model=CaseView,
    summary="Sign, or reject, what was proposed for a permit",
    responses=PENDING,
)
async def confirm_permit(
    request: Request,
    reference: CasePath,
    destination: DestinationPath,
    body: PermitConfirmationRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Give or refuse the second signature on what someone else proposed for a permit."""
    wanted = on_permit(destination, body)
    return await act(request, actor, reference, "permit_confirm", wanted, idempotency)


@router.get("/registrations/{reference}/person", response_model=PersonView, summary="Open person fields")
async def open_person(
    request: Request,
    reference: CasePath,
    query: Annotated[PersonQuery, Query()],
    actor: Annotated[Actor, _READERS],
    purpose: Annotated[
        Purpose | None, Header(alias="Purpose", description="Why; an employer opens its own without.")
    ] = None,
) -> Response:
    """Return fields of the person in clear; the reading is a ledger act."""
    opened = await reads.open_person(wiring_of(request).context, actor, reference, query.names, purpose)
    return json_response(opened)


@router.get("/registrations/{reference}/notices", response_model=NoticePage, summary="Notices of a case")
async def list_notices(
    request: Request, reference: CasePath, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _INSIDE]
) -> Response:
    """List who was told what by which channel, oldest first, and how far each delivery got."""
    context = wiring_of(request).context
    read = partial(notice_reads.list_notices, context, actor, reference)
    return await answer_page(request, actor, f"registrations/{reference}/notices", query, read)


@router.get("/registrations/{reference}/requests", response_model=RequestPage, summary="What was asked of a case")
async def list_requests(
    request: Request,
    reference: CasePath,
    query: Annotated[PageQuery, Query()],
    actor: Annotated[Actor, _REVIEWERS],
    purpose: PurposeHeader = None,
) -> Response:
    """List what employer, person and staff asked of a case, with their notes, oldest first; a ledger act."""
    context = wiring_of(request).context
    read = partial(case_requests.list_requests, context, actor, reference, purpose)
    return await answer_page(request, actor, f"registrations/{reference}/requests", query, read)


@router.get("/reasons", response_model=ReasonList, summary="Published reasons")
async def list_reasons(query: Annotated[ReasonQuery, Query()], actor: Annotated[Actor, _SIGNED_IN]) -> Response:
    """List the reason codes with their uses, sources and standing: all, or those of one use."""
    return json_response({"items": published_reasons(query.use)})
