"""Calls about the seal of the ledger: checkpoints, proofs, public keys, and the cosignatures of witnesses.

Checkpoints, proofs of consistency and keys are open to anyone, since they tell of nothing but the size of the tree, and
so that a witness on the other side of a boundary needs nothing of ours; who names a row is an auditor.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response

from api.access import GuardedRoute, allow, anyone, signed
from api.answers import json_response
from api.problems import Answered
from api.wiring import wiring_of
from cases.shared.epochs import read_log_epochs
from cases.shared.views import document
from domain.actors import Actor, Role
from domain.errors import FieldError, Refused
from domain.field_errors import MESSAGES, FieldCode
from record.seal import log
from record.seal.views import CheckpointView, ConsistencyView, InclusionView, KeysView

router = APIRouter(prefix="/v1/audit", route_class=GuardedRoute, tags=["Seal"])

LARGEST: Final = 2**53 - 1  # what JSON numbers can name
_SEALS_WITHIN_S: Final = 5
_NOTE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The checkpoint; as a signed note (C2SP) where `Accept` asks for `text/plain`.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}
Size = Annotated[int | None, Field(ge=0, le=LARGEST)]


class CheckpointQuery(BaseModel):
    """Which checkpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Size = Field(default=None, description="An older checkpoint, by its size; the newest unless told.")


class ConsistencyQuery(BaseModel):
    """Between which sizes of the tree."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    old: int = Field(alias="from", ge=0, le=LARGEST, description="Size of the older tree.")
    new: Size = Field(default=None, alias="to", description="Size of the newer tree; the newest unless told.")


class ProofQuery(BaseModel):
    """A row by chain and seq, a leaf by index, or two sizes of the tree."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: str | None = Field(default=None, min_length=1, max_length=300, description="Chain of the row, with `seq`.")
    seq: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Place of the row in its chain.")
    index: Size = Field(default=None, description="Index of the leaf.")
    size: Size = Field(default=None, description="Checkpoint to prove it in; the newest unless told.")
    old: Size = Field(default=None, alias="from", description="Size of the older tree, for a proof of consistency.")
    new: Size = Field(default=None, alias="to", description="Size of the newer tree.")


class CosignatureBody(BaseModel):
    """A witness's cosignature of a checkpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(ge=1, le=LARGEST, description="Size in the checkpoint.")
    cosignature: str = Field(max_length=1000, description="Signature line (C2SP tlog-cosignature).")


@router.get(
    "/checkpoint",
    response_model=CheckpointView,
    summary="Newest checkpoint of the log",
    responses=_NOTE,
)
async def read_checkpoint(
    request: Request, query: Annotated[CheckpointQuery, Query()], _caller: Annotated[None, anyone()]
) -> Response:
    """Return the newest checkpoint or an older one, as JSON or as a signed note."""
    wiring = wiring_of(request)
    await wiring.limiter.count_machine("log")
    sealed = await log.find_checkpoint(wiring.context, query.size)
    if "text/plain" in request.headers.get("accept", ""):
        return PlainTextResponse(sealed.note)
    return json_response(sealed.view())


@router.get("/consistency", response_model=ConsistencyView, summary="Proof that the log only grew")
async def read_consistency(
    request: Request, query: Annotated[ConsistencyQuery, Query()], _caller: Annotated[None, anyone()]
) -> Response:
    """Prove that the tree of one size continues that of a smaller one."""
    wiring = wiring_of(request)
    await wiring.limiter.count_machine("log")
    return json_response(document(await log.prove_consistency(wiring.context, query.old, query.new)))


@router.get("/keys", response_model=KeysView, summary="Public keys of the log and its witnesses")
async def read_keys(request: Request, _caller: Annotated[None, anyone()]) -> Response:
    """Return the public keys; `hetao audit verify --keys` takes the answer as it is."""
    context = wiring_of(request).context
    return json_response(log.public_keys(context, await read_log_epochs(context)))


@router.get(
    "/proofs",
    response_model=InclusionView | ConsistencyView,
    summary="Proof about the ledger",
)
async def read_proofs(
    request: Request, query: Annotated[ProofQuery, Query()], _actor: Annotated[Actor, allow(Role.AUDITOR)]
) -> Response:
    """Prove that a row is in the log (`chain` and `seq`, or `index`), or that the log only grew (`from`, `to`)."""
    context = wiring_of(request).context
    _check_one_question(query)
    if query.old is not None:
        return json_response(document(await log.prove_consistency(context, query.old, query.new)))
    try:
        found = await log.prove_inclusion(context, chain=query.chain, seq=query.seq, index=query.index, size=query.size)
    except Refused as refused:
        if refused.code == "not_sealed_yet":
            raise Answered(refused, {"Retry-After": str(_SEALS_WITHIN_S)}) from None
        raise
    return json_response(found)


@router.post("/checkpoint/cosignatures", response_model=CheckpointView, summary="Co-sign a checkpoint")
async def add_cosignature(request: Request, body: CosignatureBody, _caller: Annotated[None, signed()]) -> Response:
    """Take the cosignature of a known witness; the cosignature is the credential, and the same again is fine."""
    wiring = wiring_of(request)
    try:
        sealed = await log.add_cosignature(wiring.context, body.size, body.cosignature)
    except Refused as refused:
        if refused.code == "signature_invalid":
            await wiring.limiter.count_forged("witness")
        raise
    await wiring.limiter.count_machine("witness")
    return json_response(sealed.view())


def _check_one_question(query: ProofQuery) -> None:
    """Refuse a query that names no row and no two sizes, or both."""
    by_row, by_index = query.chain is not None or query.seq is not None, query.index is not None
    consistency = query.old is not None or query.new is not None
    field, code = "", FieldCode.REQUIRED
    if by_row + by_index + consistency > 1:
        field, code = ("from" if consistency else "index"), FieldCode.UNKNOWN_FIELD
    elif by_row and None in (query.chain, query.seq):
        field = "chain" if query.chain is None else "seq"
    elif not (by_row or by_index or consistency):
        field = "chain"
    elif consistency and (query.old is None or query.size is not None):
        field, code = ("from", code) if query.old is None else ("size", FieldCode.UNKNOWN_FIELD)
    if field:
        message = "Ask by `chain` and `seq`, by `index`, or by `from` and `to`."
        raise Refused("invalid", message, [FieldError(field, code, MESSAGES[code])])
