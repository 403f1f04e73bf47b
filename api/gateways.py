"""Calls of the gateways of mail and SMS: what became of a message."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import GuardedRoute, signed
from api.answers import respond
from api.signed import read_body, signed_body, verified
from api.views import DeliveryReportView
from api.wiring import wiring_of
from cases.notices import receipts
from domain.incidents import IncidentKind
from domain.webhooks import ReceiptRequest

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Machines"])


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
