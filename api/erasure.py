"""Calls about erasing a person's data: legal holds, proposals, second signatures."""

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.access import IdempotencyKey, allow
from api.answers import json_response, respond
from api.case_routes import CaseRoutes, called
from api.parameters import CasePath, IdPath
from api.wiring import wiring_of
from domain.actors import Actor, Role
from domain.erasure import ErasureConfirmation, ErasureRequest, LegalHoldRelease, LegalHoldRequest
from privacy import erasures, legal_holds
from privacy.erasure_views import ErasureView, LegalHoldView

routes = CaseRoutes("Erasure")

_SUPERVISOR = allow(Role.SUPERVISOR)
_SIGNERS = allow(Role.OFFICER, Role.SUPERVISOR)
_READERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)


class LegalHoldItems(BaseModel):
    """The legal holds of a case."""

    items: list[LegalHoldView]


class ErasureItems(BaseModel):
    """The erasures of the person of a case."""

    items: list[ErasureView]


@routes.get(
    "/legal-holds", response_model=LegalHoldItems, summary="List the legal holds of a case", **called("listLegalHolds")
)
async def list_holds(request: Request, reference: CasePath, actor: Annotated[Actor, _READERS]) -> Response:
    """List the legal holds of a case, released ones too, the newest first."""
    return json_response({"items": await legal_holds.list_holds(wiring_of(request).context, actor, reference)})


@routes.post(
    "/legal-holds",
    response_model=LegalHoldView,
    summary="Place a legal hold",
    **called("placeLegalHold", "facts_erased"),
)
async def place_hold(
    request: Request,
    reference: CasePath,
    body: LegalHoldRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Keep a case from every erasure until the hold is released; it changes nothing else of the case."""
    return respond(await legal_holds.place(wiring_of(request).context, actor, reference, body, idempotency))


@routes.post(
    "/legal-holds/{hold_id}/release",
    response_model=LegalHoldView,
    summary="Release a legal hold",
    **called("releaseLegalHold", "already_decided", "facts_erased"),
)
async def release_hold(
    request: Request,
    reference: CasePath,
    hold_id: IdPath,
    body: LegalHoldRelease,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Release a legal hold."""
    context = wiring_of(request).context
    return respond(await legal_holds.release(context, actor, reference, hold_id, body, idempotency))


@routes.get(
    "/erasure", response_model=ErasureItems, summary="List the erasures of a case's person", **called("listErasures")
)
async def list_erasures(request: Request, reference: CasePath, actor: Annotated[Actor, _READERS]) -> Response:
    """List the erasures that were proposed or done, the newest first."""
    return json_response({"items": await erasures.list_erasures(wiring_of(request).context, reference)})


@routes.post(
    "/erasure",
    **called("proposeErasure", "wrong_stage", "legal_hold", "case_not_at_rest", "facts_erased"),
    response_model=ErasureView,
    status_code=202,
    summary="Propose to erase a person",
)
async def propose_erasure(
    request: Request,
    reference: CasePath,
    body: ErasureRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Propose to erase the person of a case with all their cases; nothing undoes it, so a second person signs."""
    return respond(await erasures.propose(wiring_of(request).context, actor, reference, body, idempotency))


@routes.post(
    "/erasure/confirmation",
    response_model=ErasureView,
    summary="Sign, or reject, an erasure",
    **called("confirmErasure", "wrong_stage", "same_signer", "legal_hold", "case_not_at_rest", "facts_erased"),
)
async def confirm_erasure(
    request: Request,
    reference: CasePath,
    body: ErasureConfirmation,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SIGNERS],
) -> Response:
    """Give or refuse the second signature; given, the person's data can be read by nobody from the answer on."""
    return respond(await erasures.confirm(wiring_of(request).context, actor, reference, body, idempotency))
