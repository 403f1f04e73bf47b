"""Calls about facts that officers saw: recording one, reading them, contesting one."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.acts import act
from api.answers import json_response
from api.fact_views import OpenedFacts
from api.parameters import CasePath, PurposeHeader
from api.published import CaseView, FactRequest
from api.staff import PENDING
from api.wiring import wiring_of
from cases.case import fact_reads
from domain.actors import Actor, Role
from domain.case_facts import FactContest
from domain.commands import CommandKind

router = APIRouter(prefix="/v1", route_class=GuardedRoute)

_STAFF = allow(Role.OFFICER, Role.SUPERVISOR)
_EMPLOYER = allow(Role.EMPLOYER)
_READERS = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
FactPath = Annotated[int, Path(ge=1, le=10_000, description="Number of the fact in its case.", examples=[1])]


@router.post(
    "/registrations/{reference}/facts",
    response_model=CaseView,
    summary="Record a fact",
    responses=PENDING,
    tags=["Staff"],
)
async def record(
    request: Request,
    reference: CasePath,
    body: FactRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Record a fact that an officer saw, beside what was given; the rules run again for every destination."""
    return await act(request, actor, reference, CommandKind.RECORD_FACT, body, idempotency)


@router.get(
    "/registrations/{reference}/facts", response_model=OpenedFacts, summary="Read recorded facts", tags=["Staff"]
)
async def list_facts(
    request: Request, reference: CasePath, actor: Annotated[Actor, _READERS], purpose: PurposeHeader = None
) -> Response:
    """Return what officers recorded in a case in clear; the reading is a ledger act."""
    items = await fact_reads.list_facts(wiring_of(request).context, actor, reference, purpose)
    return json_response({"items": items, "next_cursor": None})


@router.post(
    "/registrations/{reference}/facts/{number}/contest",
    status_code=202,
    response_model=CaseView,
    summary="Contest a recorded fact",
    tags=["Employers"],
)
async def contest(
    request: Request,
    reference: CasePath,
    number: FactPath,
    body: FactContest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _EMPLOYER],
) -> Response:
    """Say why a recorded fact is wrong, so that another officer looks at it."""
    wanted = {"fact": number, **body.model_dump(mode="json")}
    return await act(request, actor, reference, CommandKind.CONTEST_FACT, wanted, idempotency)
