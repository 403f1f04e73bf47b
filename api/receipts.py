"""Decision receipts: signed files by which a decision can be checked without us."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.access import allow
from api.case_routes import CaseRoutes, called
from api.parameters import CasePath
from api.wiring import wiring_of
from cases.shared.views import document
from domain.actors import Actor, Role
from proof.receipts import canonical
from record.receipt_views import ReceiptsView
from record.receipts import issue_receipts

routes = CaseRoutes("Receipts")

_READERS = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_SEALS_WITHIN_S = 5


@routes.get("/receipts", response_model=ReceiptsView, summary="Receipts of the decisions", **called("readReceipts"))
async def read_receipts(request: Request, reference: CasePath, actor: Annotated[Actor, _READERS]) -> Response:
    """Return a signed receipt for each decision that the reader may see, in canonical JSON (RFC 8785)."""
    found = await issue_receipts(wiring_of(request).context, actor, reference)
    headers = {"Retry-After": str(_SEALS_WITHIN_S)} if found.pending else None
    return Response(canonical(document(found)), headers=headers, media_type="application/json")
