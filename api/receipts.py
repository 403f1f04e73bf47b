"""Decision receipts: signed files by which a decision can be checked without us."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.access import GuardedRoute, allow
from api.parameters import CasePath
from api.wiring import wiring_of
from domain.actors import Actor, Role
from proof.receipts import canonical
from record.receipts import issue_receipts

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Receipts"])

_READERS = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_SEALS_WITHIN_S = 5


class ReceiptView(BaseModel):
    """A receipt: what it says, and the signature of the log over it."""

    format: str
    content: dict[str, Any] = Field(
        description="Case, decision, facts, findings, remedy, row of the ledger, and its place in the log."
    )
    signature: dict[str, str]


class ReceiptsView(BaseModel):
    """The receipts of a case; the answer as it is, byte for byte, is what `hetao audit verify` checks."""

    items: list[ReceiptView]
    pending: list[dict[str, Any]] = Field(
        description="Decisions that are not sealed yet; ask again after the seconds of `Retry-After`."
    )


@router.get("/registrations/{reference}/receipts", response_model=ReceiptsView, summary="Receipts of the decisions")
async def read_receipts(request: Request, reference: CasePath, actor: Annotated[Actor, _READERS]) -> Response:
    """Return a signed receipt for each decision that the reader may see, in canonical JSON (RFC 8785)."""
    found = await issue_receipts(wiring_of(request).context, actor, reference)
    headers = {"Retry-After": str(_SEALS_WITHIN_S)} if found["pending"] else None
    return Response(canonical(found), headers=headers, media_type="application/json")
