"""Calls of machines outside: answers of the exit-entry administration, receipts of the gateways."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import GuardedRoute, signed
from api.answers import respond
from api.signed import read_body, signed_body, verified
from api.views import AnswerView, DeliveryReportView
from api.wiring import wiring_of
from cases.notices import receipts
from domain.answers import AuthorityAnswer
from domain.incidents import IncidentKind
from domain.webhooks import ReceiptRequest
from programmes.talent_permit.authority.outcomes import Said
from temporal.telemetry import concern

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Machines"])


@router.post(
    "/authority/outcomes",
    response_model=AnswerView,
    summary="Answer on a talent permit",
    responses={202: {"model": AnswerView, "description": "Kept for an officer (`held`) or until it fits."}},
    openapi_extra=signed_body(AuthorityAnswer),
)
async def receive_answer(request: Request, _caller: Annotated[None, signed()]) -> Response:
    """Take an answer of the exit-entry administration; a message id seen before gets its first answer again."""
    wiring = wiring_of(request)
    message_id, body, actor = await verified(request, wiring.callbacks, "authority", IncidentKind.AUTHORITY_ANSWER)
    answer = read_body(request, body, AuthorityAnswer)
    concern(answer.reference)
    request.state.actor = None  # the verb writes its own ledger row for an answer that it refuses
    received = await wiring.answers.receive(Said(actor, answer, message_id, body))
    if received.command_id is not None:
        wiring.in_background(
            wiring.engine.nudge(received.reference, str(received.command_id), request.state.correlation_id)
        )
    return respond(received.reply)


@router.post(
    "/receipts",
    response_model=DeliveryReportView,
    summary="Receipt of a message",
    openapi_extra=signed_body(ReceiptRequest),
)
async def receive_receipt(request: Request, _caller: Annotated[None, signed()]) -> Response:
    """Take a receipt of a mail or SMS gateway; receipts only move a status forward."""
    wiring = wiring_of(request)
    message_id, body, _ = await verified(request, wiring.receipts, "gateway", IncidentKind.DELIVERY_RECEIPT)
    receipt = read_body(request, body, ReceiptRequest)
    return respond(await receipts.receive(wiring.context, message_id, receipt))
