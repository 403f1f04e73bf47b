"""Calls of supervisors: employers, their standing, premises."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import answer_page, json_response, respond
from api.parameters import CodePath
from api.views import EmployerPage, PremisesItems, PremisesPage
from api.wiring import wiring_of
from cases.shared.idempotency import Reply
from domain.actors import Actor, Role
from domain.decisions import PermitConfirmationRequest
from domain.employers import EmployerRequest, PremisesRequest, StandingRequest
from domain.errors import Refused
from domain.fields import Day
from domain.messages import StandingInput
from domain.pages import PageQuery
from register import employers, premises, standing
from register.views import EmployerView, StandingView

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Supervisors"])

_SUPERVISOR = allow(Role.SUPERVISOR)
_SIGNERS = allow(Role.OFFICER, Role.SUPERVISOR)
_STAFF = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_ALSO_ITSELF = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)


class PremisesQuery(PageQuery):
    """Which premises."""

    on: Day | None = Field(default=None, description="Those in force on this day.")


@router.get("/employers", response_model=EmployerPage, summary="List employers")
async def list_employers(
    request: Request, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _STAFF]
) -> Response:
    """List employers by id, as they stand today."""
    context = wiring_of(request).context
    read = partial(employers.list_employers, context, actor)
    return await answer_page(request, actor, "employers", query, read)


@router.get("/employers/{employer_id}", response_model=EmployerView, summary="Read an employer")
async def get_employer(request: Request, employer_id: CodePath, actor: Annotated[Actor, _ALSO_ITSELF]) -> Response:
    """Return an employer with its versions; an employer sees itself only."""
    if actor.employer_id not in (None, employer_id):
        raise Refused("not_found", "The register has no employer of this id.")
    return json_response(await employers.get_employer(wiring_of(request).context, actor, employer_id))


@router.put("/employers/{employer_id}", response_model=EmployerView, summary="Record an employer")
async def put_employer(
    request: Request,
    employer_id: CodePath,
    body: EmployerRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Record an employer as it stands from a day on; what stood before stays for the days before."""
    return respond(await employers.put_employer(wiring_of(request).context, actor, employer_id, body, idempotency))


@router.post(
    "/employers/{employer_id}/standing",
    response_model=StandingView,
    summary="Set a standing",
    responses={202: {"model": StandingView, "description": "Proposed; takes effect with a second signature."}},
)
async def propose_standing(
    request: Request,
    employer_id: CodePath,
    body: StandingRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Set a standing from a day on; `left_park` waits for a second signature."""
    reply = await standing.propose_standing(wiring_of(request).context, actor, employer_id, body, idempotency)
    return _spread(request, reply)


@router.post(
    "/employers/{employer_id}/standing/confirmation",
    response_model=StandingView,
    summary="Sign, or reject, a standing",
)
async def confirm_standing(
    request: Request,
    employer_id: CodePath,
    body: PermitConfirmationRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SIGNERS],
) -> Response:
    """Give or refuse the second signature on `left_park`."""
    reply = await standing.confirm_standing(wiring_of(request).context, actor, employer_id, body, idempotency)
    return _spread(request, reply)


@router.get("/premises", response_model=PremisesPage, summary="List premises")
async def list_premises(
    request: Request, query: Annotated[PremisesQuery, Query()], actor: Annotated[Actor, _ALSO_ITSELF]
) -> Response:
    """List premises in the Park by code and first day."""
    context = wiring_of(request).context
    read = partial(premises.get_premises, context, actor, on=query.on)
    return await answer_page(request, actor, "premises", query, read)


@router.put("/premises", response_model=PremisesItems, summary="Record premises")
async def put_premises(
    request: Request, body: PremisesRequest, idempotency: IdempotencyKey, actor: Annotated[Actor, _SUPERVISOR]
) -> Response:
    """Record premises from a day on; what stood before stays for the days before."""
    return respond(await premises.put_premises(wiring_of(request).context, actor, body, idempotency))


def _spread(request: Request, reply: Reply) -> Response:
    """Answer, and let the employer's cases hear of a standing that holds."""
    wiring, change = wiring_of(request), reply.body
    if change["state"] == standing.IN_FORCE:
        told = StandingInput(change_id=change["change_id"], at=wiring.context.clock())
        wiring.in_background(wiring.engine.start_standing(change["employer_id"], told))
    return respond(reply)
