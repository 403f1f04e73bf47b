"""Calls about persons who stand twice in the register: joining them, and parting who was joined, by two signatures."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import json_response, respond
from api.case_routes import called
from api.parameters import IdPath
from api.wiring import wiring_of
from domain.actors import Actor, Role
from domain.joinings import JoiningConfirmation, JoiningRequest, JoiningState, PartingRequest
from privacy import joinings
from privacy.joining_views import JoiningView

router = APIRouter(prefix="/v1/person-joinings", route_class=GuardedRoute, tags=["Persons"])

_SIGNERS = allow(Role.OFFICER, Role.SUPERVISOR)
_READERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_REFUSED = ("wrong_stage", "facts_erased")
_LIVE = ("live_registration_exists", "legal_hold")


class JoiningItems(BaseModel):
    """Joinings of persons and their undoing."""

    items: list[JoiningView]


class JoiningQuery(BaseModel):
    """Which of them."""

    model_config = ConfigDict(extra="forbid")

    state: JoiningState | None = Field(default=None, description="Those that stand here.")
    reference: str | None = Field(default=None, max_length=40, description="Those about the person of this case.")


@router.post(
    "",
    response_model=JoiningView,
    status_code=202,
    summary="Propose to join two persons",
    **called("proposeJoining", *_REFUSED, *_LIVE),
)
async def propose_joining(
    request: Request, body: JoiningRequest, idempotency: IdempotencyKey, actor: Annotated[Actor, _SIGNERS]
) -> Response:
    """Propose that two persons of the register are one human; a second person signs."""
    return respond(await joinings.propose(wiring_of(request).context, actor, body, idempotency))


@router.get("", response_model=JoiningItems, summary="List joinings of persons", **called("listJoinings"))
async def list_joinings(
    request: Request, query: Annotated[JoiningQuery, Query()], actor: Annotated[Actor, _READERS]
) -> Response:
    """List what was proposed, the newest first, at most 100."""
    context = wiring_of(request).context
    found = await joinings.list_joinings(context, actor, state=query.state, reference=query.reference)
    return json_response({"items": found})


@router.get("/{joining_id}", response_model=JoiningView, summary="Read a joining of persons", **called("getJoining"))
async def get_joining(request: Request, joining_id: IdPath, actor: Annotated[Actor, _READERS]) -> Response:
    """Return a joining or a parting, with what proves it."""
    return json_response(await joinings.get_joining(wiring_of(request).context, actor, joining_id))


@router.post(
    "/{joining_id}/confirmation",
    response_model=JoiningView,
    summary="Sign, or reject, a joining or a parting",
    **called("confirmJoining", "same_signer", *_REFUSED, *_LIVE),
)
async def confirm_joining(
    request: Request,
    joining_id: IdPath,
    body: JoiningConfirmation,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SIGNERS],
) -> Response:
    """Give or refuse the second signature; given, the two are joined, or parted, from the answer on."""
    return respond(await joinings.confirm(wiring_of(request).context, actor, joining_id, body, idempotency))


@router.post(
    "/{joining_id}/withdrawal",
    response_model=JoiningView,
    summary="Withdraw a proposal to join or part",
    **called("withdrawJoining", "wrong_stage"),
)
async def withdraw_joining(
    request: Request, joining_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _SIGNERS]
) -> Response:
    """Take back what one proposed oneself, before it is signed."""
    return respond(await joinings.withdraw(wiring_of(request).context, actor, joining_id, idempotency))


@router.post(
    "/{joining_id}/parting",
    response_model=JoiningView,
    status_code=202,
    summary="Propose to part two persons who were joined",
    **called("proposeParting", *_REFUSED),
)
async def propose_parting(
    request: Request,
    joining_id: IdPath,
    body: PartingRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SIGNERS],
) -> Response:
    """Propose that two who were joined are two after all; documents and cases go back with a second signature."""
    return respond(await joinings.propose_parting(wiring_of(request).context, actor, joining_id, body, idempotency))
