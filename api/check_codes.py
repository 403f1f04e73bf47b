"""Check codes: issued, listed and withdrawn by those whose case it is and by staff; shown by anyone."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow, anyone, session_of
from api.answers import json_response, respond
from api.callers import client_of
from api.case_routes import CaseRoutes, called
from api.parameters import CasePath, IdPath
from api.wiring import wiring_of
from domain.actors import Actor, Role
from domain.check_codes import CheckCodeRequest, CheckCodeWithdrawal
from privacy import check_codes
from privacy.check_codes import CheckCodesView, CheckCodeView, CheckedView, IssuedCheckCodeView

routes = CaseRoutes("Check codes")
router = APIRouter(prefix="/v1/check", route_class=GuardedRoute, tags=["Check codes"])

_SIDES = allow(Role.EMPLOYER, Role.PERSON, Role.OFFICER, Role.SUPERVISOR, knows_person=True)
_UNSTORED = {"Cache-Control": "no-store"}


@routes.post(
    "/check-codes",
    status_code=201,
    response_model=IssuedCheckCodeView,
    summary="Issue a check code",
    **called("issueCheckCode", "wrong_stage", "facts_erased"),
)
async def issue(
    request: Request,
    reference: CasePath,
    body: CheckCodeRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SIDES],
) -> Response:
    """Issue a code by which anyone sees whether the case is in force; it is shown once, and can be withdrawn."""
    session = session_of(request)
    return respond(await check_codes.issue(wiring_of(request).context, actor, session, reference, idempotency))


@routes.get(
    "/check-codes",
    response_model=CheckCodesView,
    summary="List the check codes of a case",
    **called("listCheckCodes"),
)
async def list_codes(request: Request, reference: CasePath, actor: Annotated[Actor, _SIDES]) -> Response:
    """List the codes that were issued, without what they are: to employer and person those of their own side."""
    session = session_of(request)
    items = await check_codes.list_codes(wiring_of(request).context, actor, session, reference)
    return json_response({"items": items})


@routes.post(
    "/check-codes/{code_id}/withdrawal",
    response_model=CheckCodeView,
    summary="Withdraw a check code",
    **called("withdrawCheckCode", "not_found", "already_decided", "facts_erased"),
)
async def withdraw(
    request: Request,
    reference: CasePath,
    code_id: IdPath,
    body: CheckCodeWithdrawal,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SIDES],
) -> Response:
    """Withdraw a code: whoever shows it from now on is answered as for one that there never was."""
    context, session = wiring_of(request).context, session_of(request)
    return respond(await check_codes.withdraw(context, actor, session, reference, code_id, idempotency))


@router.get("/{code}", response_model=CheckedView, summary="Check whether something is in force")
async def check(
    request: Request,
    code: Annotated[str, Path(max_length=100, description="Check code.", examples=["7K2M9-QXA4B-0CDE1-FGH2J-K"])],
    _caller: Annotated[None, anyone()],
) -> Response:
    """Say whether what a code was issued for is in force now: number, masked name and days, and nothing else of it.

    A code that is wrong, withdrawn or of somebody who was erased is answered alike.
    """
    wiring = wiring_of(request)
    await wiring.limiter.count_stranger(client_of(request.scope), "check")
    shown = await check_codes.check(wiring.context, code, request.state.correlation_id)
    return json_response(shown.as_json(), headers=_UNSTORED)
